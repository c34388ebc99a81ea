# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3DMM fit finds what made the landmarks, and stays within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, load_head_model
from mfn_addon.face.camera import project_local
from training.fit import Fit, prior_scores, solve, teacher_pitch, teacher_points

ANGLES = (0.3, -0.2, 0.15)


@pytest.fixture(scope="module")
def points():
    with np.load("models/head_model.npz") as data:
        return teacher_points(load_head_model(), data["source_vertex"])


def turned(yaw: float, pitch: float, roll: float) -> np.ndarray:
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    around_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    around_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    around_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return around_y @ around_x @ around_z


def observe(points, weights: np.ndarray) -> np.ndarray:
    shape = points.neutral.numpy() + np.tensordot(weights, points.basis.numpy(), 1)
    return project_local(shape, turned(*ANGLES), np.array([300.0, 200.0]), 900.0)


def test_a_known_face_is_recovered(points):
    weights = np.zeros(92)
    weights[:40] = np.random.default_rng(2).standard_normal(40) * 0.7
    wanted = {"jawOpen": 0.5, "mouthSmileLeft": 0.7, "mouthSmileRight": 0.6, "browInnerUp": 0.5}
    prior = np.zeros((1, 52), np.float32)
    for name, value in wanted.items():
        weights[40 + EXPRESSION_INDEX[name]] = value
        prior[0, EXPRESSION_INDEX[name]] = value * 0.7  # the teacher is right but faint
    fit = solve(points, observe(points, weights)[None], prior, steps=14)
    assert fit.error[0] < 0.004
    cosine = (np.trace(fit.rotation[0].T @ turned(*ANGLES)) - 1) / 2
    assert np.degrees(np.arccos(min(cosine, 1))) < 2.5
    for name, value in wanted.items():
        assert fit.expression[0, EXPRESSION_INDEX[name]] == pytest.approx(value, abs=0.2)
    assert fit.scale[0] == pytest.approx(900, rel=0.05)


def test_a_known_pitch_is_kept_where_another_is_expected_of_the_face(points):
    weights = np.zeros(92)
    weights[40 + EXPRESSION_INDEX["browInnerUp"]] = 0.8
    seen, nothing = observe(points, weights)[None], np.zeros((1, 52), np.float32)
    for expected, nearness in ((ANGLES[1], 0.005), (ANGLES[1] + 0.1, 0.05)):
        fit = solve(points, seen, nothing, pitch=np.array([expected]))
        assert np.arcsin(-fit.rotation[0, 1, 2]) == pytest.approx(expected, abs=nearness)
        yaw = np.arctan2(fit.rotation[0, 0, 2], fit.rotation[0, 2, 2])
        assert yaw == pytest.approx(ANGLES[0], abs=0.03)


def test_the_teachers_pitch_gets_the_gain_and_level_of_the_fits():
    pitch = np.radians(np.linspace(-20, 20, 41))
    fit = Fit(np.stack([turned(0.1, p, 0) for p in pitch]), *[np.zeros(41)] * 5)
    theirs = np.stack([turned(0.2, 1.25 * p + 0.1, 0.3) for p in pitch])
    assert np.allclose(teacher_pitch(fit, theirs), pitch, atol=1e-3)


def test_weights_stay_between_zero_and_one(points):
    noisy = observe(points, np.zeros(92)) + np.random.default_rng(0).normal(0, 8, (470, 2))
    fit = solve(points, noisy[None].astype(np.float32), np.zeros((1, 52), np.float32))
    assert fit.expression.min() >= 0
    assert fit.expression.max() <= 1
    assert np.isfinite(fit.expression).all()


def test_the_prior_is_free_of_the_teachers_resting_level():
    scores = np.zeros((50, 52), np.float32)
    squint = EXPRESSION_INDEX["eyeSquintLeft"]
    scores[:, squint] = 0.4
    scores[0, squint] = 0.7
    prior = prior_scores(scores)
    assert prior[1, squint] == 0
    assert prior[0, squint] == pytest.approx(0.5)


def test_a_closed_eye_is_a_blink_above_all(points):
    weights = np.zeros(92)
    weights[40 + EXPRESSION_INDEX["eyeBlinkLeft"]] = 0.95
    prior = np.zeros((1, 52), np.float32)  # what a scorer says of closed eyes: some of each
    for name, score in (("eyeBlink", 0.8), ("eyeLookDown", 0.7), ("eyeSquint", 0.5)):
        prior[0, EXPRESSION_INDEX[name + "Left"]] = score
    fit = solve(points, observe(points, weights)[None], prior, np.zeros((1, 40), np.float32))
    said = fit.expression[0]
    assert said[EXPRESSION_INDEX["eyeBlinkLeft"]] > 0.7
    assert said[EXPRESSION_INDEX["eyeLookDownLeft"]] < 0.3
    assert said[EXPRESSION_INDEX["eyeSquintLeft"]] < 0.25
