# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as arrays, for one frame or a whole take at once; `turns` has the formulas.

Quaternions are (..., 4) as w, x, y, z; matrices (..., 3, 3) act on columns; angles are radians.
Euler orders mean what Blender means by them: "XYZ" turns about X first, then Y, then Z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import turns
from .turns import Turn


def turn_of(quaternions: np.ndarray) -> Turn:
    """The parts of (..., 4) quaternions, each (...); floats of a single one."""
    q = np.asarray(quaternions, np.float64)
    return q.tolist() if q.ndim == 1 else list(np.moveaxis(q, -1, 0))


def turn_of_matrices(matrices: np.ndarray) -> Turn:
    """The parts of the unit quaternions of (..., 3, 3) rotation matrices."""
    return turns.of_matrix(_entries(matrices))


def _entries(matrices: np.ndarray) -> Any:
    """(..., 3, 3) as something whose [i][j] is (...), a float of a single matrix."""
    m = np.asarray(matrices, np.float64)
    return m.tolist() if m.ndim == 2 else np.moveaxis(m, (-2, -1), (0, 1))


def quaternions_of(matrices: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternions of (..., 3, 3) rotation matrices."""
    return turns.joined(turn_of_matrices(matrices))


def matrices_of(quaternions: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices of (..., 4) unit quaternions."""
    rows = turns.matrix_of(turn_of(quaternions))
    joined = turns.joined([entry for row in rows for entry in row])
    return joined.reshape(*joined.shape[:-1], 3, 3)


def eulers_of(matrices: np.ndarray, order: str) -> np.ndarray:
    """(..., 3) angles about x, y, z of (..., 3, 3) rotations, in one of `turns.EULER_ORDERS`."""
    return turns.joined(turns.eulers_of(_entries(matrices), order))


def about(axis: int, angles: np.ndarray) -> np.ndarray:
    """(..., 4) turns about one axis (0, 1, 2) by (...) radians."""
    angles = np.asarray(angles, np.float64)
    return turns.joined(turns.about(axis, angles if angles.ndim else float(angles)))


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]


def interpolate(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(..., 4) the shorter way from `first` to `second`, at (...) weights 0..1.

    Normalised linear interpolation: between neighbouring frames it differs from slerp by less
    than 0.01 degrees for turns of up to 20 degrees.
    """
    sign = np.where(np.sum(first * second, -1, keepdims=True) < 0, -1.0, 1.0)
    weights = np.asarray(weights)[..., None]
    mixed = first * (1 - weights) + second * sign * weights
    return mixed / _length(mixed)


def continuous(quaternions: np.ndarray) -> np.ndarray:
    """(n, 4) the same rotations, each with the sign nearest to its predecessor.

    A quaternion and its negative are one rotation, but curves between them are not.
    """
    q = np.array(quaternions, np.float64)
    if len(q) > 1:
        flips = np.sum(q[1:] * q[:-1], -1) < 0
        q[1:][np.cumsum(flips) % 2 == 1] *= -1
    return q


def axis_angles_of(quaternions: np.ndarray) -> np.ndarray:
    """(..., 4) angle, x, y, z, as a pose bone's `rotation_axis_angle` has it."""
    q = np.asarray(quaternions, np.float64)
    length = _length(q[..., 1:])
    axis = np.where(length > 1e-9, q[..., 1:] / np.maximum(length, 1e-9), (0.0, 1.0, 0.0))
    return np.concatenate([2 * np.arctan2(length, q[..., :1]), axis], -1)
