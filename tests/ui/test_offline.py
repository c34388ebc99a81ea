# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline pass from the panel: a real process, its end, and before and after."""

import wave

import bpy
import cv2
import numpy as np
import pytest

from mfn_addon.take import Take, TakeWriter
from mfn_addon.ui import offline_pass, session
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, face, frame, value, write_take


@pytest.fixture
def footage(tmp_path):
    """Ten grey pictures without a face."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    for _ in range(10):
        writer.write(np.full((240, 320, 3), 120, np.uint8))
    writer.release()
    return path


@pytest.fixture
def take(tmp_path, footage):
    folder = tmp_path / "takes"
    folder.mkdir()
    path = folder / "Take 001.mfntake"
    with TakeWriter(path) as writer:
        for number in range(10):
            live = frame(number, face(1, jawOpen=0.5), time=number / 10)
            live.source = footage.name
            writer.add(live)
    refresh_takes(bpy.context)
    return path


def wait():
    """Look as the timer does, until the process has ended."""
    while offline_pass.look(bpy.context) is not None:
        offline_pass.Running.now._process.wait(timeout=300)


def test_it_needs_footage_that_the_take_is_of(take, footage):
    assert not bpy.ops.mfn.offline.poll()
    bpy.context.scene.mfn.footage = str(take)
    assert not bpy.ops.mfn.offline.poll()
    bpy.context.scene.mfn.footage = str(footage)
    assert bpy.ops.mfn.offline.poll()


def test_it_writes_an_improved_take_beside(take, footage):
    bpy.context.scene.mfn.footage = str(footage)
    assert bpy.ops.mfn.offline() == {"FINISHED"}
    wait()
    assert session.message.text == "Take 001 offline is ready"
    assert bpy.context.window_manager.mfn.take().name == "Take 001 offline"
    with Take(take.with_name("Take 001 offline.mfntake")) as better:
        assert better.frame_count == 10


def test_cancelled_it_leaves_the_list_as_it_was(take, footage):
    bpy.context.scene.mfn.footage = str(footage)
    bpy.ops.mfn.offline()
    process = offline_pass.Running.now._process
    assert bpy.ops.mfn.offline_cancel() == {"FINISHED"}
    assert process.poll() is not None
    assert not bpy.ops.mfn.offline_cancel.poll()
    assert offline_pass.look(bpy.context) is None
    assert [item.name for item in bpy.context.window_manager.mfn.takes] == ["Take 001"]


def test_a_pass_that_fails_says_why(take, footage):
    bpy.context.scene.mfn.footage = str(footage)
    footage.write_bytes(b"\x00no video" * 50)
    bpy.ops.mfn.offline()
    wait()
    assert "clip.avi" in session.message.text
    assert session.message.icon == "CANCEL"


def test_before_and_after_swap_the_bake(take, tmp_path):
    better = tmp_path / "takes" / "Take 001 offline.mfntake"
    write_take(better, np.arange(10) / 10, lambda t: [face(1, jawOpen=0.9)])
    refresh_takes(bpy.context, choose=str(take))
    bpy.context.scene.mfn.row(1).character = add_human("Ada")
    bpy.ops.mfn.bake()
    for after, jaw in ((True, 0.9), (False, 0.5), (True, 0.9)):
        assert bpy.ops.mfn.offline_compare(after=after) == {"FINISHED"}
        assert bpy.context.window_manager.mfn.take().path == str(better if after else take)
        bpy.context.scene.frame_set(3)
        assert value("Ada face", "jawOpen") == pytest.approx(jaw)


@pytest.mark.skipif(not bpy.app.build_options.audaspace, reason="this bpy was built without sound")
def test_the_footages_sound_lies_where_the_bake_begins(tmp_path):
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8000))
    with TakeWriter(tmp_path / "takes.mfntake") as writer:
        for number in range(5, 15):  # recorded from the footage's sixth picture on
            live = frame(number, face(1), time=number / 10)
            live.source = path.name
            writer.add(live)
    bpy.ops.mfn.take_open(filepath=str(tmp_path / "takes.mfntake"))
    bpy.context.scene.mfn.footage = str(path)
    bpy.context.scene.mfn.bake_start = 101
    for _ in range(2):
        assert bpy.ops.mfn.footage_sound() == {"FINISHED"}
    editor = bpy.context.scene.sequence_editor
    (sound,) = editor.strips if hasattr(editor, "strips") else editor.sequences
    assert sound.frame_final_start == 101 - 12  # half a second before, at 24 frames a second


@pytest.mark.skipif(not bpy.app.build_options.audaspace, reason="this bpy was built without sound")
@pytest.mark.parametrize(("fps", "base"), [(24, 1.0), (30, 1.001), (25, 1.0)])
def test_a_clap_is_baked_where_it_is_heard(tmp_path, fps, base):
    """Seen 90.5 s into the footage, in a take that begins a third of a second into it."""
    clap, begin = 90.5, 1 / 3
    path = tmp_path / "claps.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 1000, 0, "NONE", ""))
        file.writeframes(bytes(1000 * 92))
    times = np.arange(begin, 92, 1 / 30)
    with TakeWriter(tmp_path / "takes.mfntake") as writer:
        for number, time in enumerate(times):
            live = frame(number, face(1, jawOpen=float(time >= clap)), time=float(time))
            live.source = path.name
            writer.add(live)
    bpy.ops.mfn.take_open(filepath=str(tmp_path / "takes.mfntake"))
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    scene.mfn.footage = str(path)
    cast = scene.mfn.row(1) or scene.mfn.cast.add()
    cast.actor, cast.character = 1, add_human("Ada")
    assert bpy.ops.mfn.footage_sound() == {"FINISHED"}
    assert bpy.ops.mfn.bake() == {"FINISHED"}
    editor = scene.sequence_editor
    (sound,) = editor.strips if hasattr(editor, "strips") else editor.sequences

    def shut(number):
        scene.frame_set(number)
        return value("Ada face", "jawOpen") < 0.5

    # Half open between two pictures; the strip begins on a whole frame, and so do keys.
    half = times[times >= clap][0] - 1 / 60
    heard = sound.frame_final_start + half * fps / base
    first = int(heard) - 3
    assert shut(first)
    seen = next(number for number in range(first, first + 9) if not shut(number))
    assert -0.5 <= seen - heard < 1.5
