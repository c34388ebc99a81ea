# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording never waits for the disk; what was recorded survives a crash and a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mfn_addon.face import FaceFrame
from mfn_addon.take import Take, TakeError, TakeWriter, database, writer
from tests.capture.marks import make_face
from tests.take.takes import frames_of_two, lines_of, record


def test_reading_while_recording(tmp_path):
    path = tmp_path / "a.mfntake"
    frames = frames_of_two()
    with TakeWriter(path) as recording:
        for frame in frames[:10]:
            recording.add(frame)
        deadline = time.monotonic() + 20
        while True:
            with Take(path) as take:
                if take.frame_count == 10:
                    assert not take.finished
                    assert lines_of(take.frames()) == lines_of(frames[:10])
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for frame in frames[10:]:
            recording.add(frame)
    with Take(path) as take:
        assert lines_of(take.frames()) == lines_of(frames)


def test_adding_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    """While a commit hangs, frames go on being taken."""
    release = threading.Event()
    commit = writer.Batch.commit

    def slow(batch):
        release.wait(20)
        commit(batch)

    monkeypatch.setattr(writer.Batch, "commit", slow)
    frames = frames_of_two(100)
    with TakeWriter(tmp_path / "a.mfntake") as take:
        for frame in frames:
            take.add(frame)  # would hang here
        release.set()
    with Take(tmp_path / "a.mfntake") as read:
        assert read.frame_count == 100


@pytest.mark.parametrize("seconds", [0.9, 2.1])
def test_kill_9_while_recording_loses_at_most_the_last_second(tmp_path, seconds):
    path = tmp_path / "a.mfntake"
    program = str(Path(__file__).with_name("recording.py"))
    with subprocess.Popen(
        [sys.executable, program, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        recorded = float(process.stdout.readline())
        while recorded < seconds:
            recorded = float(process.stdout.readline())
        process.kill()
        for line in process.stdout:
            if line.endswith("\n"):
                recorded = float(line)
    with Take(path) as take:
        assert not take.finished
        frames = list(take.frames())
        assert frames[-1].time >= recorded - 1.0
        assert [frame.frame for frame in frames] == list(range(len(frames)))
        assert all(len(frame.faces) == 4 for frame in frames)
        assert len(take.actors()) == 4


def add_until_it_fails(take: TakeWriter) -> str:
    """Record until an error; its message."""
    faces = frames_of_two(1)[0].faces
    for number in range(60_000):
        try:
            take.add(FaceFrame(number / 60, "Camera 0", number, 640, 360, faces))
        except TakeError as error:
            return str(error)
        time.sleep(0.0005)
    pytest.fail("the disk is never full")


def test_a_full_disk_keeps_what_was_recorded(tmp_path, monkeypatch):
    """SQLite's own limit on a database's pages gives the error that a full disk gives."""

    def small(path, mode="rwc"):
        connection = connect(path, mode)
        connection.execute("PRAGMA max_page_count = 200")
        return connection

    connect = database.connect
    monkeypatch.setattr(database, "connect", small)
    path = tmp_path / "a.mfntake"
    take = TakeWriter(path)
    message = add_until_it_fails(take)
    assert "the disk is full; recording has stopped" in message
    assert "are kept" in message
    with pytest.raises(TakeError):
        take.close()
    monkeypatch.undo()
    with Take(path) as take:
        frames = list(take.frames())
        assert f"its first {len(frames)} frames" in message
        assert len(frames) > 20
        assert not take.finished


def test_a_really_full_disk(tmp_path):
    """On a file system of 2 MB, where the tests may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        path = disk / "a.mfntake"
        take = TakeWriter(path)
        message = add_until_it_fails(take)
        assert "the disk is full" in message
        with pytest.raises(TakeError):
            take.close()
        with Take(path) as read:  # at once, while the disk is still full
            count = len(list(read.frames()))
        assert f"its first {count} frames" in message
        assert count > 100
        with pytest.raises(TakeError, match="disk is full"):
            TakeWriter(disk / "b.mfntake")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def test_the_same_id_twice_in_a_frame_does_not_end_the_recording(tmp_path):
    frame = FaceFrame(0, "x", 0, 640, 360, [make_face(face_id=1), make_face(face_id=1)])
    with Take(record(tmp_path / "a.mfntake", [frame])) as take:
        assert [len(each.faces) for each in take.frames()] == [1]


def test_adding_to_a_take_later_keeps_each_delivery_once(tmp_path):
    """A phone sends again what it does not know to be saved, also after a restart."""
    path = tmp_path / "a.mfntake"
    first, late, last = frames_of_two(3)
    with TakeWriter(path) as take:
        take.add(first, ("phone:1", 0))
        take.add(last, ("phone:1", 2))
        take.add(last, ("phone:1", 2))
    with TakeWriter(path, append=True, info={"title": "again"}) as take:
        take.add(first, ("phone:1", 0))
        take.add(late, ("phone:1", 1))
    assert take.frames_committed == 2
    with Take(path) as read:
        assert read.finished
        assert read.info["title"] == "again"
        assert [frame.time for frame in read.frames()] == [first.time, late.time, last.time]
        assert {actor.frames for actor in read.actors()} == {3}
