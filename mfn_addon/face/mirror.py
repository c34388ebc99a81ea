# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's mirror image: which weights it has, and how it is turned."""

from __future__ import annotations

import numpy as np

from .head_model import HeadModel
from .names import EXPRESSION_INDEX, EXPRESSIONS

_CHUNK = 512  # vertices compared with all others at once: 20 MB


def mirror_order() -> np.ndarray:
    """(52,) which expression a mirror puts in each one's place."""
    swap = {"Left": "Right", "Right": "Left"}

    def other(name: str) -> str:
        for side, opposite in swap.items():
            if name.endswith(side):
                return name[: -len(side)] + opposite
        return name

    return np.array([EXPRESSION_INDEX[other(name)] for name in EXPRESSIONS])


def mirror_partners(points: np.ndarray) -> np.ndarray:
    """(N,) for each of the head's points (N, 3) the one nearest to its mirror image."""
    points = np.asarray(points, np.float64)
    flipped, squares = points * (-1, 1, 1), (points**2).sum(axis=1)
    return np.concatenate(  # |a - b|^2 without |a|^2, which is the same for all
        [
            (squares - 2.0 * (flipped[i : i + _CHUNK] @ points.T)).argmin(axis=1)
            for i in range(0, len(points), _CHUNK)
        ]
    )


def mirror_matrix(model: HeadModel) -> np.ndarray:
    """(40, 40) that turns the identity weights of a head into those of its mirror image."""
    partner = mirror_partners(model.neutral)
    flat = model.identity.reshape(len(model.identity), -1)
    mirrored = (model.identity[:, partner] * (-1, 1, 1)).reshape(len(flat), -1)
    return (np.linalg.lstsq(flat.T, mirrored.T, rcond=None)[0]).astype(np.float32)


def mirror_rotation(rotation: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations of the mirrored heads: x changes sign before and after."""
    signs = np.array([-1.0, 1.0, 1.0])
    return (signs[:, None] * np.asarray(rotation) * signs).astype(np.float32)
