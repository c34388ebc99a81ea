# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a picture the network is shown, and how finely."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import fitted

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


@pytest.mark.parametrize(
    ("size", "finer"),
    [((720, 1280), (384, 640)), ((1280, 720), (640, 384)), ((480, 640), (512, 640)),
     ((200, 330), (448, 640)), ((180, 320), (192, 320)), ((90, 60), (320, 224))],
)  # fmt: skip
def test_a_large_picture_is_given_twice_as_finely(size, finer):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    inputs, box = fitted(picture, 320)
    times = 2 if max(size) > 320 else 1
    assert inputs["finer"].shape == (1, *finer, 3)
    assert inputs["image"].shape == (1, finer[0] // times, finer[1] // times, 3)
    assert (box.height, box.width) == inputs["image"].shape[1:3]
    assert box.scale == pytest.approx(320 / max(size))
    means = inputs["finer"][0].reshape(box.height, times, box.width, times, 3).mean((1, 3))
    assert np.abs(inputs["image"][0] - means).max() <= 0.5


def test_faces_far_away_are_read_by_what_the_camera_sees_of_them():
    """In a large picture they are read nearly as if the network were shown all of it."""
    film = next(iter(Footage(CLIP))).image
    picture = np.full((720, 1280, 3), 114, np.uint8)
    picture[200 : 200 + len(film), 300 : 300 + film.shape[1]] = film
    network = FaceNetwork(threads=1, as_read=True)
    wanted = sorted(network.detect(picture, 640), key=lambda face: face.box[0])
    finer = sorted(network.detect(picture, 320), key=lambda face: face.box[0])
    small = cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA)
    coarser = sorted(network.detect(small, 320), key=lambda face: face.box[0])
    assert len(wanted) == len(finer) == len(coarser) == 3
    off, off_coarser = (
        np.mean([np.abs(a.expression - b.expression).mean()
                 for a, b in zip(faces, wanted, strict=True)])
        for faces in (finer, coarser)
    )  # fmt: skip
    assert off < 0.75 * off_coarser
