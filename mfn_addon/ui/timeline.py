# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording along the timeline: the scene plays, with its sound, and where it was is measured."""

from __future__ import annotations

from statistics import median
from typing import Any

import bpy

from ..rig.bake import scene_rate
from ..take import Take

_MOST = 2500
"""Looks at the timeline: ten seconds of ticks say where it runs; later it may loop."""


class Timeline:
    """The scene's time against the computer's clock, from many looks.

    Blender tells whole frames only, and begins to play a little after it is told to: a single
    look would be off by a frame or more, the median of many is not.
    """

    def __init__(self, rate: float) -> None:
        """Args: rate: frames a second of the scene."""
        self._rate = rate
        self._shifts: list[float] = []
        self._last = -float("inf")

    def look(self, frame: float, now: float) -> None:
        """The scene is at a frame, which it has just reached or is about to leave."""
        if frame < self._last or len(self._shifts) >= _MOST:
            return  # it has begun anew, or enough is known
        self._last = frame
        self._shifts.append((frame + 0.5) / self._rate - now)

    def at(self, moment: float) -> float | None:
        """The scene's time in seconds (its frame over its rate) at a moment of the clock."""
        return moment + median(self._shifts) if self._shifts else None


class Playback:
    """Plays the scene of a window from here on, until `end`; leaves one that plays already."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._started = False
        self._sync_mode: Any = scene.sync_mode
        if is_playing() or not _windows():
            return
        if scene.sync_mode == "NONE":
            scene.sync_mode = "FRAME_DROP"  # a slow scene would fall behind its sound
        with bpy.context.temp_override(window=_windows()[0]):
            bpy.ops.screen.animation_play()
        self._started = True

    def end(self, scene: bpy.types.Scene | None) -> None:
        """Stop where the scene is now."""
        if not self._started:
            return
        if is_playing():
            with bpy.context.temp_override(window=_windows()[0]):
                bpy.ops.screen.animation_cancel(restore_frame=False)
        if scene is not None:
            scene.sync_mode = self._sync_mode


def is_playing() -> bool:
    """Whether any window plays its scene."""
    return any(window.screen.is_animation_playing for window in _windows())


def first_frame(take: Take, scene: bpy.types.Scene) -> float:
    """The scene's frame on which a take's first picture falls when it is baked."""
    settings = scene.mfn  # pyright: ignore[reportAttributeAccessIssue] the extension's
    if take.timeline is None or not settings.bake_timeline:
        return settings.bake_start
    return (take.timeline + take.start) * scene_rate(scene)


def _windows() -> list[Any]:
    return list(bpy.context.window_manager.windows)
