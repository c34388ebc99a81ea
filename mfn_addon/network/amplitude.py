# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces at rest stay at rest, and what they show is shown as strongly.

What a network is unsure of it draws towards the mean: a brow that is raised fully is read as
raised by two thirds, and a face that does nothing as doing a little of everything. Both are undone,
shape by shape, by what `training.amplitude` has measured of that network (docs/decisions/0028) and
noted in its file. The page on the phone does the same: it is given the tables with the head model
(tools/companion_head.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..face import EXPRESSIONS

BELOW_REST = 0.2
"""What lies below rest is kept by a fifth: cut off, it would take with it how low a brow sits."""
KEY = "rest_and_gain"
"""Of the network's metadata: JSON, {shape: [rest, gain]}, shapes named without their side if both
sides are alike. Shapes that are not there are shown as they are read."""


@dataclass(frozen=True)
class Amplitude:
    """How a network's readings become what faces show.

    Attributes:
        rest: (52,) float32, what a face at rest is read with, 0..1. gain: (52,) float32, by what
            the rest of the way is multiplied, 1 or more.
    """

    rest: np.ndarray
    gain: np.ndarray

    @classmethod
    def of(cls, path: Path, facts: Mapping[str, str]) -> Amplitude:
        """As a network's metadata have it; where they have none, all is shown as it is read.

        Args:
            path: of the network, for what may have to be said. facts: its metadata.

        Raises:
            ValueError: they are damaged.
        """
        try:
            table = json.loads(facts.get(KEY, "{}"))
            rows = np.array(
                [
                    table.get(name.removesuffix("Left").removesuffix("Right"))
                    or table.get(name, (0.0, 1.0))
                    for name in EXPRESSIONS
                ],
                np.float32,
            )
            rest, gain = rows.T
            if not ((rest >= 0) & (rest < 1) & (gain >= 1) & np.isfinite(gain)).all():
                raise ValueError("a rest outside 0..1, or a gain below 1")
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: its table of rest and gain cannot be used ({error}); install the "
                "network again, or measure it anew with python -m training.amplitude"
            ) from error
        return cls(rest, gain)

    def shown(self, expression: np.ndarray) -> np.ndarray:
        """(..., 52) weights as read, 0..1, to weights as the face shows them, 0..1."""
        low = np.minimum(expression, self.rest) * BELOW_REST
        return np.clip(low + np.maximum(expression - self.rest, 0.0) * self.gain, 0.0, 1.0)
