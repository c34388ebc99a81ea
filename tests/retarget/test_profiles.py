# SPDX-License-Identifier: GPL-3.0-or-later
"""Each naming profile recognises a rig that carries the names of its convention, by itself."""

import json

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from mfn_addon.retarget import BoneRest, Character, Options, load_profiles, make_plan, read_profile
from mfn_addon.retarget.profile import Profile, resolve

SIDES = ("Left", "Right")


def short(name):
    """`mouthSmile_L` for `mouthSmileLeft`."""
    for side in SIDES:
        if name.endswith(side) and name.removesuffix(side) not in ("jaw", "mouth"):
            return f"{name.removesuffix(side)}_{side[0]}"
    return name


def both(*stems):
    return [stem.replace("*", letter) for stem in stems for letter in "LR"]


def sides(*stems):
    return [stem.replace("*", side) for stem in stems for side in SIDES]


_SOUNDS = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
VISEMES = [f"viseme_{sound}" for sound in _SOUNDS]
VRCHAT = [f"vrc.v_{sound}" for sound in (*map(str.lower, _SOUNDS[:12]), "ih", "oh", "ou")]
CC4 = [
    *both("Brow_Drop_*", "Brow_Raise_Inner_*", "Brow_Raise_Outer_*", "Brow_Compress_*"),
    *both("Eye_Blink_*", "Eye_Squint_*", "Eye_Wide_*", "Eye_*_Look_L", "Eye_*_Look_R"),
    *both("Eye_*_Look_Up", "Eye_*_Look_Down", "Nose_Sneer_*", "Cheek_Raise_*", "Cheek_Puff_*"),
    *both("Mouth_Smile_*", "Mouth_Smile_Sharp_*", "Mouth_Frown_*", "Mouth_Stretch_*"),
    *both("Mouth_Dimple_*", "Mouth_Press_*", "Mouth_*", "Mouth_Up_Upper_*", "Mouth_Down_Lower_*"),
    *both("Mouth_Pucker_Up_*", "Mouth_Pucker_Down_*", "Mouth_Funnel_Up_*", "Mouth_Funnel_Down_*"),
    *both("Mouth_Roll_In_Upper_*", "Mouth_Roll_In_Lower_*", "Jaw_*"),
    *("Mouth_Shrug_Upper", "Mouth_Shrug_Lower", "Mouth_Close", "Jaw_Open", "Jaw_Forward"),
    *("Tongue_Out", "V_Open", "V_Explosive", "V_Dental_Lip", "Head_Turn_Up"),
]
METAHUMAN = [
    "CTRL_expressions_" + name
    for name in (
        *both("browDown*", "browLateral*", "browRaiseIn*", "browRaiseOuter*", "eyeBlink*"),
        *both("eyeSquintInner*", "eyeWiden*", "eyeUpperLidUp*", "eyeCheekRaise*", "eyeLookUp*"),
        *both("eyeLookDown*", "eyeLookLeft*", "eyeLookRight*", "noseWrinkle*", "mouthCheekBlow*"),
        *both("mouthCornerPull*", "mouthCornerDepress*", "mouthStretch*", "mouthDimple*"),
        *both("mouthLipsPress*", "mouthUpperLipRaise*", "mouthLowerLipDepress*"),
        *both("mouthUpperLipRollIn*", "mouthLowerLipRollIn*", "jawChinRaiseU*", "jawChinRaiseD*"),
        *both("mouthLipsPurseU*", "mouthLipsPurseD*", "mouthFunnelU*", "mouthFunnelD*"),
        *both("mouthLipsTogetherU*", "mouthLipsTogetherD*"),
        *("mouthLeft", "mouthRight", "jawLeft", "jawRight", "jawOpen", "jawFwd", "tongueOut"),
    )
]
MAKEHUMAN = [
    *("Rest", "NoseWrinkler", "CheeksPump", "CheeksSuck", "NasolabialDeepener", "ChinDown"),
    *("ChinForward", "lowerLipUp", "lowerLipDown", "lowerLipBackward", "lowerLipForward"),
    *("UpperLipUp", "UpperLipBackward", "UpperLipForward", "UpperLipStretched", "JawDrop"),
    *("JawDropStretched", "LipsKiss", "TongueOut", "TongueUp"),
    *sides("*BrowDown", "*OuterBrowUp", "*InnerBrowUp", "*UpperLidOpen", "*UpperLidClosed"),
    *sides("*LowerLidUp", "*EyeDown", "*EyeUp", "*EyeturnRight", "*EyeturnLeft", "*CheekUp"),
    *sides("Chin*", "MouthMove*", "Mouth*PullUp", "Mouth*PullSide", "Mouth*PullDown"),
    *sides("Mouth*Platysma"),
]
MIXAMO = [
    *sides("Blink_*", "BrowsDown_*", "BrowsIn_*", "BrowsOuterLower_*", "BrowsUp_*", "CheekPuff_*"),
    *sides("EyesWide_*", "Frown_*", "JawRotateY_*", "JawRotateZ_*", "Jaw_*", "LowerLipDown_*"),
    *sides("Midmouth_*", "MouthNarrow_*", "MouthWhistle_NarrowAdjust_*", "NoseScrunch_*"),
    *sides("Smile_*", "Squint_*", "UpperLipUp_*"),
    *("JawBackward", "JawForeward", "Jaw_Down", "Jaw_Up", "LowerLipIn", "LowerLipOut"),
    *("MouthDown", "MouthOpen", "MouthUp", "TongueUp", "UpperLipIn", "UpperLipOut"),
]
FIXTURES = {
    "arkit": ("arkit", EXPRESSIONS),
    "arkit, _L and _R": ("arkit", [short(name) for name in EXPRESSIONS]),
    "arkit, behind a prefix": ("arkit", [f"Wolf3D_Head.{name}" for name in EXPRESSIONS]),
    "arkit, with visemes": ("arkit", [*EXPRESSIONS, *VISEMES]),
    "character_creator": ("character_creator", CC4),
    "metahuman": ("metahuman", METAHUMAN),
    "makehuman": ("makehuman", MAKEHUMAN),
    "mixamo": ("mixamo", MIXAMO),
    "mixamo, as Fuse exports it": ("mixamo", [f"Facial_Blends.{name}" for name in MIXAMO]),
    "oculus_visemes": ("oculus_visemes", VISEMES),
    "oculus_visemes, as VRChat": ("oculus_visemes", VRCHAT),
    "ready_player_me, default set": ("ready_player_me", ["mouthOpen", "mouthSmile"]),
}  # fmt: skip


def plan_of(names, **options):
    return make_plan(Character("Ada", meshes={"face": tuple(names)}), Options(**options))


def values(plan, **weights):
    expression = np.zeros(52)
    for name, weight in weights.items():
        expression[EXPRESSION_INDEX[name]] = weight
    pose = plan.solve(expression, np.eye(3))
    return dict(zip(plan.shapes[0].keys, pose.shapes[0].tolist(), strict=True))


@pytest.mark.parametrize("rig", FIXTURES)
def test_a_rig_is_recognised_by_its_names(rig):
    profile, names = FIXTURES[rig]
    report = plan_of(names).report
    assert report.profile == profile
    assert not report.guessed
    lacking = {shape.name for shape in load_profiles()[profile].shapes} - set(report.found)
    assert set(report.missing) <= lacking
    if "default set" not in rig:
        assert not report.missing


@pytest.mark.parametrize("rig", ["character_creator", "metahuman", "makehuman", "mixamo"])
def test_every_actors_movement_reaches_the_rig(rig):
    """What no shape of a rig answers is known, and little."""
    plan = plan_of(FIXTURES[rig][1])
    silent = {
        name
        for name, row in zip(EXPRESSIONS, plan.shapes[0].weights, strict=True)
        if not np.any(row > 0)
    }
    mute = {
        "character_creator": set(),
        "metahuman": set(),
        "makehuman": {"mouthClose", "mouthPressLeft", "mouthPressRight"},
        "mixamo": {
            *(f"eyeLook{way}{side}" for way in ("In", "Out", "Up", "Down") for side in SIDES),
            *("mouthClose", "mouthPressLeft", "mouthPressRight", "mouthShrugUpper", "tongueOut"),
            *("mouthStretchLeft", "mouthStretchRight"),
        },
    }
    assert silent == mute[rig]


def test_left_stays_left_where_a_name_holds_both_sides():
    cc4, metahuman = plan_of(CC4), plan_of(METAHUMAN)
    look_left = {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}
    moved = {key for key, value in values(cc4, **look_left).items() if value}
    assert moved == {"Eye_L_Look_L", "Eye_R_Look_L"}
    moved = {key for key, value in values(metahuman, **look_left).items() if value}
    assert moved == {"CTRL_expressions_eyeLookLeftL", "CTRL_expressions_eyeLookLeftR"}


def test_a_combination_is_weighted():
    assert values(plan_of(MAKEHUMAN), jawOpen=0.8, mouthClose=0.6)["JawDrop"] == pytest.approx(0.5)
    quarter = values(plan_of(CC4), mouthPucker=0.7)
    assert {key for key, value in quarter.items() if value == pytest.approx(0.7)} == {
        f"Mouth_Pucker_{v}_{s}" for v in ("Up", "Down") for s in "LR"
    }


def test_faceit_is_chosen_by_hand():
    assert plan_of(EXPRESSIONS, profile="faceit").report.profile == "faceit"
    assert len(plan_of(EXPRESSIONS, profile="faceit").report.found) == 52


# --- by hand ----------------------------------------------------------------------------------


def test_a_wrong_or_missing_match_is_said_by_hand():
    names = [*(n for n in EXPRESSIONS if n != "jawOpen"), "Mund auf", "Teeth_jawOpen"]
    assert plan_of(names).report.guessed == {"jawOpen": "Teeth_jawOpen"}
    plan = plan_of(names, fixes={"jawOpen": "Mund auf", "cheekPuff": ""})
    assert plan.report.found["jawOpen"] == "Mund auf"
    assert "cheekPuff" in plan.report.missing
    assert values(plan, jawOpen=0.4, cheekPuff=1.0)["Mund auf"] == pytest.approx(0.4)
    assert "cheekPuff" not in values(plan)


def test_a_profile_is_written_as_it_is_read(tmp_path):
    for profile in load_profiles().values():
        path = tmp_path / f"{profile.name}.json"
        path.write_text(json.dumps(profile.to_json()), "utf-8")
        assert (
            resolve({"arkit": load_profiles()["arkit"], profile.name: read_profile(path)})[
                profile.name
            ]
            == profile
        )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"source": None}, "lacks 'source'"),
        ({"shapes": {"grin": {"terms": {"smirk": 1.0}}}}, "'grin': smirk is no ARKit"),
        ({"shapes": []}, "malformed"),
        ({"bones": {"lip": {"sideways": {}}}, "unit": ["a", "b"]}, "'lip': sideways"),
        ({"bones": {"lip": {"up": {"jawOpen": 1}}}}, "unit"),
        ({"roles": {"tail": "tail"}}, "tail is none of the roles"),
    ],
)
def test_a_malformed_profile_says_what_is_wrong(tmp_path, change, complaint):
    data = {"name": "x", "title": "X", "description": "", "source": "https://x", "minimum": 1}
    data = {**data, "shapes": {}, **change}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not None}), "utf-8")
    with pytest.raises(ValueError, match=f"mine.json: .*{complaint}"):
        read_profile(path)


# --- bones ------------------------------------------------------------------------------------


def rest(name, x=0.0, y=0.0, z=0.0, axes=None):
    return BoneRest(name, np.eye(3) if axes is None else axes, np.array((x, y, z)))


def bone_values(plan, bone, **weights):
    expression = np.zeros(52)
    for name, weight in weights.items():
        expression[EXPRESSION_INDEX[name]] = weight
    pose = plan.solve(expression, np.eye(3))
    index = [track.bone for track in plan.bones].index(bone)
    return pose.bones[index]


@pytest.mark.parametrize(
    ("name", "eyes"), [("rigify", ("eye.L", "eye.R")), ("auto_rig_pro", ("c_eye.l", "c_eye.r"))]
)
def test_face_bones_move_along_the_characters_axes_by_its_size(name, eyes):
    profile: Profile = load_profiles()[name]
    along = np.column_stack([(1, 0, 0), (0, 0, 1), (0, -1, 0)]).astype(float)
    bones = {move.name: rest(move.name, axes=along) for move in profile.bones}
    bones |= {eye: rest(eye, x, axes=along) for eye, x in zip(eyes, (0.04, -0.04), strict=True)}
    bones |= {n: rest(n, axes=along) for n in profile.roles.values() if n and n not in bones}
    plan = make_plan(Character("Rig", bones=bones))
    assert plan.report.profile == name
    assert not plan.report.missing
    corner = {"rigify": "lips.L", "auto_rig_pro": "c_lips_smile.l"}[name]
    # 0.12 eye distances of 8 cm upwards, which is along the bone; 0.1 to the character's left.
    moved = bone_values(plan, corner, mouthSmileLeft=1.0)
    assert moved == pytest.approx((0.1 * 0.08, 0.12 * 0.08, 0.0))
    assert {"head", "neck", "jaw"} <= plan.report.bones.keys()
    assert ("eyeLeft" in plan.report.bones) == (name == "auto_rig_pro")
