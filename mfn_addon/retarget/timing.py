# SPDX-License-Identifier: GPL-3.0-or-later
"""From a source's own time stamps to an animation's even frames."""

from __future__ import annotations

import numpy as np

from . import rotation as rot

RATES = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48.0, 50.0, 60000 / 1001, 60.0, 120.0)
HOLD_AFTER = 0.5
"""Seconds without the face from which the character holds still instead of drifting."""
EASE = 0.2
"""Seconds in which it then moves over to the face's first pose after the gap."""
_BLOCK = 1024
"""Moments that are mixed at once: few enough for the processor's cache, where ten minutes in one
go take twice as long."""


def nominal_rate(times: np.ndarray) -> float:
    """Frames a second of (n,) time stamps: the standard rate within 0.4 percent, or the median's.

    The median step forgives dropped frames; 0.4 percent keeps 29.97 and 30 apart only where the
    stamps do, which the mean over unbroken runs decides.
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return 24.0
    median = np.median(steps)
    usual = steps[np.abs(steps - median) < 0.3 * median]  # without the gaps
    rate = 1.0 / float(np.mean(usual))
    nearest = min(RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) < 0.004 * rate else rate


def resample(
    times: np.ndarray, values: np.ndarray, rotation: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A performance at other moments.

    Between samples values are interpolated linearly and rotations along the shorter way.
    Before the first and after the last sample the performance holds; so it does in gaps longer
    than HOLD_AFTER, up to EASE before the face is back.

    Args:
        times: (n,) seconds, rising.
        values: (n, k) expressions, and whatever else moves in straight lines.
        rotation: (n, 3, 3).
        at: (m,) seconds.

    Returns:
        (m, k) and (m, 3, 3).
    """
    after = np.clip(np.searchsorted(times, at), 1, max(len(times) - 1, 1))
    before = after - 1
    if len(times) == 1:
        after = before
    gap = times[after] - times[before]
    start = np.where(gap > HOLD_AFTER, times[after] - EASE, times[before])
    span = np.maximum(times[after] - start, 1e-9)
    weight = np.clip((at - start) / span, 0.0, 1.0)

    mixed = np.empty((len(at), values.shape[1]))
    for first in range(0, len(at), _BLOCK):
        part = slice(first, first + _BLOCK)
        start, end = values[before[part]], values[after[part]]
        np.add(start, (end - start) * weight[part, None], out=mixed[part])
    turns = rot.quaternions_of(rotation)
    turned = rot.interpolate(turns[before], turns[after], weight)
    return mixed, rot.matrices_of(turned)
