# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets a character in the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("imageio_ffmpeg")

from benchmarks.pictures import lively_face
from demo.run import choose_actors
from mfn_addon.face import FaceFrame
from mfn_addon.take import TakeWriter


def take_of(path: Path, views: list[list[tuple[int, float]]]) -> Path:
    """A take whose frames hold (actor, the box's left edge in px) each."""
    with TakeWriter(path) as take:
        for k, seen in enumerate(views):
            faces = []
            for actor, left in seen:
                face = lively_face(actor, 0.0)
                face.box[[0, 2]] = left, left + 80
                faces.append(face)
            take.add(FaceFrame(k / 25, "test", k, 1280, 720, faces))
    return path


def test_actors_go_from_the_pictures_left_to_its_right(tmp_path: Path) -> None:
    path = take_of(tmp_path / "a.mfntake", [[(1, 900), (2, 100), (3, 500)]] * 10)
    assert choose_actors(path) == [2, 3, 1]


def test_who_only_passes_by_gets_no_character(tmp_path: Path) -> None:
    views = [[(1, 100)]] * 20
    views[3] = [(1, 100), (2, 500)]
    assert choose_actors(take_of(tmp_path / "a.mfntake", views)) == [1]


def test_there_are_as_many_actors_as_characters(tmp_path: Path) -> None:
    crowd = [[(k, 100.0 * k) for k in range(1, 8)]] * 10
    assert len(choose_actors(take_of(tmp_path / "a.mfntake", crowd))) == 4


def test_footage_without_faces_gives_nobody(tmp_path: Path) -> None:
    assert choose_actors(take_of(tmp_path / "a.mfntake", [[]] * 5)) == []
