# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage is known by its size and contents, whatever it is called and wherever it lies."""

from __future__ import annotations

import pytest

from mfn_addon.take.stamps import is_other, stamp_info, stamp_of


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
