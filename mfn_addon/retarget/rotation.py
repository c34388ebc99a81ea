# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as arrays, for one frame or a whole take at once.

Quaternions are (..., 4) as w, x, y, z; matrices (..., 3, 3) act on columns; angles are radians.
Euler orders mean what Blender means by them: "XYZ" turns about X first, then Y, then Z.
"""

from __future__ import annotations

import numpy as np

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def quaternions_of(matrices: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternions of (..., 3, 3) rotation matrices.

    Of the four ways to write a quaternion down, the one with the largest divisor is taken, so
    that half turns keep their digits.
    """
    m = np.asarray(matrices, np.float64)
    m00, m01, m02 = m[..., 0, 0], m[..., 0, 1], m[..., 0, 2]
    m10, m11, m12 = m[..., 1, 0], m[..., 1, 1], m[..., 1, 2]
    m20, m21, m22 = m[..., 2, 0], m[..., 2, 1], m[..., 2, 2]
    squares = np.stack(
        [1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22], -1
    )
    candidates = np.stack(
        [
            np.stack([squares[..., 0], m21 - m12, m02 - m20, m10 - m01], -1),
            np.stack([m21 - m12, squares[..., 1], m01 + m10, m02 + m20], -1),
            np.stack([m02 - m20, m01 + m10, squares[..., 2], m12 + m21], -1),
            np.stack([m10 - m01, m02 + m20, m12 + m21, squares[..., 3]], -1),
        ],
        -2,
    )
    best = np.argmax(squares, -1)[..., None, None]
    quaternion = np.take_along_axis(candidates, best, -2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return np.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def matrices_of(quaternions: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices of (..., 4) unit quaternions."""
    w, x, y, z = np.moveaxis(np.asarray(quaternions, np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 4) first times second: the rotation that does `second`, then `first`."""
    a, b, c, d = np.moveaxis(np.asarray(first), -1, 0)
    e, f, g, h = np.moveaxis(np.asarray(second), -1, 0)
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ],
        -1,
    )


def conjugate(quaternions: np.ndarray) -> np.ndarray:
    """(..., 4) the inverse rotations."""
    return np.asarray(quaternions) * (1.0, -1.0, -1.0, -1.0)


def about(axis: int, angles: np.ndarray) -> np.ndarray:
    """(..., 4) turns about one axis (0, 1, 2) by (...) radians."""
    half = np.asarray(angles, np.float64) / 2
    quaternion = np.zeros((*half.shape, 4))
    quaternion[..., 0] = np.cos(half)
    quaternion[..., 1 + axis] = np.sin(half)
    return quaternion


def fraction(quaternions: np.ndarray, share: float) -> np.ndarray:
    """(..., 4) the same turns, carried out to `share` of their angle (slerp from rest)."""
    q = np.asarray(quaternions, np.float64)
    q = np.where(q[..., :1] < 0, -q, q)
    length = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    half = np.arctan2(length, q[..., :1])
    # sin(share * half) / length tends to share as the turn vanishes.
    scale = np.where(length > 1e-9, np.sin(share * half) / np.maximum(length, 1e-9), share)
    return np.concatenate([np.cos(share * half), q[..., 1:] * scale], -1)


def interpolate(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(..., 4) the shorter way from `first` to `second`, at (...) weights 0..1.

    Normalised linear interpolation: between neighbouring frames it differs from slerp by less
    than 0.01 degrees for turns of up to 20 degrees.
    """
    sign = np.where(np.sum(first * second, -1, keepdims=True) < 0, -1.0, 1.0)
    weights = np.asarray(weights)[..., None]
    mixed = first * (1 - weights) + second * sign * weights
    return mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)


def continuous(quaternions: np.ndarray) -> np.ndarray:
    """(n, 4) the same rotations, each with the sign nearest to its predecessor.

    A quaternion and its negative are one rotation, but curves between them are not.
    """
    q = np.array(quaternions, np.float64)
    if len(q) > 1:
        flips = np.sum(q[1:] * q[:-1], -1) < 0
        q[1:][np.cumsum(flips) % 2 == 1] *= -1
    return q


def eulers_of(matrices: np.ndarray, order: str) -> np.ndarray:
    """(..., 3) angles about x, y, z of (..., 3, 3) rotations, in one of EULER_ORDERS."""
    m = np.asarray(matrices, np.float64)
    i, j, k = ("XYZ".index(letter) for letter in order)
    odd = -1.0 if (i, j, k) not in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else 1.0
    level = np.hypot(m[..., i, i], m[..., j, i])
    angles = np.empty((*m.shape[:-2], 3))
    safe = level > 1e-6  # else gimbal lock: the third angle is left at zero
    angles[..., i] = odd * np.where(
        safe,
        np.arctan2(m[..., k, j], m[..., k, k]),
        np.arctan2(-m[..., j, k], m[..., j, j]),
    )
    angles[..., j] = odd * np.arctan2(-m[..., k, i], level)
    angles[..., k] = odd * np.where(safe, np.arctan2(m[..., j, i], m[..., i, i]), 0.0)
    return angles


def quaternions_of_eulers(angles: np.ndarray, order: str) -> np.ndarray:
    """(..., 4) the inverse of `eulers_of`."""
    angles = np.asarray(angles)
    first, second, third = ("XYZ".index(letter) for letter in order)
    turned = product(about(second, angles[..., second]), about(first, angles[..., first]))
    return product(about(third, angles[..., third]), turned)


def axis_angles_of(quaternions: np.ndarray) -> np.ndarray:
    """(..., 4) angle, x, y, z, as a pose bone's `rotation_axis_angle` has it."""
    q = np.asarray(quaternions, np.float64)
    length = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    axis = np.where(length > 1e-9, q[..., 1:] / np.maximum(length, 1e-9), (0.0, 1.0, 0.0))
    return np.concatenate([2 * np.arctan2(length, q[..., :1]), axis], -1)
