# SPDX-License-Identifier: GPL-3.0-or-later
"""The two humans: ARKit's 52 move what they say."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from mfn_addon.face import EXPRESSIONS
from tests.sample_rigs.stage import open_character, open_eyes, shoot

HUMANS = ("human_a", "human_b")


@pytest.mark.parametrize("name", HUMANS)
def test_shape_keys_are_the_52_at_nought(name: str) -> None:
    rig = open_character(name)
    keyed = [o for o in rig.children if o.data.shape_keys]
    assert [o.name for o in keyed] == [f"{rig.name}.face"]
    blocks = keyed[0].data.shape_keys.key_blocks
    assert [b.name for b in blocks] == ["Basis", *EXPRESSIONS]
    assert all(b.value == 0 and (b.slider_min, b.slider_max) == (0, 1) for b in blocks)


@pytest.mark.parametrize("name", HUMANS)
def test_every_shape_moves_the_face_by_millimetres_not_metres(name: str) -> None:
    rig = open_character(name)
    (mesh,) = [o.data for o in rig.children if o.data.shape_keys]
    basis, *blocks = (_points(block) for block in mesh.shape_keys.key_blocks)
    for expression, points in zip(EXPRESSIONS, blocks, strict=True):
        moved = np.linalg.norm(points - basis, axis=1).max()
        assert 0.001 < moved < 0.06, expression


@pytest.mark.parametrize("name", HUMANS)
def test_jaw_open_lowers_lower_teeth_and_lip_and_shows_the_mouth(name: str) -> None:
    rig = open_character(name)
    closed, opened = shoot(rig), shoot(rig, jawOpen=1.0)
    teeth = closed.of("teeth")
    drop = teeth[:, 2] - opened.of("teeth")[:, 2]
    lower = teeth[:, 2] < np.median(teeth[:, 2])
    assert drop[lower].mean() > 0.010
    assert abs(drop[~lower]).mean() < 0.002
    assert np.ptp(opened.of("lips")[:, 2]) - np.ptp(closed.of("lips")[:, 2]) > 0.010
    assert _mouth_rays(opened) > 100


@pytest.mark.parametrize("name", HUMANS)
def test_in_an_open_mouth_the_tongue_lies_below_the_upper_teeth(name: str) -> None:
    rig = open_character(name)
    upper = shoot(rig).of("teeth")[:, 2]
    upper = upper[upper > np.median(upper)]
    assert shoot(rig, jawOpen=0.5).of("tongue")[:, 2].max() < upper.min()


@pytest.mark.parametrize("name", HUMANS)
def test_lips_are_closed_at_rest(name: str) -> None:
    rig = open_character(name)
    assert _mouth_rays(shoot(rig)) <= 12


@pytest.mark.parametrize("name", HUMANS)
@pytest.mark.parametrize(("side", "bone"), [("Left", "L"), ("Right", "R")])
def test_blink_closes_its_eye_alone(name: str, side: str, bone: str) -> None:
    rig = open_character(name)
    other = "R" if bone == "L" else "L"
    neutral, blink = shoot(rig), shoot(rig, **{f"eyeBlink{side}": 1.0})
    assert open_eyes(rig, neutral, bone) > 40
    assert open_eyes(rig, blink, bone) <= 0.05 * open_eyes(rig, neutral, bone)
    assert open_eyes(rig, blink, other) == open_eyes(rig, neutral, other)


@pytest.mark.parametrize("name", HUMANS)
def test_half_a_blink_leaves_the_eyeball_behind_the_lid(name: str) -> None:
    rig = open_character(name)
    neutral = open_eyes(rig, shoot(rig), "L")
    half = open_eyes(rig, shoot(rig, eyeBlinkLeft=0.5), "L")
    assert 0.15 * neutral < half < 0.75 * neutral


@pytest.mark.parametrize("name", HUMANS)
def test_gaze_turns_the_eyes_by_shapes(name: str) -> None:
    rig = open_character(name)
    assert rig["mfn_eyes"] == "shapes"
    ahead = shoot(rig).of("pupil").mean(0)
    left = shoot(rig, eyeLookOutLeft=1.0, eyeLookInRight=1.0).of("pupil").mean(0)
    up = shoot(rig, eyeLookUpLeft=1.0, eyeLookUpRight=1.0).of("pupil").mean(0)
    assert left[0] - ahead[0] > 0.002, "to the character's left, +x"
    assert up[2] - ahead[2] > 0.0015


@pytest.mark.parametrize("name", HUMANS)
def test_smile_raises_the_lip_corners_outwards(name: str) -> None:
    rig = open_character(name)
    neutral, smile = shoot(rig).of("lips"), shoot(rig, mouthSmileLeft=1.0).of("lips")
    corner = np.argmax(neutral[:, 0])  # the character's left
    assert smile[corner, 2] - neutral[corner, 2] > 0.003
    assert smile[corner, 0] > neutral[corner, 0]


def _points(block: bpy.types.ShapeKey) -> np.ndarray:
    flat = np.empty(3 * len(block.data), np.float32)
    block.data.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def _mouth_rays(shot) -> int:
    """How many of 41 x 41 looks at the lips' box meet the mouth's inside."""
    lips = shot.of("lips")
    low, high = lips.min(0), lips.max(0)
    x, z = np.meshgrid(np.linspace(low[0], high[0], 41), np.linspace(low[2], high[2], 41))
    met = shot.seen(x.ravel(), z.ravel())
    return sum(part in ("mouth", "teeth", "tongue") for part in met)
