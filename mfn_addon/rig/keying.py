# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels become keys: all of them, or as few as a tolerance allows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..retarget.reduction import Tolerance, kept_keys
from .channels import Channel
from .curves import Curves


@dataclass
class Tally:
    """What was keyed.

    Attributes:
        keys: how many keys were written, and of: how many a bake without reduction writes.
        errors: unit -> the largest error of a reduced curve, in "%", "°" and "mm".
    """

    keys: int = 0
    of: int = 0
    errors: dict[str, float] = field(default_factory=dict)


def key_channels(
    curves: Curves,
    channels: list[Channel],
    frames: np.ndarray,
    tolerance: Tolerance | None,
    tally: Tally,
) -> None:
    """Replace the channels' curves, and count.

    Args:
        frames: (n,) scene frames.
        tolerance: None keeps a key on every frame.
    """
    kept = _kept(channels, tolerance) if tolerance else [None] * len(channels)
    for channel, keep in zip(channels, kept, strict=True):
        reduced = np.empty(channel.values.shape) if keep is not None else None
        for i, index in enumerate(channel.indices):
            column = channel.values[:, i]
            chosen = slice(None) if keep is None else keep[:, i]
            at, values = frames[chosen], column[chosen].astype(np.float32)
            written = curves.replace(channel.path, index, at, values, channel.group)
            tally.keys += written
            tally.of += len(frames) if len(at) == written else written
            if reduced is not None:
                reduced[:, i] = np.interp(frames, at[:written], values[:written])
        if reduced is not None:
            error = max(tally.errors.get(channel.unit, 0.0), channel.error(reduced))
            tally.errors[channel.unit] = error


def _kept(channels: list[Channel], tolerance: Tolerance) -> list[np.ndarray | None]:
    """For each channel (n, indices) which keys stay; None where all do."""
    limits = [channel.limits(tolerance) for channel in channels]
    reducible = [i for i, limit in enumerate(limits) if limit is not None]
    kept: list[np.ndarray | None] = [None] * len(channels)
    if not reducible:
        return kept
    together = kept_keys(
        np.hstack([channels[i].values for i in reducible]),
        np.concatenate([limit for limit in limits if limit is not None]),
    )
    ends = np.cumsum([len(channels[i].indices) for i in reducible])[:-1]
    for i, part in zip(reducible, np.split(together, ends, axis=1), strict=True):
        kept[i] = part
    return kept
