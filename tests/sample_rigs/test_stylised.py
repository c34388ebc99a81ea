# SPDX-License-Identifier: GPL-3.0-or-later
"""Mio: VRM 1.0's expressions; her eyes follow the eye bones."""

from __future__ import annotations

import numpy as np

from tests.sample_rigs.stage import open_character, open_eyes, shoot

VRM1 = ("neutral", "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "happy",
        "angry", "sad", "relaxed", "surprised", "lookUp", "lookDown", "lookLeft",
        "lookRight")  # fmt: skip


def test_shape_keys_are_vrms() -> None:
    rig = open_character("stylised")
    (keys,) = [o.data.shape_keys for o in rig.children if o.data.shape_keys]
    assert [b.name for b in keys.key_blocks] == ["Basis", *VRM1]
    assert all(b.value == 0 for b in keys.key_blocks)


def test_vowels_open_the_mouth_each_in_its_own_way() -> None:
    rig = open_character("stylised")
    rest = shoot(rig).points
    shapes = {v: shoot(rig, **{v: 1.0}).points - rest for v in ("aa", "ih", "ou", "ee", "oh")}
    for vowel, moved in shapes.items():
        assert np.abs(moved).max() > 0.003, vowel
    lips = {v: np.ptp(shoot(rig, **{v: 1.0}).of("lips"), axis=0) for v in shapes}
    assert lips["aa"][2] == max(size[2] for size in lips.values()), "aa opens widest"
    assert lips["ou"][0] == min(size[0] for size in lips.values()), "ou is the narrowest"
    assert lips["ee"][0] > lips["oh"][0]


def test_blinks_close_the_eyes() -> None:
    rig = open_character("stylised")
    neutral = shoot(rig)
    for key, shut, still in (("blinkLeft", "L", "R"), ("blinkRight", "R", "L")):
        shot = shoot(rig, **{key: 1.0})
        assert open_eyes(rig, shot, shut) <= 0.05 * open_eyes(rig, neutral, shut)
        assert open_eyes(rig, shot, still) == open_eyes(rig, neutral, still)
    both = shoot(rig, blink=1.0)
    assert open_eyes(rig, both, "L") + open_eyes(rig, both, "R") <= 10


def test_gaze_is_the_eye_bones_and_no_shape_turns_the_eyeballs() -> None:
    rig = open_character("stylised")
    assert rig["mfn_eyes"] == "bones"
    ahead = shoot(rig).of("pupil", "iris")
    for key in ("lookUp", "lookDown", "lookLeft", "lookRight"):
        assert np.allclose(shoot(rig, **{key: 1.0}).of("pupil", "iris"), ahead, atol=1e-6)
    for side in "LR":
        rig.pose.bones[f"eye.{side}"].rotation_euler.y = np.radians(20)
    assert (shoot(rig).of("pupil", "iris") - ahead)[:, 0].mean() > 0.004, "to her left"
