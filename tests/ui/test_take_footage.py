# SPDX-License-Identifier: GPL-3.0-or-later
"""A take's footage is found where it lies now, by its contents, and never another file for it."""

import bpy
import numpy as np
import pytest

from mfn_addon.take import TakeWriter
from mfn_addon.take.stamps import stamp_info
from mfn_addon.ui.properties import refresh_takes
from mfn_addon.ui.take_footage import chosen_footage
from tests.rig.characters import face, frame

CONTENTS = np.random.default_rng(4).bytes(200_000)


@pytest.fixture
def shot(tmp_path):
    """The footage of the chosen take, in a folder of its own."""
    folder = tmp_path / "shot"
    folder.mkdir()
    path = folder / "clip.mp4"
    path.write_bytes(CONTENTS)
    return path


@pytest.fixture(autouse=True)
def take(tmp_path, shot):
    return write(tmp_path / "takes" / "Take 001.mfntake", stamp_info(shot.name, shot))


def write(path, info):
    path.parent.mkdir(exist_ok=True)
    with TakeWriter(path, info=info) as writer:
        live = frame(0, face(1))
        live.source = "clip.mp4"
        writer.add(live)
    refresh_takes(bpy.context)
    return path


def found():
    return chosen_footage(bpy.context)


def choose(path):
    bpy.context.scene.mfn.footage = str(path)


def test_it_is_the_chosen_file_under_any_name(shot):
    assert found() is None
    choose(shot)
    assert found() == shot
    renamed = shot.rename(shot.with_name("final cut.mp4"))
    choose(renamed)
    assert found() == renamed


def test_renamed_it_is_found_beside_the_file_that_was_chosen(shot):
    choose(shot)
    assert found() == shot
    renamed = shot.rename(shot.with_name("final cut.mp4"))
    assert found() == renamed
    again = renamed.rename(shot.with_name("another name.mp4"))
    assert found() == again


@pytest.mark.parametrize("where", ["takes", "scenes", "elsewhere"])
def test_moved_it_is_found_beside_the_take_the_scene_or_in_a_chosen_folder(shot, tmp_path, where):
    (tmp_path / where).mkdir(exist_ok=True)
    (tmp_path / "scenes").mkdir(exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scenes" / "scene.blend"))
    choose(shot)
    moved = shot.rename(tmp_path / where / "A001.mp4")
    if where == "elsewhere":
        assert found() is None
        choose(moved.parent)
    assert found() == moved


def test_the_right_file_is_taken_where_another_has_its_name(shot, take):
    right = shot.rename(shot.with_name("right.mp4"))
    shot.write_bytes(CONTENTS[::-1])
    (take.parent / shot.name).write_bytes(CONTENTS[:-1])
    choose(shot)
    assert found() == right
    right.unlink()
    assert found() == shot  # the pass tells that it is another file


def test_a_take_of_an_earlier_version_goes_by_the_name(shot, tmp_path):
    write(tmp_path / "takes" / "Take 001 old.mfntake", {})
    refresh_takes(bpy.context, choose=str(tmp_path / "takes" / "Take 001 old.mfntake"))
    choose(shot)
    assert found() == shot
    choose(shot.rename(shot.with_name("final cut.mp4")))
    assert found() is None
