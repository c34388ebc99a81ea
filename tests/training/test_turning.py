# SPDX-License-Identifier: GPL-3.0-or-later
"""A photograph that was turned shows its face where its labels say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("numba")

from mfn_addon.face import EXPRESSION_INDEX, load_head_model, project_local
from mfn_addon.face.mirror import mirror_matrix, mirror_order, mirror_rotation
from training.turning import stock
from training.turning.drawing import Buffer, paint
from training.turning.head import Look, about, load_head, turned_look
from training.turning.stock import draw_turn, turned_bank
from training.turning.turner import Turner

SIDE = 192
CHART = 700.0
"""Texture px a metre of the neutral head, seen from the front."""
NOSE, MOUTH_RIGHT, MOUTH_LEFT, EYE_RIGHT, EYE_LEFT = 30, 48, 54, 36, 45
"""Of the 68 landmarks."""


def looking(yaw: float = 0.0, pitch: float = 0.0, seed: int = 0) -> Look:
    random = np.random.default_rng(seed)
    rotation = about(1, np.radians(yaw)) @ about(0, np.radians(-pitch))
    weights = np.zeros(92, np.float32)
    weights[:40] = random.normal(0, 0.5, 40)
    weights[40 + EXPRESSION_INDEX["mouthSmileLeft"]] = 0.6
    return Look(rotation, np.array([97.0, 90.0]), 520.0, weights)


def landmark(look: Look, number: int) -> np.ndarray:
    """(2,) px where the labels say that a landmark is."""
    model = load_head_model()
    shape = model.neutral + (look.weights @ load_head().modes).reshape(-1, 3)
    point = shape[[model.landmarks[number]]]
    return project_local(point, look.rotation, look.centre, look.scale)[0]


def rendered(look: Look, dot: int | None = None) -> np.ndarray:
    """The head on a plain background, its skin painted from the front: with waves, or white with
    a black dot on a landmark."""
    head = load_head()
    at = np.arange(256, dtype=np.float32)
    if dot is None:
        texture = 128 + 50 * np.sin(at / 9)[None, :, None] + 50 * np.cos(at / 7)[:, None, None]
        texture = np.repeat(texture, 3, 2).astype(np.uint8)
    else:
        texture = np.full((256, 256, 3), 255, np.uint8)
        x, y, _ = head.neutral[load_head_model().landmarks[dot]]
        place = (int(128 + CHART * x), int(128 - CHART * y))
        cv2.circle(texture, place, 4, (0, 0, 0), -1)
    chart = head.neutral[:, :2] * (CHART, -CHART) + 128.5
    shape = head.neutral + (look.weights @ head.modes).reshape(-1, 3)
    buffer = Buffer(SIDE)
    buffer.draw(look.screen(shape), head.triangles)
    # a plain wall would pass for the repeated rim of a photograph that ends there
    wall = np.random.default_rng(0).integers(215, 256, (SIDE, SIDE, 1), np.uint8)
    out = np.repeat(wall, 3, 2)
    places = chart[head.triangles].astype(np.float32)
    paint(buffer.found, buffer.weight_b, buffer.weight_c, head.triangles, places, texture, out)
    return out


def dot_of(picture: np.ndarray) -> np.ndarray:
    """(2,) px, the middle of what is dark."""
    dark = np.maximum(160 - picture[..., 0].astype(float), 0)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    return np.array([(dark * x).sum(), (dark * y).sum()]) / dark.sum()


@pytest.mark.parametrize(
    ("yaw", "pitch", "number"),
    [
        (30, 0, NOSE), (30, 0, MOUTH_RIGHT), (30, 0, EYE_RIGHT), (30, 18, MOUTH_RIGHT),
        (-40, 0, MOUTH_LEFT), (-40, -18, EYE_LEFT), (50, 0, MOUTH_RIGHT), (0, 20, NOSE),
    ],
)  # fmt: skip
def test_landmarks_go_where_the_labels_say_and_where_a_renderer_puts_them(yaw, pitch, number):
    look = looking()
    new = turned_look(look, np.radians(yaw), np.radians(pitch))
    turned = Turner(SIDE).turn(rendered(look, number), look, new)
    assert np.linalg.norm(dot_of(turned) - dot_of(rendered(new, number))) < 0.5
    assert np.linalg.norm(dot_of(turned) - landmark(new, number)) < 2  # part of a dot may hide


@pytest.mark.parametrize(("before", "yaw"), [(0, 25), (15, 30), (-20, -30)])
def test_a_turned_face_looks_as_one_that_was_rendered_so(before, yaw):
    look = looking(before)
    new = turned_look(look, np.radians(yaw), 0.0)
    turned, truth = Turner(SIDE).turn(rendered(look), look, new), rendered(new)
    near = (EYE_RIGHT, MOUTH_RIGHT) if yaw > 0 else (EYE_LEFT, MOUTH_LEFT)
    corners = np.array([landmark(new, number) for number in (*near, NOSE)], np.int32)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(mask, corners, 1)
    assert np.abs(turned.astype(int) - truth)[mask > 0].mean() < 12
    assert np.abs(rendered(look).astype(int) - truth)[mask > 0].mean() > 25


def test_without_a_turn_all_stays():
    look = looking(10)
    picture = rendered(look)
    same = Turner(SIDE).turn(picture, look, turned_look(look, 0.0, 0.0))
    assert np.abs(same.astype(int) - picture).mean() < 6


def test_the_rim_stays():
    look = looking()
    picture = rendered(look)
    picture[:, :, 1] = np.arange(SIDE)[:, None]
    turned = Turner(SIDE).turn(picture, look, turned_look(look, 0.7, 0.0))
    rim = np.zeros((SIDE, SIDE), bool)
    rim[:120, :4] = rim[:120, -4:] = True  # beside the head and its neck
    assert np.abs(turned.astype(int) - picture)[rim].mean() < 5


def test_a_mirrored_photograph_turns_into_a_mirrored_one():
    look = looking(8, 5)
    weights = look.weights.copy()
    weights[:40] = mirror_matrix(load_head_model()) @ weights[:40]
    weights[40:] = weights[40:][mirror_order()]
    mirrored = Look(
        mirror_rotation(look.rotation), look.centre * (-1, 1) + (SIDE, 0), look.scale, weights
    )
    picture = rendered(look)
    one = Turner(SIDE).turn(picture, look, turned_look(look, 0.6, 0.2))
    flipped = np.ascontiguousarray(picture[:, ::-1])
    other = Turner(SIDE).turn(flipped, mirrored, turned_look(mirrored, -0.6, 0.2))
    difference = np.abs(one.astype(int) - other[:, ::-1])
    assert difference.mean() < 3
    assert np.percentile(difference, 95) < 25


@pytest.mark.parametrize("now", [-30, 0, 25, 60])
def test_heads_turn_on_where_they_look_and_not_out_of_sight(now):
    rotation = about(1, np.radians(now))
    turns = [draw_turn(rotation, np.random.default_rng(seed)) for seed in range(40)]
    yaw = np.degrees([turn[0] for turn in turns])
    assert np.abs(now + yaw).max() <= stock.MOST_YAW + 0.01
    if now:
        assert (np.sign(yaw) == np.sign(now)).all()
    else:
        assert yaw.min() < -15
        assert yaw.max() > 15


@pytest.fixture
def photographs(tmp_path):
    """Six rendered photographs, of which the first is held back and the second badly fitted."""
    looks = [looking(yaw, seed=seed) for seed, yaw in enumerate([0, 5, -10, 0, 20, 8])]
    pictures = np.stack([rendered(look) for look in looks])
    np.save(tmp_path / "photos.crops.npy", pictures)
    np.savez(
        tmp_path / "photos.npz",
        rotation=np.array([look.rotation for look in looks]),
        centre=np.array([look.centre for look in looks]),
        scale=np.array([look.scale for look in looks]),
        identity=np.array([look.weights[:40] for look in looks]),
        expression=np.array([look.weights[40:] for look in looks]),
        error=np.array([0.005, 0.1, 0.005, 0.005, 0.005, 0.005]),
        held_back=np.arange(6) == 0,
    )
    return tmp_path / "photos.npz"


def test_a_bank_leaves_out_what_is_held_back_and_goes_on_where_it_was(photographs, monkeypatch):
    monkeypatch.setattr(stock.photos, "data_folder", lambda: None)
    stock.backgrounds.cache_clear()
    folder = photographs.parent / "turned"
    stock.generate(photographs, folder, 12, workers=1)
    assert set(np.load(folder / "source.npy")) <= {2, 3, 4, 5}
    first = np.load(folder / "images.npy")
    bank = turned_bank(folder)
    assert len(bank) == 12
    assert bank.crops[3].shape == (SIDE, SIDE, 3)

    scale = np.load(folder / "scale.npy")
    scale[5:] = np.nan  # as if stopped there
    np.save(folder / "scale.npy", scale)
    assert len(turned_bank(folder)) == 5
    stock.generate(photographs, folder, 12, workers=1)
    assert (np.load(folder / "images.npy") == first).all()
    stock.backgrounds.cache_clear()


def test_shapes_of_the_far_side_are_trusted_less(photographs, monkeypatch):
    monkeypatch.setattr(stock.photos, "data_folder", lambda: None)
    stock.backgrounds.cache_clear()
    folder = photographs.parent / "turned"
    stock.generate(photographs, folder, 4, workers=1)
    bank = turned_bank(folder)
    bank.rotation[0], bank.rotation[1] = about(1, np.radians(75)), about(1, np.radians(-75))
    bank.rotation[2] = np.eye(3)
    left, right = EXPRESSION_INDEX["eyeBlinkLeft"], EXPRESSION_INDEX["eyeBlinkRight"]
    assert bank.trust(0)[left] < 0.5 < bank.trust(0)[right]  # looks to the picture's right
    assert bank.trust(1)[right] < 0.5 < bank.trust(1)[left]
    assert bank.trust(0)[EXPRESSION_INDEX["jawOpen"]] == 1
    assert (bank.trust(2) == bank.trusted).all()
