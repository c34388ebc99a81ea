# SPDX-License-Identifier: GPL-3.0-or-later
"""Grey photographs get a colour, and keep their light."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from training.bank import FaceBank, load_surface
from training.colouring import colour_in, is_grey
from training.scenes import Composer

SIDE = 128


def points() -> np.ndarray:
    """(P, 2) px of a neutral face in the middle of a picture."""
    return load_surface().project(
        np.eye(3)[None],
        np.array([[SIDE / 2, SIDE / 2]]),
        np.array([450.0]),
        np.zeros((1, 40)),
        np.zeros((1, 52)),
    )[0]


def grey_picture(seed: int = 0) -> np.ndarray:
    """A bright face on a darker background."""
    picture = np.random.default_rng(seed).normal(70, 12, (SIDE, SIDE)).clip(0, 255)
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(points().astype(np.int32)), 1)
    picture[face > 0] += 80
    light = cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.uint8)
    return cv2.merge([light, light, light])


@pytest.mark.parametrize("seed", range(8))
def test_colour_leaves_the_light_and_makes_skin_of_the_face(seed):
    grey = grey_picture(seed)
    coloured = colour_in(grey, points(), np.random.default_rng(seed))
    assert is_grey(grey)
    assert not is_grey(coloured)
    light = cv2.cvtColor(coloured, cv2.COLOR_RGB2GRAY).astype(int)
    assert np.abs(light - grey[..., 0]).mean() < 1.5
    red, green, blue = coloured[SIDE // 2 - 8 : SIDE // 2 + 8, 52:76].reshape(-1, 3).mean(0)
    assert red > green > blue


def test_people_and_rooms_differ_in_colour():
    pictures = [
        colour_in(grey_picture(), points(), np.random.default_rng(seed)).astype(int)
        for seed in range(6)
    ]
    for one, other in itertools.pairwise(pictures):
        assert np.abs(one - other).max(2).mean() > 1


@pytest.mark.parametrize("size", [(9, 14), (31, 20), (64, 64)])
def test_small_patches_of_any_shape_are_coloured(size):
    height, width = size
    light = np.full((height, width, 3), 120, np.uint8)
    small = points() * (width / SIDE, height / SIDE)
    assert colour_in(light, small, np.random.default_rng(0)).shape == (height, width, 3)


def bank(crop: np.ndarray) -> FaceBank:
    return FaceBank(
        crops=crop[None],
        rotation=np.eye(3, dtype=np.float32)[None],
        centre=np.array([[SIDE / 2, SIDE / 2]], np.float32),
        scale=np.array([450.0], np.float32),
        identity=np.zeros((1, 40), np.float32),
        expression=np.full((1, 52), 0.1, np.float32),
        trusted=np.ones(52, np.float32),
        name="photo",
    )


def test_a_composer_colours_grey_photographs_alone(monkeypatch):
    from training import scenes

    coloured = []

    def record(patch: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
        coloured.append(patch)
        return patch

    monkeypatch.setattr(scenes, "colour_in", record)
    in_colour = grey_picture()
    in_colour[..., 0] += 20
    for crop, often in ((grey_picture(), True), (in_colour, False)):
        composer = Composer(
            [bank(crop)], [1.0], [np.zeros((80, 80, 3), np.uint8)], load_surface(), 160, 0
        )
        coloured.clear()
        for _ in range(40):
            composer.face(60, 96, 96, 0.03)
        assert (20 < len(coloured) < 38) if often else not coloured
