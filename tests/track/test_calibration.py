# SPDX-License-Identifier: GPL-3.0-or-later
"""An actor's neutral and range, measured and taken out again."""

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from mfn_addon.track import Calibration, GuidedCalibration
from mfn_addon.track.guided import STEPS
from tests.capture.marks import make_face

LID, SMILE, JAW = (EXPRESSION_INDEX[name] for name in ("eyeBlinkLeft", "mouthSmileLeft", "jawOpen"))


def face_with(**weights: float):
    face = make_face()
    for name, weight in weights.items():
        face.expression[EXPRESSION_INDEX[name]] = weight
    return face


def resting_face(lid: float, smile: float = 0.0):
    return face_with(eyeBlinkLeft=lid, mouthSmileLeft=smile)


def test_the_resting_face_becomes_neutral_and_a_full_movement_stays_full():
    rest = [resting_face(lid=0.3, smile=smile) for smile in (0.18, 0.2, 0.21)]
    calibration = Calibration.from_faces(rest)
    assert calibration.apply(rest[1]).expression[SMILE] == pytest.approx(0)
    assert calibration.apply(resting_face(0.3, smile=0.1)).expression[SMILE] == 0
    assert calibration.apply(resting_face(0.3, smile=1.0)).expression[SMILE] == pytest.approx(1)


@pytest.mark.parametrize("bias", [0.0, 0.1, 0.3, 0.5])
def test_taking_out_a_blink_bias_does_not_stop_blinking(bias):
    calibration = Calibration.from_faces([resting_face(bias)])
    closing = np.linspace(bias, 1.0, 50)
    lids = [calibration.apply(resting_face(lid)).expression[LID] for lid in closing]
    assert lids[0] == pytest.approx(0, abs=1e-6)
    assert lids[-1] == pytest.approx(1)
    assert np.all(np.diff(lids) > 0)
    # A quick blink that the filter left at 0.8 stays as high as it was.
    assert calibration.apply(resting_face(0.8)).expression[LID] == pytest.approx(0.8, abs=0.02)


def test_a_blink_while_resting_does_not_move_the_neutral():
    rest = [resting_face(0.9 if 12 <= n < 20 else 0.2) for n in range(30)]
    assert Calibration.from_faces(rest).neutral[LID] == pytest.approx(0.2)


def test_the_resting_head_looks_ahead():
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]], np.float32)
    calibration = Calibration.from_faces([make_face(rotation=turn)] * 5)
    assert calibration.apply(make_face(rotation=turn)).rotation == pytest.approx(
        np.eye(3), abs=1e-5
    )


def test_a_whole_take_is_calibrated_as_its_frames_are():
    calibration = Calibration.from_faces([resting_face(0.3, 0.2)])
    calibration.peak[SMILE] = 0.7
    faces = [resting_face(lid, smile) for lid, smile in ((0.3, 0.2), (0.6, 0.4), (1.0, 0.7))]
    expression = calibration.weights(np.array([face.expression for face in faces]))
    rotation = calibration.turns(np.array([face.rotation for face in faces]))
    for index, face in enumerate(faces):
        assert calibration.apply(face).expression == pytest.approx(expression[index], abs=1e-6)
        assert calibration.apply(face).rotation == pytest.approx(rotation[index])


def test_it_is_kept_as_text():
    calibration = Calibration.from_faces([resting_face(0.3, 0.2)])
    calibration.peak[JAW] = 0.6
    again = Calibration.from_text(calibration.to_text())
    for name in ("neutral", "rotation", "peak"):
        assert getattr(again, name) == pytest.approx(getattr(calibration, name), abs=1e-4)
    with pytest.raises(ValueError, match="no calibration"):
        Calibration.from_text("{}")


def test_nobody_in_view():
    with pytest.raises(ValueError, match="in view"):
        Calibration.from_faces([])


# --- the guided session -----------------------------------------------------------------------


def perform(session, face_of):
    """Do what the session asks, at 30 frames a second; returns what it asked for."""
    asked, frame = [], 0
    while session.step is not None:
        if not asked or asked[-1] != session.step.ask:
            asked.append(session.step.ask)
        before = session.progress
        session.see(face_of(session.step), frame / 30)
        assert session.progress >= before
        frame += 1
    return asked


def test_a_guided_session_brings_an_actors_range_to_one():
    session = GuidedCalibration()

    def act(step):
        return face_with(jawOpen=0.6) if "mouth wide" in step.ask else face_with(jawOpen=0.05)

    assert perform(session, act) == [step.ask for step in STEPS]
    assert session.progress == 1.0
    calibration = session.result()
    assert calibration.apply(face_with(jawOpen=0.6)).expression[JAW] == pytest.approx(1)
    assert calibration.apply(face_with(jawOpen=0.05)).expression[JAW] == pytest.approx(0, abs=1e-6)
    untouched = [EXPRESSION_INDEX[name] for name in EXPRESSIONS if name != "jawOpen"]
    assert np.all(calibration.peak[untouched] == 1), "what was not performed keeps its range"


def test_a_lost_face_only_takes_longer():
    session = GuidedCalibration()
    session.see(make_face(), 0.0)
    session.see(make_face(), 10.0)  # ten seconds away
    assert session.step == STEPS[0]
