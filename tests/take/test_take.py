# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes: what was recorded comes back to the last bit, and nothing that is saved gets lost."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from mfn_addon.face import FaceFrame
from mfn_addon.take import (
    VERSION,
    Take,
    TakeError,
    TakeWriter,
    export_lines,
    import_lines,
    read_lines,
    writer,
)
from mfn_addon.take.layout import SAMPLE, pack_sample, unpack_sample
from tests.capture.marks import make_face


def frames_of_two(count: int = 30, source: str = "talk.mp4") -> list[FaceFrame]:
    """Two actors; the second comes later and leaves earlier."""
    rng = np.random.default_rng(0)
    frames = []
    for number in range(count):
        ids = [1, 2] if 10 <= number < 20 else [1]
        faces = [make_face((100.0 * n + number, 90.0), face_id=n, jaw_open=0.3) for n in ids]
        for face in faces:
            face.expression[:] = rng.uniform(0, 1, 52)
            face.landmarks += rng.normal(0, 1, (68, 2)).astype(np.float32)
        frames.append(FaceFrame(number / 29.97, source, number, 640, 360, faces))
    return frames


def record(path: Path, frames: list[FaceFrame]) -> Path:
    with TakeWriter(path) as take:
        for frame in frames:
            take.add(frame)
    return path


def lines_of(frames) -> list[str]:
    return [json.dumps(frame.to_json()) for frame in frames]


def test_a_take_gives_back_what_was_recorded(tmp_path):
    frames = frames_of_two()
    with Take(record(tmp_path / "a.mfntake", frames)) as take:
        assert lines_of(take.frames()) == lines_of(frames)
        assert take.frame_count == 30
        assert take.duration == pytest.approx(29 / 29.97)
        assert take.sources == ["talk.mp4"]
        assert take.finished
        assert "created" in take.info


def test_a_finished_take_is_one_file(tmp_path):
    record(tmp_path / "a.mfntake", frames_of_two())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mfntake"]


def test_its_actors(tmp_path):
    with Take(record(tmp_path / "a.mfntake", frames_of_two())) as take:
        first, second = take.actors()
    assert (first.id, first.frames, first.start) == (1, 30, 0.0)
    assert (second.id, second.frames, second.name) == (2, 10, "Actor 2")
    assert second.start == pytest.approx(10 / 29.97)
    assert second.end == pytest.approx(19 / 29.97)


def test_one_actors_performance_as_arrays(tmp_path):
    frames = frames_of_two()
    with Take(record(tmp_path / "a.mfntake", frames)) as take:
        performance = take.performance(2)
        with pytest.raises(TakeError, match=r"no actor 9 .*it has: 1, 2"):
            take.performance(9)
    expected = [face for frame in frames for face in frame.faces if face.id == 2]
    assert performance.time.shape == (10,)
    for name in ("box", "rotation", "translation", "expression", "identity", "landmarks"):
        assert np.array_equal(getattr(performance, name), [getattr(f, name) for f in expected])


def test_several_sources_stay_apart(tmp_path):
    first, second = frames_of_two(5, "left"), frames_of_two(5, "right")
    with Take(record(tmp_path / "a.mfntake", first + second)) as take:
        assert take.sources == ["left", "right"]
        assert lines_of(take.frames("right")) == lines_of(second)
        times = [frame.time for frame in take.frames()]
        assert times == sorted(times)


def test_a_take_without_frames(tmp_path):
    with Take(record(tmp_path / "a.mfntake", [])) as take:
        assert (take.frame_count, take.duration, list(take.frames())) == (0, 0.0, [])
        assert take.actors() == []


def test_a_sample_is_laid_out_as_documented():
    face = make_face(face_id=3, jaw_open=0.5)
    data = pack_sample(face)
    assert len(data) == SAMPLE.itemsize == 980
    assert np.frombuffer(data, "<f4", 1)[0] == np.float32(face.score)
    assert np.array_equal(np.frombuffer(data, "<f4", 4, 4), face.box)
    assert np.array_equal(np.frombuffer(data, "<f4", 52, 68), face.expression)
    assert unpack_sample(3, data).to_json() == {**face.to_json(), "score": pytest.approx(0.9)}


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


def test_nothing_is_overwritten_unasked(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two())
    with pytest.raises(TakeError, match="exists already"):
        TakeWriter(path)
    with TakeWriter(path, overwrite=True) as take:
        take.add(frames_of_two(1)[0])
    with Take(path) as take:
        assert take.frame_count == 1


def test_export_and_import(tmp_path):
    frames = frames_of_two()
    path = record(tmp_path / "a.mfntake", frames)
    lines = tmp_path / "a.jsonl"
    with Take(path) as take, lines.open("w") as file:
        assert export_lines(take, file) == 30
    assert import_lines(lines, tmp_path / "b.mfntake") == 30
    again = io.StringIO()
    with Take(tmp_path / "b.mfntake") as take:
        export_lines(take, again)
    assert again.getvalue() == lines.read_text()


def test_a_line_that_is_no_frame_is_named(tmp_path):
    good = json.dumps(frames_of_two(1)[0].to_json())
    (tmp_path / "a.jsonl").write_text(f"{good}\n\n{{}}\n")
    with pytest.raises(TakeError, match=r"a\.jsonl, line 3"):
        list(read_lines(tmp_path / "a.jsonl"))
    with pytest.raises(TakeError, match="cannot be read"):
        list(read_lines(tmp_path / "absent.jsonl"))


def opening(path: Path) -> str:
    """The line with which a take is refused."""
    with pytest.raises(TakeError) as caught, Take(path) as take:
        list(take.frames())
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_an_absent_take(tmp_path):
    assert "no such take" in opening(tmp_path / "absent.mfntake")


@pytest.mark.parametrize("content", [b"", b"Dear Sir or Madam,\n" * 300])
def test_another_kind_of_file(tmp_path, content):
    (tmp_path / "a.mfntake").write_bytes(content)
    assert "not a take" in opening(tmp_path / "a.mfntake")


def test_another_programs_database(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.mfntake")
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    assert "not a take" in opening(tmp_path / "a.mfntake")


def test_a_take_from_a_newer_version(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two())
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    assert "newer version" in opening(path)
    assert "update" in opening(path)
    assert path.read_bytes() == before


def test_a_truncated_take(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two(300))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "damaged" in opening(path)


def test_a_take_with_garbage_inside_gives_the_frames_before_it(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two(300))
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4 : len(data) * 3 // 4 + 20_000] = bytes(20_000)
    path.write_bytes(data)
    read: list[FaceFrame] = []
    with Take(path) as take, pytest.raises(TakeError, match="damaged"):
        read.extend(take.frames())
    assert read


def test_a_take_on_a_medium_that_cannot_be_written(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two())
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with Take(path) as take:
            assert len(list(take.frames())) == 30
    finally:
        tmp_path.chmod(0o755)


def test_where_no_take_can_be_created(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TakeError, match="cannot be created"):
        TakeWriter(tmp_path / "file" / "a.mfntake")
    with pytest.raises(TakeError, match="is a folder"):
        TakeWriter(tmp_path)


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

    connect = writer.connect
    monkeypatch.setattr(writer, "connect", small)
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


def test_what_is_no_take_is_not_added_to(tmp_path):
    with pytest.raises(TakeError, match="no such take"):
        TakeWriter(tmp_path / "none.mfntake", append=True)
    other = tmp_path / "other.mfntake"
    other.write_text("no database, but more than a few bytes of something else")
    with pytest.raises(TakeError, match="cannot be added to"):
        TakeWriter(other, append=True)
