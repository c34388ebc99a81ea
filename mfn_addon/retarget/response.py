# SPDX-License-Identifier: GPL-3.0-or-later
"""How strongly a character answers each of the 52 expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS


@dataclass(frozen=True)
class Response:
    """One expression's answer: `clip(weight * gain + offset, low, high)`."""

    gain: float = 1.0
    offset: float = 0.0
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class ResponseTable:
    """The answers of all 52 expressions, as arrays of (52,)."""

    gain: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, responses: Mapping[str, Response] | None = None) -> ResponseTable:
        """A table of the named responses; all others pass their weight through, held to 0..1.

        Raises:
            KeyError: a name is none of the 52.
        """
        table = np.tile((1.0, 0.0, 0.0, 1.0), (len(EXPRESSIONS), 1))
        for name, response in (responses or {}).items():
            row = (response.gain, response.offset, response.low, response.high)
            table[EXPRESSION_INDEX[name]] = row
        return cls(*table.T)

    def apply(self, expression: np.ndarray) -> np.ndarray:
        """(..., 52) weights as the character takes them, of (..., 52) measured weights."""
        return np.clip(expression * self.gain + self.offset, self.low, self.high)


def _opposite(name: str) -> str:
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


MIRROR = np.array([EXPRESSION_INDEX[_opposite(name)] for name in EXPRESSIONS])
"""(52,) `expression[..., MIRROR]` has the actor's left and right exchanged."""
