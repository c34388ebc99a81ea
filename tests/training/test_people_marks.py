# SPDX-License-Identifier: GPL-3.0-or-later
"""What people have marked of the mouth corrects the fits, and only where it may."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, load_head_model
from mfn_addon.face.camera import project_local
from training import people_marks
from training.fit import solve_all, teacher_points

COUNT = 12
SMILE = [EXPRESSION_INDEX["mouthSmile" + side] for side in ("Left", "Right")]
CENTRE, SCALE = np.array([300.0, 200.0]), 900.0


@pytest.fixture(scope="module")
def fitted():
    """Half of the faces smile, as people have marked; the teacher saw none."""
    model = load_head_model()
    with np.load("models/head_model.npz") as data:
        points = teacher_points(model, data["source_vertex"])
    random = np.random.default_rng(1)
    observed, landmarks = [], []
    for smiling in np.tile([0.0, 0.8], COUNT // 2):
        weights = np.zeros(92)
        weights[:40] = random.normal(0, 0.5, 40)
        seen = points.neutral.numpy() + np.tensordot(weights, points.basis.numpy(), 1)
        observed.append(project_local(seen, np.eye(3), CENTRE, SCALE))
        weights[40:][SMILE] = smiling
        shape = model.vertices(weights[:40], weights[40:])[model.landmarks]
        landmarks.append(project_local(shape, np.eye(3), CENTRE, SCALE))
    observed, landmarks = np.array(observed, np.float32), np.array(landmarks, np.float32)
    prior = np.zeros((COUNT, 52), np.float32)
    pitch = np.zeros(COUNT, np.float32)
    fit = solve_all(points, observed, prior, pitch=pitch)
    landmarks[1] = np.nan
    held_back = np.arange(COUNT) == 3

    def refit(marks: np.ndarray):
        rows = people_marks.usable(marks, fit, held_back)
        return people_marks.refit(model, points, observed, marks, prior, fit, pitch, rows)

    return fit, refit, landmarks


def test_the_mouth_follows_what_people_have_marked(fitted):
    fit, refit, landmarks = fitted
    after = refit(landmarks).expression[:, SMILE].mean(1)
    assert fit.expression[:, SMILE].max() < 0.2
    assert (
        after[[5, 7, 9, 11]].min() > after[[0, 2, 4, 6, 8, 10]].max() + 0.08
    )  # the teacher still counts


def test_faces_without_marks_and_those_held_back_stay(fitted):
    fit, refit, landmarks = fitted
    after = refit(landmarks)
    for name in vars(fit):
        for row in (1, 3):
            assert np.array_equal(getattr(after, name)[row], getattr(fit, name)[row]), name
    assert not np.array_equal(after.expression[5], fit.expression[5])


def test_without_any_marks_nothing_changes(fitted):
    fit, refit, landmarks = fitted
    assert refit(np.full_like(landmarks, np.nan)) is fit
