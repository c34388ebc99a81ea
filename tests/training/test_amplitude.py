# SPDX-License-Identifier: GPL-3.0-or-later
"""Rest and gain are found again in readings that were made with known ones."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from training.amplitude import MOST_GAIN, joined, of_photographs, of_studies

COUNT = len(EXPRESSIONS)


@pytest.fixture
def truth() -> np.ndarray:
    """(4000, 52): most weights are 0, the others anything."""
    random = np.random.default_rng(0)
    return random.uniform(0, 1, (4000, COUNT)) * (random.random((4000, COUNT)) < 0.3)


def test_shrunk_readings_are_stretched_and_their_floor_is_rest(truth):
    rest, gain = of_studies(0.06 + 0.8 * truth, truth)
    assert rest == pytest.approx(0.06, abs=0.01)
    assert gain == pytest.approx(1.25, abs=0.01)


def test_neutral_photographs_tell_rest_but_not_where_eyes_look(truth):
    neutral = np.arange(len(truth)) < 1000
    fitted = np.where(neutral[:, None], 0.0, truth)
    read = 0.1 + 0.8 * fitted
    rest, gain = of_photographs(read, fitted, neutral)
    assert rest[EXPRESSION_INDEX["browInnerUp"]] == pytest.approx(0.1)
    assert rest[EXPRESSION_INDEX["eyeLookUpLeft"]] == 0
    assert gain == pytest.approx(1.25, abs=0.01)
    fitted[:, 3] = 0.01
    assert np.isinf(of_photographs(read, fitted, neutral)[1][3])


def test_the_table_is_careful_and_alike_on_both_sides(truth):
    rest, gain = np.full(COUNT, 0.04), np.full(COUNT, 1.2)
    rest[EXPRESSION_INDEX["browDownLeft"]] = 0.08
    gain[EXPRESSION_INDEX["noseSneerLeft"]] = gain[EXPRESSION_INDEX["noseSneerRight"]] = 9.0
    gain[EXPRESSION_INDEX["jawOpen"]] = 0.9
    table = joined((rest, gain), (np.zeros(COUNT), np.full(COUNT, np.inf)))
    assert table["browDown"] == pytest.approx((0.06, 1.2), abs=0.01)
    assert table["noseSneer"] == pytest.approx((0.04, MOST_GAIN), abs=0.01)
    assert (1 - table["jawOpen"][0]) * table["jawOpen"][1] >= 1  # an open mouth is opened fully
    assert table["jawLeft"] == table["jawRight"]  # mirrored, they are each other
    assert {"jawLeft", "jawRight", "mouthLeft", "mouthRight"} <= set(table)
    assert "eyeBlink" not in table
    assert table["browInnerUp"] == pytest.approx((0.0, 1.2), abs=0.01)
