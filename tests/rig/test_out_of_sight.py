# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters that Blender does not show, and may not evaluate: they are driven and baked alike."""

import bpy
import numpy as np
import pytest

from mfn_addon.retarget import Options
from mfn_addon.retarget.reduction import Tolerance
from mfn_addon.rig import bake_take, bind, describe
from mfn_addon.take import Take
from tests.rig.characters import add_human, face, new_file, value, write_take


@pytest.fixture(autouse=True)
def empty_file():
    new_file()


def opening(time):
    """Actor 0 opens the mouth in a second, and turns."""
    return [face(0, yaw=20 * time, jawOpen=time)]


@pytest.fixture
def take(tmp_path):
    with Take(write_take(tmp_path / "open.mfntake", np.arange(25) / 24, opening)) as opened:
        yield opened


def put_aside(*objects):
    """Into a collection of their own; its place in the view layer."""
    collection = bpy.data.collections.new("aside")
    bpy.context.scene.collection.children.link(collection)
    for obj in objects:
        bpy.context.scene.collection.objects.unlink(obj)
        collection.objects.link(obj)
    return bpy.context.view_layer.layer_collection.children["aside"]


def hide(layer, way):
    if way == "eye":
        layer.hide_viewport = True
    elif way == "viewport":
        layer.collection.hide_viewport = True
    elif way == "excluded":
        layer.exclude = True
    else:
        for obj in layer.collection.objects:
            obj.hide_viewport = True


def show(layer):
    layer.exclude = layer.hide_viewport = layer.collection.hide_viewport = False
    for obj in layer.collection.objects:
        obj.hide_viewport = False


every_way = pytest.mark.parametrize("way", ["eye", "viewport", "excluded", "objects"])


@every_way
def test_a_bake_is_there_when_the_character_is_shown_again(take, way):
    ada = add_human("Ada")
    layer = put_aside(ada, bpy.data.objects["Ada face"])
    hide(layer, way)
    report = bake_take(take, {0: ada}, bpy.context.scene)
    assert report.keys > 25
    show(layer)
    for number, jaw in ((1, 0.0), (13, 0.5), (25, 1.0)):
        bpy.context.scene.frame_set(number)
        assert value("Ada face", "jawOpen") == pytest.approx(jaw, abs=1e-3)
    head, neck = (ada.pose.bones[name].matrix_basis.to_quaternion() for name in ("head", "neck"))
    assert np.degrees(head.angle + neck.angle) == pytest.approx(20, abs=0.1)


@every_way
def test_strips_are_pushed_and_replaced(take, way):
    ada = add_human("Ada")
    hide(put_aside(ada, bpy.data.objects["Ada face"]), way)
    for _ in range(2):
        bake_take(take, {0: ada}, bpy.context.scene, as_strips=True)
    assert [len(track.strips) for track in ada.animation_data.nla_tracks] == [1]


@every_way
def test_a_face_drives_it(way):
    ada = add_human("Ada")
    layer = put_aside(ada, bpy.data.objects["Ada face"])
    hide(layer, way)
    bind(ada).apply(face(0, yaw=30, jawOpen=0.7))
    assert value("Ada face", "jawOpen") == pytest.approx(0.7)
    show(layer)
    bpy.context.view_layer.update()
    turned = (
        ada.pose.bones["head"].matrix.to_3x3()
        @ ada.pose.bones["head"].bone.matrix_local.to_3x3().inverted()
    )
    assert np.degrees(turned.to_quaternion().angle) == pytest.approx(30, abs=0.1)


def reopened(tmp_path):
    """Ada, after the file was saved and opened again."""
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    return bpy.data.objects["Ada"]


@every_way
def test_which_way_is_up_and_how_large_it_is_are_known_in_a_file_just_opened(take, tmp_path, way):
    """Of what it does not show, Blender has no world matrix then: it is the identity."""
    stage = bpy.data.objects.new("stage", None)
    bpy.context.scene.collection.objects.link(stage)
    stage.scale = (0.01, 0.01, 0.01)
    ada = add_human("Ada")
    ada.parent, ada.rotation_euler.x = stage, np.pi / 2  # as FBX files come in
    layer = put_aside(ada, bpy.data.objects["Ada face"], stage)
    bpy.context.view_layer.update()
    assert describe(ada).up == "Y"
    options = {0: Options(position_bone="neck")}
    shown = bake_take(take, {0: ada}, bpy.context.scene, tolerance=Tolerance(), options=options)
    hide(layer, way)

    ada = reopened(tmp_path)
    assert describe(ada).up == "Y"
    again = bake_take(take, {0: ada}, bpy.context.scene, tolerance=Tolerance(), options=options)
    assert (again.keys, again.errors) == (shown.keys, shown.errors)
