# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a sample character, pose it, and look at where its surfaces are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

FOLDER = Path(__file__).resolve().parents[2] / "sample_rigs"
EYE_PARTS = ("sclera", "iris", "pupil", "glint")


@dataclass
class Shot:
    """A character's evaluated surface in one pose: points (V, 3), and triangles by part."""

    points: np.ndarray
    triangles: np.ndarray
    parts: np.ndarray

    def of(self, *parts: str) -> np.ndarray:
        """(N, 3) the points of the named parts."""
        return self.points[np.unique(self.triangles[np.isin(self.parts, parts)])]

    def seen(self, x: np.ndarray, z: np.ndarray) -> list[str]:
        """Which part a look from the front meets first at each (x, z); "" beside the character."""
        corner = self.points[self.triangles]
        low, high = corner.min(1), corner.max(1)
        near = (high[:, 0] > x.min()) & (low[:, 0] < x.max())
        near &= (high[:, 2] > z.min()) & (low[:, 2] < z.max())
        used, local = np.unique(self.triangles[near], return_inverse=True)
        tree = BVHTree.FromPolygons(self.points[used].tolist(), local.reshape(-1, 3).tolist())
        parts, met = self.parts[near], []
        for a, b in zip(x, z, strict=True):
            _, _, number, _ = tree.ray_cast(Vector((a, -3.0, b)), Vector((0, 1, 0)))
            met.append("" if number is None else str(parts[number]))
        return met


def open_character(name: str) -> bpy.types.Object:
    """The armature of sample_rigs/NAME.blend, opened afresh."""
    bpy.ops.wm.open_mainfile(filepath=str(FOLDER / f"{name}.blend"))
    return next(o for o in bpy.context.scene.objects if o.type == "ARMATURE")


def shoot(rig: bpy.types.Object, **weights: float) -> Shot:
    """The character with these shape-key values (all others nought), as the viewport shows it."""
    for mesh in rig.children:
        keys = mesh.data.shape_keys
        if keys:
            for block in keys.key_blocks[1:]:
                block.value = weights.get(block.name, 0.0)
            keys.update_tag()
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    points, triangles, parts, count = [], [], [], 0
    for mesh in rig.children:
        seen = mesh.evaluated_get(graph)
        data = seen.to_mesh()
        data.calc_loop_triangles()
        flat = np.empty(3 * len(data.vertices), np.float32)
        data.vertices.foreach_get("co", flat)
        world = np.array(seen.matrix_world)
        points.append(flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
        corner = np.empty(3 * len(data.loop_triangles), np.int32)
        data.loop_triangles.foreach_get("vertices", corner)
        slot = np.empty(len(data.loop_triangles), np.int32)
        data.loop_triangles.foreach_get("material_index", slot)
        names = np.array([m.name.split(" ", 1)[1] for m in mesh.data.materials])
        triangles.append(corner.reshape(-1, 3) + count)
        parts.append(names[slot])
        count += len(data.vertices)
        seen.to_mesh_clear()
    return Shot(np.concatenate(points), np.concatenate(triangles), np.concatenate(parts))


def open_eyes(rig: bpy.types.Object, shot: Shot, side: str) -> int:
    """How many of a fine grid of looks at an eye meet the eyeball, "L" or "R"."""
    at = rig.matrix_world @ rig.pose.bones[f"eye.{side}"].head
    ball = shot.of("iris")
    half = 1.6 * np.ptp(ball[np.sign(ball[:, 0]) == np.sign(at.x)][:, 0])
    x, z = np.meshgrid(at.x + half * np.linspace(-1, 1, 41), at.z + half * np.linspace(-1, 1, 41))
    return sum(part in EYE_PARTS for part in shot.seen(x.ravel(), z.ravel()))
