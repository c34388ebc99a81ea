# SPDX-License-Identifier: GPL-3.0-or-later
"""Composed scenes keep their labels true, and show what is rare often enough."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import load_head_model
from mfn_addon.face.mirror import mirror_matrix, mirror_order
from training import feeding, scenes
from training.scenes import Composer

from .test_learning import composer, painted_bank


def test_composed_boxes_lie_on_their_faces(monkeypatch):
    monkeypatch.setattr(Composer, "cover", lambda *_: None)
    maker = composer()
    hits = []
    for _ in range(50):
        picture, faces = maker.mosaic()
        for face in faces:
            x0, y0, x1, y1 = np.round(face["box"]).astype(int)
            x, y = (x0 + x1) // 2, (y0 + y1) // 2
            if 0 <= x < 128 and 0 <= y < 128:
                red, green, _ = picture[y, x].astype(int)
                hits.append(red > green + 30)
    assert len(hits) > 20
    assert np.mean(hits) > 0.98


def test_rare_shapes_and_profiles_are_drawn_more_often():
    bank = painted_bank()
    count, tongue = len(bank), 51
    bank.expression[:] = 0
    bank.expression[:, 17] = 0.5
    bank.expression[0, tongue] = 1
    bank.rotation[:] = np.eye(3)
    bank.rotation[1] = [[0.5, 0, 0.87], [0, 1, 0], [-0.87, 0, 0.5]]
    random = np.random.default_rng(0)
    drawn = np.bincount([bank.draw(random) for _ in range(400 * count)], minlength=count) / 400
    assert drawn[0] > 1.2 * drawn[2:].max()
    assert drawn[1] > 2 * drawn[2:].max()
    assert drawn.sum() == pytest.approx(count)


def test_what_covers_a_face_leaves_most_of_it():
    maker = composer()
    for _ in range(20):
        patch = np.full((100, 100, 3), 200, np.uint8)
        box = np.array([20.0, 10, 80, 90])
        maker.cover(patch, box)
        untouched = (patch[10:90, 20:80] == 200).all(2).mean()
        assert 0.15 < untouched < 1


def test_a_mirrored_face_keeps_its_landmarks():
    model = load_head_model()
    identity = np.random.default_rng(3).standard_normal(40).astype(np.float32)
    expression = np.random.default_rng(4).random(52).astype(np.float32)
    straight = model.vertices(identity, expression) * (-1, 1, 1)
    mirrored = model.vertices(mirror_matrix(model) @ identity, expression[mirror_order()])
    nearest = [np.linalg.norm(mirrored - vertex, axis=1).min() for vertex in straight[::97]]
    assert np.median(nearest) < 0.0015
    assert (mirror_order()[mirror_order()] == np.arange(52)).all()


def test_heads_from_behind_are_no_faces(monkeypatch):
    monkeypatch.setattr(scenes, "FACELESS", 1.0)
    monkeypatch.setattr(scenes, "AWAY", 1.0)
    away = painted_bank()
    away.crops[:] = (40, 40, 255)
    maker = composer(seed=2)
    maker.away = away
    for _ in range(12):
        picture, faces = maker.crowd()
        assert faces == []
    patch, _ = maker.face(60, 100, 100, 0.0, covered=0, dressed=0, faceless=True)
    red, _, blue = patch[50, 50].astype(int)
    assert blue > red + 30  # as it was, nothing taken away from it
    assert picture.shape == (128, 128, 3)


def test_small_heads_keep_their_faces_unless_rendered_from_behind(monkeypatch):
    monkeypatch.setattr(scenes, "FACELESS", 1.0)
    maker = composer(seed=5)
    assert not maker.faceless(scenes.FACELESS_FROM - 1, 1.0)
    assert maker.faceless(scenes.FACELESS_FROM + 1, 1.0)
    assert maker.faceless(scenes.FACELESS_FROM + 1, 0.0) is False
    maker.away = painted_bank()
    assert maker.faceless(scenes.FACELESS_FROM - 1, 1.0)


def test_mosaics_hold_faces_of_all_sizes_and_at_most_sixteen():
    maker = composer(seed=6)
    mosaics = [maker.mosaic()[1] for _ in range(60)]
    sides = np.array([np.ptp(face["box"].reshape(2, 2), 0).max() for m in mosaics for face in m])
    assert max(len(faces) for faces in mosaics) <= scenes.MOST_FACES
    assert (sides < 24).mean() > 0.1
    assert (sides > 64).mean() > 0.1
    boxes = np.array([face["box"] for faces in mosaics for face in faces])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert (middles > 0).all()
    assert (middles < 128).all()


def test_a_closeup_taken_small_is_enlarged_with_its_labels(monkeypatch):
    monkeypatch.setattr(scenes, "ENLARGED", 1.0)
    monkeypatch.setattr(scenes, "FAULTY_TWINS", 0.0)
    monkeypatch.setattr(Composer, "cover", lambda *_: None)
    maker = composer(seed=4)
    for _ in range(12):
        first, second = maker.closeup(2)
        assert first.picture.shape == (128, 128, 3)
        assert np.array_equal(first.picture, second.picture)
        faces = maker.surface.project(
            *(getattr(first, key) for key in ("rotation", "centre", "scale")),
            first.identity, first.expression,
        )  # fmt: skip
        low, high = faces[0].min(0), faces[0].max(0)
        assert np.allclose(first.box[0], [*low, *high], atol=0.5)
        x, y = np.round((low + high) / 2).astype(int)
        red, green, _ = first.picture[y, x].astype(int)
        assert red > green + 30


def test_twins_are_the_same_faces_through_two_cameras():
    first, second = composer(seed=4).twins()
    assert len(first.box) >= 1
    assert not np.array_equal(first.picture, second.picture)
    for key in (*feeding.LABELS, "box", "ignore"):
        assert np.array_equal(getattr(first, key), getattr(second, key)), key
