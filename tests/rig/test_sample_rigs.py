# SPDX-License-Identifier: GPL-3.0-or-later
"""The characters that ship are matched whole, and nothing on them is moved twice."""

import bpy
import numpy as np
import pytest

from mfn_addon.face import EXPRESSIONS
from mfn_addon.rig import bind
from mfn_addon.rig.assemble import append_character
from tests.rig.characters import face, new_file


@pytest.fixture
def character(repository):
    def append(name):
        path = repository / "sample_rigs" / f"{name}.blend"
        if not path.is_file():
            pytest.skip(f"{path.name} is not built (run `make rigs`)")
        new_file()
        return append_character(path, bpy.context.scene)

    return append


@pytest.mark.parametrize("name", ["human_a", "human_b"])
def test_humans_have_all_52_and_turn_head_and_neck(character, name):
    binding = bind(character(name))
    assert set(binding.report.found) == set(EXPRESSIONS)
    assert not binding.report.missing
    assert set(binding.report.bones) == {"head", "neck"}  # eyes and jaw are in the shape keys


def test_the_stylised_character_looks_with_its_eye_bones(character):
    binding = bind(character("stylised"))
    assert binding.report.profile == "vrm1"
    assert {"eyeLeft", "eyeRight", "head"} <= set(binding.report.bones)
    assert {"aa", "blinkLeft", "blinkRight", "happy"} <= set(binding.report.found)


def test_the_creature_answers_with_bones_alone(character):
    rig = character("creature")
    binding = bind(rig)
    assert binding.report.profile == "bones"
    assert not binding.report.missing
    assert not binding.plan.shapes
    before = np.array(rig.pose.bones["jaw"].rotation_euler)
    binding.apply(face(jawOpen=1.0))
    assert np.abs(np.array(rig.pose.bones["jaw"].rotation_euler) - before).max() > 0.2


@pytest.mark.parametrize("name", ["human_a", "human_b", "stylised", "creature"])
def test_every_expression_moves_something_visible(character, name):
    """Each of the 52 changes a shape key or a bone, but for those that a rig has no part for."""
    binding = bind(character(name))
    still = np.eye(3)
    rest = binding.plan.solve(np.zeros(52), still)
    deaf = []
    for index, expression in enumerate(EXPRESSIONS):
        pose = binding.plan.solve(np.eye(52)[index], still)
        pairs = zip(pose.shapes + pose.bones, rest.shapes + rest.bones, strict=True)
        if not any(np.abs(ours - theirs).max() > 1e-3 for ours, theirs in pairs):
            deaf.append(expression)
    allowed = {"human_a": 0, "human_b": 0, "stylised": 30, "creature": 12}
    assert len(deaf) <= allowed[name], deaf
