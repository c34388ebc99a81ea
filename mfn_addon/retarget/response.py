# SPDX-License-Identifier: GPL-3.0-or-later
"""How strongly a character answers each of the 52 expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS


@dataclass(frozen=True)
class Response:
    """One expression's answer: `clamp(weight ** curve * gain + offset)`.

    Attributes:
        gain, offset: a factor, and what is added then.
        low, high: the limits of the result.
        soft: the share of the range below `high` in which the value bends towards it instead of
            stopping there: 0 is a hard limit. At `low` the limit is hard, since rest lies there.
        curve: exponent on the weight: above 1 small weights count less, below 1 more.
        smoothing: seconds of extra smoothing; 0 for none.
        mute: the character does not answer.
        solo: only soloed expressions are answered.
    """

    gain: float = 1.0
    offset: float = 0.0
    low: float = 0.0
    high: float = 1.0
    soft: float = 0.0
    curve: float = 1.0
    smoothing: float = 0.0
    mute: bool = False
    solo: bool = False


PLAIN = Response()


@dataclass(frozen=True)
class ResponseTable:
    """The answers of all 52 expressions, as arrays of (52,); `bends` and `curves` tell whether
    any does more than scale, so that the usual tick skips it."""

    gain: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray
    soft: np.ndarray
    curve: np.ndarray
    smoothing: np.ndarray
    open: np.ndarray
    bends: bool
    curves: bool

    @classmethod
    def of(cls, responses: Mapping[str, Response] | None = None) -> ResponseTable:
        """A table of the named responses; all others pass their weight through, held to 0..1.

        Raises:
            KeyError: a name is none of the 52.
        """
        responses = responses or {}
        unknown = [name for name in responses if name not in EXPRESSION_INDEX]
        if unknown:
            raise KeyError(unknown[0])
        rows = [responses.get(name, PLAIN) for name in EXPRESSIONS]
        solo = any(row.solo for row in rows)

        def column(key: str) -> np.ndarray:
            return np.array([float(getattr(row, key)) for row in rows])

        numbers = ("gain", "offset", "low", "high", "soft", "curve", "smoothing")
        columns = {key: column(key) for key in numbers}
        heard = [not row.mute and (row.solo or not solo) for row in rows]
        return cls(
            **columns,
            open=np.array(heard, np.float64),
            bends=bool(columns["soft"].any()),
            curves=bool((columns["curve"] != 1.0).any()),
        )

    def apply(self, expression: np.ndarray) -> np.ndarray:
        """(..., 52) weights as the character takes them, of (..., 52) measured weights."""
        if self.curves:
            expression = np.maximum(expression, 0.0) ** self.curve
        value = expression * self.gain
        value += self.offset
        if self.bends:
            value = self._bent(value)
        np.minimum(np.maximum(value, self.low, out=value), self.high, out=value)
        value *= self.open
        return value

    def _bent(self, value: np.ndarray) -> np.ndarray:
        """Values above the knee approach `high` without reaching it; the slope has no break."""
        room = np.maximum(self.soft * (self.high - self.low), 1e-9)
        over = np.maximum(value - (self.high - room), 0.0)
        return np.where(over > 0, self.high - room * np.exp(-over / room), value)


def opposite(name: str) -> str:
    """The expression of the other side, or the same where it has none."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


MIRROR = np.array([EXPRESSION_INDEX[opposite(name)] for name in EXPRESSIONS])
"""(52,) `expression[..., MIRROR]` has the actor's left and right exchanged."""
