# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothing: calm at rest, on time in motion, by the clock and not by the frame."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.track import OneEuro, Smoothing
from mfn_addon.track.one_euro import ArrayFilter, RotationFilter
from mfn_addon.track.rotation import (
    angle_between,
    quaternion_from_matrix,
    quaternion_to_matrix,
    slerp,
)
from mfn_addon.track.smoothing import FaceFilter
from tests.capture.marks import make_face

RATE = 30.0


def yaw(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)


def lag_in_frames(true: np.ndarray, seen: np.ndarray) -> float:
    """By how many frames `seen` comes late: the shift under which the two differ least."""
    shifts = np.arange(0, 6, 0.1)
    at = np.arange(len(true))
    inner = slice(20, -20)
    errors = [np.mean((np.interp(at - shift, at, true) - seen)[inner] ** 2) for shift in shifts]
    return float(shifts[int(np.argmin(errors))])


def run_filter(smooth, values, rate=RATE):
    return np.array([smooth(value, 1 / rate) for value in values])


PARTS = {
    # noise at rest and a typical quick movement, in the units of the part
    "rotation": (np.radians(1.0), np.radians(35)),
    "landmarks": (0.01, 0.5),
    "box": (0.01, 0.5),
    "mouth": (0.03, 0.45),
    "lids": (0.03, 0.5),
    "others": (0.03, 0.4),
}


def filtered(part: str, values: np.ndarray, knobs: OneEuro | None = None) -> np.ndarray:
    knobs = knobs or getattr(Smoothing(), part)
    if part == "rotation":
        smooth = RotationFilter(knobs)
        return np.array([np.arctan2(*smooth(yaw(v), 1 / RATE)[[0, 2], 2]) for v in values])
    smooth = ArrayFilter(knobs)
    return run_filter(smooth, values[:, None])[:, 0]


@pytest.mark.parametrize("part", PARTS)
def test_jitter_at_rest_is_at_least_halved(part):
    noise, _ = PARTS[part]
    noisy = np.random.default_rng(0).normal(0, noise, 600)
    steady = filtered(part, noisy)
    shake = np.std(np.diff(steady)) / np.std(np.diff(noisy))
    assert shake < 0.5


def test_what_is_gated_rests_in_its_own_noise_however_loud():
    for noise in (0.005, 0.05):
        noisy = 0.5 + np.random.default_rng(3).normal(0, noise, 300)
        steady = run_filter(ArrayFilter(Smoothing().mouth), noisy[:, None])[60:, 0]
        plain = Smoothing().mouth._replace(gate=0.0)
        ungated = run_filter(ArrayFilter(plain), noisy[:, None])[60:, 0]
        assert steady.std() < 0.45 * noise
        assert steady.std() < 0.8 * ungated.std()


def test_a_head_that_can_hardly_be_read_rests_more_calmly():
    knobs = Smoothing().rotation
    noisy = [yaw(v) for v in np.random.default_rng(5).normal(0, np.radians(3.0), 600)]
    spread = []
    for each in (knobs, knobs._replace(loud=np.inf)):
        turned = run_filter(RotationFilter(each), noisy)[120:]
        spread.append(np.arctan2(turned[:, 0, 2], turned[:, 2, 2]).std())
    assert spread[0] < 0.6 * spread[1]


def test_a_loud_head_still_follows_a_turn():
    noise = np.random.default_rng(6).normal(0, np.radians(2.0), 240)
    turn = np.where(np.arange(240) < 120, 0.0, np.radians(30)) + noise
    seen = np.degrees(filtered("rotation", turn))
    assert seen[122] > 24
    assert seen[160:].mean() == pytest.approx(30, abs=2)


def test_a_face_that_is_first_seen_badly_rests_where_it_is_on_the_whole():
    """The first frames of a noisy head count alike: it does not creep away from the first one."""
    noise = np.radians(2.0)
    off = []
    for seed in range(20):
        noisy = np.random.default_rng(seed).normal(0, noise, 40)
        off.append(filtered("rotation", noisy)[-10:].mean())
    assert np.std(off) < 0.3 * noise


def test_a_turn_slower_than_the_noise_is_followed():
    """The head stays within the noise behind a turn of 3 degrees a second, nearer than without."""
    noise, _ = PARTS["rotation"]
    true = np.arange(300) / RATE * np.radians(3.0)
    knobs = Smoothing().rotation

    def behind(each: OneEuro) -> float:
        noisy = [true + np.random.default_rng(seed).normal(0, noise, 300) for seed in range(10)]
        return float(np.mean([(true - filtered("rotation", v, each))[100:] for v in noisy]))

    assert behind(knobs) < 0.8 * noise
    assert behind(knobs) < 0.8 * behind(knobs._replace(drift=0.0))


def test_a_movement_out_of_the_noise_is_followed_at_once():
    noise = np.random.default_rng(4).normal(0, 0.01, 100)
    step = np.where(np.arange(100) < 60, 0.1, 0.7) + noise
    seen = run_filter(ArrayFilter(Smoothing().mouth), step[:, None])[:, 0]
    assert seen[61] > 0.5  # the second frame of the new place
    assert seen[63] == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize("part", PARTS)
def test_movement_comes_at_most_one_frame_late(part):
    noise, amplitude = PARTS[part]
    seconds = np.arange(0, 8, 1 / RATE)
    true = amplitude * np.sin(2 * np.pi * 1.2 * seconds)
    noisy = true + np.random.default_rng(1).normal(0, noise, len(true))
    assert lag_in_frames(true, filtered(part, noisy)) <= 1.0


def test_a_blink_of_a_tenth_of_a_second_still_closes_the_eye():
    blink = np.array([0, 0, 0, 0.5, 1.0, 1.0, 0.5, 0, 0, 0], float)
    seen = filtered("lids", blink)
    assert seen.max() > 0.9
    assert abs(int(np.argmax(seen)) - 4) <= 1


def test_time_counts_and_not_the_number_of_frames():
    """The same movement at 15, 30 and 60 pictures a second looks the same at the same times."""

    def at_one_second(rate: float) -> float:
        smooth = ArrayFilter(OneEuro(1.0, 0.0))
        times = np.arange(0, 1 + 1e-9, 1 / rate)
        return float([smooth(np.array([min(t * 4, 1.0)]), 1 / rate)[0] for t in times][-1])

    assert at_one_second(60) == pytest.approx(at_one_second(30), abs=0.02)
    assert at_one_second(30) == pytest.approx(at_one_second(15), abs=0.04)


def test_irregular_times():
    """Dropped and late frames do not make a steady movement stutter."""
    rng = np.random.default_rng(2)
    steps = rng.choice([1 / 60, 1 / 30, 1 / 12], 200)
    smooth = ArrayFilter(Smoothing().landmarks)
    time, late = 0.0, []
    for dt in steps:
        time += dt
        late.append(time * 0.8 - smooth(np.array([time * 0.8]), dt)[0])
    assert np.std(late[30:]) < 0.8 * np.mean(steps) / 2
    assert np.max(np.abs(late[30:])) < 0.8 * np.max(steps)


def test_zero_time_between_frames_is_harmless():
    smooth = FaceFilter(Smoothing())
    for _ in range(3):
        face = smooth(make_face(jaw_open=0.5), 0.0)
    assert np.isfinite(face.box).all()
    assert np.isfinite(face.rotation).all()


def test_a_rotation_stays_a_rotation():
    rng = np.random.default_rng(3)
    smooth = RotationFilter(OneEuro(1.0, 0.5))
    for _ in range(50):
        quaternion = rng.normal(size=4)
        result = smooth(quaternion_to_matrix(quaternion / np.linalg.norm(quaternion)), 1 / 30)
        assert result @ result.T == pytest.approx(np.eye(3), abs=1e-5)
        assert np.linalg.det(result) == pytest.approx(1, abs=1e-5)


def test_identity_weights_settle_on_their_mean():
    rng = np.random.default_rng(4)
    face = make_face()
    smooth = FaceFilter(Smoothing())
    for _ in range(150):
        noisy = face.identity + rng.normal(0, 0.5, face.identity.shape)
        seen = smooth(face.with_(identity=noisy.astype(np.float32)), 1 / 30)
    assert np.abs(seen.identity - face.identity).mean() < 0.08


def test_quaternions_there_and_back():
    for angle in np.linspace(-np.pi, np.pi, 25):
        for axis in np.eye(3):
            quaternion = np.r_[np.cos(angle / 2), np.sin(angle / 2) * axis]
            matrix = quaternion_to_matrix(quaternion)
            back = quaternion_to_matrix(quaternion_from_matrix(matrix))
            assert angle_between(matrix, back) < 2e-3
    assert angle_between(yaw(0.2), yaw(0.9)) == pytest.approx(0.7, abs=1e-3)


def test_slerp_takes_the_shortest_way():
    start, end = quaternion_from_matrix(yaw(0.1)), -quaternion_from_matrix(yaw(0.5))
    middle = quaternion_to_matrix(slerp(start, end, 0.5))
    assert angle_between(middle, yaw(0.3)) < 1e-3
