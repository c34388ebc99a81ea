# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage is known by its size and contents, whatever it is called and wherever it lies."""

from __future__ import annotations

import pytest

from mfn_addon.take import stamps
from mfn_addon.take.stamps import find_stamped, is_other, stamp_info, stamp_of, stamps_in


@pytest.mark.parametrize("size", [0, 10, 64 * 1024, 300_000])
def test_a_copy_has_the_same_stamp(tmp_path, size):
    one, two = tmp_path / "a.mp4", tmp_path / "b.mp4"
    one.write_bytes(bytes(k % 251 for k in range(size)))
    two.write_bytes(one.read_bytes())
    assert stamp_of(one) == stamp_of(two)
    assert stamp_of(one).startswith(f"{size} ")


@pytest.mark.parametrize("place", [0, 299_999])
def test_another_end_is_another_file(tmp_path, place):
    one, two = tmp_path / "a.mp4", tmp_path / "b.mp4"
    one.write_bytes(bytes(300_000))
    changed = bytearray(300_000)
    changed[place] = 1
    two.write_bytes(changed)
    info = stamp_info("talk.mp4", one)
    assert is_other(info, "talk.mp4", two)
    assert not is_other(info, "talk.mp4", one)


def test_nothing_is_said_of_what_is_not_known(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"x")
    assert stamp_info("pictures", tmp_path) == {}
    assert not is_other({}, "a.mp4", file)
    assert not is_other(stamp_info("a.mp4", file), "a.mp4", tmp_path)


def test_a_file_is_found_by_its_stamp_and_hardly_another_is_read(tmp_path, monkeypatch):
    folder = tmp_path / "footage"
    (folder / "older").mkdir(parents=True)
    for number in range(20):
        (folder / f"{number:02}.mp4").write_bytes(bytes(1000 + number))
    (folder / "05 too.mp4").write_bytes(b"x" * 1005)
    wanted = stamp_of(folder / "05.mp4")
    read = []
    monkeypatch.setattr(stamps, "stamp_of", lambda path: read.append(path.name) or stamp_of(path))
    places = [tmp_path / "gone", folder, folder]
    assert find_stamped([wanted], places) == (folder / "05.mp4").resolve()
    (folder / "05.mp4").unlink()
    assert find_stamped([wanted], places) is None
    assert set(read) == {"05 too.mp4", "05.mp4"}


def test_what_is_no_stamp_finds_nothing(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"")
    for text in ("", "many bytes", "0", "0 1234567890abcdef"):
        assert find_stamped([text], [tmp_path]) is None
    assert stamps_in({"footage:a.mp4": "", "footage:b.mp4": "1 x", "note": "a"}) == {"b.mp4": "1 x"}
