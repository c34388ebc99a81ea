# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as unit quaternions (w, x, y, z)."""

from __future__ import annotations

import math

import numpy as np


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """(4,) float64 unit quaternion, w >= 0, of a (3, 3) rotation."""
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(matrix, np.float64).tolist()
    # Of the four components, the largest keeps the division far from zero.
    rows = (
        (1 + a + e + i, h - f, c - g, d - b),
        (h - f, 1 + a - e - i, b + d, c + g),
        (c - g, b + d, 1 - a + e - i, f + h),
        (d - b, c + g, f + h, 1 - a - e + i),
    )
    row = max(range(4), key=lambda n: rows[n][n])
    length = math.sqrt(sum(value * value for value in rows[row]))
    return np.array(rows[row]) / (length if rows[row][0] >= 0 else -length)


def quaternion_to_matrix(quaternion: np.ndarray) -> np.ndarray:
    """(3, 3) float32 rotation of a unit quaternion."""
    w, x, y, z = np.asarray(quaternion, np.float64).tolist()
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ],
        np.float32,
    )


def slerp(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """The unit quaternion `share` (0..1) of the shortest way from `start` to `end`."""
    cosine = float(start @ end)
    if cosine < 0:
        end, cosine = -end, -cosine
    if cosine > 0.9995:  # nearly equal: the arc is a line
        mixed = start + share * (end - start)
    else:
        angle = math.acos(cosine)
        mixed = math.sin((1 - share) * angle) * start + math.sin(share * angle) * end
    return mixed / math.sqrt(mixed @ mixed)


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Radians between two (3, 3) rotations."""
    cosine = (float(np.vdot(first, second)) - 1) / 2  # trace(first^T second)
    return math.acos(min(max(cosine, -1.0), 1.0))
