# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections in the sidebar: they go into the take's file, and are heard by bakes and playback."""

import sqlite3

import bpy
import numpy as np
import pytest

from mfn_addon import ui
from mfn_addon.take import Layer, ShapeEdit, Take, write_layers
from mfn_addon.ui import correction_rows, live, session, take_playback
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, face, value, write_take


@pytest.fixture
def path(tmp_path):
    def talk(time):
        return [face(1, jawOpen=0.4, browInnerUp=time - 5), face(2)]

    path = write_take(tmp_path / "takes" / "Take 001.mfntake", 5 + np.arange(25) / 24, talk)
    refresh_takes(bpy.context)
    return path


def rows():
    return bpy.context.window_manager.mfn.corrections


def layers_of(path):
    correction_rows.flush()
    with Take(path) as take:
        return take.layers()


def add_layer(**values):
    bpy.ops.mfn.layer_add()
    for name, each in values.items():
        setattr(rows().layer(), name, each)
    return rows().layer()


def test_edits_go_into_the_take(path):
    add_layer(actor=1, smoothing=1.5, offset=-0.1, use_start=True, start=0.5)
    bpy.ops.mfn.layer_shape_add(shape="jawOpen")
    rows().layer().shapes["jawOpen"].gain = 0.5
    edit = {"jawOpen": ShapeEdit(gain=0.5)}
    told = Layer("Corrections 1", True, 1, 1.5, -0.1, start=5.5, shapes=edit)
    assert layers_of(path) == [told]
    refresh_takes(bpy.context)
    assert rows().layer().start == pytest.approx(0.5)  # from the take's first picture
    bpy.ops.mfn.layer_shape_remove(shape="jawOpen")
    assert layers_of(path)[0].shapes == {}
    bpy.ops.mfn.layer_remove()
    assert layers_of(path) == []


def test_layers_are_ordered_and_another_take_shows_its_own(path, tmp_path):
    for name in ("First", "Second"):
        add_layer(name=name)
    bpy.ops.mfn.layer_move(step=-1)
    assert [layer.name for layer in layers_of(path)] == ["Second", "First"]
    write_take(tmp_path / "takes" / "Take 002.mfntake", np.arange(3) / 24, lambda t: [face(1)])
    refresh_takes(bpy.context, choose=str(tmp_path / "takes" / "Take 002.mfntake"))
    assert len(rows().layers) == 0
    add_layer(name="Of the other")
    refresh_takes(bpy.context, choose=str(path))
    assert [layer.name for layer in rows().layers] == ["Second", "First"]
    assert [layer.name for layer in layers_of(path)] == ["Second", "First"]


def test_a_bake_has_them_at_once(path):
    bpy.context.scene.mfn.row(1).character = add_human("Ada")
    add_layer(use_end=True, end=0.5, offset=0.25)
    bpy.ops.mfn.layer_shape_add(shape="jawOpen")
    rows().layer().shapes["jawOpen"].gain = 2.0
    bpy.ops.mfn.bake()
    assert value("Ada face", "jawOpen") == pytest.approx(0.8)
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 13)
    bpy.context.scene.frame_set(13)
    assert value("Ada face", "browInnerUp") == pytest.approx(0.25, abs=1e-4)


def test_a_take_is_played_and_edits_are_heard(path, monkeypatch):
    bpy.context.scene.mfn.row(1).character = add_human("Ada")
    now = [100.0]
    monkeypatch.setattr(take_playback.TakeSource.__init__, "__defaults__", (lambda: now[0],))
    bpy.ops.mfn.take_play()
    now[0] += 0.3
    live.tick(bpy.context)
    assert value("Ada face", "jawOpen") == pytest.approx(0.4)
    add_layer()
    bpy.ops.mfn.layer_shape_add(shape="jawOpen")
    rows().layer().shapes["jawOpen"].mute = True
    correction_rows.flush()
    now[0] += 0.1
    live.tick(bpy.context)
    assert value("Ada face", "jawOpen") == 0.0
    now[0] += 5.0
    live.tick(bpy.context)
    assert session.current is None
    assert session.message.text == "Take 001 has ended"


def test_a_take_plays_no_more_often_than_a_screen_shows(path):
    now = [100.0]
    source = take_playback.TakeSource(path, lambda: now[0])
    assert len(source.poll()) == 1
    now[0] += 0.004  # the next tick
    assert source.poll() == []
    now[0] += 0.02
    [frame] = source.poll()
    assert frame.time == pytest.approx(source._start + 0.024)
    assert source.captured(frame) is None  # there is no latency to show


def test_unreadable_layers_are_shown_and_left_alone(path):
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO layer (kind, name, settings) VALUES ('corrections','X','')")
    refresh_takes(bpy.context)
    assert "layer 'X'" in rows().problem
    assert not bpy.ops.mfn.layer_add.poll()


def test_edits_are_written_before_the_extension_is_disabled(path):
    write_layers(path, [])
    add_layer(name="Last")
    ui.unregister()
    with Take(path) as take:
        assert [layer.name for layer in take.layers()] == ["Last"]
