# SPDX-License-Identifier: GPL-3.0-or-later
"""A character is put out of sight and back while it performs: the take keeps every sample."""

import bpy
import pytest

from mfn_addon.take import Take
from mfn_addon.ui import live, recording
from tests.rig.characters import add_human, face, frame, value


@pytest.mark.parametrize("switch", ["exclude", "hide_viewport"])
def test_a_take_recorded_out_of_sight_is_whole_and_bakes(running, switch):
    ada = add_human("Ada")
    collection = bpy.data.collections.new("aside")
    bpy.context.scene.collection.children.link(collection)
    for obj in (ada, bpy.data.objects["Ada face"]):
        bpy.context.scene.collection.objects.unlink(obj)
        collection.objects.link(obj)
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.character = 1, ada

    path = recording.start_recording(bpy.context, 0)
    layer = bpy.context.view_layer.layer_collection.children["aside"]
    for number in range(30):
        setattr(layer, switch, 10 <= number < 20 or number >= 28)
        running.give(frame(number, face(1, jawOpen=number / 30)))
        assert live.tick(bpy.context) == live.INTERVAL
        assert value("Ada face", "jawOpen") == pytest.approx(number / 30)
    recording.stop_recording(bpy.context)
    with Take(path) as take:
        assert take.finished
        assert [each.frame for each in take.frames()] == list(range(30))

    assert bpy.ops.mfn.bake() == {"FINISHED"}  # still out of sight
    setattr(layer, switch, False)
    bpy.context.scene.frame_set(13)  # half a second: the 15th of 30 frames a second
    assert value("Ada face", "jawOpen") == pytest.approx(0.5, abs=1e-3)
