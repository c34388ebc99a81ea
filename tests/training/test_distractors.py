# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn to be no face lies where it is said to, and leaves labelled faces alone."""

from __future__ import annotations

import numpy as np
import pytest

from training.distractors import PARTS, SIDE, draw_bodies, draw_graphics


def crop() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_part_covers_some_of_its_square(part):
    for seed in range(20):
        shape, mask = part(np.random.default_rng(seed), crop())
        assert shape.shape == (SIDE, SIDE, 3)
        assert np.isfinite(shape).all()
        assert mask.min() >= 0
        assert mask.max() <= 1 + 1e-6
        assert 0.03 < (mask > 0.5).mean() < 0.9


@pytest.mark.parametrize("draw", [draw_graphics, lambda p, r: draw_bodies(p, r, crop())],
                         ids=["graphics", "bodies"])  # fmt: skip
@pytest.mark.parametrize("size", [64, 320])
def test_pictures_of_any_size_are_drawn_upon_in_place(draw, size):
    changed = 0
    for seed in range(8):
        picture = np.full((size, size, 3), 60, np.uint8)
        draw(picture, np.random.default_rng(seed))
        assert picture.dtype == np.uint8
        changed += bool((picture != 60).any())
    assert changed >= 6
