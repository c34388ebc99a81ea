# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones record over a take: a real server on the loopback address, and frames that come late."""

import os
import time
from itertools import islice

import bpy
import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX
from mfn_addon.take import Take, TakeError, late, write_info
from mfn_addon.ui import late_passes, live, phones, recording, session
from tests.phone.conftest import sender_to, wait_until
from tests.rig.characters import face, frame, write_take

JAW, BROW = EXPRESSION_INDEX["jawOpen"], EXPRESSION_INDEX["browInnerUp"]
LASTS = 0.5
"""Seconds that are recorded: 30 frames."""


@pytest.fixture(autouse=True)
def over(base):
    """What is recorded goes over the base."""
    bpy.context.scene.mfn.recording.over = True


@pytest.fixture
def server(interface, tmp_path, monkeypatch):
    monkeypatch.setattr(phones, "user_folder", lambda name: tmp_path / name)
    monkeypatch.setattr(phones, "takes_folder", lambda _: tmp_path / "takes")
    monkeypatch.setattr(late_passes, "_EVERY", 0.0)
    monkeypatch.setattr(late_passes, "_recordings", {})
    assert bpy.ops.mfn.phones_start(address="127.0.0.1") == {"FINISHED"}
    yield phones.server()
    live.stop(bpy.context)


def tick_until(condition):
    """What Blender's timers do, until it holds."""
    wait_until(lambda: (live.tick(bpy.context), phones.tick(bpy.context), condition())[-1])


def send(sender, numbers, begins):
    """Frames of the recording, the mouth more open in each."""
    for number in numbers:
        at = begins + (number + 0.5) * LASTS / 30
        sender.send_frame(frame(number, face(1, jawOpen=0.5 + number / 60), time=at))


def play_until(condition):
    """The same while the scene plays from frame 125 on, as soon as it is recorded."""

    def play():
        passed = time.monotonic() - session.current.recording.begins
        bpy.context.scene.frame_set(int(125 + passed * 24))
        return condition()

    tick_until(play)


def record(sender, until=tick_until):
    """Begin to record over the chosen take; when it began by the sender's clock, and the file."""
    assert bpy.ops.mfn.record() == {"FINISHED"}
    until(lambda: sender._span is not None)
    return sender._span[1], session.current.recording.output


def stop(sender, begins):
    tick_until(lambda: sender.clock() > begins + LASTS)
    assert bpy.ops.mfn.record() == {"FINISHED"}
    tick_until(lambda: sender._span is not None and sender._span[2] < float("inf"))


def held(path):
    """How many frames the newest pass holds, and the mouth and the brows of the whole."""
    with Take(path) as take:
        count = take._connection.execute(
            "SELECT count(*) FROM pass_frame WHERE pass = (SELECT max(id) FROM pass)"
        ).fetchone()[0]
        told = take.performance(1)
    return count, told.time - 5, told.expression[:, JAW], told.expression[:, BROW]


def check_all(path):
    """The recording is whole in the take, where it was performed, and the rest is the base's."""
    count, time, jaw, brow = held(path)
    assert count == 30
    within = (time > 0.05) & (time < LASTS - 0.05)
    assert jaw[within] == pytest.approx(0.5 + (time[within] * 60 - 0.5) / 60, abs=0.02)
    assert np.allclose(jaw[time > LASTS + 0.1], 0.2)
    assert np.allclose(brow, time / 4, atol=1e-6)


def test_what_phones_deliver_late_gets_into_the_take(server, base):
    before = base.read_bytes()
    sender = sender_to(server)
    begins, path = record(sender)
    send(sender, range(3, 30, 3), begins)
    stop(sender, begins)
    assert bpy.context.window_manager.mfn.take().path == str(path)
    assert path.stem == "Take 002"
    write_info(path, {"note": "the good one"})  # edits between are kept
    send(sender, range(1, 30, 3), begins)
    tick_until(lambda: held(path)[0] == 19)
    send(sender, [0], begins)  # the very first too, which all times count from
    send(sender, range(2, 30, 3), begins)
    tick_until(lambda: not sender.unsaved)
    tick_until(lambda: held(path)[0] >= 30)
    check_all(path)
    with Take(path) as take:
        assert (take.info["note"], take.info["over"]) == ("the good one", "Take 001")
        assert (take.info["slate"], take.info["take_number"]) == ("Take", "2")
        assert len(take.passes) == 1
    assert base.read_bytes() == before
    assert len(bpy.context.window_manager.mfn.takes) == 2
    sender.close()


def test_what_comes_to_a_later_session_gets_into_a_take_that_was_renamed(server, base):
    sender = sender_to(server)
    begins, path = record(sender)
    send(sender, range(0, 30, 2), begins)
    stop(sender, begins)
    live.stop(bpy.context)
    assert held(path)[0] == 15  # all that had come, without another tick
    renamed = path.rename(path.with_name("the best.mfntake"))
    late_passes._recordings.clear()
    send(sender, range(1, 30, 2), begins)  # nobody listens
    assert bpy.ops.mfn.phones_start(address="127.0.0.1") == {"FINISHED"}
    again = phones.server()
    sender._address = f"127.0.0.1:{again.port}"
    tick_until(lambda: held(renamed)[0] == 30)
    check_all(renamed)
    assert not path.exists()
    sender.close()


def test_a_take_that_was_deleted_does_not_come_back(server, base):
    sender = sender_to(server)
    begins, path = record(sender)
    send(sender, range(0, 30, 2), begins)
    stop(sender, begins)
    tick_until(lambda: held(path)[0] == 15)
    path.unlink()
    send(sender, range(1, 30, 2), begins)
    tick_until(lambda: not sender.unsaved)
    live.stop(bpy.context)
    assert not path.exists()
    with Take(path.parent / late.FOLDER / path.name) as recording:
        assert recording.frame_count == 30  # nothing that was performed is lost
    sender.close()


def crash_and_come_back(path):
    """End Blender's part in the recording without a word, and merge it in a new session."""
    session.current.recorder = session.current.recording = None  # no end of it is ever told
    live.stop(bpy.context)
    assert not path.exists()
    assert bpy.ops.mfn.phones_start(address="127.0.0.1") == {"FINISHED"}
    tick_until(path.exists)


def test_a_recording_that_a_crash_ended_is_merged_by_the_next_session(server, base):
    sender = sender_to(server)
    begins, path = record(sender)
    send(sender, range(30), begins)
    tick_until(lambda: not sender.unsaved)
    crash_and_come_back(path)
    check_all(path)
    sender.close()


def test_a_base_that_goes_meanwhile_leaves_the_recording(server, base):
    sender = sender_to(server)
    begins, path = record(sender)
    send(sender, range(0, 30, 2), begins)
    base.unlink()
    tick_until(lambda: sender.clock() > begins + LASTS)
    with pytest.raises(RuntimeError, match="there is no such take any more"):
        bpy.ops.mfn.record()
    tick_until(lambda: sender._span[2] < float("inf"))
    send(sender, range(1, 30, 2), begins)
    tick_until(lambda: not sender.unsaved)
    live.stop(bpy.context)
    with Take(path) as take:
        assert (take.frame_count, take.passes) == (30, {})
    assert [item.name for item in bpy.context.window_manager.mfn.takes] == ["Take 002"]
    sender.close()


def put_on_the_timeline(scene):
    """The recording plays it, and the earlier take lies a second before where it begins."""
    scene.mfn.recording.timeline = True
    scene.mfn.bake_start = 101
    scene.frame_set(125)


def check_place(path):
    with Take(path) as take:
        assert take.passes[1].at == pytest.approx(6.0 + LASTS / 60, abs=1.5 / 24)


def test_along_the_timeline_it_lies_where_it_was_played(server, base):
    put_on_the_timeline(bpy.context.scene)
    sender = sender_to(server)
    begins, path = record(sender, play_until)
    send(sender, range(30), begins)
    play_until(lambda: sender.clock() > begins + LASTS + 0.3)
    assert bpy.ops.mfn.record() == {"FINISHED"}
    tick_until(lambda: held(path)[0] == 30)
    check_place(path)
    sender.close()


def test_a_crash_while_the_timeline_plays_leaves_where_it_was(server, base, monkeypatch):
    put_on_the_timeline(bpy.context.scene)
    monkeypatch.setattr(recording, "_NOTED_AFTER", (0.0, 0.1))
    sender = sender_to(server)
    begins, path = record(sender, play_until)
    under_way, numbers = session.current.recording, iter(range(30))
    play_until(
        lambda: (
            send(sender, islice(numbers, 1), begins),
            under_way.notes == 2 and not sender.unsaved and sender.clock() > begins + 0.3,
        )[-1]
    )
    crash_and_come_back(path)
    check_place(path)
    sender.close()


def test_old_recordings_go_when_phones_are_added(server, base, tmp_path):
    sender = sender_to(server)
    begins, path = record(sender)
    send(sender, range(30), begins)
    stop(sender, begins)
    tick_until(lambda: held(path)[0] == 30)
    live.stop(bpy.context)
    recording = path.parent / late.FOLDER / path.name
    for age, stays in ((1, True), (100, False)):
        then = time.time() - age * 86400
        os.utime(recording, (then, then))
        assert bpy.ops.mfn.phones_start(address="127.0.0.1") == {"FINISHED"}
        assert recording.exists() == stays
        live.stop(bpy.context)
    check_all(path)
    sender.close()


def test_what_cannot_be_merged_is_told_once(server, base, tmp_path):
    recording = write_take(
        tmp_path / "takes" / late.FOLDER / "Take 009.mfntake", [0.0], lambda _: [face(1)]
    )
    write_info(recording, {"over_take": "no facts"})
    late_passes.find(tmp_path / "takes")
    session.message.text = ""
    late_passes.look()
    assert "what it was recorded over cannot be read" in session.message.text
    session.message.text = ""
    late_passes.look()
    assert session.message.text == ""
    with pytest.raises(TakeError, match="cannot be read"):
        late.merge(recording)
