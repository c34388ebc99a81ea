# SPDX-License-Identifier: GPL-3.0-or-later
"""An old take on a new character, in one click."""

import bpy
import numpy as np
import pytest

from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, face, value, write_take


@pytest.fixture(autouse=True)
def take(tmp_path):
    def talk(time):
        return [face(1, jawOpen=time), face(2, jawOpen=1 - time)]

    path = write_take(tmp_path / "takes" / "Take 001.mfntake", np.arange(25) / 24, talk)
    refresh_takes(bpy.context)
    return path


def select(*objects):
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj in objects)


def test_a_new_character_takes_over_without_a_change_to_the_table():
    settings = bpy.context.scene.mfn
    settings.row(1).character = add_human("Ada")
    new = add_human("Eve")
    select(bpy.data.objects["Eve face"])  # any part of it will do
    assert bpy.ops.mfn.retarget() == {"FINISHED"}
    bpy.context.scene.frame_set(13)
    assert value("Eve face", "jawOpen") == pytest.approx(0.5)
    assert bpy.data.objects["Ada face"].data.shape_keys.animation_data is None
    assert settings.row(1).character.name == "Ada"
    bpy.ops.mfn.retarget(actor=2)
    bpy.context.scene.frame_set(1)
    assert value("Eve face", "jawOpen") == pytest.approx(1.0)
    assert new.animation_data.action is not None


def test_several_characters_take_the_actors_from_left_to_right():
    right, left = add_human("Right"), add_human("Left")
    right.location.x = 1.0
    bpy.context.view_layer.update()
    select(right, left)
    bpy.ops.mfn.retarget()
    bpy.context.scene.frame_set(1)
    assert value("Left face", "jawOpen") == 0.0
    assert value("Right face", "jawOpen") == 1.0


def test_what_is_missing_is_said():
    select()
    with pytest.raises(RuntimeError, match="select the character"):
        bpy.ops.mfn.retarget()
    select(*(add_human(name) for name in ("A", "B", "C")))
    with pytest.raises(RuntimeError, match="3 characters are selected, but the take has 2 actors"):
        bpy.ops.mfn.retarget()
    select(bpy.data.objects["A"])
    with pytest.raises(RuntimeError, match="no actor 7"):
        bpy.ops.mfn.retarget(actor=7)
