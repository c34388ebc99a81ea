# SPDX-License-Identifier: GPL-3.0-or-later
"""Key reduction keeps its tolerance at every frame."""

import numpy as np
import pytest

from mfn_addon.retarget.reduction import kept_keys


@pytest.mark.parametrize("tolerance", [0.001, 0.01, 0.1])
def test_the_tolerance_holds_at_every_frame(tolerance):
    generator = np.random.default_rng(3)
    frames = np.arange(500)
    smooth = np.sin(frames[:, None] / np.array([5.0, 20.0, 90.0]))
    rough = generator.normal(0, 0.05, (500, 3)).cumsum(0)
    values = np.hstack([smooth, rough])
    kept = kept_keys(values, np.full(6, tolerance))
    for column, keep in zip(values.T, kept.T, strict=True):
        error = np.abs(np.interp(frames, frames[keep], column[keep]) - column).max()
        assert error <= tolerance
        assert keep[[0, -1]].all()
    assert kept.sum(0)[2] < 200  # a slow wave needs few


def test_straight_lines_keep_their_corners_alone():
    corners = np.interp(np.arange(101), [0, 40, 60, 100], [0, 1, 1, 0])
    assert list(np.flatnonzero(kept_keys(corners[:, None], np.array([1e-4])))) == [0, 40, 60, 100]
    assert kept_keys(np.zeros((1, 2)), np.ones(2)).all()


def test_curves_side_by_side_are_reduced_as_each_alone():
    values = np.random.default_rng(8).normal(0, 0.02, (300, 5)).cumsum(0)
    tolerance = np.array([0.01, 0.02, 0.05, 0.1, 0.2])
    alone = [kept_keys(values[:, [i]], tolerance[[i]])[:, 0] for i in range(5)]
    assert np.array_equal(kept_keys(values, tolerance), np.column_stack(alone))
