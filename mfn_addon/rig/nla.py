# SPDX-License-Identifier: GPL-3.0-or-later
"""A bake as a strip on an NLA track of its own, over whatever the character does already."""

from __future__ import annotations

from typing import Any

import numpy as np

from .curves import Curves, Earlier, Origin, Owner


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


def drop_strips(owner: Owner, take: Origin) -> Earlier | None:
    """Take an earlier bake of the same take off its tracks; tracks left empty go too.

    Returns:
        What they played, or None where there was none.
    """
    data: Any = owner.animation_data
    if data is None:
        return None
    earlier = None
    for track in list(data.nla_tracks):
        mine = [strip for strip in track.strips if take.made(strip.action)]
        for strip in mine:
            earlier = Earlier(strip.action, getattr(strip, "action_slot", None))
            track.strips.remove(strip)
        if mine and not track.strips:
            data.nla_tracks.remove(track)
    return earlier
