# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of actors and characters, and the actors' calibration."""

import bpy
import numpy as np
import pytest

from mfn_addon.track import Calibration
from mfn_addon.track.guided import STEPS
from mfn_addon.ui import live, session
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, face, frame, value, write_take


def row_of(actor, character, **settings):
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.character = actor, character
    for key, setting in settings.items():
        setattr(row, key, setting)
    return row


def play(source, *frames):
    for each in frames:
        source.give(each)
        live.tick(bpy.context)


def test_one_actor_drives_two_characters(running):
    row_of(1, add_human("Ada"))
    bpy.ops.mfn.cast_add()
    bpy.context.scene.mfn.cast[1].character = add_human("Ben")
    play(running, frame(0, face(1, jawOpen=0.6)))
    assert value("Ada face", "jawOpen") == pytest.approx(0.6)
    assert value("Ben face", "jawOpen") == pytest.approx(0.6)


def test_the_preferred_of_two_actors_in_view_drives_the_character(running):
    ada = add_human("Ada")
    row_of(1, ada, priority=1)
    row_of(2, ada, priority=5)
    play(running, frame(0, face(1, jawOpen=0.2), face(2, jawOpen=0.8)))
    assert value("Ada face", "jawOpen") == pytest.approx(0.8)
    play(running, *(frame(n, face(1, jawOpen=0.2)) for n in range(1, 3)))
    assert value("Ada face", "jawOpen") == pytest.approx(0.2)


def test_a_row_listens_to_its_source_alone(running):
    row_of(1, add_human("Ada"), source="phone")
    play(running, frame(0, face(1, jawOpen=0.6)))
    assert value("Ada face", "jawOpen") == 0.0
    row = bpy.context.scene.mfn.cast[0]
    row.source = frame(0).source
    play(running, frame(1, face(1, jawOpen=0.6)))
    assert value("Ada face", "jawOpen") == pytest.approx(0.6)


@pytest.mark.parametrize(("lost", "left"), [("HOLD", 0.8), ("EASE", 0.0)])
def test_while_the_actor_is_away_the_character_does_what_was_chosen(running, lost, left):
    bpy.context.scene.mfn.lost = lost
    row_of(1, add_human("Ada"))
    play(running, frame(0, face(1, jawOpen=0.8)), *(frame(n) for n in range(1, 60)))
    assert value("Ada face", "jawOpen") == pytest.approx(left)
    uid = bpy.data.objects["Ada"].session_uid
    assert session.current.presences[uid].state == "lost"
    play(running, frame(60, face(1, jawOpen=0.3)))
    assert session.current.presences[uid].state == "re-acquired"


def test_a_frozen_character_can_be_posed_while_its_actor_is_away(running):
    bpy.context.scene.mfn.lost = "FREEZE"
    row_of(1, add_human("Ada"))
    play(running, frame(0, face(1, jawOpen=0.8)), frame(1))
    keys = bpy.data.objects["Ada face"].data.shape_keys.key_blocks
    keys["jawOpen"].value = 0.1
    play(running, frame(2))
    assert keys["jawOpen"].value == pytest.approx(0.1)


def test_actors_are_swapped_locked_and_named(running):
    row_of(1, add_human("Ada"), label="Mia")
    row_of(2, add_human("Ben"))
    bpy.ops.mfn.cast_swap()
    assert [row.character.name for row in bpy.context.scene.mfn.cast] == ["Ben", "Ada"]
    bpy.context.scene.mfn.cast[0].locked = True
    with pytest.raises(RuntimeError, match="Mia is locked"):
        bpy.ops.mfn.cast_remove(actor=1)


# --- calibration ------------------------------------------------------------------------------


def test_neutral_is_the_last_second_of_the_actor(running):
    row = row_of(1, add_human("Ada"))
    play(running, *(frame(n, face(1, yaw=20, mouthSmileLeft=0.2)) for n in range(40)))
    bpy.ops.mfn.calibrate_neutral()
    play(running, frame(40, face(1, yaw=20, mouthSmileLeft=0.2)))
    assert value("Ada face", "mouthSmileLeft") == pytest.approx(0.0, abs=1e-4)
    turn = bpy.data.objects["Ada"].pose.bones["head"].rotation_quaternion
    assert turn.angle == pytest.approx(0.0, abs=1e-3)
    bpy.ops.mfn.calibrate_clear()
    assert not row.calibration
    play(running, frame(41, face(1, mouthSmileLeft=0.2)))
    assert value("Ada face", "mouthSmileLeft") == pytest.approx(0.2)


def test_neutral_without_the_actor_in_view_says_so(running):
    row_of(1, add_human("Ada"))
    play(running, frame(0))
    with pytest.raises(RuntimeError, match="Actor 1: no face to calibrate on"):
        bpy.ops.mfn.calibrate_neutral()


def test_a_guided_session_is_shown_and_kept(running):
    row = row_of(1, add_human("Ada"))
    play(running, frame(0, face(1)))
    bpy.ops.mfn.calibrate_range()
    number = 0
    while session.current.guided is not None:
        number += 1
        wide = session.current.guided.step == STEPS[1]
        play(running, frame(number, face(1, jawOpen=0.5 if wide else 0.0)))
    assert "calibrated" in session.message.text
    assert Calibration.from_text(row.calibration).peak[24] <= 1.0
    play(running, frame(number + 1, face(1, jawOpen=0.5)))
    assert value("Ada face", "jawOpen") == pytest.approx(1.0)


def test_a_takes_frame_becomes_neutral_and_the_bake_follows(tmp_path):
    def rest_then_smile(time):
        return [face(1, mouthSmileLeft=0.2 if time < 1.0 else 0.6)]

    path = tmp_path / "takes" / "Take 001.mfntake"
    write_take(path, np.arange(49) / 24, rest_then_smile)
    raw = path.read_bytes()
    refresh_takes(bpy.context)
    scene = bpy.context.scene
    scene.mfn.row(1).character = add_human("Ada")
    scene.frame_set(7)
    bpy.ops.mfn.calibrate_from_take()
    bpy.ops.mfn.bake()
    scene.frame_set(2)
    assert value("Ada face", "mouthSmileLeft") == pytest.approx(0.0, abs=1e-4)
    scene.frame_set(40)
    assert value("Ada face", "mouthSmileLeft") == pytest.approx(0.5, abs=1e-3)
    assert path.read_bytes() == raw
    scene.frame_set(400)
    with pytest.raises(RuntimeError, match="not in view at this frame"):
        bpy.ops.mfn.calibrate_from_take()


def test_calibrating_can_be_undone(running):
    row_of(1, add_human("Ada"))
    play(running, *(frame(n, face(1, mouthSmileLeft=0.2)) for n in range(40)))
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.mfn.calibrate_neutral()
    bpy.ops.ed.undo_push(message="neutral")
    bpy.ops.ed.undo()
    assert not bpy.context.scene.mfn.cast[0].calibration
    play(running, frame(40, face(1, mouthSmileLeft=0.2)))
    assert value("Ada face", "mouthSmileLeft") == pytest.approx(0.2)
