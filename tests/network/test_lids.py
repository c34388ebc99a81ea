# SPDX-License-Identifier: GPL-3.0-or-later
"""Where lids meet, eyeBlink says so; open, squinting and lowered eyes stay as they were read."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, load_head_model
from mfn_addon.network.lids import PARTS, shut_lids

LEFT = EXPRESSION_INDEX["eyeBlinkLeft"]


def weights(**named: float) -> np.ndarray:
    row = np.zeros(len(EXPRESSIONS), np.float32)
    for name, value in named.items():
        row[EXPRESSION_INDEX[name + "Left"]] = value
    return row


def test_an_eye_that_three_shapes_have_shut_is_shut_by_the_blink():
    shut = shut_lids(weights(eyeBlink=0.5, eyeSquint=0.25, eyeLookDown=0.27))
    assert shut[LEFT] > 0.9


@pytest.mark.parametrize(
    "seen",
    [
        {"eyeBlink": 0.3},
        {"eyeBlink": 0.08, "eyeSquint": 0.8},  # a laugh
        {"eyeBlink": 0.2, "eyeLookDown": 0.9},  # at the keyboard
    ],
)
def test_other_eyes_stay_as_they_are(seen):
    assert np.array_equal(shut_lids(weights(**seen)), weights(**seen))


def test_each_eye_is_its_own_and_nothing_else_changes():
    many = np.random.default_rng(0).uniform(0, 1, (50, len(EXPRESSIONS))).astype(np.float32)
    was = many.copy()
    shut = shut_lids(many)
    assert np.array_equal(many, was)
    blinks = [LEFT, EXPRESSION_INDEX["eyeBlinkRight"]]
    others = np.setdiff1d(np.arange(len(EXPRESSIONS)), blinks)
    assert np.array_equal(shut[:, others], many[:, others])
    assert (shut[:, blinks] >= many[:, blinks]).all()
    assert shut.max() <= 1
    assert np.allclose(shut_lids(many[7]), shut[7])


def test_an_eye_closes_without_a_step():
    blink = np.linspace(0, 1, 400)
    row = np.stack([weights(eyeBlink=b, eyeSquint=0.3 * b, eyeLookDown=0.3 * b) for b in blink])
    closed = shut_lids(row)[:, LEFT]
    assert (np.diff(closed) >= 0).all()
    assert np.diff(closed).max() < 5 / 400


def test_the_shares_are_those_of_the_head_model():
    model = load_head_model()
    nobody = np.zeros(40, np.float32)

    def gap(row: np.ndarray) -> float:
        points = model.landmark_points(nobody, row)
        return float(np.mean([np.linalg.norm(points[43] - points[47]),
                              np.linalg.norm(points[44] - points[46])]))  # fmt: skip

    opened, shut = gap(weights()), gap(weights(eyeBlink=1.0))
    for name, share in PARTS.items():
        way = (opened - gap(weights(**{name: 0.4}))) / (opened - shut)
        assert way / 0.4 == pytest.approx(share, rel=0.07), name
