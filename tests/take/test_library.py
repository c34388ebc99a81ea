# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as files: nothing is lost by renaming, deleting, copying or importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mfn_addon.face import FaceFrame
from mfn_addon.take import Take, TakeError, TakeWriter, ThumbnailStrip, write_info, write_thumbnails
from mfn_addon.take.library import (
    copy_take,
    delete_take,
    import_take,
    rename_take,
    restore_take,
    slate_of,
)
from tests.capture.marks import make_face


def record(path: Path, count: int = 40) -> Path:
    with TakeWriter(path) as take:
        for number in range(count):
            frame = FaceFrame(number / 30, "clip", number, 640, 360, [make_face(face_id=1)])
            take.add(frame)
    return path


def count(path: Path) -> int:
    with Take(path) as take:
        return take.frame_count


def test_rename(tmp_path):
    path, other = record(tmp_path / "Take 001.mfntake"), record(tmp_path / "Take 002.mfntake")
    with pytest.raises(TakeError, match="exists already"):
        rename_take(path, "Take 002")
    with pytest.raises(TakeError, match="cannot be a take's name"):
        rename_take(path, " . ")
    renamed = rename_take(path, "Ana/laughs")
    assert renamed.name == "Ana_laughs.mfntake"
    assert sorted(tmp_path.iterdir()) == [renamed, other]
    assert count(renamed) == 40


@pytest.mark.parametrize("older", [False, True])
def test_the_id_outlives_a_new_name_and_differs_between_takes(tmp_path, older):
    path, other = record(tmp_path / "one.mfntake"), record(tmp_path / "two.mfntake", 41)
    if older:  # takes had no id at first
        write_info(path, {"id": ""})
        write_info(other, {"id": ""})
    with Take(path) as take, Take(other) as another:
        known = take.id
        assert known != another.id
    with Take(rename_take(path, "three")) as take:
        assert take.id == known


def test_delete_moves_to_a_bin_and_restores(tmp_path):
    path = record(tmp_path / "Take 001.mfntake")
    binned = delete_take(path)
    assert binned == tmp_path / "bin" / "Take 001.mfntake"
    assert not path.exists()
    record(path, 3)
    second = delete_take(path)
    assert second.name == "Take 001 (2).mfntake"
    assert restore_take(binned) == path
    assert count(path) == 40
    assert restore_take(second).name == "Take 001 (2).mfntake"
    with pytest.raises(TakeError, match="there is no such take"):
        restore_take(binned)


def test_a_damaged_take_can_be_deleted(tmp_path):
    path = tmp_path / "odd.mfntake"
    path.write_text("hello")
    assert delete_take(path).read_text() == "hello"


def test_a_take_under_way_stays_where_it_is(tmp_path):
    path = tmp_path / "Take 001.mfntake"
    with TakeWriter(path) as take:
        take.add(FaceFrame(0.0, "clip", 0, 640, 360, []))
        for change in (delete_take, lambda path: rename_take(path, "other")):
            with pytest.raises(TakeError, match="still being written"):
                change(path)
    assert count(path) == 1


def test_a_cut_off_take_is_moved_and_copied_with_its_log(tmp_path):
    path = tmp_path / "Take 001.mfntake"
    script = Path(__file__).with_name("recording.py")
    process = subprocess.Popen([sys.executable, script, path], stdout=subprocess.PIPE)
    for _ in range(60):
        process.stdout.readline()
    process.kill()
    process.communicate()
    assert Path(f"{path}-wal").exists()
    copy_take(path, tmp_path / "copy.mfntake")
    kept = count(tmp_path / "copy.mfntake")
    assert kept > 0
    moved = rename_take(path, "cut off")
    assert count(moved) == kept
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy.mfntake", "cut off.mfntake"]


def test_import_copies_under_a_free_name(tmp_path):
    path, folder = record(tmp_path / "Take 001.mfntake"), tmp_path / "takes"
    assert import_take(path, folder) == folder / "Take 001.mfntake"
    second = import_take(path, folder)
    assert second.name == "Take 001 (2).mfntake"
    assert count(second) == 40
    assert path.exists()


def test_import_refuses_bad_files_in_one_line(tmp_path):
    path, folder = record(tmp_path / "Take 001.mfntake", 400), tmp_path / "takes"
    whole = path.read_bytes()
    for name, data in (
        ("text", b"hello"),
        ("half", whole[: len(whole) // 2]),
        ("worn", whole[:8192] + bytes(len(whole) - 12288) + whole[-4096:]),
        ("empty", b""),
    ):
        bad = tmp_path / f"{name}.mfntake"
        bad.write_bytes(data)
        with pytest.raises(TakeError, match=rf"^[^\n]*{name}\.mfntake[^\n]*$"):
            import_take(bad, folder)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_facts_are_kept_in_the_take(tmp_path):
    path = record(tmp_path / "Take 001.mfntake")
    write_info(path, {"note": "best, her laugh", "rating": "4"})
    write_info(path, {"rating": ""})
    with Take(path) as take:
        assert take.info["note"] == "best, her laugh"
        assert "rating" not in take.info
        assert take.finished


def test_thumbnails_are_kept_only_when_written(tmp_path):
    path = record(tmp_path / "Take 001.mfntake")
    with Take(path) as take:
        assert take.thumbnails() == []
    strip = ThumbnailStrip(most=4, side=64)
    for second in range(100):
        if strip.wants(float(second)):
            strip.add(float(second), np.full((180, 320, 3), second, np.uint8))
    write_thumbnails(path, strip.pictures())
    with Take(path) as take:
        times, pictures = zip(*take.thumbnails(), strict=True)
    assert len(times) == 4
    assert times[0] == 0.0
    assert times[-1] > 75.0
    assert all(picture.shape == (36, 64, 3) for picture in pictures)
    assert [int(picture[0, 0, 0]) for picture in pictures] == [int(time) for time in times]


def test_slates():
    assert slate_of(Path("Slate 3 012.mfntake")) == ("Slate 3", 12)
    assert slate_of(Path("interview.mfntake")) == ("interview", 0)
