# SPDX-License-Identifier: GPL-3.0-or-later
"""An actor's neutral."""

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX
from mfn_addon.track import Calibration
from tests.capture.marks import make_face

LID = EXPRESSION_INDEX["eyeBlinkLeft"]


def resting_face(lid: float):
    face = make_face()
    face.expression[LID] = lid
    return face


def test_the_resting_face_becomes_neutral_and_closed_lids_stay_closed():
    calibration = Calibration.from_faces([resting_face(lid) for lid in (0.28, 0.3, 0.31)])
    assert calibration.apply(resting_face(0.3)).expression[LID] == pytest.approx(0)
    assert calibration.apply(resting_face(0.2)).expression[LID] == pytest.approx(0)
    assert calibration.apply(resting_face(1.0)).expression[LID] == pytest.approx(1)


def test_the_resting_head_looks_ahead():
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]], np.float32)
    calibration = Calibration.from_faces([make_face(rotation=turn)] * 5)
    assert calibration.apply(make_face(rotation=turn)).rotation == pytest.approx(
        np.eye(3), abs=1e-5
    )


def test_nobody_in_view():
    with pytest.raises(ValueError, match="in view"):
        Calibration.from_faces([])
