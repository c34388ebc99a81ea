# SPDX-License-Identifier: GPL-3.0-or-later
"""The tick moves characters, survives what users do, and leaves nothing running."""

import time

import bpy
import numpy as np
import pytest

from mfn_addon import ui
from mfn_addon.take import Take, TakeError
from mfn_addon.ui import live, panels, preview, recording, session
from tests.rig.characters import add_human, add_mesh, add_robot, face, frame, new_file, value


def tick():
    return live.tick(bpy.context)


def cast(actor, character):
    row = bpy.context.scene.mfn.row(actor) or bpy.context.scene.mfn.cast.add()
    row.actor, row.character = actor, character
    return row


def test_each_face_drives_its_character(running):
    cast(1, add_human("Ada"))
    cast(2, add_human("Ben"))
    running.give(frame(0, face(1, jawOpen=0.5), face(2, jawOpen=0.9)))
    assert tick() == live.INTERVAL
    assert value("Ada face", "jawOpen") == pytest.approx(0.5)
    assert value("Ben face", "jawOpen") == pytest.approx(0.9)


def test_only_the_newest_of_several_frames_is_shown(running):
    cast(1, add_human())
    running.give(frame(0, face(1, jawOpen=0.1)), frame(1, face(1, jawOpen=0.8)))
    tick()
    assert value("Ada face", "jawOpen") == pytest.approx(0.8)


def test_the_panel_tells_how_old_a_picture_is_once_the_characters_have_it(running, monkeypatch):
    now = [50.0]
    monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
    written = live.drive

    def slow_drive(*arguments):
        written(*arguments)
        now[0] += 0.02  # what the writing takes belongs to it

    monkeypatch.setattr(live, "drive", slow_drive)
    cast(1, add_human())
    monkeypatch.setattr(running, "captured", lambda frame: frame.time)
    assert session.current.latency() == 0.0
    for number, late in enumerate((0.03, 0.9, 0.04)):  # Blender was busy once
        running.give(frame(number, face(1), time=now[0] - late))
        tick()
    assert session.current.latency() == pytest.approx(0.06)
    assert panels._status(session.current).endswith("60 ms")


def test_new_faces_get_a_row_and_the_next_free_character(running):
    right, left = add_human("Right"), add_human("Left")
    for x, each in enumerate((left, right)):
        each["mfn_profile"] = "arkit"
        each.location.x = float(x)
    bpy.context.view_layer.update()
    at_left = face(4).with_(box=np.array((10, 10, 50, 60), np.float32))
    running.give(frame(0, face(7), at_left))
    tick()
    rows = {row.actor: row.character.name for row in bpy.context.scene.mfn.cast}
    assert rows == {4: "Left", 7: "Right"}
    assert bpy.context.scene.mfn.row(4).report.startswith("ARKit: 52 shape keys")


def test_nobody_is_assigned_against_the_users_wish(running):
    add_human()["mfn_profile"] = "arkit"
    bpy.context.scene.mfn.auto_cast = False
    running.give(frame(0, face(1)))
    tick()
    assert bpy.context.scene.mfn.row(1).character is None


def test_mirror_takes_effect_at_once(running):
    cast(1, add_human())
    running.give(frame(0, face(1, eyeBlinkLeft=1.0)))
    tick()
    bpy.context.scene.mfn.mirror = True
    running.give(frame(1, face(1, eyeBlinkLeft=1.0)))
    tick()
    assert value("Ada face", "eyeBlinkRight") == 1.0
    assert value("Ada face", "eyeBlinkLeft") == 0.0


def test_the_picture_is_drawn_into_an_icon(running):
    running.give(frame(0, face(1)), picture=True)
    tick()
    preview._studios[0].painting.result(timeout=60)  # a thread paints it
    tick()
    icons = preview._studios[0].icons  # without a window Blender gives icons no numbers
    assert tuple(icons["picture"].image_size) == (320, 320)
    assert "dot 1" in icons
    live.stop(bpy.context)
    assert "picture" not in icons


# --- users do what they like meanwhile --------------------------------------------------------


def test_undo_and_redo_while_live(running):
    bpy.ops.ed.undo_push(message="start")
    add_human("Ada")
    bpy.ops.ed.undo_push(message="character")
    cast(1, bpy.data.objects["Ada"])
    bpy.ops.ed.undo_push(message="cast")
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="cube")
    for number in range(12):
        running.give(frame(number, face(1, jawOpen=number / 12)))
        assert tick() == live.INTERVAL
        step = bpy.ops.ed.redo if number % 3 == 2 else bpy.ops.ed.undo
        if step.poll():
            step()
    while bpy.ops.ed.redo.poll():
        bpy.ops.ed.redo()
    assert bpy.context.scene.mfn.row(1).character == bpy.data.objects["Ada"]
    running.give(frame(13, face(1, jawOpen=0.7)))
    tick()
    assert value("Ada face", "jawOpen") == pytest.approx(0.7)


def test_a_tick_pushes_no_undo_step(running):
    cast(1, add_human())
    bpy.ops.ed.undo_push(message="first")
    bpy.data.objects["Ada"].location.x = 5.0
    bpy.ops.ed.undo_push(message="moved")
    running.give(frame(0, face(1, jawOpen=0.5)))
    tick()
    bpy.ops.ed.undo()
    assert bpy.data.objects["Ada"].location.x == 0.0  # the step before, not the tick


def test_a_character_that_is_renamed_goes_on(running):
    character = add_human()
    cast(1, character)
    running.give(frame(0, face(1, jawOpen=0.5)))
    tick()
    character.name = "Eve"
    running.give(frame(1, face(1, jawOpen=0.6)))
    tick()
    assert value("Ada face", "jawOpen") == pytest.approx(0.6)


def test_a_character_that_is_deleted_is_let_go(running):
    character = add_human("Ada")
    cast(1, character)
    cast(2, add_human("Ben"))
    running.give(frame(0, face(1), face(2)))
    tick()
    bpy.data.objects.remove(bpy.data.objects["Ada face"])
    bpy.data.objects.remove(character)
    running.give(frame(1, face(1), face(2, jawOpen=0.4)))
    assert tick() == live.INTERVAL
    assert bpy.context.scene.mfn.row(1).character is None
    assert value("Ben face", "jawOpen") == pytest.approx(0.4)


def test_shape_keys_that_change_under_it_are_bound_anew(running):
    cast(1, add_human())
    running.give(frame(0, face(1)))
    tick()
    mesh = bpy.data.objects["Ada face"]
    mesh.shape_key_remove(mesh.data.shape_keys.key_blocks["cheekPuff"])
    running.give(frame(1, face(1, jawOpen=0.4)))
    tick()
    assert value("Ada face", "jawOpen") == pytest.approx(0.4)


def test_an_unusable_character_is_told_once_and_others_go_on(running):
    row = cast(1, add_mesh("Cube", ("Key 1",)))
    cast(2, add_robot())
    assert "no shape key and no bone" in row.report
    assert not row.usable
    running.give(frame(0, face(1), face(2, browInnerUp=1.0)))
    tick()
    assert "'Cube' has no shape key and no bone" in session.message.text
    session.message.text = ""
    running.give(frame(1, face(1), face(2, browInnerUp=1.0)))
    assert tick() == live.INTERVAL
    assert not session.message.text
    assert bpy.data.objects["Bo"].pose.bones["ear"].location.y == pytest.approx(0.1)


def test_another_file_ends_the_session(running, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    recording.start_recording(bpy.context)
    running.give(frame(0, face(1)), frame(1, face(1)))
    tick()
    path = session.current.recorder.path
    new_file()
    assert session.current is None
    assert running.stopped
    with Take(path) as take:
        assert take.finished
        assert take.frame_count == 2


def test_a_deleted_scene_ends_the_session(running):
    bpy.ops.scene.new(type="EMPTY")
    other = next(scene for scene in bpy.data.scenes if scene != bpy.context.scene)
    bpy.data.scenes.remove(other)
    assert tick() is None
    assert running.stopped


def test_two_scenes_only_the_started_one_is_driven(running):
    cast(1, add_human())
    other = bpy.data.scenes.new("Other")
    running.give(frame(0, face(1, jawOpen=0.3)))
    tick()
    assert value("Ada face", "jawOpen") == pytest.approx(0.3)
    assert bpy.context.scene.mfn.cast
    assert not other.mfn.cast


def test_disabling_the_extension_ends_the_session_and_it_can_be_enabled_again(running):
    ui.unregister()
    assert running.stopped
    assert not bpy.app.timers.is_registered(live._timer)
    assert not hasattr(bpy.types.Scene, "mfn")
    ui.register()
    assert bpy.context.scene.mfn.source == "FOOTAGE"


def test_a_broken_tick_ends_the_session(running, capsys):
    running.poll = lambda: 1 / 0
    assert live._timer() is None
    assert running.stopped
    assert "division by zero" in session.message.text


# --- the source's end, and recording ----------------------------------------------------------


def test_footage_that_ends_finishes_the_take(running):
    path = recording.start_recording(bpy.context)
    running.give(*(frame(n, face(1)) for n in range(30)))
    tick()
    running.end()
    assert tick() is None
    assert session.current is None
    assert session.message.text == f"test has ended; recorded {path.stem}"
    state = bpy.context.window_manager.mfn
    assert state.take().path == str(path)
    assert state.take().actor_ids() == [1]


def test_a_camera_that_vanishes_leaves_the_take(running):
    path = recording.start_recording(bpy.context)
    running.give(*(frame(n, face(1)) for n in range(30)))
    tick()
    running.end("failed", "the camera is gone")
    assert tick() is None
    assert "the camera is gone" in session.message.text
    assert session.message.icon == "CANCEL"
    with Take(path) as take:
        assert take.frame_count == 30


def test_the_real_process_tells_that_there_is_no_such_camera():
    bpy.context.scene.mfn.source = "CAMERA"
    bpy.context.scene.mfn.camera = 63
    bpy.ops.mfn.start()
    until = time.monotonic() + 120
    while session.current is not None and time.monotonic() < until:
        tick()
        time.sleep(0.02)
    assert "camera 63" in session.message.text
    assert session.message.icon == "CANCEL"


def test_a_full_disk_ends_the_recording_and_not_the_preview(running, monkeypatch):
    cast(1, add_human())
    recording.start_recording(bpy.context)

    def full(_):
        raise TakeError("the disk is full")

    monkeypatch.setattr(session.current.recorder, "add", full)
    running.give(frame(0, face(1, jawOpen=0.5)))
    assert tick() == live.INTERVAL
    assert session.message.text == "Recording stopped: the disk is full"
    assert session.current.recorder is None
    assert value("Ada face", "jawOpen") == pytest.approx(0.5)


def test_every_frame_that_arrives_is_recorded(running):
    path = recording.start_recording(bpy.context)
    for number in range(0, 40, 4):
        running.give(*(frame(number + i, face(1)) for i in range(4)))
        tick()
    recording.stop_recording(bpy.context)
    with Take(path) as take:
        assert [each.frame for each in take.frames()] == list(range(40))
