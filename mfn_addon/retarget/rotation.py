# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as arrays, for one frame or a whole take at once.

Quaternions are (..., 4) as w, x, y, z; matrices (..., 3, 3) act on columns; angles are radians.
Euler orders mean what Blender means by them: "XYZ" turns about X first, then Y, then Z.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


def _parts(quaternions: np.ndarray) -> Iterable[Any]:
    """w, x, y, z of (..., 4), each (...). Of a single one they are plain floats: arithmetic with
    arrays of one number takes twenty times as long, and a live tick has nothing else."""
    return quaternions.tolist() if quaternions.ndim == 1 else np.moveaxis(quaternions, -1, 0)


def _entries(matrices: np.ndarray) -> np.ndarray:
    """(..., 3, 3) as an array whose [i, j] is (...), a plain number of a single matrix."""
    return matrices if matrices.ndim == 2 else np.moveaxis(matrices, (-2, -1), (0, 1))


def quaternions_of(matrices: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternions of (..., 3, 3) rotation matrices.

    Of the four ways to write a quaternion down, the one with the largest divisor is taken, so
    that half turns keep their digits.
    """
    array = np.asarray(matrices, np.float64)
    m = _entries(array)
    x, y, z = m[0, 0], m[1, 1], m[2, 2]
    # Row k holds the quaternion times four times its own component k.
    candidates = np.empty((*array.shape[:-2], 4, 4))
    candidates[..., 0, 0] = 1 + x + y + z
    candidates[..., 1, 1] = 1 + x - y - z
    candidates[..., 2, 2] = 1 - x + y - z
    candidates[..., 3, 3] = 1 - x - y + z
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        difference, total = m[k, j] - m[j, k], m[k, j] + m[j, k]
        candidates[..., 0, 1 + i] = candidates[..., 1 + i, 0] = difference
        candidates[..., 1 + j, 1 + k] = candidates[..., 1 + k, 1 + j] = total
    best = np.argmax(np.diagonal(candidates, axis1=-2, axis2=-1), -1)
    flat = candidates.reshape(-1, 4, 4)
    quaternion = flat[np.arange(len(flat)), best.ravel()].reshape(*array.shape[:-2], 4)
    return quaternion * (np.copysign(1, quaternion[..., :1]) / _length(quaternion))


def matrices_of(quaternions: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices of (..., 4) unit quaternions."""
    q = np.asarray(quaternions, np.float64)
    matrix = np.empty((*q.shape[:-1], 3, 3))
    w, *axis = _parts(q)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        a, b, c = axis[i], axis[j], axis[k]
        matrix[..., i, i] = 1 - 2 * (b * b + c * c)
        matrix[..., i, j] = 2 * (a * b - w * c)
        matrix[..., i, k] = 2 * (a * c + w * b)
    return matrix


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 4) first times second: the rotation that does `second`, then `first`."""
    a, b, c, d = _parts(first)
    e, f, g, h = _parts(second)
    result = np.empty(np.broadcast_shapes(first.shape, second.shape))
    result[..., 0] = a * e - b * f - c * g - d * h
    result[..., 1] = a * f + b * e + c * h - d * g
    result[..., 2] = a * g - b * h + c * e + d * f
    result[..., 3] = a * h + b * g - c * f + d * e
    return result


def carried(quaternions: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(..., 4) the same turns in other axes: (3, 3) `axes` carries vectors there."""
    result = np.array(quaternions, np.float64)
    result[..., 1:] = result[..., 1:] @ axes.T
    return result


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]


def about(axis: int, angles: np.ndarray) -> np.ndarray:
    """(..., 4) turns about one axis (0, 1, 2) by (...) radians."""
    half = np.asarray(angles, np.float64) / 2
    quaternion = np.zeros((*half.shape, 4))
    quaternion[..., 0] = np.cos(half)
    quaternion[..., 1 + axis] = np.sin(half)
    return quaternion


def fraction(quaternions: np.ndarray, share: float, limit: float = 180.0) -> np.ndarray:
    """(..., 4) the same turns, carried out to `share` of their angle, at most `limit` degrees."""
    q = np.asarray(quaternions, np.float64)
    if share == 1.0 and limit >= 180.0:
        return q
    w, *axis = _parts(q)
    sign = np.copysign(1.0, w)
    length = np.sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2])
    half = np.minimum(share * np.arctan2(length, sign * w), np.radians(limit) / 2)
    # The axis is the vector over its length; of no turn at all every axis is one.
    stretch = sign * np.sin(half) / np.maximum(length, 1e-12)
    result = np.empty(q.shape)
    result[..., 0] = np.cos(half)
    for i in range(3):
        result[..., 1 + i] = axis[i] * stretch
    return result


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


def eulers_of(matrices: np.ndarray, order: str) -> np.ndarray:
    """(..., 3) angles about x, y, z of (..., 3, 3) rotations, in one of EULER_ORDERS."""
    array = np.asarray(matrices, np.float64)
    m = _entries(array)
    i, j, k = ("XYZ".index(letter) for letter in order)
    odd = -1.0 if (i, j, k) not in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else 1.0
    level = np.hypot(m[i, i], m[j, i])
    angles = np.empty((*array.shape[:-2], 3))
    safe = level > 1e-6  # else gimbal lock: the third angle is left at zero
    angles[..., i] = odd * np.where(
        safe, np.arctan2(m[k, j], m[k, k]), np.arctan2(-m[j, k], m[j, j])
    )
    angles[..., j] = odd * np.arctan2(-m[k, i], level)
    angles[..., k] = odd * np.where(safe, np.arctan2(m[j, i], m[i, i]), 0.0)
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
    length = _length(q[..., 1:])
    axis = np.where(length > 1e-9, q[..., 1:] / np.maximum(length, 1e-9), (0.0, 1.0, 0.0))
    return np.concatenate([2 * np.arctan2(length, q[..., :1]), axis], -1)
