# SPDX-License-Identifier: GPL-3.0-or-later
"""The assignment is exact."""

from itertools import permutations

import numpy as np
import pytest

from mfn_addon.track.assignment import assign


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("columns", [1, 2, 4, 6])
def test_as_cheap_as_the_best_of_all(rows, columns):
    for seed in range(20):
        cost = np.random.default_rng(seed).uniform(0, 1, (rows, columns))
        pairs = assign(cost)
        assert len(pairs) == min(rows, columns)
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        wide = cost if rows <= columns else cost.T
        best = min(
            sum(wide[row, column] for row, column in enumerate(order))
            for order in permutations(range(wide.shape[1]), wide.shape[0])
        )
        assert sum(cost[pair] for pair in pairs) == pytest.approx(best)


def test_takes_a_dearer_pair_where_that_leaves_a_partner_for_the_other():
    cost = np.array([[1.0, 2.0], [1.1, 9.0]])
    assert assign(cost) == [(0, 1), (1, 0)]


def test_impossible_pairs_are_never_made():
    cost = np.array([[1e6, 0.5], [np.inf, 0.1]])
    assert assign(cost) == [(1, 1)]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_assign(shape):
    assert assign(np.zeros(shape)) == []
