# SPDX-License-Identifier: GPL-3.0-or-later
"""A solved performance as animation channels: which property of which ID takes which values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ..retarget import Pose
from ..retarget import rotation as rot
from ..retarget.reduction import Tolerance
from .binding import Binding
from .curves import Owner
from .describe import axes_of
from .lookup import shape_keys_of
from .place import moved_by_bake


@dataclass(frozen=True)
class Channel:
    """One property, with a curve for each index.

    Attributes:
        path: Blender's data path, and group: what its curves are grouped under.
        indices: the components, and values: (n, len(indices)).
        kind: "shape", "location", "rotation_euler", … ; metres: the world's length of one unit.
    """

    path: str
    group: str
    indices: tuple[int, ...]
    values: np.ndarray
    kind: str
    metres: float = 1.0

    def limits(self, tolerance: Tolerance) -> np.ndarray | None:
        """(len(indices),) the largest errors; None where every key is kept."""
        if self.kind == "shape":
            limit = tolerance.of_shape()
        else:
            limit = tolerance.of_bone(self.kind, self.metres)
        return None if limit is None else np.full(len(self.indices), limit)

    def error(self, reduced: np.ndarray) -> float:
        """How far (n, len(indices)) other values are off at worst: %, degrees or millimetres."""
        off = np.abs(reduced - self.values)
        if self.kind == "shape":
            return 100 * float(off.max())
        if self.kind == "location":
            return 1000 * self.metres * float(np.linalg.norm(off, axis=1).max())
        if self.kind == "rotation_quaternion":
            chord = np.linalg.norm(off, axis=1).max()
            return float(np.degrees(2 * np.arcsin(min(chord, 1.0))))
        return float(np.degrees(off.sum(1).max()))

    @property
    def unit(self) -> str:
        """The unit of `error`."""
        return {"shape": "%", "location": "mm"}.get(self.kind, "°")


def channels_of(
    binding: Binding, pose: Pose, scene: bpy.types.Scene
) -> Iterator[tuple[Owner, list[Channel]]]:
    """Each ID of a character with the channels that the pose drives.

    Args:
        pose: arrays (n, …) from `Plan.solve`.
        scene: whose unit scale says how long a metre is.
    """
    for target, track, values in zip(binding.meshes, binding.plan.shapes, pose.shapes, strict=True):
        keys = shape_keys_of(target.ref.find())
        if keys is not None:
            yield (
                keys,
                [
                    Channel(
                        _path("key_blocks", key, "value"), "Face", (0,), column[:, None], "shape"
                    )
                    for key, column in zip(track.keys, values.T, strict=True)
                ],
            )
    root = binding.find()
    # An object that an earlier bake moved has its curves taken out, also where nothing moves now.
    if root is not None and (binding.plan.bones or moved_by_bake(root)):
        metres = _metres(root, scene)
        around = _metres(root.parent, scene)  # an object's location is in its parent's space
        yield root, [
            Channel(
                _path("pose.bones", track.bone, track.path), track.bone, tuple(track.indices),
                _smooth(track.path, values), track.path, metres,
            )
            if track.bone
            else Channel(track.path, "Object", track.indices, values, "location", around)
            for track, values in zip(binding.plan.bones, pose.bones, strict=True)
        ]  # fmt: skip


def _metres(space: bpy.types.Object | None, scene: bpy.types.Scene) -> float:
    """The world's length of one unit in an object's space; None is the world itself."""
    scale = np.linalg.norm(axes_of(space), axis=0).max() if space is not None else 1.0
    return max(float(scale), 1e-9) * scene.unit_settings.scale_length


def _path(collection: str, name: str, of: str) -> str:
    return f'{collection}["{bpy.utils.escape_identifier(name)}"].{of}'


def _smooth(path: str, values: np.ndarray) -> np.ndarray:
    """The same rotations without jumps between neighbouring keys."""
    if path == "rotation_quaternion":
        return rot.continuous(values)
    if path == "rotation_euler":
        return np.unwrap(values, axis=0)
    return values
