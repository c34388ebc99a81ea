# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything on a character's bones that is a weighted sum of expressions, in one product: a
creature of two dozen channels then costs a tick as much as one channel does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS
from .profile import BoneMove
from .skeleton import BoneRest, Channel

NO_LIMIT = np.array([[-np.inf], [np.inf]])


@dataclass(frozen=True)
class Linear:
    """Columns `clip(rest + weights @ matrix, low, high) * factor`.

    Attributes:
        matrix: (52, n); rest: (n,); limits: (2, n), in the columns' own units.
        factor: (n,) from these to Blender's.
    """

    matrix: np.ndarray
    rest: np.ndarray
    limits: np.ndarray
    factor: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[Linear]) -> Linear:
        """All parts' columns side by side."""
        return cls(
            matrix=np.concatenate([np.zeros((len(EXPRESSIONS), 0)), *(p.matrix for p in parts)], 1),
            rest=np.concatenate([np.zeros(0), *(p.rest for p in parts)]),
            limits=np.concatenate([np.zeros((2, 0)), *(p.limits for p in parts)], 1),
            factor=np.concatenate([np.zeros(0), *(p.factor for p in parts)]),
        )

    def values(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) of (..., 52) weights."""
        if not len(self.rest):
            return self.rest
        low, high = self.limits
        value = weights @ self.matrix
        value += self.rest
        np.minimum(np.maximum(value, low, out=value), high, out=value)
        value *= self.factor
        return value


def of_channels(channels: Sequence[Channel]) -> Linear:
    """A column for each channel; angles come out in radians."""
    matrix = np.zeros((len(EXPRESSIONS), len(channels)))
    for column, channel in enumerate(channels):
        for name, weight in channel.terms.items():
            matrix[EXPRESSION_INDEX[name], column] = weight
    degrees = [channel.path == "rotation_euler" for channel in channels]
    return Linear(
        matrix=matrix,
        rest=np.array([channel.rest for channel in channels]),
        limits=np.array([channel.limit for channel in channels]).T,
        factor=np.where(degrees, np.pi / 180, 1.0),
    )


def of_move(
    move: BoneMove, bones: Mapping[str, BoneRest], unit: Sequence[str], axes: np.ndarray
) -> Linear:
    """Three columns: the bone's location along its own axes, in the armature's units.

    Args:
        unit: the two bones whose distance is 1.
        axes: (3, 3) the character's left, up and front as columns, in armature space.
    """
    first, second = (bones[name].head for name in unit)
    to_bone = bones[move.name].axes.T @ axes
    matrix = move.weights() @ to_bone.T * np.linalg.norm(first - second)
    return Linear(matrix, np.zeros(3), NO_LIMIT.repeat(3, 1), np.ones(3))
