# SPDX-License-Identifier: GPL-3.0-or-later
"""The page reads the same faces as Python from the same decoded frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.face import FaceFrame
from mfn_addon.network.mfn import FaceNetwork
from mfn_addon.track import Tracker
from tests.companion.node import ROOT, solve_in_node, why_not

RATE = 30.0
FRAMES = 24

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    """Frames of the demo's clip, RGB."""
    video = cv2.VideoCapture(str(ROOT / "demo" / "three_people.mp4"))
    frames = [video.read()[1][..., ::-1].copy() for _ in range(FRAMES)]
    video.release()
    return frames


# As it is; shrunk by no whole number; a camera's usual size; upright; enlarged by the network.
SIZES = [None, (500, 375), (640, 480), (375, 500), (240, 180)]
CASES = [*(("mfn", size) for size in SIZES), ("mfn_light", (640, 480))]


@pytest.mark.parametrize(("name", "size"), CASES)
def test_page_and_python_agree(clip: list[np.ndarray], name, size, tmp_path: Path) -> None:
    frames = clip if size is None else [cv2.resize(frame, size) for frame in clip]
    network, tracker = FaceNetwork(ROOT / "models" / f"{name}.onnx"), Tracker()
    there = solve_in_node(frames, RATE, tmp_path, network=name)["frames"]
    seen = 0
    for number, (frame, faces) in enumerate(zip(frames, there, strict=True)):
        height, width = frame.shape[:2]
        raw = FaceFrame(number / RATE, "clip", number, width, height, network.detect(frame))
        here = tracker.update(raw).faces
        assert [face.id for face in here] == [face["id"] for face in faces]
        for ours, theirs in zip(here, faces, strict=True):
            assert np.abs(ours.expression - theirs["expression"]).max() < 0.01
            assert np.abs(ours.box - theirs["box"]).max() < 1.0
            assert np.abs(ours.landmarks.ravel() - theirs["landmarks"]).max() < 1.0
            assert np.abs(ours.rotation.ravel() - theirs["rotation"]).max() < 0.01
            seen += 1
    assert seen >= FRAMES
