# SPDX-License-Identifier: GPL-3.0-or-later
"""The delta location that an animator gave an object. A performance that moves the object moves it
from there, and what it writes must never be taken for the animator's: else each further bake would
start where the last one ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np

from ..retarget import OBJECT_PLACE
from .curves import is_baked

OWN_PROPERTY = "mfn_delta_location"
"""On an object that a bake moves: the animator's delta location."""

_held: dict[int, np.ndarray] = {}
"""Object's session id -> its own delta location, while a live performance moves it."""


def own_delta(obj: bpy.types.Object) -> np.ndarray:
    """(3,) the delta location that is the animator's, whatever moves the object just now."""
    held = _held.get(obj.session_uid)
    if held is not None:
        return held
    if OWN_PROPERTY in obj and moved_by_bake(obj):
        return np.array(obj[OWN_PROPERTY])
    return np.array(obj.delta_location)


def hold(uid: int, own: np.ndarray) -> None:
    """A live performance moves the object of this session id."""
    _held[uid] = own


def release(uid: int) -> None:
    """It does so no longer."""
    _held.pop(uid, None)


def settle(obj: bpy.types.Object, own: np.ndarray) -> None:
    """After a bake: note the (3,) animator's own delta location where the bake moves the object,
    and give it back where an earlier one did."""
    if moved_by_bake(obj):
        obj[OWN_PROPERTY] = own.tolist()
    elif OWN_PROPERTY in obj:
        obj.delta_location = own.tolist()
        del obj[OWN_PROPERTY]


def moved_by_bake(obj: bpy.types.Object) -> bool:
    """Whether an action or a strip that the object has holds what a bake wrote of its place."""
    return any(
        curve.data_path == OBJECT_PLACE and is_baked(curve)
        for action in _actions(obj)
        for curve in _curves(action)
    )


def _actions(obj: bpy.types.Object) -> Iterator[bpy.types.Action]:
    data = obj.animation_data
    if data is None:
        return
    if data.action is not None:
        yield data.action
    for track in data.nla_tracks:
        yield from (strip.action for strip in track.strips if strip.action is not None)


def _curves(action: Any) -> Iterator[Any]:
    if not hasattr(action, "slots"):  # 4.2
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves
