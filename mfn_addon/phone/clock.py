# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender's clock, as seen by ours: offset and drift from exchanges of the times.

Each exchange has the four times of NTP (RFC 5905): we ask, it receives, it answers, we receive.
No delay is negative, so every exchange bounds the offset from above (on the way there) and from
below (on the way back). The estimate is the line in the middle of the widest corridor between
all upper and all lower bounds: the linear program of Moon, Skelly and Towsley ("Estimation and
removal of clock skew from network delay measurements", 1999), for both directions at once. Only
the fastest messages touch the corridor, so jitter, however long its tail, does not move it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

KEPT = 480
"""Exchanges: a minute and a half."""
_EAGER, _FIT_EVERY = 40, 4
"""Exchanges: after the first ones the line hardly changes, and is fitted at every fourth."""
_MOST_DRIFT = 120e-6
"""Seconds a second: quartz clocks stay within 50 ppm, two of them within twice that."""
_LEAST_SPAN = 60.0
"""Seconds of exchanges from which on a drift can be told from jitter."""
_TOLERANCE = 0.005
"""Seconds by which a corridor may close: browsers round their clocks."""
_FINE = 0.5e-6
"""To what the drift is found."""
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Exchange:
    """The four times, seconds: `asked` and `returned` by our clock, the others by the sender's."""

    asked: float
    received: float
    sent: float
    returned: float


class ClockEstimate:
    """Converts a sender's times to ours, better with each exchange."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._since_fit = 0
        self._around = 0.0  # the sender's time at which the offset is `_offset`
        self._offset, self._drift, self._width = 0.0, 0.0, 0.0

    @property
    def known(self) -> bool:
        """Whether there was an exchange."""
        return bool(self._exchanges)

    @property
    def delay(self) -> float:
        """Seconds, half the corridor's width: the least one-way delay, and the error's bound."""
        return self._width

    @property
    def drift(self) -> float:
        """Seconds that the sender's clock gains in one of its seconds."""
        return self._drift

    def add(self, exchange: Exchange) -> None:
        """Take an exchange into account; one that contradicts the others starts anew."""
        if exchange.returned < exchange.asked or exchange.sent < exchange.received:
            return  # no clock that runs steadily gives these
        self._exchanges.append(exchange)
        self._since_fit += 1
        if len(self._exchanges) > _EAGER and self._since_fit < _FIT_EVERY:
            return
        self._since_fit = 0
        self._fit()
        if self._width < -_TOLERANCE:  # the sender's clock has jumped: a phone that slept
            self._exchanges.clear()
            self._exchanges.append(exchange)
            self._fit()

    def to_ours(self, time: float) -> float:
        """A time of the sender's clock in ours, seconds; unchanged before the first exchange."""
        return time - self._offset - self._drift * (time - self._around)

    def to_theirs(self, time: float) -> float:
        """A time of our clock in the sender's, seconds."""
        passed = time + self._offset - self._around
        return self._around + passed / (1 - self._drift)

    def _fit(self) -> None:
        asked, received, sent, returned = np.array(
            [(each.asked, each.received, each.sent, each.returned) for each in self._exchanges]
        ).T
        self._around = float(received[-1])
        upper, at_upper = received - asked, received - self._around
        lower, at_lower = sent - returned, sent - self._around

        def corridor(drift: float) -> tuple[float, float]:
            """The lowest upper and the highest lower bound where the line has this slope."""
            return float((upper - drift * at_upper).min()), float((lower - drift * at_lower).max())

        def width(drift: float) -> float:
            top, bottom = corridor(drift)
            return (top - bottom) / 2

        long_enough = at_upper[-1] - at_upper[0] >= _LEAST_SPAN
        self._drift = _highest(width, -_MOST_DRIFT, _MOST_DRIFT) if long_enough else 0.0
        top, bottom = corridor(self._drift)
        self._offset, self._width = (top + bottom) / 2, (top - bottom) / 2


def _highest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a concave function is highest, by golden-section search."""
    while high - low > _FINE:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if function(left) < function(right):
            low = left
        else:
            high = right
    return (low + high) / 2
