# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""The live tick in Blender: 4 faces onto 4 rigs, then Blender's own evaluation of the scene."""

from __future__ import annotations

from itertools import count

import bpy
import numpy as np

from benchmarks.pictures import RIGS, lively_face
from benchmarks.timing import Report, Row, measure_in_turn
from mfn_addon.rig import bind
from mfn_addon.rig.assemble import append_character
from mfn_addon.rig.describe import meshes_of

FRAMES = 240


def run(quick: bool) -> Report:
    """Measure the whole tick beside the same values written bare, both with the evaluation."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    characters = [append_character(path, scene) for path in RIGS]
    bindings = [bind(character) for character in characters]
    faces = [[lively_face(n, k / 60) for n in range(1, len(RIGS) + 1)] for k in range(FRAMES)]
    recorded = [_values_after(bindings, characters, frame) for frame in faces]
    turn_ours, turn_bare, turn_write = count(), count(), count()

    def tick() -> None:
        for binding, face in zip(bindings, faces[next(turn_ours) % FRAMES], strict=True):
            binding.apply(face)
        bpy.context.view_layer.update()

    def bare() -> None:
        for keys, values in recorded[next(turn_bare) % FRAMES][0]:
            keys.key_blocks.foreach_set("value", values)
            keys.update_tag()
        for bone, path, value in recorded[next(turn_write) % FRAMES][1]:
            setattr(bone, path, value)
        bpy.context.view_layer.update()

    ours, limit = measure_in_turn([tick, bare], repeat=20 if quick else 400, warm_up=10)
    case = f"{len(RIGS)} faces on {len(RIGS)} rigs"
    share = 100 * (ours.median - limit.median) / ours.median
    return Report(
        title="The live tick in Blender",
        limit="bare foreach_set + view-layer update",
        rows=[Row(case, ours, limit)],
        notes=[
            f"Blender {bpy.app.version_string}; the product's own part is {share:.0f} % of the tick"
        ],
    )


def _values_after(bindings: list, characters: list, faces: list) -> tuple[list, list]:
    """What one tick leaves behind: values per shape-key block, and per bone the moved path."""
    for binding, face in zip(bindings, faces, strict=True):
        binding.apply(face)
    shapes, bones = [], []
    for character, binding in zip(characters, bindings, strict=True):
        for mesh in meshes_of(character):
            keys = mesh.data.shape_keys
            if keys is not None:
                values = np.empty(len(keys.key_blocks), np.float32)
                keys.key_blocks.foreach_get("value", values)
                shapes.append((keys, values))
        for track in binding.plan.bones:
            bone = character.pose.bones[track.bone]
            bones.append((bone, track.path, tuple(getattr(bone, track.path))))
    return shapes, bones
