# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as unit quaternions (w, x, y, z)."""

from __future__ import annotations

import numpy as np


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """(4,) float64 unit quaternion, w >= 0, of a (3, 3) rotation."""
    m = np.asarray(matrix, np.float64)
    # The largest of the four squared components keeps the division far from zero.
    squares = np.array(
        [
            1 + m[0, 0] + m[1, 1] + m[2, 2],
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
        ]
    )
    biggest = int(np.argmax(squares))
    wx, wy, wz = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    xy, xz, yz = m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1]
    rows = (
        (squares[0], wx, wy, wz),
        (wx, squares[1], xy, xz),
        (wy, xy, squares[2], yz),
        (wz, xz, yz, squares[3]),
    )
    quaternion = np.array(rows[biggest])
    quaternion /= np.linalg.norm(quaternion)
    return quaternion if quaternion[0] >= 0 else -quaternion


def quaternion_to_matrix(quaternion: np.ndarray) -> np.ndarray:
    """(3, 3) float32 rotation of a unit quaternion."""
    w, x, y, z = np.asarray(quaternion, np.float64)
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
        angle = np.arccos(cosine)
        mixed = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
    return mixed / np.linalg.norm(mixed)


def angle_between(first: np.ndarray, second: np.ndarray) -> float:
    """Radians between two (3, 3) rotations."""
    cosine = (float(np.sum(first * second)) - 1) / 2  # trace(first^T second)
    return float(np.arccos(np.clip(cosine, -1, 1)))
