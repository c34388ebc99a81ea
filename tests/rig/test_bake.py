# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes become keyframes that say what the live preview said."""

import bpy
import numpy as np
import pytest

from mfn_addon.retarget import Options
from mfn_addon.rig import RigError, bake_take, bind
from mfn_addon.take import Take, TakeError
from tests.rig.characters import add_human, add_mesh, add_robot, face, new_file, value, write_take


@pytest.fixture(autouse=True)
def empty_file():
    new_file()


def swing(time):
    """Actor 0 opens the mouth and turns; actor 1 blinks."""
    return [
        face(0, yaw=30 * np.sin(2 * time), jawOpen=0.5 + 0.5 * np.sin(3 * time)),
        face(1, eyeBlinkLeft=0.5 + 0.5 * np.cos(3 * time)),
    ]


@pytest.fixture
def take(tmp_path):
    with Take(write_take(tmp_path / "swing.mfntake", np.arange(90) / 30, swing)) as opened:
        yield opened


def curves_of(owner):
    action = owner.animation_data.action
    if not hasattr(action, "slots"):
        return action.fcurves
    bag = action.layers[0].strips[0].channelbag(owner.animation_data.action_slot)
    return bag.fcurves


def keys_of(armature):
    return bpy.data.objects[f"{armature.name} face"].data.shape_keys


def test_two_actors_are_baked_to_two_characters(take):
    ada, ben = add_human("Ada"), add_human("Ben")
    scene = bpy.context.scene
    report = bake_take(take, {0: ada, 1: ben}, scene)
    assert (report.frame_start, report.frame_end) == (1, 1 + int(take.duration * 24))
    assert set(report.characters) == {"Ada", "Ben"}
    for number in (1, 20, 50):
        scene.frame_set(number)
        time = (number - 1) / 24
        expected = 0.5 + 0.5 * np.sin(3 * time)
        assert value("Ada face", "jawOpen") == pytest.approx(expected, abs=0.005)
        assert value("Ben face", "jawOpen") == 0.0
        blink = 0.5 + 0.5 * np.cos(3 * time)
        assert value("Ben face", "eyeBlinkLeft") == pytest.approx(blink, abs=0.005)


def stroll(time):
    """Actor 0 walks to the actor's left, 0.1 metres a second."""
    return [face(0).with_(translation=np.array((0.1 * time, 0.2, -0.6), np.float32))]


def test_the_heads_place_is_baked_to_a_bone_as_the_live_preview_showed_it(tmp_path):
    ada = add_human("Ada")
    at_rest = ada.pose.bones["head"].head.x
    options = Options(position_bone="neck")
    with Take(write_take(tmp_path / "stroll.mfntake", np.arange(49) / 24, stroll)) as take:
        report = bake_take(take, {0: ada}, bpy.context.scene, options={0: options})
    bpy.context.scene.frame_set(1 + 24)
    baked = ada.pose.bones["head"].head.x - at_rest
    assert baked == pytest.approx(0.1 * 0.06 / 0.063, abs=1e-4)  # its eyes are 6 cm apart
    assert "Ada" in report.characters

    ben = add_human("Ben")
    live = bind(ben, options)
    for second in (0.0, 1.0):
        live.apply(stroll(second)[0], second)
    bpy.context.view_layer.update()
    assert ben.pose.bones["head"].head.x - at_rest == pytest.approx(baked, abs=1e-4)


def test_the_bake_is_what_the_live_preview_showed(take):
    baked, live = add_human("Ada"), add_human("Eve")
    scene = bpy.context.scene
    scene.render.fps = 30
    bake_take(take, {0: baked}, scene)
    binding = bind(live)
    for number, frame in enumerate(take.frames()):
        if number % 20 == 7:
            scene.frame_set(number + 1)
            binding.apply(frame.faces[0])
            bpy.context.view_layer.update()
            for key in ("jawOpen", "eyeBlinkLeft"):
                assert value("Ada face", key) == pytest.approx(value("Eve face", key), abs=1e-4)
            ours, theirs = (np.array(each.pose.bones["head"].matrix) for each in (baked, live))
            assert np.allclose(ours, theirs, atol=1e-3)


def test_real_time_decides_whatever_the_frame_rate(tmp_path):
    # Ten minutes of stamps at a wandering rate, baked at 29.97: a blink lands on its moment.
    generator = np.random.default_rng(5)
    times = np.cumsum(generator.uniform(0.02, 0.05, 17000))
    times -= times[0]
    moment = times[-1] - 3.0

    def blink(time):
        return [face(0, eyeBlinkLeft=max(0.0, 1 - abs(time - moment) / 0.5))]

    path = write_take(tmp_path / "long.mfntake", times, blink)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 30, 1.001
    add_human()
    with Take(path) as take:
        bake_take(take, {0: bpy.data.objects["Ada"]}, scene)
    curve = curves_of(keys_of(bpy.data.objects["Ada"])).find('key_blocks["eyeBlinkLeft"].value')
    points = np.empty(2 * len(curve.keyframe_points))
    curve.keyframe_points.foreach_get("co", points)
    frames, weights = points.reshape(-1, 2).T
    peak = frames[np.argmax(weights)]
    assert abs((peak - 1) * 1.001 / 30 - moment) < 0.5 * 1.001 / 30 + 0.005


def test_baking_again_replaces(take):
    ada = add_human("Ada")
    bake_take(take, {0: ada}, bpy.context.scene)
    counts = len(curves_of(keys_of(ada))), len(curves_of(ada)), len(bpy.data.actions)
    bake_take(take, {0: ada}, bpy.context.scene, start=50)
    assert (len(curves_of(keys_of(ada))), len(curves_of(ada)), len(bpy.data.actions)) == counts
    curve = curves_of(keys_of(ada)).find('key_blocks["jawOpen"].value')
    assert curve.keyframe_points[0].co.x == 50


def test_another_take_leaves_the_first_ones_action(take, tmp_path):
    ada = add_human("Ada")
    bake_take(take, {0: ada}, bpy.context.scene)
    first = ada.animation_data.action.name
    path = write_take(tmp_path / "second.mfntake", np.arange(30) / 30, lambda t: [face(0)])
    with Take(path) as second:
        bake_take(second, {0: ada}, bpy.context.scene)
    assert ada.animation_data.action.name != first
    assert bpy.data.actions[first].use_fake_user


def test_the_bodys_own_animation_survives(take):
    ada = add_human("Ada")
    ada.location.x = 1.0
    ada.keyframe_insert("location", frame=1)
    ada.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=500)
    own = ada.animation_data.action.name
    bake_take(take, {0: ada}, bpy.context.scene)
    assert ada.animation_data.action.name == own
    assert curves_of(ada).find("location", index=0).keyframe_points[0].co.y == 1.0
    head = curves_of(ada).find('pose.bones["head"].rotation_quaternion', index=0)
    assert max(point.co.x for point in head.keyframe_points) < 200


def test_shapes_that_never_move_get_one_key(take):
    ada = add_human("Ada")
    bake_take(take, {0: ada}, bpy.context.scene)
    still = curves_of(keys_of(ada)).find('key_blocks["tongueOut"].value')
    moving = curves_of(keys_of(ada)).find('key_blocks["jawOpen"].value')
    assert len(still.keyframe_points) == 1
    assert len(moving.keyframe_points) == int(take.duration * 24) + 1
    assert {point.interpolation for point in moving.keyframe_points} == {"LINEAR"}


def test_bones_alone_are_baked(take):
    robot = add_robot()
    bake_take(take, {0: robot}, bpy.context.scene)
    bpy.context.scene.frame_set(13)
    expected = np.radians(30 * (0.5 + 0.5 * np.sin(3 * 0.5)))
    assert robot.pose.bones["jaw"].rotation_euler.x == pytest.approx(expected, abs=0.003)


def test_quaternions_do_not_jump(tmp_path):
    path = write_take(
        tmp_path / "spin.mfntake", np.arange(60) / 30, lambda t: [face(0, yaw=175 * np.sin(6 * t))]
    )
    ada = add_human("Ada")
    with Take(path) as take:
        bake_take(take, {0: ada}, bpy.context.scene)
    curves = [
        curves_of(ada).find('pose.bones["head"].rotation_quaternion', index=i) for i in range(4)
    ]
    values = np.array([[point.co.y for point in curve.keyframe_points] for curve in curves
                       if len(curve.keyframe_points) > 1])  # fmt: skip
    assert np.abs(np.diff(values)).max() < 0.5


def test_nothing_is_baked_when_one_character_cannot_be(take):
    ada, cube = add_human("Ada"), add_mesh("Cube", ("Key 1",))
    with pytest.raises(RigError, match="Cube"):
        bake_take(take, {0: ada, 1: cube}, bpy.context.scene)
    with pytest.raises(TakeError, match="no actor 7"):
        bake_take(take, {0: ada, 7: add_human("Ben")}, bpy.context.scene)
    assert not bpy.data.actions


def test_a_bake_can_be_saved_and_opened(take, tmp_path):
    bake_take(take, {0: add_human("Ada")}, bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "baked.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "baked.blend"))
    bpy.context.scene.frame_set(20)
    expected = 0.5 + 0.5 * np.sin(3 * 19 / 24)
    assert value("Ada face", "jawOpen") == pytest.approx(expected, abs=0.005)
