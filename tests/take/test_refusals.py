# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no take, or a damaged one, is refused in one line; nothing that is there gets lost."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mfn_addon.face import FaceFrame
from mfn_addon.take import VERSION, Take, TakeError, TakeWriter, read_lines
from tests.take.takes import frames_of_two, record


def test_nothing_is_overwritten_unasked(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two())
    with pytest.raises(TakeError, match="exists already"):
        TakeWriter(path)
    with TakeWriter(path, overwrite=True) as take:
        take.add(frames_of_two(1)[0])
    with Take(path) as take:
        assert take.frame_count == 1


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


def test_where_no_take_can_be_created(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TakeError, match="cannot be created"):
        TakeWriter(tmp_path / "file" / "a.mfntake")
    with pytest.raises(TakeError, match="is a folder"):
        TakeWriter(tmp_path)


def test_what_is_no_take_is_not_added_to(tmp_path):
    with pytest.raises(TakeError, match="no such take"):
        TakeWriter(tmp_path / "none.mfntake", append=True)
    other = tmp_path / "other.mfntake"
    other.write_text("no database, but more than a few bytes of something else")
    with pytest.raises(TakeError, match="cannot be added to"):
        TakeWriter(other, append=True)
