# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""Ten minutes at 60 frames a second, baked onto 4 rigs, beside a loop that only adds the keys."""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
import numpy as np

from benchmarks.pictures import RIGS, lively_take
from benchmarks.timing import Report, Row, measure_in_turn
from mfn_addon.retarget.reduction import Tolerance
from mfn_addon.rig import bake_take
from mfn_addon.rig.assemble import append_character
from mfn_addon.take import Take

RATE = 60
MINUTES = 10


def run(quick: bool) -> Report:
    """Measure `bake_take`, with all keys and reduced, beside adding all keys with ready values."""
    seconds = 10 if quick else 60 * MINUTES
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = RATE
    characters = [append_character(path, scene) for path in RIGS]
    cast = dict(enumerate(characters, 1))
    with tempfile.TemporaryDirectory() as folder:
        path = lively_take(Path(folder) / "long.mfntake", seconds, RATE, len(RIGS))
        with Take(path) as take:
            keys = bake_take(take, cast, scene).keys
            reduced = bake_take(take, cast, scene, tolerance=Tolerance())
            curves = keys // (seconds * RATE)
            co = np.empty(2 * seconds * RATE, np.float32)
            co[0::2] = np.arange(seconds * RATE)
            co[1::2] = np.sin(co[0::2] / 40)
            linear = np.ones(seconds * RATE, np.int32)
            full, few, limit, fastest = measure_in_turn(
                [
                    lambda: bake_take(take, cast, scene),
                    lambda: bake_take(take, cast, scene, tolerance=Tolerance()),
                    lambda: _bare(curves, co, linear),
                    lambda: _bare(curves, co, linear.astype(np.uint8), "NONE"),
                ],
                repeat=1 if quick else 5,
                warm_up=0,
            )
    case = f"{seconds} s at {RATE} fps on {len(RIGS)} rigs: {keys / 1e6:.1f} million keys"
    share = f"the same, reduced to {100 * reduced.kept:.0f} % of the keys"
    return Report(
        title="Baking a long take",
        limit="a bare loop of add + foreach_set",
        rows=[
            Row(case, full, limit),
            Row(share, few, limit),
            Row("all keys; the loop takes our two shortcuts", full, fastest),
            Row("reduced; the loop takes our two shortcuts", few, fastest),
        ],
        notes=[
            (
                "Reading the take, resampling and retargeting are included in ours; the bare loop "
                f"adds all keys to as many curves. Blender {bpy.app.version_string}."
            ),
            (
                "Our shortcuts, which a plain loop lacks: interpolations are handed over as bytes, "
                "as Blender stores them, which else are converted key by key; and the curves do "
                "without automatic smoothing, which straight lines have no use for."
            ),
            f"A second of performance bakes in {full.median / seconds:.2f} ms.",
        ],
    )


def _bare(count: int, co: np.ndarray, interpolation: np.ndarray, smoothing: str = "") -> None:
    """Add `count` curves with keys at `co` to a scratch action, and let them go again.

    Args:
        smoothing: how the curves smooth themselves; "" for Blender's own setting.
    """
    action = bpy.data.actions.new("bare")
    if hasattr(action, "slots"):
        slot = action.slots.new(id_type="KEY", name="face")
        strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
        curves = strip.channelbag(slot, ensure=True).fcurves
    else:
        curves = action.fcurves
    for k in range(count):
        curve = curves.new(f'key_blocks["{k}"].value')
        if smoothing:
            curve.auto_smoothing = smoothing
        curve.keyframe_points.add(len(co) // 2)
        curve.keyframe_points.foreach_set("co", co)
        curve.keyframe_points.foreach_set("interpolation", interpolation)
        curve.update()
    bpy.data.actions.remove(action)
