# SPDX-License-Identifier: GPL-3.0-or-later
"""The library of takes in the sidebar: facts, search, rename, bin, export and import."""

import os

import bpy
import numpy as np
import pytest

from mfn_addon.take import Take, write_thumbnails
from mfn_addon.take.stamps import stamp_of
from mfn_addon.ui import live, recording, take_thumbnails
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import face, frame, write_take


@pytest.fixture
def folder(tmp_path):
    for number, actor in ((1, 1), (2, 2007)):
        write_take(
            tmp_path / "takes" / f"Slate 4 00{number}.mfntake",
            np.arange(5) / 24,
            lambda _, actor=actor: [face(actor)],
        )
    refresh_takes(bpy.context)
    return tmp_path / "takes"


def state():
    return bpy.context.window_manager.mfn


def choose(folder, name):
    refresh_takes(bpy.context, choose=str(folder / f"{name}.mfntake"))
    assert state().take().name == name
    return state().take()


def names():
    return [item.name for item in state().takes]


def test_facts_are_edited_in_the_list_and_kept_in_the_take(folder):
    item = choose(folder, "Slate 4 001")
    assert (item.slate, item.number, item.sources) == ("Slate 4", 1, "clip.mp4")
    item.note = "her best laugh"
    item.slate, item.number = "12B", 3
    bpy.ops.mfn.take_rate(stars=4)
    with Take(item.path) as take:
        kept = {key: take.info[key] for key in ("slate", "take_number", "note", "rating")}
    assert kept == {"slate": "12B", "take_number": "3", "note": "her best laugh", "rating": "4"}
    bpy.ops.mfn.takes_refresh()
    item = state().take()
    assert (item.slate, item.number, item.rating) == ("12B", 3, 4)
    bpy.ops.mfn.take_rate(stars=4)
    assert item.rating == 0


def test_an_edit_does_not_move_a_take_in_the_list(folder):
    before = names()
    choose(folder, before[-1]).note = "later than the other"
    os.utime(folder / f"{before[-1]}.mfntake", (2e9, 2e9))
    bpy.ops.mfn.takes_refresh()
    assert names() == before


def test_search_looks_at_all_text(folder):
    choose(folder, "Slate 4 001").note = "Her best laugh"
    takes = state().takes

    def found(search):
        return sorted(take.name for take in takes if take.matches(search))

    assert found("LAUGH slate") == ["Slate 4 001"]
    assert found("actor 2007") == ["Slate 4 002"]
    assert found("clip.mp4") == found("") == ["Slate 4 001", "Slate 4 002"]
    assert found("laugh 2007") == []


def test_rename_delete_and_restore(folder):
    choose(folder, "Slate 4 001")
    bpy.ops.mfn.layer_add()
    bpy.ops.mfn.take_rename(name="Ana laughs")
    assert state().take().name == "Ana laughs"
    with pytest.raises(RuntimeError, match="exists already"):
        bpy.ops.mfn.take_rename(name="Slate 4 002")
    bpy.ops.mfn.take_delete()
    assert names() == ["Slate 4 002"]
    assert (folder / "bin" / "Ana laughs.mfntake").is_file()
    bpy.ops.mfn.take_restore(take="Ana laughs")
    assert sorted(names()) == ["Ana laughs", "Slate 4 002"]
    assert state().take().name == "Ana laughs"
    with Take(state().take().path) as take:
        assert len(take.layers()) == 1


def test_numbers_of_deleted_takes_are_not_given_again(folder, source):
    choose(folder, "Slate 4 002")
    bpy.ops.mfn.take_delete()
    bpy.context.scene.mfn.take_name = "Slate 4"
    live.start(bpy.context, source, "test")
    assert recording.start_recording(bpy.context).stem == "Slate 4 003"


def test_the_take_under_way_is_not_deleted(folder, running):
    path = recording.start_recording(bpy.context)
    running.give(frame(0, face(1)))
    live.tick(bpy.context)
    bpy.ops.mfn.takes_refresh()
    refresh_takes(bpy.context, choose=str(path))
    with pytest.raises(RuntimeError, match="still being written"):
        bpy.ops.mfn.take_delete()
    live.stop(bpy.context)
    assert path.is_file()


def test_a_take_of_footage_says_which_file_it_was(folder, source, tmp_path):
    footage = tmp_path / "talk.mp4"
    footage.write_bytes(b"as good as any")
    bpy.context.scene.mfn.footage = str(footage)
    for title, known in ((footage.name, True), ("Phones", False)):
        live.start(bpy.context, source, title)
        path = recording.start_recording(bpy.context)
        live.stop(bpy.context)
        with Take(path) as take:
            assert (take.info.get("footage:talk.mp4") == stamp_of(footage)) == known


def test_export_and_import(folder, tmp_path):
    choose(folder, "Slate 4 001").note = "keep"
    out = tmp_path / "sent" / "for Ben.mfntake"
    bpy.ops.mfn.take_export(filepath=str(out))
    bpy.ops.mfn.take_import(filepath=str(out))
    assert state().take().name == "for Ben"
    assert state().take().note == "keep"
    (tmp_path / "bad.mfntake").write_bytes(out.read_bytes()[:5000])
    with pytest.raises(RuntimeError, match=r"bad\.mfntake"):
        bpy.ops.mfn.take_import(filepath=str(tmp_path / "bad.mfntake"))
    assert sorted(names()) == ["Slate 4 001", "Slate 4 002", "for Ben"]


def test_a_take_with_pictures_shows_its_strip(folder):
    path = folder / "Slate 4 001.mfntake"
    pictures = [(float(n), np.full((54, 96, 3), n, np.uint8)) for n in range(8)]
    write_thumbnails(path, pictures)
    choose(folder, "Slate 4 001")
    bpy.ops.mfn.takes_refresh()
    assert len(take_thumbnails.icons()) == take_thumbnails.SHOWN
    choose(folder, "Slate 4 002")
    assert take_thumbnails.icons() == []


def test_rows_of_takes_and_their_settings_are_described():
    settings = bpy.context.scene.mfn.recording
    bpy.context.window_manager.mfn.corrections.layers.add().shapes.add()
    layers = bpy.context.window_manager.mfn.corrections
    for group in (settings, layers, layers.layers[0], layers.layers[0].shapes[0]):
        for name, prop in group.bl_rna.properties.items():
            if name not in ("rna_type", "name"):
                assert prop.description, name
