# SPDX-License-Identifier: GPL-3.0-or-later
"""Rusty: bones alone, driven by the channels that the file carries."""

from __future__ import annotations

import json
import math

import bpy
import numpy as np

from mfn_addon.face import EXPRESSIONS
from tests.sample_rigs.stage import FOLDER, Shot, open_character, open_eyes, shoot


def pose(rig: bpy.types.Object, **weights: float) -> Shot:
    """The fox with ARKit weights given to his bones, as the channel list says."""
    for channel in json.loads(rig["mfn_bones"])["channels"]:
        value = channel["rest"] + sum(
            gain * weights.get(name, 0.0) for name, gain in channel["terms"].items()
        )
        value = min(max(value, channel["limit"][0]), channel["limit"][1])
        value = math.radians(value) if channel["unit"] == "deg" else value
        getattr(rig.pose.bones[channel["bone"]], channel["path"])[channel["axis"]] = value
    return shoot(rig)


def test_there_is_no_shape_key() -> None:
    assert not any(o.data.shape_keys for o in open_character("creature").children)


def test_channels_in_the_file_are_those_beside_it_and_name_what_exists() -> None:
    rig = open_character("creature")
    text = (FOLDER / "creature.bones.json").read_text(encoding="utf-8")
    assert rig["mfn_bones"] == text
    channels = json.loads(text)["channels"]
    assert {c["bone"] for c in channels} <= set(rig.pose.bones.keys())
    assert {name for c in channels for name in c["terms"]} <= set(EXPRESSIONS)
    places = [(c["bone"], c["path"], c["axis"]) for c in channels]
    assert len(set(places)) == len(places), "no property has two channels"
    assert all(c["limit"][0] <= c["rest"] <= c["limit"][1] for c in channels)


def test_every_bone_of_the_face_moves_something() -> None:
    rig = open_character("creature")
    rest = shoot(rig).points
    for bone in {c["bone"] for c in json.loads(rig["mfn_bones"])["channels"]}:
        rig.pose.bones[bone].location.z = 0.01
        assert np.abs(shoot(rig).points - rest).max() > 0.005, bone
        rig.pose.bones[bone].location.z = 0.0


def test_jaw_opens_and_the_tongue_comes_out() -> None:
    rig = open_character("creature")
    rest = shoot(rig)
    jaw = rest.of("mouth")[:, 2] - pose(rig, jawOpen=1.0).of("mouth")[:, 2]
    assert jaw.max() > 0.02
    tongue = rest.of("tongue")[:, 1] - pose(rig, jawOpen=0.5, tongueOut=1.0).of("tongue")[:, 1]
    assert tongue.mean() > 0.02, "forwards, -y"


def test_blink_closes_its_eye_alone() -> None:
    rig = open_character("creature")
    neutral = pose(rig)
    left = pose(rig, eyeBlinkLeft=1.0)
    assert open_eyes(rig, neutral, "L") > 40
    assert open_eyes(rig, left, "L") == 0
    assert open_eyes(rig, left, "R") == open_eyes(rig, neutral, "R")


def test_gaze_brows_and_ears_go_where_they_should() -> None:
    rig = open_character("creature")
    rest = pose(rig)
    gaze = pose(rig, eyeLookOutLeft=1.0, eyeLookInRight=1.0)
    assert (gaze.of("pupil") - rest.of("pupil"))[:, 0].mean() > 0.005, "to his left, +x"
    raised = pose(rig, browOuterUpLeft=1.0, browOuterUpRight=1.0)
    head = rig.pose.bones["brow.L"].head.z
    assert head - rig.data.bones["brow.L"].head_local.z > 0.005
    tops = raised.points[:, 2].max()
    sad = pose(rig, mouthFrownLeft=1.0, mouthFrownRight=1.0)
    assert sad.points[:, 2].max() < tops - 0.01, "his ears droop"
