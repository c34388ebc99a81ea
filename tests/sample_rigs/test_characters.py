# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every sample character, opened by this Blender."""

from __future__ import annotations

import bpy
import numpy as np
import pytest

from tests.sample_rigs.stage import FOLDER, open_character, shoot

CHARACTERS = {
    "human_a": ("Amara", "arkit"),
    "human_b": ("Viktor", "arkit"),
    "stylised": ("Mio", "vrm1"),
    "creature": ("Rusty", "bones"),
}


@pytest.mark.parametrize("name", CHARACTERS)
def test_file_is_small_and_from_blender_4_2(name: str) -> None:
    open_character(name)
    assert (FOLDER / f"{name}.blend").stat().st_size <= 6_000_000
    assert bpy.data.version[:2] == (4, 2), "newer files do not open in Blender 4.2"


@pytest.mark.parametrize("name", CHARACTERS)
def test_one_collection_holds_the_character_and_the_rig_says_its_profile(name: str) -> None:
    title, profile = CHARACTERS[name]
    rig = open_character(name)
    assert rig.name == title
    assert rig in list(bpy.data.collections[title].objects)
    assert set(rig.children) == set(bpy.data.collections[title].objects) - {rig}
    assert (rig["mfn_profile"], rig["mfn_rig_version"]) == (profile, 1)


@pytest.mark.parametrize("name", CHARACTERS)
def test_bones_stand_upright_so_a_head_rotation_is_a_bone_rotation(name: str) -> None:
    rig = open_character(name)
    head_axes = np.array([(1, 0, 0), (0, 0, -1), (0, 1, 0)])  # columns: left, up, out of the face
    assert {"chest", "neck", "head", "jaw", "eye.L", "eye.R"} <= set(rig.pose.bones.keys())
    for pose in rig.pose.bones:
        assert np.allclose(pose.bone.matrix_local.to_3x3(), head_axes, atol=1e-5), pose.name
        assert pose.rotation_mode == "XYZ"


@pytest.mark.parametrize("name", CHARACTERS)
def test_head_turns_with_its_bone_and_the_chest_stays(name: str) -> None:
    rig = open_character(name)
    before = shoot(rig).points
    rig.pose.bones["head"].rotation_euler.y = np.radians(30)
    after = shoot(rig).points
    high = before[:, 2] > before[:, 2].max() - 0.04
    low = before[:, 2] < 0.03
    pivot = np.array(rig.pose.bones["head"].head)
    c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
    turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])  # to the character's left
    assert np.allclose(after[high], (before[high] - pivot) @ turn.T + pivot, atol=1e-4)
    assert np.allclose(after[low], before[low], atol=1e-5)


@pytest.mark.parametrize("name", CHARACTERS)
def test_character_has_real_size_and_faces_the_front(name: str) -> None:
    rig = open_character(name)
    shot = shoot(rig)
    assert -0.08 < shot.points[:, 2].min() < 0.02, "the bust stands on the floor"
    assert 0.30 < shot.points[:, 2].max() < 0.70
    assert shot.of("pupil")[:, 1].max() < rig.pose.bones["head"].head.y, "faces -y"
    assert rig.pose.bones["eye.L"].head.x > 0.01, "its left is at +x"


@pytest.mark.parametrize("name", CHARACTERS)
def test_parts_have_materials_of_their_own_that_the_viewport_shows(name: str) -> None:
    rig = open_character(name)
    materials = {m.name.split(" ", 1)[1]: m for o in rig.children for m in o.data.materials}
    assert {"sclera", "iris", "pupil", "teeth", "tongue"} <= set(materials)
    shades = {tuple(round(c, 3) for c in m.diffuse_color) for m in materials.values()}
    assert len(shades) >= 9
    assert all("Colour" in o.data.color_attributes for o in rig.children)
