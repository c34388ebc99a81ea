# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline pass: steadier, and nothing that was performed is lost or late."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, Face, FaceFrame
from mfn_addon.track.offline import OfflineOptions, bilateral, smooth_performance

RATE = 30.0
BLINK = EXPRESSION_INDEX["eyeBlinkLeft"]
JAW = EXPRESSION_INDEX["jawOpen"]


def yawed(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)


def yaw_of(face: Face) -> float:
    return float(np.degrees(np.arctan2(face.rotation[0, 2], face.rotation[2, 2])))


def performance(seconds: float, noise: float, actor: int = 1, seed: int = 0) -> list[FaceFrame]:
    """A still face with a blink of four frames in the middle, and noise."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    frames = []
    for i in range(count):
        expression = 0.3 + random.normal(0, noise, 52)
        expression[BLINK] += {-1: 0.35, 0: 0.6, 1: 0.55, 2: 0.2}.get(i - count // 2, 0)
        face = Face(
            id=actor,
            score=0.9,
            box=np.array([100, 100, 200, 220], np.float32),
            rotation=yawed(10 + random.normal(0, 20 * noise)),
            translation=np.array([0, 0, -0.6], np.float32),
            identity=random.normal(actor, 0.2, 40).astype(np.float32),
            expression=expression.astype(np.float32),
            landmarks=random.normal(150, 1, (68, 2)).astype(np.float32),
        )
        frames.append(FaceFrame(i / RATE, "clip", i, 640, 480, [face]))
    return frames


def test_more_than_half_of_the_noise_is_gone_and_the_blink_is_not():
    rough = performance(6, 0.01)
    smooth = smooth_performance(rough)
    before = np.array([frame.faces[0].expression for frame in rough])
    after = np.array([frame.faces[0].expression for frame in smooth])
    assert after[:, JAW].std() < 0.45 * before[:, JAW].std()
    assert after[:, BLINK].argmax() == before[:, BLINK].argmax()
    assert after[:, BLINK].max() > 0.95 * before[:, BLINK].max()
    turned = [np.std([yaw_of(f.faces[0]) for f in frames]) for frames in (smooth, rough)]
    assert turned[0] < 0.45 * turned[1]


def test_a_ramp_is_not_delayed():
    times = np.arange(120) / RATE
    values = np.clip((times - 1.5) * 2, 0, 1)[:, None]
    noisy = values + np.random.default_rng(0).normal(0, 0.01, values.shape)
    smooth = bilateral(times, noisy, OfflineOptions())
    crossing = [
        np.interp(0.5, column[45:62], times[45:62]) for column in (smooth[:, 0], values[:, 0])
    ]
    assert crossing[0] == pytest.approx(crossing[1], abs=0.25 / RATE)


def test_an_actor_has_one_identity_and_actors_do_not_mix():
    one, other = performance(1, 0.01, actor=1), performance(1, 0.01, actor=2, seed=5)
    both = [FaceFrame(a.time, a.source, a.frame, a.width, a.height, [*a.faces, *b.faces])
            for a, b in zip(one, other, strict=True)]  # fmt: skip
    smooth = smooth_performance(both)
    for k, actor in enumerate((1, 2)):
        identities = np.array([frame.faces[k].identity for frame in smooth])
        assert (identities == identities[0]).all()
        assert identities[0].mean() == pytest.approx(actor, abs=0.05)
    alone = smooth_performance(one)
    for pair, single in zip(smooth, alone, strict=True):
        assert pair.faces[0].expression == pytest.approx(single.faces[0].expression)


def test_an_absence_parts_what_is_averaged():
    frames = performance(1, 0)
    for frame in frames[15:]:
        frame.time += 2.0
        frame.faces[0].expression[JAW] += 1e-7  # equal, so that only time can part them
    late = smooth_performance(frames)[15].faces[0]
    assert late.expression[JAW] == pytest.approx(frames[15].faces[0].expression[JAW])


def test_frames_without_faces_and_single_faces_stay():
    empty = FaceFrame(0.0, "clip", 0, 640, 480, [])
    (single,) = performance(1, 0.1)[:1]
    first, second = smooth_performance([empty, single])
    assert first.faces == []
    assert second.faces[0].expression == pytest.approx(
        np.clip(single.faces[0].expression, 0, 1), abs=1e-6
    )
    assert smooth_performance([]) == []
