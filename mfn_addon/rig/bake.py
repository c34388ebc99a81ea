# SPDX-License-Identifier: GPL-3.0-or-later
"""From a take to keyframes: the same retargeting as live, resampled at the scene's frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ..retarget import Options, Pose
from ..retarget import rotation as rot
from ..retarget.smoothing import smoothed
from ..retarget.timing import resample
from ..take import Take
from .binding import Binding, bind
from .curves import Curves
from .lookup import shape_keys_of

Progress = Callable[[float], None]


@dataclass(frozen=True)
class BakeReport:
    """What a bake did: character's name -> the binding's report, and counts."""

    characters: dict[str, str]
    frame_start: int
    frame_end: int
    keys: int

    def summary(self) -> str:
        """One line for the status bar."""
        names = ", ".join(self.characters)
        span = f"frames {self.frame_start} to {self.frame_end}"
        return f"Baked {self.keys} keys to {names}, {span}"


def scene_rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return scene.render.fps / scene.render.fps_base


def bake_take(
    take: Take,
    cast: Mapping[int, bpy.types.Object],
    scene: bpy.types.Scene,
    *,
    start: int | None = None,
    options: Mapping[int, Options] | None = None,
    progress: Progress | None = None,
) -> BakeReport:
    """Bake actors to characters as actions; baking again replaces.

    Args:
        take: an open take.
        cast: actor's id -> the character's armature or mesh.
        scene: gives the frame rate, and the first frame unless `start` does.
        start: the frame on which the take's first picture falls.
        options: actor's id -> how its character is driven.
        progress: called with 0..1.

    Raises:
        RigError: a character cannot be driven. Nothing has been baked then.
        TakeError: the take lacks an actor, or is damaged. Nothing has been baked then.
    """
    bindings = {actor: bind(obj, (options or {}).get(actor)) for actor, obj in cast.items()}
    performances = {actor: take.performance(actor) for actor in cast}
    start = scene.frame_start if start is None else start
    rate = scene_rate(scene)
    # The scene keeps its rate in single precision: do not lose the last frame to that.
    count = int(np.floor(take.duration * rate + 0.01)) + 1
    at = take.start + np.arange(count) / rate
    frames = start + np.arange(count, dtype=np.float64)

    keys = 0
    for done, (actor, binding) in enumerate(bindings.items()):
        performance = performances[actor]
        calm = smoothed(performance.time, performance.expression, binding.plan.table.smoothing)
        expression, rotation = resample(performance.time, calm, performance.rotation, at)
        pose = binding.plan.solve(expression, rotation)
        keys += bake_pose(binding, pose, frames, take.path.stem)
        if progress:
            progress((done + 1) / len(bindings))
    return BakeReport(
        {binding.ref.name: binding.report.summary() for binding in bindings.values()},
        start,
        start + count - 1,
        keys,
    )


def bake_pose(binding: Binding, pose: Pose, frames: np.ndarray, take: str) -> int:
    """Write a solved performance as curves; returns the number of keys.

    Args:
        pose: arrays (n, …) from `Plan.solve`.
        frames: (n,) scene frames.
        take: the take's name, which the action carries.
    """
    name = f"{take} {binding.ref.name}"
    keys = 0
    for target, track, values in zip(binding.meshes, binding.plan.shapes, pose.shapes, strict=True):
        keys_id = shape_keys_of(target.ref.find())
        if keys_id is None:
            continue
        curves = Curves(keys_id, name, take)
        for key, column in zip(track.keys, values.T, strict=True):
            path = f'key_blocks["{bpy.utils.escape_identifier(key)}"].value'
            keys += curves.replace(path, 0, frames, column, "Face")
    root = binding.find()
    if root is not None and binding.plan.bones:
        curves = Curves(root, name, take)
        for track, values in zip(binding.plan.bones, pose.bones, strict=True):
            path = f'pose.bones["{bpy.utils.escape_identifier(track.bone)}"].{track.path}'
            for index, column in zip(track.indices, _smooth(track.path, values).T, strict=True):
                keys += curves.replace(path, index, frames, column, track.bone)
    return keys


def _smooth(path: str, values: np.ndarray) -> np.ndarray:
    """The same rotations without jumps between neighbouring keys."""
    if path == "rotation_quaternion":
        return rot.continuous(values)
    if path == "rotation_euler":
        return np.unwrap(values, axis=0)
    return values
