# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels become keys: all of them, or as few as a tolerance allows."""

from __future__ import annotations

from collections.abc import Sequence
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
    channels: Sequence[Channel],
    kept: Sequence[np.ndarray | None],
    frames: np.ndarray,
    tally: Tally,
) -> None:
    """Replace the channels' curves, and count.

    Args:
        kept: what `kept_of` says of each channel.
        frames: (n,) scene frames.
    """
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


def kept_of(channels: Sequence[Channel], tolerance: Tolerance | None) -> list[np.ndarray | None]:
    """For each channel (n, indices) which keys stay; None where all do.

    Args:
        channels: of as many characters as there are: together they take little longer than one.
        tolerance: None keeps a key on every frame.
    """
    kept: list[np.ndarray | None] = [None] * len(channels)
    limits: dict[int, np.ndarray] = {}
    together: dict[int, list[int]] = {}  # those of as many frames
    for i, channel in enumerate(channels):
        limit = channel.limits(tolerance) if tolerance else None
        if limit is not None:
            limits[i] = limit
            together.setdefault(len(channel.values), []).append(i)
    for members in together.values():
        columns = kept_keys(
            np.hstack([channels[i].values for i in members]),
            np.concatenate([limits[i] for i in members]),
        )
        ends = np.cumsum([len(channels[i].indices) for i in members])[:-1]
        for i, part in zip(members, np.split(columns, ends, axis=1), strict=True):
            kept[i] = part
    return kept
