# SPDX-License-Identifier: GPL-3.0-or-later
"""A sender's clock, as seen by ours: offset and drift from exchanges of the times.

Each exchange has the four times of NTP (RFC 5905): we ask, it receives, it answers, we receive.
No delay is negative, so every exchange bounds the offset from above (on the way there) and from
below (on the way back). So does every frame from below, as it tells when it was sent. For each
drift that a quartz may have, the highest lower and the lowest upper bound leave a corridor: the
linear program of Moon, Skelly and Towsley ("Estimation and removal of clock skew from network delay
measurements", 1999), for both directions at once. The estimate is the mean of the corridors'
middles, weighted by how likely a drift is before anything was measured, and by how wide it leaves
the corridor: after seconds that hardly tells drifts apart, after a minute it does. Only the fastest
messages touch a corridor, so jitter, however long its tail, does not move it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

KEPT = 480
"""Exchanges: a minute and a half."""
_EAGER, _FIT_EVERY = 40, 4
"""Exchanges: after the first ones the line hardly changes, and is fitted at every fourth."""
_DRIFTS = np.arange(-150, 151, 10) * 1e-6
"""Seconds a second: quartz clocks stay within 50 ppm, two of them within twice that."""
_WIDENING = 12
"""The power of a corridor's width in its drift's weight: of 1 to 48 the best on simulated claps."""
_BEFORE = np.exp(-0.5 * (_DRIFTS / 50e-6) ** 2)
"""The drifts' weights before anything was measured."""
_TOLERANCE = 0.005
"""Seconds by which a corridor may close: browsers round their clocks."""
_LEAST_WIDTH = 1e-6
"""Seconds, so that closed corridors keep some weight."""


@dataclass(frozen=True)
class Exchange:
    """The four times, seconds: `asked` and `returned` by our clock, the others by the sender's.

    The last two may be those of any message of the sender, not only of its answer.
    """

    asked: float
    received: float
    sent: float
    returned: float


class ClockEstimate:
    """Converts a sender's times to ours, better with each exchange."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._fastest: tuple[float, float] | None = None  # of the frames since the last exchange
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
        sent, returned = exchange.sent, exchange.returned
        if self._fastest is not None and self._fastest[0] - self._fastest[1] > sent - returned:
            sent, returned = self._fastest
        self._fastest = None
        exchange = Exchange(exchange.asked, exchange.received, sent, returned)
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

    def note(self, sent: float, arrived: float) -> None:
        """Take a message into account that tells when it was sent.

        Args:
            sent: by the sender's clock; earlier than it was does no harm.
            arrived: by ours.
        """
        if self._fastest is None or sent - arrived > self._fastest[0] - self._fastest[1]:
            self._fastest = (sent, arrived)

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
        slopes = _DRIFTS[:, None]
        top = (received - asked - slopes * (received - self._around)).min(axis=1)
        bottom = (sent - returned - slopes * (sent - self._around)).max(axis=1)
        widths = (top - bottom) / 2
        weights = _BEFORE * np.maximum(widths, _LEAST_WIDTH) ** _WIDENING
        weights /= weights.sum()
        self._drift = float(weights @ _DRIFTS)
        self._offset = float(weights @ (top + bottom)) / 2
        self._width = float(widths.max())
