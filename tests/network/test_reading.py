# SPDX-License-Identifier: GPL-3.0-or-later
"""All the faces of a picture are read at once, each as if it were alone."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.face import place, project_local
from mfn_addon.face.camera import sight_rotation
from mfn_addon.face.head_model import load_head_model
from mfn_addon.network import FaceNetwork
from mfn_addon.network.lids import shut_lids
from mfn_addon.network.mfn import OUTPUTS, fitted

CLIP = Path(__file__).resolve().parents[2] / "demo" / "three_people.mp4"


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return next(iter(Footage(CLIP))).image


def test_every_face_is_what_the_network_says_of_it(picture):
    network = FaceNetwork(threads=1, as_read=True)
    faces, shown = network.detect(picture), FaceNetwork(threads=1).detect(picture)
    assert len(faces) > 1
    inputs, box = fitted(picture)
    raw = dict(zip(OUTPUTS, network._session.run(OUTPUTS, inputs), strict=True))
    height, width = picture.shape[:2]
    rows = np.flatnonzero(raw["score"] >= network.least_score)
    for face, seen, row in zip(faces, shown, rows, strict=True):
        look, identity, expression = (
            raw[name][row] for name in ("rotation", "identity", "expression")
        )
        centre, scale = raw["centre"][row] / box.scale, float(raw["scale"][row]) / box.scale
        rotation, translation = place(look, centre, scale, width, height)
        points = network.head_model.landmark_points(identity, expression)
        assert face.score == raw["score"][row]
        assert np.allclose(face.box, raw["box"][row] / box.scale, atol=1e-3)
        assert np.allclose(face.rotation, rotation, atol=1e-6)
        assert np.allclose(face.translation, translation, atol=1e-5)
        assert np.array_equal(face.identity, identity)
        assert np.array_equal(face.expression, expression)
        shows = network.amplitude.shown(shut_lids(expression))
        assert np.allclose(seen.expression, shows, atol=1e-6)
        assert np.array_equal(seen.landmarks, face.landmarks)  # of what was read
        assert np.allclose(face.landmarks, project_local(points, look, centre, scale), atol=1e-3)
        for array in (face.box, face.rotation, face.translation, face.landmarks):
            assert array.dtype == np.float32


def test_a_picture_without_a_face_gives_none():
    assert FaceNetwork(threads=1).detect(np.full((90, 160, 3), 114, np.uint8)) == []


def test_landmarks_are_those_vertices_of_the_head():
    head, rng = load_head_model(), np.random.default_rng(0)
    identity = rng.normal(size=(5, 40)).astype(np.float32)
    expression = rng.uniform(size=(5, 52)).astype(np.float32)
    points = head.landmark_points(identity, expression)
    for i in range(5):
        vertices = head.vertices(identity[i], expression[i])
        assert np.allclose(points[i], vertices[head.landmarks], atol=1e-6)
        assert np.allclose(points[i], head.landmark_points(identity[i], expression[i]), atol=1e-7)


def test_the_line_of_sight_turns_the_shortest_way():
    u, v = np.array([640.0, 0.0, 1000.0]), np.array([360.0, 0.0, 700.0])
    turns = sight_rotation(u, v, 1280, 720)
    focal = 1.2 * 1280
    for turn, x, y in zip(turns, u, v, strict=True):
        ray = np.array([(x - 640) / focal, (360 - y) / focal, -1.0])
        assert np.allclose(turn @ (0, 0, -1), ray / np.linalg.norm(ray))
        assert np.allclose(turn @ turn.T, np.eye(3))
        axis = np.cross((0, 0, -1), ray)
        assert np.allclose(turn @ axis, axis)  # nothing turns about the line of sight


def test_workers_sleep_between_pictures(picture):
    network = FaceNetwork(threads=2)
    network.detect(picture)
    time.sleep(0.05)  # those of other tests' sessions fall asleep too
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1
