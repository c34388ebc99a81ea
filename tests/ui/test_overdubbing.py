# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording some channels over the chosen take, and punching in a range."""

import bpy
import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX
from mfn_addon.take import Pass, Take
from mfn_addon.ui import live, recording, session
from tests.rig.characters import add_human, face, frame, value

JAW, BROW = EXPRESSION_INDEX["jawOpen"], EXPRESSION_INDEX["browInnerUp"]


def wanted():
    return bpy.context.scene.mfn.recording


def perform(source, times, actor=1, **weights):
    for number, time in enumerate(times):
        source.give(frame(number, face(actor, **weights), time=float(time)))
        live.tick(bpy.context)


def played(path):
    with Take(path) as take:
        return take.performance(1), take.passes


def test_the_mouth_is_recorded_over_a_take_and_seen_with_the_rest_of_it(base, running):
    row = bpy.context.scene.mfn.row(1)
    row.character = add_human("Ada")
    wanted().over = True
    path = recording.start_recording(bpy.context)
    # The tracker of another day calls the only actor 4, and its clock is another one.
    other = bpy.context.scene.mfn.cast.add()
    other.actor, other.character = 4, row.character
    bpy.context.scene.mfn.cast.remove(0)
    perform(running, 100 + np.arange(61) / 30, actor=4, jawOpen=0.9, browInnerUp=0.0)
    assert value("Ada face", "jawOpen") == pytest.approx(0.9)
    assert value("Ada face", "browInnerUp") == pytest.approx(0.5, abs=0.02)
    recording.stop_recording(bpy.context)
    performance, passes = played(path)
    assert passes == {1: Pass(at=5.0, channels=("mouth",))}
    early = performance.time < 6.95
    assert np.allclose(performance.expression[early, JAW], 0.9)
    assert np.allclose(performance.expression[performance.time > 7.05, JAW], 0.2)
    assert np.allclose(performance.expression[:, BROW], (performance.time - 5) / 4)
    with Take(base) as take:
        assert np.allclose(take.performance(1).expression[:, JAW], 0.2)
    assert session.current is not None
    assert bpy.context.window_manager.mfn.take().name == path.stem == "Take 002"


def test_a_range_is_punched_and_the_recording_ends_by_itself(base, running):
    bpy.context.scene.mfn.row(1).character = add_human("Ada")
    wanted().over = wanted().punch = True
    wanted().channels = {"MOUTH", "BROWS", "EYES", "HEAD"}
    wanted().punch_in, wanted().punch_out = 2.5, 3.5
    path = recording.start_recording(bpy.context)
    perform(running, np.arange(12) / 24, jawOpen=0.9)  # two seconds before In, the take is seen
    assert value("Ada face", "jawOpen") == pytest.approx(0.2)
    perform(running, np.arange(12, 60) / 24, jawOpen=0.9)
    assert value("Ada face", "jawOpen") == pytest.approx(0.9)
    assert session.current.recorder is not None
    perform(running, np.arange(60, 90) / 24, jawOpen=0.9)
    assert session.current.recorder is None
    assert session.message.text == f"Recorded {path.stem}"
    performance, passes = played(path)
    assert (passes[1].start, passes[1].end) == (7.5, 8.5)
    time, jaw = performance.time - 5, performance.expression[:, JAW]
    assert np.allclose(jaw[(time < 2.5) | (time > 3.5)], 0.2)
    assert np.allclose(jaw[(time > 2.61) & (time < 3.39)], 0.9)


def test_along_the_timeline_the_pass_lies_where_it_was_played(base, running, monkeypatch):
    scene, now = bpy.context.scene, [50.0]
    monkeypatch.setattr(recording.time, "monotonic", lambda: now[0])
    wanted().over = wanted().timeline = True
    scene.mfn.bake_start = 101  # where the earlier take lies
    recording.start_recording(bpy.context)
    for number in range(48):  # the scene plays from frame 125: a second into the take
        now[0] = 50.0 + number / 24
        scene.frame_set(125 + number)
        perform(running, [number / 24], jawOpen=0.9)
    path = recording.stop_recording(bpy.context)
    performance, passes = played(path)
    assert passes[1].at == pytest.approx(6.0, abs=0.6 / 24)
    assert performance.expression[12, JAW] == pytest.approx(0.2)
    assert performance.expression[36, JAW] == pytest.approx(0.9)


def test_what_cannot_be_recorded_is_said(base, running):
    wanted().over = True
    wanted().channels = set()
    with pytest.raises(RuntimeError, match="choose what to record"):
        bpy.ops.mfn.record()
    wanted().channels = {"EYES"}
    wanted().punch = True
    wanted().punch_in = 2.0
    with pytest.raises(RuntimeError, match="set In before Out"):
        bpy.ops.mfn.record()
    wanted().punch = False
    bpy.ops.mfn.take_delete()
    with pytest.raises(RuntimeError, match="choose the take to record over first"):
        bpy.ops.mfn.record()
    assert session.current.recorder is None


def test_a_base_that_goes_meanwhile_leaves_the_recording(base, running):
    wanted().over = True
    path = recording.start_recording(bpy.context)
    perform(running, np.arange(10) / 30, jawOpen=0.9)
    base.unlink()
    with pytest.raises(RuntimeError, match="there is no such take"):
        bpy.ops.mfn.record()
    with Take(path) as take:
        assert take.frame_count == 10
        assert take.finished
