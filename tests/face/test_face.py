# SPDX-License-Identifier: GPL-3.0-or-later
"""The head model, the camera and the frame: what every other folder builds on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mfn_addon.face import (
    EXPRESSION_INDEX,
    EXPRESSIONS,
    IDENTITY_COUNT,
    LANDMARK_PARTS,
    Face,
    FaceFrame,
    HeadModel,
    load_head_model,
    place,
    project,
    unplace,
)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def weights(**named: float) -> np.ndarray:
    out = np.zeros(len(EXPRESSIONS), np.float32)
    for name, value in named.items():
        out[EXPRESSION_INDEX[name]] = value
    return out


def landmarks(model: HeadModel, **named: float) -> np.ndarray:
    return model.landmark_points(np.zeros(IDENTITY_COUNT), weights(**named))


def some_face() -> Face:
    random = np.random.default_rng(1)
    return Face(
        id=3,
        score=0.9,
        box=np.array([10, 20, 110, 140], np.float32),
        rotation=np.eye(3, dtype=np.float32),
        translation=np.array([0.1, 0, -1], np.float32),
        identity=random.standard_normal(IDENTITY_COUNT).astype(np.float32),
        expression=random.random(52).astype(np.float32),
        landmarks=random.random((68, 2)).astype(np.float32) * 100,
    )


def test_the_head_has_human_size_in_metres(model):
    eyes = [np.unique(model.triangles_of(name)) for name in ("eyeLeft", "eyeRight")]
    left, right = (model.neutral[eye].mean(0) for eye in eyes)
    assert 0.055 < left[0] - right[0] < 0.07  # x grows to the actor's left
    assert np.allclose((left + right) / 2, 0, atol=1e-4)
    skin = model.neutral[np.unique(model.triangles_of("skin"))]
    assert 0.25 < np.ptp(skin[:, 1]) < 0.45


def test_landmarks_are_in_ibug_order(model):
    points = landmarks(model)
    jaw = points[list(LANDMARK_PARTS["jaw"])]
    assert (np.diff(jaw[1:-1, 0]) > 0).all(), "from the actor's right ear to the left"
    assert jaw[8, 1] == jaw[:, 1].min(), "point 8 is the chin"
    assert points[36, 0] < points[39, 0] < points[42, 0] < points[45, 0]
    assert points[30, 2] > points[[36, 45, 48, 54], 2].max(), "the nose tip is in front"
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46), (51, 57), (62, 66)):
        assert points[upper, 1] > points[lower, 1]


@pytest.mark.parametrize(
    ("name", "point", "axis", "sign"),
    [
        ("jawOpen", 8, 1, -1),
        ("mouthSmileLeft", 54, 1, 1),
        ("mouthSmileRight", 48, 1, 1),
        ("mouthLeft", 57, 0, 1),
        ("browInnerUp", 21, 1, 1),
        ("browDownLeft", 22, 1, -1),
        ("eyeBlinkLeft", 44, 1, -1),
        ("eyeBlinkRight", 37, 1, -1),
        ("mouthPucker", 51, 2, 1),
    ],
)
def test_an_expression_moves_its_landmark_the_right_way(model, name, point, axis, sign):
    moved = landmarks(model, **{name: 1.0}) - landmarks(model)
    assert moved[point, axis] * sign > 0.0015


def test_a_blink_of_one_closes_the_eye(model):
    def gap(points):
        return points[[43, 44], 1].mean() - points[[46, 47], 1].mean()

    assert abs(gap(landmarks(model, eyeBlinkLeft=1))) < 0.15 * gap(landmarks(model))


def test_eyeballs_turn_and_teeth_ride_on_the_jaw(model):
    eye = np.unique(model.triangles_of("eyeLeft"))
    front = eye[np.argmax(model.neutral[eye, 2])]
    offset = model.expression[EXPRESSION_INDEX["eyeLookOutLeft"]]
    assert offset[front, 0] > 0.003
    teeth = np.unique(model.triangles_of("teethLower"))
    assert model.expression[EXPRESSION_INDEX["jawOpen"]][teeth, 1].max() < -0.005


def test_no_expression_is_empty(model):
    reach = np.abs(model.expression).max((1, 2))
    assert dict(zip(EXPRESSIONS, reach > 0.0005, strict=True)) == dict.fromkeys(EXPRESSIONS, True)


@pytest.mark.parametrize("centre", [(320, 240), (40, 60), (630, 470)])
def test_place_and_unplace_are_inverse(centre):
    angle = 0.4
    c, s = np.cos(angle), np.sin(angle)
    look = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    rotation, translation = place(look, np.array(centre), 1200.0, 640, 480)
    again, back, scale = unplace(rotation, translation, 640, 480)
    assert np.allclose(again, look, atol=1e-5)
    assert np.allclose(back, centre, atol=1e-2)
    assert scale == pytest.approx(1200, rel=1e-4)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)


def test_a_head_in_the_middle_looking_ahead_has_the_identity_rotation():
    rotation, translation = place(np.eye(3), np.array([320, 240]), 1000.0, 640, 480)
    assert np.allclose(rotation, np.eye(3), atol=1e-6)
    assert translation[2] < 0
    assert np.allclose(translation[:2], 0, atol=1e-6)


def test_projection_puts_left_right_up_and_down_where_they_are_seen():
    points = np.array([[0, 0, 0], [0.05, 0, 0], [0, 0.05, 0]])
    pixels = project(points, np.eye(3), np.array([0, 0, -1.0]), 640, 480)
    assert np.allclose(pixels[0], (320, 240))
    assert pixels[1, 0] > 320, "the actor's left is on the picture's right"
    assert pixels[2, 1] < 240, "up is up, pixels grow downwards"


def test_a_frame_survives_json():
    frame = FaceFrame(1.25, "a.mp4", 30, 640, 480, [some_face()])
    again = FaceFrame.from_json(json.loads(json.dumps(frame.to_json())))
    assert (again.time, again.source, again.frame) == (1.25, "a.mp4", 30)
    assert np.allclose(again.faces[0].expression, frame.faces[0].expression, atol=1e-4)
    assert list(frame.to_json()["faces"][0]["expression"]) == list(EXPRESSIONS)


def test_a_mangled_face_says_what_is_wrong():
    data = some_face().to_json()
    del data["expression"]["jawOpen"]
    with pytest.raises(ValueError, match="jawOpen"):
        Face.from_json(data)
    data = some_face().to_json()
    data["landmarks"] = data["landmarks"][:10]
    with pytest.raises(ValueError, match=r"landmarks has shape \(10, 2\)"):
        Face.from_json(data)


def test_a_missing_or_foreign_head_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="head model not found"):
        load_head_model(tmp_path / "absent.npz")
    text = tmp_path / "text.npz"
    text.write_text("no archive")
    with pytest.raises(ValueError, match="is not a head model"):
        load_head_model(text)
    np.savez(tmp_path / "other.npz", expression_names=np.array(["smile"]))
    with pytest.raises(ValueError, match="ARKit's 52"):
        load_head_model(tmp_path / "other.npz")
