# SPDX-License-Identifier: GPL-3.0-or-later
"""The head's place moves a bone, or the character's object itself: live, stopped, baked."""

import bpy
import numpy as np
import pytest
from mathutils import Vector

from mfn_addon.ui import live, session
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, add_mesh, face, frame, write_take

OWN_EYES = 0.06 / 0.063
"""A human's eyes against an average adult's: it moves as far in proportion."""
AT_REST = np.array((0.0, 0.2, -0.6), np.float32)


def cast(character, **settings):
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.character = 1, character
    for name, value in settings.items():
        setattr(character.mfn, name, value)
    return character


def placed(*offset):
    """Actor 1, away from where the head rests, camera frame."""
    return face(1, jawOpen=0.5).with_(translation=AT_REST + np.array(offset, np.float32))


def perform(source, *offsets):
    for number, offset in enumerate(offsets):
        source.give(frame(number, placed(*offset)))
        live.tick(bpy.context)
    bpy.context.view_layer.update()


def head_of(character):
    """Where the character's head is in the world."""
    if character.type == "ARMATURE":
        return np.array(character.matrix_world @ character.pose.bones["head"].head)
    return np.array(character.matrix_world.translation)


BY_BONE = {"position_bone": "neck"}
BY_OBJECT = {"position": "OBJECT"}
both = pytest.mark.parametrize("settings", [BY_BONE, BY_OBJECT], ids=["bone", "object"])


@both
def test_it_moves_live_and_stop_returns_it(running, settings):
    ada = cast(add_human("Ada"), **settings)
    ada.location = (2.0, 1.0, 0.0)
    bpy.context.view_layer.update()
    rest = head_of(ada)
    perform(running, (0, 0, 0), (0.1, 0.0, 0.05))  # to the actor's left, towards the camera
    moved = head_of(ada) - rest
    assert moved == pytest.approx(np.array((0.1, -0.05, 0.0)) * OWN_EYES, abs=1e-4)
    assert tuple(ada.location) == (2.0, 1.0, 0.0)
    bpy.ops.mfn.stop()
    bpy.context.view_layer.update()
    assert head_of(ada) == pytest.approx(rest, abs=1e-5)
    assert bpy.data.objects["Ada face"].data.shape_keys.key_blocks["jawOpen"].value == 0.5


def test_the_object_moves_the_way_it_looks(running):
    stage = bpy.data.objects.new("stage", None)
    bpy.context.scene.collection.objects.link(stage)
    stage.scale, stage.rotation_euler.z = (3.0, 3.0, 3.0), np.pi
    ada = cast(add_human("Ada"), **BY_OBJECT)
    ada.parent, ada.scale, ada.rotation_euler.z = stage, (2.0, 2.0, 2.0), np.pi / 2
    bpy.context.view_layer.update()
    rest = head_of(ada)
    perform(running, (0, 0, 0), (0.0, 0.0, 0.1))  # towards the camera: forwards
    forwards = ada.matrix_world.to_3x3() @ Vector((0.0, -0.1 * OWN_EYES, 0.0))
    assert head_of(ada) - rest == pytest.approx(np.array(forwards), abs=1e-4)
    assert forwards.length == pytest.approx(0.6 * OWN_EYES, abs=1e-4)


def test_a_character_without_an_armature_moves_as_an_object(running):
    bert = cast(add_mesh("Bert", ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")), **BY_OBJECT)
    perform(running, (0, 0, 0), (0.2, 0.1, 0.0))
    assert head_of(bert) == pytest.approx([0.2, 0.0, 0.1], abs=1e-5)
    bert.mfn.position_limit = 0.1
    perform(running, (0, 0, 0), (0.2, 0.0, 0.0))
    assert head_of(bert) == pytest.approx([0.1, 0.0, 0.0], abs=1e-5)
    bpy.ops.mfn.stop()
    assert tuple(bert.delta_location) == (0, 0, 0)


def test_another_choice_in_mid_performance_returns_what_moved_before(running):
    ada = cast(add_human("Ada"), **BY_OBJECT)
    perform(running, (0, 0, 0), (0.1, 0, 0))
    assert ada.delta_location.x > 0.09
    ada.mfn.position, ada.mfn.position_bone = "BONE", "neck"
    perform(running, (0, 0, 0), (0.1, 0, 0))
    assert tuple(ada.delta_location) == (0, 0, 0)
    assert ada.pose.bones["neck"].location.length > 0.09
    bpy.data.objects["Ada face"].data.shape_keys.key_blocks["jawOpen"].name = "jaw_open"
    perform(running, (0, 0, 0), (0.1, 0, 0))  # bound anew under way
    assert bpy.ops.mfn.stop() == {"FINISHED"}
    assert ada.pose.bones["neck"].location.length == 0.0


@both
def test_a_file_saved_while_live_has_it_at_rest(running, settings, tmp_path):
    ada = cast(add_human("Ada"), **settings)
    ada.delta_location = (0.0, 0.0, 0.5)
    bpy.context.view_layer.update()
    rest = head_of(ada)
    perform(running, (0, 0, 0), (0.1, 0.0, 0.05))
    moved = head_of(ada)
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.context.view_layer.update()
    assert head_of(ada) == pytest.approx(moved, abs=1e-6)  # the performance goes on
    perform(running, (0, 0, 0))
    assert head_of(ada) == pytest.approx(rest, abs=1e-5)
    perform(running, (0.1, 0.0, 0.05))
    bpy.ops.wm.open_mainfile(filepath=path)  # which ends the performance, and saves nothing
    ada = bpy.data.objects["Ada"]
    bpy.context.view_layer.update()
    assert head_of(ada) == pytest.approx(rest, abs=1e-5)
    assert tuple(ada.delta_location) == (0.0, 0.0, 0.5)


def test_stop_is_calm_about_a_character_that_is_gone(running):
    ada = cast(add_human("Ada"), **BY_OBJECT)
    perform(running, (0, 0, 0), (0.1, 0, 0))
    bpy.data.objects.remove(ada)
    bpy.ops.mfn.stop()
    assert session.current is None


@pytest.fixture
def stroll(tmp_path):
    """A take of two seconds: actor 1 walks to the actor's left, 0.1 metres a second."""
    times = np.arange(49) / 24
    write_take(tmp_path / "takes" / "Stroll 001.mfntake", times, lambda t: [placed(0.1 * t, 0, 0)])
    refresh_takes(bpy.context)


def tracks_and_strips(owner):
    tracks = owner.animation_data.nla_tracks
    return len(tracks), sum(len(track.strips) for track in tracks)


def place_curves(owner, path):
    data = owner.animation_data
    action = data.action or data.nla_tracks[0].strips[0].action
    bags = [action]  # 4.2's actions have neither layers nor slots
    if hasattr(action, "slots"):
        bags = [bag for layer in action.layers for s in layer.strips for bag in s.channelbags]
    curves = [curve for bag in bags for curve in bag.fcurves]
    return [curve for curve in curves if curve.data_path.endswith(path)]


@both
@pytest.mark.parametrize("strips", [False, True], ids=["action", "strips"])
def test_a_bake_moves_it_over_its_own_animation_and_baking_again_replaces(stroll, settings, strips):
    scene = bpy.context.scene
    ada = cast(add_human("Ada"), **settings)
    for number, x in ((1, 1.0), (49, 3.0)):  # the animator moves the object along meanwhile
        ada.location.x = x
        ada.keyframe_insert("location", frame=number)
    for curve in place_curves(ada, "location"):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    scene.mfn.bake_strips = strips

    def way():
        scene.frame_set(25)
        return head_of(ada)[0] - 2.0

    assert way() == pytest.approx(0.0, abs=1e-5)
    for gain in (1.0, 2.0, 2.0):
        ada.mfn.position_gain = gain
        assert bpy.ops.mfn.bake() == {"FINISHED"}
        assert way() == pytest.approx(0.1 * OWN_EYES * gain, abs=1e-4)
        assert tracks_and_strips(ada) == ((1, 1) if strips else (0, 0))
    ada.mfn.position, ada.mfn.position_bone = "BONE", ""
    bpy.ops.mfn.bake()  # what moved it is taken out again
    ada.delta_location, ada.pose.bones["neck"].location = (0, 0, 0), (0, 0, 0)
    assert way() == pytest.approx(0.0, abs=1e-5)


def test_reduced_keys_of_the_object_keep_the_tolerance(stroll):
    stage = bpy.data.objects.new("stage", None)
    bpy.context.scene.collection.objects.link(stage)
    stage.scale = (100.0, 100.0, 100.0)
    bert = cast(add_mesh("Bert", ("jawOpen", "eyeBlinkLeft")), **BY_OBJECT)
    bert.parent = stage
    bpy.context.view_layer.update()
    bpy.context.scene.mfn.bake_reduce = True
    bpy.ops.mfn.bake()
    [x, *_] = place_curves(bert, "delta_location")
    assert len(x.keyframe_points) == 2  # a straight way
    assert "mm" in session.message.text


def test_presets_and_files_keep_the_choice(running, tmp_path):
    ada = cast(add_human("Ada"), position="OBJECT", position_gain=2.0, position_limit=0.3)
    bpy.ops.mfn.edit_responses()
    preset = tmp_path / "wide.json"
    bpy.ops.mfn.save_responses(filepath=str(preset))
    bpy.ops.mfn.reset_responses()
    bpy.ops.mfn.load_responses(filepath=str(preset))
    assert (ada.mfn.position, ada.mfn.position_gain) == ("OBJECT", 2.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    kept = bpy.data.objects["Ada"].mfn
    assert (kept.position, kept.position_gain) == ("OBJECT", 2.0)
    assert kept.position_limit == pytest.approx(0.3)
