# SPDX-License-Identifier: GPL-3.0-or-later
"""A bake as a strip on an NLA track of its own, over whatever the character does already."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .curves import TAKE_PROPERTY, Curves, Owner


def push_strip(owner: Owner, curves: Curves, take: str, frames: np.ndarray) -> None:
    """Put a bake's action on a new track of its owner, above the others.

    Args:
        frames: (n,) the scene frames that it spans.
    """
    data: Any = owner.animation_data
    track = data.nla_tracks.new()
    track.name = f"MFN {take}"
    strip: Any = track.strips.new(take, int(frames[0]), curves.action)
    if curves.slot is not None:
        strip.action_slot = curves.slot
    # Until its slot is set, the strip cannot know how long its action is.
    strip.action_frame_start = strip.frame_start = float(frames[0])
    strip.action_frame_end = strip.frame_end = float(max(frames[-1], frames[0] + 1))
    strip.extrapolation = "HOLD_FORWARD"


def drop_strips(owner: Owner, take: str) -> None:
    """Take an earlier bake of the same take off its tracks; tracks left empty go too."""
    data: Any = owner.animation_data
    if data is None:
        return
    for track in list(data.nla_tracks):
        mine = [strip for strip in track.strips if _is_of(strip.action, take)]
        for strip in mine:
            track.strips.remove(strip)
        if mine and not track.strips:
            data.nla_tracks.remove(track)


def _is_of(action: bpy.types.Action | None, take: str) -> bool:
    return action is not None and action.get(TAKE_PROPERTY) == take
