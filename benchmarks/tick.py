# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""The live tick in Blender: 4 faces onto 4 rigs, then Blender's own evaluation of the scene."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import bpy
import numpy as np

from benchmarks.pictures import RIGS, lively_face
from benchmarks.timing import Report, Row, measure_in_turn
from mfn_addon.rig import bind
from mfn_addon.rig.assemble import append_character
from mfn_addon.rig.describe import meshes_of

FRAMES = 240
CASES = {"4 faces on 4 rigs": RIGS, "4 faces on 4 people of 52 shape keys": 2 * RIGS[:2]}


def run(quick: bool) -> Report:
    """Measure the whole tick beside the same values written bare, both with the evaluation."""
    rows, notes = [], [f"Blender {bpy.app.version_string}."]
    for case, rigs in CASES.items():
        row, writing, least = _measure(case, rigs, 20 if quick else 400)
        rows.append(row)
        notes.append(
            f"{case}: before the evaluation ours takes {writing[0]:.2f} ms, the bare writing "
            f"{writing[1]:.2f} ms (medians within the same ticks); of the 10 % fastest ticks the "
            f"ratio is {least:.2f}, where other work on the machine stands least in the way."
        )
    return Report(
        title="The live tick in Blender",
        limit="bare foreach_set + view-layer update",
        rows=rows,
        notes=notes,
    )


def _measure(case: str, rigs: Sequence[Path], repeat: int) -> tuple[Row, list[float], float]:
    """The case's row, the milliseconds of ours and of the bare writing, and the ratio of the
    fastest ticks."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    characters = [append_character(path, scene) for path in rigs]
    bindings = [bind(character) for character in characters]
    faces = [[lively_face(n, k / 60) for n in range(1, len(rigs) + 1)] for k in range(FRAMES)]
    recorded = [_values_after(bindings, characters, frame) for frame in faces]

    def ours(frame: int) -> None:
        for binding, face in zip(bindings, faces[frame], strict=True):
            binding.apply(face)

    def bare(frame: int) -> None:
        shapes, bones = recorded[frame]
        for keys, values in shapes:
            keys.key_blocks.foreach_set("value", values)
            keys.update_tag()
        for bone, path, value in bones:
            setattr(bone, path, value)

    ticks = [_Tick(ours), _Tick(bare)]
    timings = measure_in_turn(ticks, repeat, warm_up=10)
    writing = [1000 * float(np.median(tick.writing)) for tick in ticks]
    return Row(case, *timings), writing, timings[0].low / timings[1].low


class _Tick:
    """Writes the next frame and has the scene evaluated; `writing` are the seconds of the first."""

    def __init__(self, write: Callable[[int], None]) -> None:
        self._write, self._turn = write, count()
        self.writing: list[float] = []

    def __call__(self) -> None:
        frame = next(self._turn) % FRAMES
        start = time.perf_counter()
        self._write(frame)
        self.writing.append(time.perf_counter() - start)
        bpy.context.view_layer.update()


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
