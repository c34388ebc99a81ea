# SPDX-License-Identifier: GPL-3.0-or-later
"""A character's plan: which names are driven by what, and by how much."""

from dataclasses import replace

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from mfn_addon.retarget import (
    BoneRest,
    Character,
    Options,
    Response,
    Rest,
    RigError,
    load_profiles,
    make_plan,
    read_channels,
)
from mfn_addon.retarget import rotation as rot
from mfn_addon.retarget.tracks import EYE_DISTANCE
from mfn_addon.track import Calibration

STRAIGHT = np.eye(3)
BONE_UP = np.column_stack([(1, 0, 0), (0, 0, 1), (0, -1, 0)]).astype(float)  # y along the bone


def face(**weights):
    expression = np.zeros(52)
    for name, weight in weights.items():
        expression[EXPRESSION_INDEX[name]] = weight
    return expression


def bone(name, x=0.0, z=1.5, mode="QUATERNION", axes=BONE_UP):
    return name, BoneRest(name, axes, np.array((x, 0.0, z)), mode)


HUMAN_BONES = dict(
    [bone("neck", z=1.4), bone("head"), bone("jaw"), bone("eye.L", 0.03), bone("eye.R", -0.03)]
)


def human(**changes):
    return Character("Ada", **{"meshes": {"face": EXPRESSIONS}, "bones": HUMAN_BONES, **changes})


def shape_values(plan, expression, rotation=STRAIGHT):
    pose = plan.solve(expression, rotation)
    return {
        key: float(value)
        for track, values in zip(plan.shapes, pose.shapes, strict=True)
        for key, value in zip(track.keys, values, strict=True)
    }


def armature_turn(plan, character, name, expression=None, rotation=STRAIGHT):
    """(3, 3) a bone's turn in armature space, parents at rest."""
    pose = plan.solve(face() if expression is None else expression, rotation)
    for track, values in zip(plan.bones, pose.bones, strict=True):
        if track.bone == name:
            axes = character.bones[name].axes
            return axes @ rot.matrices_of(values) @ axes.T
    raise AssertionError(f"{name} is not driven")


# --- profiles ---------------------------------------------------------------------------------


def test_every_profile_tells_its_source_and_drives_only_known_expressions():
    profiles = load_profiles()
    assert {"arkit", "vrm1", "vrm0", "bones"} <= set(profiles)
    for profile in profiles.values():
        assert profile.source.startswith("https://")
        assert profile.description
    assert len(profiles["arkit"].shapes) == 52


def test_arkit_names_pass_weights_through():
    plan = make_plan(human())
    assert plan.report.profile == "arkit"
    assert len(plan.report.found) == 52
    values = shape_values(plan, face(jawOpen=0.4, mouthSmileLeft=0.7))
    assert values["jawOpen"] == pytest.approx(0.4)
    assert values["mouthSmileLeft"] == pytest.approx(0.7)
    assert sum(values.values()) == pytest.approx(1.1)


VRM_NAMES = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "blink", "happy", "angry")


def test_vrm_names_are_detected_and_mixed_from_the_52():
    plan = make_plan(Character("Mo", meshes={"face": VRM_NAMES}))
    assert plan.report.profile == "vrm1"
    open_mouth = shape_values(plan, face(jawOpen=0.5))
    assert open_mouth["aa"] > 0.4
    assert open_mouth["ou"] == 0.0
    pursed = shape_values(plan, face(jawOpen=0.5, mouthPucker=0.9))
    assert pursed["ou"] > 0.7
    assert pursed["aa"] < open_mouth["aa"]
    wink = shape_values(plan, face(eyeBlinkLeft=1.0))
    assert (wink["blinkLeft"], wink["blinkRight"]) == (1.0, 0.0)


def test_blink_is_left_out_where_each_eye_has_its_own():
    both = make_plan(Character("Mo", meshes={"face": VRM_NAMES}))
    assert "blink" not in shape_values(both, face())
    one = make_plan(Character("Mo", meshes={"face": ("aa", "ih", "ou", "ee", "blink")}))
    assert shape_values(one, face(eyeBlinkLeft=1, eyeBlinkRight=1))["blink"] == 1.0


def test_a_rig_says_its_profile_itself():
    plan = make_plan(Character("Mo", meshes={"face": (*EXPRESSIONS, *VRM_NAMES)}, profile="vrm1"))
    assert plan.report.profile == "vrm1"


def test_every_mesh_of_a_character_is_driven():
    plan = make_plan(human(meshes={"face": EXPRESSIONS, "teeth": ("jawOpen", "Key 2")}))
    assert {track.mesh: len(track.keys) for track in plan.shapes} == {"face": 52, "teeth": 1}


def test_the_report_names_what_is_missing():
    plan = make_plan(Character("Ada", meshes={"face": EXPRESSIONS[:-1]}))
    assert plan.report.missing == ["tongueOut"]
    assert "1 missing" in plan.report.summary()


def test_a_rig_that_nobody_knows_is_one_clear_error():
    with pytest.raises(RigError, match="'Box' has no shape key and no bone"):
        make_plan(Character("Box", meshes={"box": ("Key 1",)}, bones=dict([bone("Bone")])))


# --- response ---------------------------------------------------------------------------------


def test_a_response_scales_shifts_and_holds():
    responses = {"jawOpen": Response(gain=2.0, offset=-0.1, high=0.8)}
    plan = make_plan(human(), Options(responses=responses))
    assert shape_values(plan, face(jawOpen=0.3))["jawOpen"] == pytest.approx(0.5)
    assert shape_values(plan, face(jawOpen=0.9))["jawOpen"] == pytest.approx(0.8)
    assert shape_values(plan, face())["jawOpen"] == 0.0


def test_mirror_exchanges_left_and_right():
    plan = make_plan(human(), Options(mirror=True))
    assert shape_values(plan, face(mouthSmileLeft=1.0))["mouthSmileRight"] == 1.0
    to_left = rot.matrices_of(rot.about(1, np.array(0.5)))
    plain = make_plan(human(), Options())
    one = armature_turn(plan, human(), "head", rotation=to_left)
    other = armature_turn(plain, human(), "head", rotation=to_left.T)
    assert np.allclose(one, other)


# --- bones ------------------------------------------------------------------------------------


def test_a_head_that_turns_to_its_left_turns_to_the_characters_left():
    # The actor's nose (z) moves towards the actor's left (x): to the right of the picture.
    rotation = rot.matrices_of(rot.about(1, np.radians(30.0)))
    character = human()
    plan = make_plan(character, Options(neck_share=0.0))
    nose = armature_turn(plan, character, "head", rotation=rotation) @ (0, -1, 0)
    assert np.allclose(nose, (0.5, -np.sqrt(0.75), 0.0))  # +X is the character's left


def test_a_nod_goes_down():
    rotation = rot.matrices_of(rot.about(0, np.radians(30.0)))
    character = human()
    plan = make_plan(character, Options(neck_share=0.0))
    nose = armature_turn(plan, character, "head", rotation=rotation) @ (0, -1, 0)
    assert nose[2] == pytest.approx(-0.5)


def test_neck_and_head_share_the_turn():
    rotation = rot.matrices_of(rot.about(1, np.radians(40.0)))
    character = human()
    plan = make_plan(character, Options(neck_share=0.25))
    neck = armature_turn(plan, character, "neck", rotation=rotation)
    head = armature_turn(plan, character, "head", rotation=rotation)
    assert np.degrees(np.arccos((np.trace(neck) - 1) / 2)) == pytest.approx(10.0)
    assert np.degrees(np.arccos((np.trace(head) - 1) / 2)) == pytest.approx(30.0)


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_bones_keep_their_rotation_mode(mode):
    bones = HUMAN_BONES | dict([bone("head", mode=mode)])
    rotation = rot.matrices_of(rot.about(1, np.radians(20.0)))
    plan = make_plan(human(bones=bones))
    path = "rotation_axis_angle" if mode == "AXIS_ANGLE" else "rotation_euler"
    assert [t.path for t in plan.bones if t.bone == "head"] == [path]
    values = plan.solve(face(), rotation).bones[[t.bone for t in plan.bones].index("head")]
    assert np.isfinite(values).all()


def position(options, offset, **changes):
    """(..., 3) where a plan moves the neck to, armature space, in average adults' metres."""
    plan = make_plan(human(**changes), options)
    weights = np.zeros((*np.shape(offset)[:-1], 52))
    turns = np.broadcast_to(STRAIGHT, (*np.shape(offset)[:-1], 3, 3))
    pose = plan.solve(weights, turns, np.array(offset))
    found = [v for t, v in zip(plan.bones, pose.bones, strict=True) if t.path == "location"]
    return found[0] @ BONE_UP.T / (0.06 / EYE_DISTANCE)


def test_the_heads_place_moves_the_position_bone():
    options = Options(position_bone="neck")
    aside = position(options, (0.1, 0.2, 0.05))  # to the actor's left, up, towards the camera
    assert aside == pytest.approx([0.1, -0.05, 0.2])
    twice = position(replace(options, position_gain=2.0, mirror=True), (0.1, 0.2, 0.05))
    assert twice == pytest.approx([-0.2, -0.1, 0.4])
    held = position(replace(options, position_limit=0.1), [(0.0, 0.3, 0.0), (0.0, 0.05, 0.0)])
    assert held == pytest.approx(np.array([(0, 0, 0.1), (0, 0, 0.05)]))


def test_a_position_bone_that_is_not_there_is_told():
    plan = make_plan(human(), Options(position_bone="root"))
    assert "position: there is no bone 'root'" in plan.report.notes
    assert not [track for track in plan.bones if track.path == "location"]


def test_the_head_rests_where_it_was_calibrated_or_first_seen():
    way = np.array([(0.0, 0.1, -0.6), (0.1, 0.1, -0.6)])
    seen_first = Rest(make_plan(human()))
    assert seen_first.offset(way) == pytest.approx(way - way[0])
    assert seen_first.offset(way[1]) == pytest.approx([0.1, 0.0, 0.0])
    calibration = Calibration(position=np.array((0.0, 0.0, -0.5), np.float32)).to_text()
    calibrated = Rest(make_plan(human(), Options(calibration=calibration)))
    assert calibrated.offset(way[0]) == pytest.approx([0.0, 0.1, -0.1])


def test_eyes_and_jaw_are_moved_once():
    moved_by_shapes = make_plan(human())
    assert {t.bone for t in moved_by_shapes.bones} == {"neck", "head"}
    assert any("eyeLeft" in note for note in moved_by_shapes.report.notes)

    lids_only = make_plan(human(moves=lambda mesh, key, bone: not bone.startswith("eye")))
    assert {t.bone for t in lids_only.bones} == {"neck", "head", "eye.L", "eye.R"}
    assert "eyeLookUpLeft" in lids_only.shapes[0].keys

    forced = make_plan(human(), Options(eyes="BONES", jaw="BONES"))
    assert {t.bone for t in forced.bones} == set(HUMAN_BONES)
    assert not {"jawOpen", "eyeLookUpLeft"} & set(forced.shapes[0].keys)


def test_eye_bones_look_where_the_actor_looks():
    character = human(meshes={})
    plan = make_plan(character)
    look_left = face(eyeLookOutLeft=1.0, eyeLookInRight=1.0)
    for name in ("eye.L", "eye.R"):
        gaze = armature_turn(plan, character, name, look_left) @ (0, -1, 0)
        assert gaze[0] == pytest.approx(0.5)
        up = armature_turn(plan, character, name, face(eyeLookUpLeft=1, eyeLookUpRight=1))
        assert (up @ (0, -1, 0))[2] > 0.3


def test_a_jaw_bone_opens_downwards():
    character = human(meshes={})
    plan = make_plan(character)
    chin = armature_turn(plan, character, "jaw", face(jawOpen=1.0)) @ (0, -1, 0)
    assert chin[2] < -0.3


def test_a_character_that_looks_the_other_way_is_found_out_by_its_eyes():
    bones = HUMAN_BONES | dict([bone("eye.L", -0.03), bone("eye.R", 0.03)])
    character = human(bones=bones)
    plan = make_plan(character, Options(neck_share=0.0))
    rotation = rot.matrices_of(rot.about(1, np.radians(30.0)))
    nose = armature_turn(plan, character, "head", rotation=rotation) @ (0, 1, 0)
    assert np.allclose(nose, (-0.5, np.sqrt(0.75), 0.0))


def test_a_rig_with_y_up_nods_about_its_own_left():
    character = human(up="Y", bones=HUMAN_BONES | dict([bone("eye.L", 0.03), bone("eye.R", -0.03)]))
    plan = make_plan(character, Options(neck_share=0.0))
    rotation = rot.matrices_of(rot.about(0, np.radians(30.0)))
    nose = armature_turn(plan, character, "head", rotation=rotation) @ (0, 0, 1)
    assert nose[1] == pytest.approx(-0.5)


# --- channels ---------------------------------------------------------------------------------

CHANNELS = {
    "profile": "bones",
    "channels": [
        {"bone": "jaw", "path": "rotation_euler", "axis": 0, "unit": "deg", "rest": 0,
         "terms": {"jawOpen": 28.0}, "limit": [-5, 20]},
        {"bone": "ear", "path": "location", "axis": 2, "unit": "m", "rest": 0,
         "terms": {"browInnerUp": 0.02, "browDownLeft": -0.01}},
        {"bone": "ear", "path": "scale", "axis": 1, "unit": "1", "rest": 1,
         "terms": {"mouthPucker": 0.5}},
    ],
}  # fmt: skip


def robot(mode="XYZ"):
    bones = dict([bone("jaw", mode=mode), bone("ear", mode="XYZ")])
    return Character("Bo", bones=bones, channels=read_channels(CHANNELS), profile="bones")


def test_channels_move_bones_in_their_units_and_limits():
    plan = make_plan(robot())
    pose = plan.solve(face(jawOpen=1.0, browInnerUp=1.0, mouthPucker=1.0), STRAIGHT)
    tracks = zip(plan.bones, pose.bones, strict=True)
    values = {(t.bone, t.path, t.indices): v.tolist() for t, v in tracks}
    assert values == {
        ("jaw", "rotation_euler", (0,)): [pytest.approx(np.radians(20.0))],
        ("ear", "location", (2,)): [pytest.approx(0.02)],
        ("ear", "scale", (1,)): [pytest.approx(1.5)],
    }


def test_a_channel_on_a_quaternion_bone_turns_it_the_same_way():
    plan = make_plan(robot("QUATERNION"))
    pose = plan.solve(face(jawOpen=0.5), STRAIGHT)
    assert plan.bones[0].path == "rotation_quaternion"
    assert np.allclose(pose.bones[0], rot.about(0, np.radians(14.0)))


def test_a_take_is_solved_at_once_as_frame_by_frame():
    generator = np.random.default_rng(0)
    expressions = generator.random((5, 52))
    rotations = rot.matrices_of(rot.about(1, generator.normal(0, 0.3, 5)))
    plan = make_plan(human(channels=(), moves=lambda *_: False))
    whole = plan.solve(expressions, rotations)
    for i in range(5):
        one = plan.solve(expressions[i], rotations[i])
        for ours, theirs in zip(whole.shapes + whole.bones, one.shapes + one.bones, strict=True):
            assert np.allclose(ours[i], theirs)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", "malformed"),
        ('{"channels": [{"bone": "jaw"}]}', "path"),
        ('{"channels": [{"bone": "a", "path": "roll", "axis": 0, "terms": {}}]}', "'a'.*'roll'"),
        ('{"channels": [{"bone": "a", "path": "scale", "axis": 3, "terms": {}}]}', "axis 3"),
        (
            '{"channels": [{"bone": "a", "path": "scale", "axis": 0, "terms": {"grin": 1}}]}',
            "grin is no ARKit",
        ),
    ],
)
def test_malformed_channels_say_what_is_wrong(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_channels(text)
