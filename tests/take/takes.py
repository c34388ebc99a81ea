# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of two actors, for the tests beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mfn_addon.face import FaceFrame
from mfn_addon.take import TakeWriter
from tests.capture.marks import make_face


def frames_of_two(count: int = 30, source: str = "talk.mp4") -> list[FaceFrame]:
    """Two actors; the second comes later and leaves earlier."""
    rng = np.random.default_rng(0)
    frames = []
    for number in range(count):
        ids = [1, 2] if 10 <= number < 20 else [1]
        faces = [make_face((100.0 * n + number, 90.0), face_id=n, jaw_open=0.3) for n in ids]
        for face in faces:
            face.expression[:] = rng.uniform(0, 1, 52)
            face.landmarks += rng.normal(0, 1, (68, 2)).astype(np.float32)
        frames.append(FaceFrame(number / 29.97, source, number, 640, 360, faces))
    return frames


def record(path: Path, frames: list[FaceFrame]) -> Path:
    with TakeWriter(path) as take:
        for frame in frames:
            take.add(frame)
    return path


def lines_of(frames: Iterable[FaceFrame]) -> list[str]:
    return [json.dumps(frame.to_json()) for frame in frames]
