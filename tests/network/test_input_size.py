# SPDX-License-Identifier: GPL-3.0-or-later
"""A larger input finds smaller faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mfn_addon.capture.footage import Footage
from mfn_addon.network import FaceNetwork

CLIP = Path(__file__).resolve().parents[2] / "demo" / "three_people.mp4"


def test_a_larger_input_finds_people_who_are_far_away() -> None:
    people = next(iter(Footage(CLIP))).image
    small = cv2.resize(people, (205, 115), interpolation=cv2.INTER_AREA)
    hall = np.full((720, 1280, 3), 90, np.uint8)
    hall[200:315, 400:605] = small
    near, far = (FaceNetwork(long_side=side).detect(hall) for side in (320, 640))
    assert len(near) < len(far) == 3
    for face in far:
        middle = (face.box[:2] + face.box[2:]) / 2
        assert 400 < middle[0] < 605
        assert 200 < middle[1] < 315
