# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduced keys keep their tolerance on the curves that Blender evaluates; NLA strips replace."""

import bpy
import numpy as np
import pytest
from mathutils import Quaternion

from mfn_addon.retarget.reduction import Tolerance
from mfn_addon.rig import Options, bake_take
from mfn_addon.take import Take
from tests.rig.characters import add_human, add_robot, face, new_file, value, write_take

HEAD = 'pose.bones["head"].rotation_quaternion'
JAW_OPEN = 'key_blocks["jawOpen"].value'


@pytest.fixture(autouse=True)
def empty_file():
    new_file()


@pytest.fixture
def take(tmp_path):
    def talk(time):
        jaw = 0.5 + 0.5 * np.sin(7 * time) * np.cos(2 * time)
        return [face(0, yaw=40 * np.sin(2 * time), jawOpen=jaw, browInnerUp=jaw)]

    with Take(write_take(tmp_path / "talk.mfntake", np.arange(240) / 60, talk)) as opened:
        yield opened


def curves_of(owner, action=None):
    data = owner.animation_data
    action = action or data.action
    if not hasattr(action, "slots"):
        return action.fcurves
    slot = data.action_slot or data.nla_tracks[0].strips[0].action_slot
    return action.layers[0].strips[0].channelbag(slot).fcurves


def keys_of(armature):
    return bpy.data.objects[f"{armature.name} face"].data.shape_keys


def evaluated(owner, path, index, frames):
    curve = curves_of(owner).find(path, index=index)
    return np.array([curve.evaluate(frame) for frame in frames])


def turns(owner, frames):
    parts = np.stack([evaluated(owner, HEAD, i, frames) for i in range(4)], axis=1)
    return [Quaternion(part).normalized() for part in parts]


def test_the_evaluated_curves_keep_the_tolerance(take):
    full, few, robot = add_human("Ada"), add_human("Eve"), add_robot()
    scene = bpy.context.scene
    scene.render.fps = 60
    bake_take(take, {0: full}, scene)
    report = bake_take(take, {0: few}, scene, tolerance=Tolerance(1.0, 0.5, 0.2))
    frames = range(report.frame_start, report.frame_end + 1)
    jaws = [evaluated(keys_of(each), JAW_OPEN, 0, frames) for each in (full, few)]
    error = 100 * np.abs(jaws[0] - jaws[1]).max()
    assert 0 < error <= 1.0
    assert report.errors["%"] == pytest.approx(error, abs=0.001)
    pairs = zip(turns(full, frames), turns(few, frames), strict=True)
    angle = max(np.degrees(a.rotation_difference(b).angle) for a, b in pairs)
    assert angle <= report.errors["°"] + 0.05 <= 0.5 + 0.05  # single precision near no turn
    assert report.kept < 0.6

    ears = []
    for tolerance in (None, Tolerance(distance=2.0)):
        report = bake_take(take, {0: robot}, scene, tolerance=tolerance)
        ears.append(evaluated(robot, 'pose.bones["ear"].location', 1, frames))
    assert 0 < 1000 * np.abs(ears[0] - ears[1]).max() <= 2.0


def test_strips_lie_over_the_characters_own_action(take):
    ada, scene = add_human("Ada"), bpy.context.scene
    ada.location.x = 1.0
    ada.keyframe_insert("location", frame=1)
    own = ada.animation_data.action
    report = bake_take(take, {0: ada}, scene, start=11, as_strips=True)
    assert ada.animation_data.action == own
    strip = ada.animation_data.nla_tracks[0].strips[0]
    assert (strip.frame_start, strip.frame_end) == (11, report.frame_end)
    scene.frame_set(31)
    time = 20 / 24
    expected = 0.5 + 0.5 * np.sin(7 * time) * np.cos(2 * time)
    assert value("Ada face", "jawOpen") == pytest.approx(expected, abs=0.01)
    assert ada.location.x == 1.0


def test_baking_again_replaces_whether_strip_or_action(take):
    ada, scene = add_human("Ada"), bpy.context.scene
    for start in (1, 50):
        bake_take(take, {0: ada}, scene, start=start, as_strips=True)
        tracks = keys_of(ada).animation_data.nla_tracks
        assert [strip.frame_start for track in tracks for strip in track.strips] == [start]
    actions = len(bpy.data.actions)
    bake_take(take, {0: ada}, scene)
    assert not keys_of(ada).animation_data.nla_tracks
    assert len(bpy.data.actions) == actions
    bake_take(take, {0: ada}, scene, as_strips=True)
    assert keys_of(ada).animation_data.action is None  # it would hide the strip
    assert len(bpy.data.actions) == actions


def test_renamed_takes_and_characters_are_baked_over_their_earlier_bake(tmp_path):
    path = write_take(tmp_path / "talk.mfntake", np.arange(30) / 30, lambda _: [face(0)])
    ada, scene = add_human("Ada"), bpy.context.scene
    keys = keys_of(ada)
    for name, as_strips in (("A", True), ("B", True), ("C", False), ("D", True)):
        path = path.rename(tmp_path / f"{name}.mfntake")
        ada.name, keys.name = f"{name} rig", f"{name} keys"
        with Take(path) as take:
            bake_take(take, {0: ada}, scene, as_strips=as_strips)
        for owner in (ada, keys):
            tracks = owner.animation_data.nla_tracks
            assert [len(track.strips) for track in tracks] == ([1] if as_strips else [])
        baked = [action for action in bpy.data.actions if "mfn_take" in action]
        slotted = hasattr(bpy.types.Action, "slots")
        assert len(baked) == (1 if slotted else 2)
        assert not slotted or len(baked[0].slots) == 2


def test_a_bake_of_an_earlier_version_is_replaced(take):
    ada, scene = add_human("Ada"), bpy.context.scene
    bake_take(take, {0: ada}, scene)
    baked = list(bpy.data.actions)
    for action in baked:
        action["mfn_take"] = take.path.stem  # as bakes were marked before takes had ids
    bake_take(take, {0: ada}, scene)
    assert list(bpy.data.actions) == baked
    assert all(action["mfn_take"] == take.id for action in baked)


def test_a_strip_is_not_hidden_by_another_takes_bake(take, tmp_path):
    ada, scene = add_human("Ada"), bpy.context.scene
    still = write_take(tmp_path / "still.mfntake", np.arange(60) / 60, lambda _: [face(0)])
    with Take(still) as opened:
        bake_take(opened, {0: ada}, scene)
    earlier = keys_of(ada).animation_data.action
    bake_take(take, {0: ada}, scene, start=11, as_strips=True)
    assert keys_of(ada).animation_data.action is None
    assert earlier.use_fake_user  # or it would be gone at the next save
    scene.frame_set(31)
    time = 20 / 24
    expected = 0.5 + 0.5 * np.sin(7 * time) * np.cos(2 * time)
    assert value("Ada face", "jawOpen") == pytest.approx(expected, abs=0.01)


def test_a_strip_is_not_hidden_by_an_earlier_bake_into_the_animators_action(take):
    ada, scene = add_human("Ada"), bpy.context.scene
    ada.pose.bones["head"].keyframe_insert("location", frame=1)
    smirk = bpy.data.objects["Ada face"].shape_key_add(name="my smirk")
    smirk.keyframe_insert("value", frame=1)
    bake_take(take, {0: ada}, scene)
    actions = ada.animation_data.action, keys_of(ada).animation_data.action
    assert actions[1].get("mfn_take") is None  # the animator's
    assert evaluated(keys_of(ada), JAW_OPEN, 0, [1])[0] == pytest.approx(0.5)

    bake_take(take, {0: ada}, scene, start=11, as_strips=True)
    assert (ada.animation_data.action, keys_of(ada).animation_data.action) == actions
    kept = [curve.data_path for owner in (ada, keys_of(ada)) for curve in curves_of(owner)]
    assert sorted(set(kept)) == ['key_blocks["my smirk"].value', 'pose.bones["head"].location']
    scene.frame_set(31)
    time = 20 / 24
    expected = 0.5 + 0.5 * np.sin(7 * time) * np.cos(2 * time)
    assert value("Ada face", "jawOpen") == pytest.approx(expected, abs=0.01)


def test_what_nothing_drives_any_more_is_taken_out(take):
    ada, scene = add_human("Ada"), bpy.context.scene
    bake_take(take, {0: ada}, scene)
    assert curves_of(ada).find('pose.bones["neck"].rotation_quaternion', index=0) is not None
    bake_take(take, {0: ada}, scene, options={0: Options(head=False)})
    assert curves_of(ada).find('pose.bones["neck"].rotation_quaternion', index=0) is None


def test_millimetres_are_those_of_the_scene_that_is_baked(take):
    robot = add_robot("Bolt")
    ours = bpy.context.scene
    other = bpy.data.scenes.new("centimetres")
    other.unit_settings.scale_length = 0.01
    kept = [
        bake_take(take, {0: robot}, scene, tolerance=Tolerance()).keys for scene in (ours, other)
    ]
    assert kept[1] < kept[0]  # a hundredth of the size: far fewer keys are needed
