# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a user does to the scene in mid-performance, nothing breaks and no sample is lost."""

import bpy
import numpy as np
import pytest

from mfn_addon import ui
from mfn_addon.take import Take
from mfn_addon.ui import live, recording, session
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, face, frame, new_file, value, write_take
from tests.ui.conftest import FakeSource


def tick():
    return live.tick(bpy.context)


def cast(actor, character):
    row = bpy.context.scene.mfn.row(actor) or bpy.context.scene.mfn.cast.add()
    row.actor, row.character = actor, character
    return row


def perform(source, number, jaw):
    """One frame of actor 1, and the tick that takes it in."""
    source.give(frame(number, face(1, jawOpen=jaw)))
    assert tick() == live.INTERVAL


def recorded_frames(path):
    with Take(path) as take:
        assert take.finished
        return [each.frame for each in take.frames()]


@pytest.fixture
def library(tmp_path):
    """A .blend with Ada in a collection of her name."""
    armature = add_human("Ada")
    collection = bpy.data.collections.new("Ada")
    bpy.context.scene.collection.children.link(collection)
    for obj in (armature, bpy.data.objects["Ada face"]):
        bpy.context.scene.collection.objects.unlink(obj)
        collection.objects.link(obj)
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    new_file()
    return path


def linked(path):
    """The library's collection, linked into the scene."""
    with bpy.data.libraries.load(str(path), link=True) as (_, target):
        target.collections = ["Ada"]
    bpy.context.scene.collection.children.link(target.collections[0])
    return target.collections[0]


def overridden(path):
    """The same as a library override, but for the mesh data, as Blender does; its armature."""
    collection = linked(path)
    scene = bpy.context.scene
    override = collection.override_hierarchy_create(
        scene, bpy.context.view_layer, do_fully_editable=True
    )
    scene.collection.children.unlink(collection)
    return next(obj for obj in override.all_objects if obj.type == "ARMATURE")


def jaw_of(armature):
    mesh = next(obj for obj in armature.children if obj.type == "MESH")
    return mesh.data.shape_keys.key_blocks["jawOpen"].value


# --- while recording --------------------------------------------------------------------------


def test_undo_and_redo_while_recording_lose_no_sample(running):
    bpy.ops.ed.undo_push(message="start")
    cast(1, add_human("Ada"))
    bpy.ops.ed.undo_push(message="character")
    path = recording.start_recording(bpy.context, 0)
    for number in range(12):
        perform(running, number, number / 12)
        step = bpy.ops.ed.redo if number % 2 else bpy.ops.ed.undo
        if step.poll():
            step()
    recording.stop_recording(bpy.context)
    assert recorded_frames(path) == list(range(12))


def test_undo_and_redo_of_a_bake_while_live(running, tmp_path):
    cast(1, add_human("Ada"))
    write_take(
        tmp_path / "takes" / "Take 001.mfntake", np.arange(25) / 24, lambda t: [face(1, jawOpen=t)]
    )
    refresh_takes(bpy.context)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.mfn.bake()
    bpy.ops.ed.undo_push(message="bake")
    for number, step in enumerate((bpy.ops.ed.undo, bpy.ops.ed.redo) * 3):
        step()
        perform(running, number, 0.7)
        assert value("Ada face", "jawOpen") == pytest.approx(0.7)
    assert bpy.data.objects["Ada face"].data.shape_keys.animation_data.action is not None


def test_opening_a_file_while_recording_keeps_the_take_and_the_next_session_works(
    running, tmp_path
):
    cast(1, add_human("Ada"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    path = recording.start_recording(bpy.context, 0)
    perform(running, 0, 0.2)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert running.stopped
    assert session.current is None
    assert recorded_frames(path) == [0]
    again = FakeSource()
    live.start(bpy.context, again, "again")
    perform(again, 0, 0.6)
    assert value("Ada face", "jawOpen") == pytest.approx(0.6)


def test_saving_while_recording_goes_on(running, tmp_path):
    cast(1, add_human("Ada"))
    path = recording.start_recording(bpy.context, 0)
    perform(running, 0, 0.2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    perform(running, 1, 0.4)
    recording.stop_recording(bpy.context)
    assert recorded_frames(path) == [0, 1]


def test_disabling_the_extension_while_recording_keeps_the_take(running):
    cast(1, add_human("Ada"))
    path = recording.start_recording(bpy.context, 0)
    perform(running, 0, 0.2)
    ui.unregister()
    assert running.stopped
    assert recorded_frames(path) == [0]
    ui.register()
    assert bpy.context.scene.mfn.row(1).character.name == "Ada"  # the scene kept the table
    again = FakeSource()
    live.start(bpy.context, again, "again")
    perform(again, 0, 0.6)
    assert value("Ada face", "jawOpen") == pytest.approx(0.6)


def test_renames_and_deletions_while_recording_lose_no_sample(running):
    armature = add_human("Ada")
    cast(1, armature)
    path = recording.start_recording(bpy.context, 0)
    perform(running, 0, 0.1)
    blocks = bpy.data.objects["Ada face"].data.shape_keys.key_blocks
    blocks["jawOpen"].name = "something else"
    perform(running, 1, 0.2)  # no longer the jaw: bound anew without it
    assert blocks["something else"].value == pytest.approx(0.1)
    blocks["something else"].name = "jaw_open"
    perform(running, 2, 0.3)
    assert blocks["jaw_open"].value == pytest.approx(0.3)
    armature.name = "Eve"
    armature.pose.bones["head"].name = "skull"
    perform(running, 3, 0.4)
    bpy.data.objects["Ada face"].shape_key_clear()
    perform(running, 4, 0.5)
    bpy.data.objects.remove(armature)
    perform(running, 5, 0.6)
    recording.stop_recording(bpy.context)
    assert recorded_frames(path) == list(range(6))


# --- where characters are ---------------------------------------------------------------------


def test_a_character_in_a_hidden_or_excluded_collection_is_driven(running):
    armature = add_human("Ada")
    cast(1, armature)
    collection = bpy.data.collections.new("aside")
    bpy.context.scene.collection.children.link(collection)
    for obj in (armature, bpy.data.objects["Ada face"]):
        bpy.context.scene.collection.objects.unlink(obj)
        collection.objects.link(obj)
    layer = bpy.context.view_layer.layer_collection.children["aside"]
    for number, switch in enumerate(("hide_viewport", "exclude")):
        setattr(layer, switch, True)
        perform(running, number, 0.3 + 0.2 * number)
        assert value("Ada face", "jawOpen") == pytest.approx(0.3 + 0.2 * number)
    layer.exclude = False
    perform(running, 2, 0.9)
    assert value("Ada face", "jawOpen") == pytest.approx(0.9)


def test_an_overridden_character_is_driven_and_baked(library, running, tmp_path):
    armature = overridden(library)
    cast(1, armature)
    perform(running, 0, 0.4)
    assert jaw_of(armature) == 0.0
    report = session.reports[armature.session_uid]
    assert any("library override of its mesh data" in note for note in report.notes)
    mesh = armature.children[0]
    mesh.data = mesh.data.override_create(remap_local_usages=False)
    cast(1, armature)
    again = FakeSource()
    live.start(bpy.context, again, "again")
    perform(again, 1, 0.4)
    assert jaw_of(armature) == pytest.approx(0.4)
    write_take(
        tmp_path / "takes" / "Take 001.mfntake", np.arange(25) / 24, lambda t: [face(1, jawOpen=t)]
    )
    refresh_takes(bpy.context)
    assert bpy.ops.mfn.bake() == {"FINISHED"}
    bpy.context.scene.frame_set(13)
    assert jaw_of(armature) == pytest.approx(0.5)


def test_a_linked_character_is_refused_in_words(library, running, tmp_path):
    collection = linked(library)
    row = cast(1, collection.all_objects["Ada"])
    assert not row.usable
    assert "linked" in row.report
    perform(running, 0, 0.4)
    assert "library override" in session.message.text
    write_take(
        tmp_path / "takes" / "Take 001.mfntake", np.arange(25) / 24, lambda t: [face(1, jawOpen=t)]
    )
    refresh_takes(bpy.context)
    with pytest.raises(RuntimeError, match="library override"):
        bpy.ops.mfn.bake()


def test_a_character_shared_by_two_scenes_follows_the_session_of_one(running):
    armature = add_human("Ada")
    cast(1, armature)
    other = bpy.data.scenes.new("Other")
    other.collection.objects.link(armature)
    other.mfn.cast.add().actor = 1
    perform(running, 0, 0.3)
    assert value("Ada face", "jawOpen") == pytest.approx(0.3)
    assert other.mfn.row(1).character is None
