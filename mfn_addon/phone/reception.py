# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a sender's frames come through: rate, and a signal of 0 to 4 bars."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

_WINDOW = 60
"""Frames: the last two seconds."""
_SILENCE = 2.0
"""Seconds without a frame after which nothing comes through."""
BARS = ((4, 0.01, 0.020), (3, 0.05, 0.050), (2, 0.15, 0.150))
"""Bars, and what they allow at most: the share of frames lost, and the seconds by which delays
vary. With more there is one."""


@dataclass(frozen=True)
class _Arrival:
    sequence: int
    delay: float  # seconds
    at: float  # our clock


class Reception:
    """The last frames of one connection."""

    def __init__(self) -> None:
        self._arrivals: deque[_Arrival] = deque(maxlen=_WINDOW)

    def see(self, sequence: int, delay: float, at: float) -> None:
        """Take note of a frame that is newer than all before.

        Args:
            sequence: its number.
            delay: seconds from its sending to its arrival; a constant error does no harm.
            at: our clock.
        """
        self._arrivals.append(_Arrival(sequence, delay, at))

    def rate(self, now: float) -> float:
        """Frames a second over the last second or two; 0 where none came lately."""
        if not self._heard(now):
            return 0.0
        first, last = self._arrivals[0], self._arrivals[-1]
        return (len(self._arrivals) - 1) / max(last.at - first.at, 1e-3)

    def signal(self, now: float) -> int:
        """Bars, 0 to 4: 0 where nothing came lately (docs/protocol.md has the table)."""
        if not self._heard(now):
            return 0
        first, last = self._arrivals[0], self._arrivals[-1]
        lost = 1 - len(self._arrivals) / (last.sequence - first.sequence + 1)
        delays = [each.delay for each in self._arrivals]
        varies = float(np.quantile(delays, 0.95)) - min(delays)
        fitting = (bars for bars, most, longest in BARS if lost <= most and varies <= longest)
        return next(fitting, 1)

    def _heard(self, now: float) -> bool:
        return len(self._arrivals) >= 2 and now - self._arrivals[-1].at <= _SILENCE
