# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes: later recordings over some channels of a take, or over a part of its time.

A take keeps the raw samples of its first recording and of every pass; what it gives is the first
recording with each pass laid over it, where the pass has the actor in view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..face import EXPRESSIONS, Face
from .performance import Performance

CHANNELS = ("mouth", "brows", "eyes", "head")
"""What can be recorded apart. `head` is the pose, and where the face is in the picture."""

_EYES = ("eye", "cheekSquint")
_HEAD_COLUMNS = ("translation", "box", "landmarks")
_EDGE = 0.1
"""Seconds over which a pass is faded in and out at the ends of its range."""
_GAP = 0.25
"""Seconds between two samples across which a pass still has its actor in view."""


@dataclass(frozen=True)
class Pass:
    """One recording over a take.

    Attributes:
        at: the take's time, in seconds, at the pass's first frame.
        channels: those of CHANNELS that it replaces.
        start, end: the take's time in seconds between which it does; None for no limit.
    """

    at: float
    channels: tuple[str, ...] = CHANNELS
    start: float | None = None
    end: float | None = None


def expressions_of(channels: tuple[str, ...]) -> np.ndarray:
    """(52,) bool: the expressions of some channels."""
    return np.array([_channel_of(name) in channels for name in EXPRESSIONS])


def with_channels(base: Face, over: Face, channels: tuple[str, ...]) -> Face:
    """A face with some channels of another, as a pass that is being recorded shows."""
    chosen = expressions_of(channels)
    face = base.with_(expression=np.where(chosen, over.expression, base.expression))
    if "head" not in channels:
        return face
    moved = {name: getattr(over, name) for name in (*_HEAD_COLUMNS, "rotation")}
    return face.with_(**moved)


def lay_over(base: Performance, over: Performance, under: Pass) -> Performance:
    """An actor's performance with a pass over it.

    The pass is read at the moments of the base's samples, and faded in and out at its ends.

    Args:
        over: the pass's samples, in the take's time.
    """
    weight = _weight(base.time, over.time, under)
    touched = np.flatnonzero(weight)
    if not len(touched):
        return base
    weight = weight[touched]
    after = np.clip(np.searchsorted(over.time, base.time[touched]), 1, max(len(over) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(over) - 1)
    span = np.maximum(over.time[after] - over.time[before], 1e-9)
    share = np.clip((base.time[touched] - over.time[before]) / span, 0.0, 1.0)

    columns = {"expression": base.expression.copy()}
    chosen = np.flatnonzero(expressions_of(under.channels))
    columns["expression"][np.ix_(touched, chosen)] = _mixed(
        base.expression[touched][:, chosen],
        _mixed(over.expression[before], over.expression[after], share)[:, chosen],
        weight,
    )
    if "head" in under.channels:
        for name in (*_HEAD_COLUMNS, "rotation"):
            old, new = getattr(base, name), getattr(over, name)
            columns[name] = old.copy()
            columns[name][touched] = _mixed(
                old[touched], _mixed(new[before], new[after], share), weight
            )
        columns["rotation"][touched] = _nearest_rotations(columns["rotation"][touched])
    return replace(base, **columns)


def _channel_of(expression: str) -> str:
    if expression.startswith("brow"):
        return "brows"
    return "eyes" if expression.startswith(_EYES) else "mouth"


def _weight(times: np.ndarray, over: np.ndarray, under: Pass) -> np.ndarray:
    """(n,) how much of the pass shows at each of the base's moments, 0..1."""
    if not len(over):
        return np.zeros(len(times))
    start = over[0] if under.start is None else max(under.start, over[0])
    end = over[-1] if under.end is None else min(under.end, over[-1])
    after = np.clip(np.searchsorted(over, times), 0, len(over) - 1)
    apart = over[after] - over[np.maximum(after - 1, 0)]
    seen = (times >= start) & (times <= end) & (apart <= _GAP)
    fade = np.ones(len(times))
    if under.start is not None:
        fade = np.minimum(fade, (times - start) / _EDGE)
    if under.end is not None:
        fade = np.minimum(fade, (end - times) / _EDGE)
    return np.where(seen, np.clip(fade, 0.0, 1.0), 0.0)


def _mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(n, ...) between two, by (n,) shares of the second."""
    return first + (second - first) * share.reshape(-1, *[1] * (first.ndim - 1))


def _nearest_rotations(matrices: np.ndarray) -> np.ndarray:
    """(n, 3, 3) the rotations nearest to means of rotations that are not opposite."""
    u, _, v = np.linalg.svd(matrices.astype(np.float64))
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    return u @ v
