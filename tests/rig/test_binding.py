# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters are matched by name and follow faces, whatever happens to them in between."""

import json

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix

from mfn_addon.retarget import rotation as rot
from mfn_addon.retarget import turns
from mfn_addon.rig import BindingLostError, Options, RigError, bind
from tests.rig.characters import (
    VRM_NAMES,
    add_armature,
    add_human,
    add_mesh,
    add_robot,
    face,
    new_file,
    value,
)


@pytest.fixture(autouse=True)
def empty_file():
    new_file()


def nose(armature, bone="head"):
    """Where the posed head looks, in armature space, if it looked along -Y at rest."""
    bpy.context.view_layer.update()
    posed = armature.pose.bones[bone]
    turn = posed.matrix.to_3x3() @ posed.bone.matrix_local.to_3x3().inverted()
    return np.array(turn @ Matrix.Identity(3).col[1] * -1)


def test_an_arkit_character_follows():
    armature = add_human()
    binding = bind(armature)
    binding.apply(face(yaw=30, jawOpen=0.5, eyeBlinkLeft=1.0))
    assert value("Ada face", "jawOpen") == pytest.approx(0.5)
    assert value("Ada face", "eyeBlinkLeft") == pytest.approx(1.0)
    assert value("Ada face", "eyeBlinkRight") == 0.0
    assert np.allclose(nose(armature), (0.5, -np.sqrt(0.75), 0), atol=1e-4)
    assert binding.report.profile == "arkit"


def test_the_mesh_moves_in_the_evaluated_scene():
    add_human()
    bind(bpy.data.objects["Ada"]).apply(face(jawOpen=0.5))
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.objects["Ada face"].evaluated_get(graph).to_mesh()
    assert mesh.vertices[0].co.z == pytest.approx(0.5)


def test_a_character_is_found_from_any_of_its_objects():
    add_human()
    binding = bind(bpy.data.objects["Ada face"])
    assert binding.ref.name == "Ada"
    assert {track.bone for track in binding.plan.bones} >= {"head", "neck"}


def test_a_mesh_alone_will_do():
    mesh = add_mesh("Moon", VRM_NAMES)
    binding = bind(mesh)
    assert binding.report.profile == "vrm1"
    binding.apply(face(jawOpen=0.8, eyeBlinkRight=0.6))
    assert value("Moon", "aa") > 0.7
    assert value("Moon", "blinkRight") == pytest.approx(0.6)
    assert value("Moon", "blinkLeft") == 0.0


def test_a_robot_follows_with_bones_alone():
    armature = add_robot()
    bind(armature).apply(face(jawOpen=0.5, browInnerUp=1.0))
    assert armature.pose.bones["jaw"].rotation_euler.x == pytest.approx(np.radians(15))
    assert armature.pose.bones["ear"].location.y == pytest.approx(0.1)
    assert armature.pose.bones["ear"].location.x == 0.0


def test_several_characters_at_once():
    characters = [add_human("Ada"), add_human("Ben"), add_robot()]
    bindings = [bind(each) for each in characters]
    for binding, weight in zip(bindings, (0.2, 0.6, 1.0), strict=True):
        binding.apply(face(jawOpen=weight))
    assert value("Ada face", "jawOpen") == pytest.approx(0.2)
    assert value("Ben face", "jawOpen") == pytest.approx(0.6)
    assert characters[2].pose.bones["jaw"].rotation_euler.x == pytest.approx(np.radians(30))


def test_shape_keys_that_no_profile_knows_are_left_alone():
    armature = add_human()
    mesh = bpy.data.objects["Ada face"]
    smirk = mesh.shape_key_add(name="my smirk")
    smirk.value = 0.7
    bind(armature).apply(face(jawOpen=0.5))
    assert value("Ada face", "my smirk") == pytest.approx(0.7)


def test_eyes_are_moved_by_bones_where_shape_keys_do_not_carry_them():
    armature = add_human()
    mesh = bpy.data.objects["Ada face"]
    binding = bind(armature)  # the eyeballs hang on no shape key: bones turn them
    assert {"eye.L", "eye.R"} <= {track.bone for track in binding.plan.bones}
    for vertex, side in enumerate("LR"):
        mesh.vertex_groups["head"].remove([vertex])
        mesh.vertex_groups.new(name=f"eye.{side}").add([vertex], 1.0, "REPLACE")
    binding = bind(armature)  # now every eyeLook shape key moves both eyes
    assert not {"eye.L", "eye.R"} & {track.bone for track in binding.plan.bones}


@pytest.mark.parametrize("order", turns.EULER_ORDERS)
def test_euler_orders_are_blenders(order):
    angles = (0.3, -0.5, 0.9)
    matrix = np.array(Euler(angles, order).to_matrix())
    assert np.allclose(rot.eulers_of(matrix, order), angles, atol=1e-6)


@pytest.mark.parametrize("mode", ["XYZ", "YZX", "AXIS_ANGLE", "QUATERNION"])
def test_every_rotation_mode_turns_the_head_alike(mode):
    armature = add_human()
    armature.pose.bones["head"].rotation_mode = mode
    bind(armature, Options(neck_share=0.3)).apply(face(yaw=30))
    assert np.allclose(nose(armature), (0.5, -np.sqrt(0.75), 0), atol=1e-4)


def test_an_armature_that_lies_on_its_back_turns_upright():
    armature = add_armature("Fay", {"head": ((0, 1.5, 0), (0, 1.7, 0))})
    armature.rotation_euler.x = np.pi / 2
    bpy.context.view_layer.update()
    bind(armature).apply(face(yaw=30))
    bpy.context.view_layer.update()
    posed = armature.matrix_world @ armature.pose.bones["head"].matrix
    rest = armature.matrix_world @ armature.pose.bones["head"].bone.matrix_local
    turn = posed.to_3x3() @ rest.to_3x3().inverted()
    assert np.allclose(turn @ Matrix.Identity(3).col[1] * -1, (0.5, -np.sqrt(0.75), 0), atol=1e-4)


# --- what happens in mid-performance ----------------------------------------------------------


def test_a_renamed_character_keeps_following():
    armature = add_human()
    binding = bind(armature)
    armature.name = "Eve"
    bpy.data.objects["Ada face"].name = "Eve face"
    binding.apply(face(yaw=20, jawOpen=0.4))
    assert value("Eve face", "jawOpen") == pytest.approx(0.4)
    assert nose(armature)[0] > 0.3


def test_another_object_that_takes_the_name_is_not_driven():
    armature = add_human()
    binding = bind(armature)
    armature.name, bpy.data.objects["Ada face"].name = "Eve", "Eve face"
    add_human("Ada")
    binding.apply(face(jawOpen=0.4))
    assert value("Eve face", "jawOpen") == pytest.approx(0.4)
    assert value("Ada face", "jawOpen") == 0.0


def test_a_deleted_character_is_told():
    binding = bind(add_human())
    bpy.data.objects.remove(bpy.data.objects["Ada"])
    with pytest.raises(BindingLostError, match="'Ada'"):
        binding.apply(face())


def test_changed_shape_keys_are_told_and_bound_again():
    armature = add_human()
    mesh = bpy.data.objects["Ada face"]
    binding = bind(armature)
    mesh.shape_key_remove(mesh.data.shape_keys.key_blocks["browDownLeft"])
    with pytest.raises(BindingLostError, match="Ada face"):
        binding.apply(face())
    again = bind(armature)
    again.apply(face(jawOpen=0.3))
    assert value("Ada face", "jawOpen") == pytest.approx(0.3)
    assert again.report.missing == ["browDownLeft"]


def test_a_removed_bone_is_told():
    armature = add_human()
    binding = bind(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones.remove(armature.data.edit_bones["head"])
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(BindingLostError, match="head"):
        binding.apply(face())


# --- rigs that do not work --------------------------------------------------------------------


def test_a_rig_without_any_known_name_is_one_clear_error():
    with pytest.raises(RigError, match="'Cube' has no shape key and no bone"):
        bind(add_mesh("Cube", ("Key 1", "Key 2")))


def test_malformed_channels_name_the_character():
    armature = add_robot()
    armature["mfn_bones"] = json.dumps({"channels": [{"bone": "jaw", "path": "roll"}]})
    with pytest.raises(RigError, match=r"'Bo'.*'roll'"):
        bind(armature)


def test_drivers_and_muted_keys_are_noted():
    armature = add_human()
    blocks = bpy.data.objects["Ada face"].data.shape_keys.key_blocks
    blocks["jawOpen"].driver_add("value")
    blocks["mouthPucker"].mute = True
    notes = "\n".join(bind(armature).report.notes)
    assert "1 shape keys have drivers" in notes
    assert "mouthPucker" in notes
