# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge is judged first: each measure on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSIONS, load_head_model
from training import measures
from training.readings import readings


def picture(boxes, scores, truth, ignore=None):
    return {
        "boxes": np.array(boxes, float).reshape(-1, 4),
        "scores": np.array(scores, float),
        "truth": np.array(truth, float).reshape(-1, 4),
        "ignore": np.array(ignore or [False] * len(truth), bool),
    }


A, B, FAR = [0, 0, 10, 10], [20, 0, 30, 10], [100, 100, 110, 110]


def test_perfect_detection_has_precision_one():
    assert measures.average_precision([picture([A, B], [0.9, 0.8], [A, B])], 0.5) == 1


def test_a_missed_face_halves_it_and_a_false_alarm_after_the_hit_costs_nothing():
    assert measures.average_precision([picture([A], [0.9], [A, B])], 0.5) == 0.5
    assert measures.average_precision([picture([A, FAR], [0.9, 0.1], [A])], 0.5) == 1


def test_a_false_alarm_before_the_hit_halves_the_precision():
    assert measures.average_precision([picture([FAR, A], [0.9, 0.1], [A])], 0.5) == 0.5


def test_a_second_box_on_a_face_is_a_false_alarm():
    shifted = [1, 0, 11, 10]
    twice = [picture([A, shifted, B], [0.9, 0.8, 0.7], [A, B])]
    assert measures.average_precision(twice, 0.5) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_ignored_faces_count_neither_way():
    assert (
        measures.average_precision([picture([B, A], [0.9, 0.8], [A, B], [False, True])], 0.5) == 1
    )
    assert measures.average_precision([picture([A], [0.8], [A, B], [False, True])], 0.5) == 1


def test_angles_of_a_turned_head():
    yaw = np.radians(30)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    assert measures.angles(rotation[None])[0] == pytest.approx([30, 0, 0], abs=1e-9)


def test_landmark_error_removes_constant_offsets_and_nothing_else():
    random = np.random.default_rng(0)
    truth = random.random((40, 68, 2)) * 100
    truth[:, 36], truth[:, 45] = (0, 0), (50, 0)
    plain, centred = measures.landmark_error(truth + np.array([5, 0]), truth)
    assert plain == pytest.approx(0.1)
    assert centred == pytest.approx(0, abs=1e-9)
    noisy = truth.copy()
    noisy[:, 17:] += random.standard_normal((40, 51, 2))
    assert measures.landmark_error(noisy, truth)[1] > 0.02


def test_area_under_curve():
    low, high = np.array([0.1, 0.2]), np.array([0.8, 0.9])
    assert measures.area_under_curve(high, low) == 1
    assert measures.area_under_curve(low, high) == 0


def test_a_constant_answer_has_no_correlation():
    assert np.isnan(measures.correlation(np.full(20, 0.3), np.arange(20.0)))
    assert measures.correlation(np.arange(20.0), 3 - np.arange(20.0)) == pytest.approx(-1)


def test_a_rotation_to_the_line_of_sight_is_that_of_the_look():
    from mfn_addon.face.camera import unplace

    random = np.random.default_rng(0)
    rotation = np.stack([np.linalg.qr(random.standard_normal((3, 3)))[0] for _ in range(5)])
    rotation *= np.sign(np.linalg.det(rotation))[:, None, None]
    place = random.uniform(-0.3, 0.3, (5, 3)) - (0, 0, 1)
    seen = measures.relative_to_sight(rotation, place)
    for turned, at, want in zip(rotation, place, seen, strict=True):
        assert np.allclose(unplace(turned, at, 640, 480)[0], want, atol=1e-5)
    once = measures.relative_to_sight(rotation, place, 0.25)
    rest = once @ np.swapaxes(rotation, 1, 2)  # a quarter of the way, four times
    assert np.allclose(rest @ rest @ rest @ rest @ rotation, seen, atol=1e-9)
    ahead = np.array([[0.0, 0.0, -2.0]])
    assert np.allclose(measures.relative_to_sight(rotation[:1], ahead), rotation[:1])


def test_a_score_is_found_for_a_precision():
    # three faces of four found, one false alarm between the second and the third
    one = picture(
        [[0, 0, 10, 10], [20, 0, 30, 10], [100, 50, 110, 60], [40, 0, 50, 10]],
        [0.9, 0.8, 0.7, 0.6],
        [[i * 20, 0, i * 20 + 10, 10] for i in range(4)],
    )
    assert measures.score_for_precision([one], 0.5, 0.9) == pytest.approx(0.8)
    assert measures.score_for_precision([one], 0.5, 0.7) == pytest.approx(0.6)
    assert measures.score_for_precision([one], 0.5, 1.1) == 1.0


def test_readings_follow_what_the_landmarks_show():
    random = np.random.default_rng(0)
    model = load_head_model()
    weights = np.zeros((40, 52), np.float32)
    weights[:, EXPRESSIONS.index("jawOpen")] = random.random(40)
    weights[:, EXPRESSIONS.index("eyeBlinkLeft")] = random.random(40)
    points = [model.landmark_points(np.zeros(40, np.float32), w) for w in weights]
    landmarks = np.array(points)[..., :2] * (1000, -1000)  # facing the camera, px, y down
    told = readings(landmarks, np.zeros(40), weights)
    assert told["lips apart"] > 0.99
    assert told["blink, left eye"] > 0.97
    assert abs(told["left blink, wrong eye"]) < 0.5


def test_readings_leave_turned_heads_and_missing_landmarks_out():
    landmarks = np.random.default_rng(0).random((12, 68, 2))
    landmarks[0] = np.nan
    yaw = np.zeros(12)
    yaw[1] = 40
    weights = np.random.default_rng(1).random((12, 52))
    kept = readings(landmarks[2:], yaw[2:], weights[2:])
    assert readings(landmarks, yaw, weights) == kept
