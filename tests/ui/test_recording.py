# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording: counted in, along the timeline, and with pictures only where they were asked for."""

import bpy
import numpy as np
import pytest

from mfn_addon.take import Take
from mfn_addon.ui import live, recording, session
from mfn_addon.ui.panels import _recording as button
from mfn_addon.ui.timeline import Timeline
from tests.rig.characters import add_human, face, frame, value


@pytest.fixture
def clock(monkeypatch):
    """The computer's clock, which the test moves."""
    now = [1000.0]
    monkeypatch.setattr(recording.time, "monotonic", lambda: now[0])
    return now


def settings():
    return bpy.context.scene.mfn


def give(source, *numbers, picture=False):
    source.give(*(frame(n, face(1, jawOpen=n / 100)) for n in numbers), picture=picture)
    live.tick(bpy.context)


def numbers_in(path):
    with Take(path) as take:
        return [each.frame for each in take.frames()]


def test_a_count_in_runs_from_the_first_frame_and_then_all_is_recorded(running, clock):
    settings().recording.count_in = 3
    path = recording.start_recording(bpy.context)
    clock[0] += 10.0  # the camera takes its time to open
    live.tick(bpy.context)
    assert button(session.current) == "In 3 …"
    give(running, 0)
    clock[0] += 2.5
    give(running, 1)
    assert button(session.current) == "In 1 …"
    clock[0] += 0.5
    give(running, 2, 3)
    assert button(session.current) == "Finish Take  0 s"
    recording.stop_recording(bpy.context)
    assert numbers_in(path) == [2, 3]


def test_a_phones_count_in_counts_instead_of_the_scenes(running, clock):
    settings().recording.count_in = 3
    give(running, 0)
    path = recording.start_recording(bpy.context, 1.0)
    clock[0] += 1.0
    give(running, 1)
    recording.stop_recording(bpy.context)
    assert numbers_in(path) == [1]


def test_the_timeline_is_found_between_its_frames():
    timeline = Timeline(24.0)
    for tick in range(300):  # ticks at 60 a second; playing begins after a quarter of a second
        played = max(0.0, tick / 60 - 0.25)
        timeline.look(100 + int(played * 24), 7.0 + tick / 60)
    assert timeline.at(7.0) * 24 == pytest.approx(100 - 6, abs=0.3)


def test_a_take_along_the_timeline_is_baked_where_it_was(running, clock):
    scene, at = bpy.context.scene, 0.3
    settings().row(1) or settings().cast.add()
    settings().cast[0].actor, settings().cast[0].character = 1, add_human("Ada")
    settings().recording.timeline = True
    running.latency = 0.1
    recording.start_recording(bpy.context)
    began = clock[0]
    for number in range(30):  # the camera's clock started at `at`, the scene plays from frame 50
        clock[0] = began + number / 30
        scene.frame_set(50 + int((clock[0] - began) * 24))
        running.give(frame(number, face(1, jawOpen=number / 30), time=at + number / 30))
        if number % 10:  # at times Blender is busy, and frames wait for it
            live.tick(bpy.context)
    path = recording.stop_recording(bpy.context)
    with Take(path) as take:
        first = (take.timeline + take.start) * 24
    assert first == pytest.approx(50 - 0.1 * 24, abs=0.6)
    bpy.ops.mfn.bake()
    assert scene.frame_start == int(np.ceil(first))
    scene.frame_set(60)
    assert value("Ada face", "jawOpen") == pytest.approx((60 - first) / 24, abs=1e-3)
    settings().bake_timeline = False
    bpy.ops.mfn.bake()
    assert scene.frame_start == 1


def test_a_recording_that_breaks_off_knows_where_the_timeline_was(running, clock):
    settings().recording.timeline = True
    path, began = recording.start_recording(bpy.context), clock[0]
    for number in range(90):  # three seconds from frame 50 on
        clock[0] = began + number / 30
        bpy.context.scene.frame_set(50 + int((clock[0] - began) * 24))
        running.give(frame(number, face(1), time=number / 30))
        live.tick(bpy.context)
    session.current.recorder.note({"note": "nothing after this is written"})
    with Take(path) as take:
        assert not take.finished
        assert take.timeline * 24 == pytest.approx(50, abs=0.6)


def test_pictures_are_written_only_when_asked_for(running, clock):
    path = recording.start_recording(bpy.context)
    give(running, 0, picture=True)
    recording.stop_recording(bpy.context)
    with Take(path) as take:
        assert take.thumbnails() == []
    settings().recording.thumbnails = True
    path = recording.start_recording(bpy.context)
    give(running, 1, 2, picture=True)
    recording.stop_recording(bpy.context)
    with Take(path) as take:
        (picture,) = take.thumbnails()
    assert picture[1].shape == (45, 80, 3)
