# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as arrays, for one frame or a whole take at once.

Quaternions are (..., 4) as w, x, y, z; matrices (..., 3, 3) act on columns; angles are radians.
Euler orders mean what Blender means by them: "XYZ" turns about X first, then Y, then Z.

Each formula is written once, over the parts of a quaternion or the entries of a matrix. Of many
rotations these are arrays; of a single one they are plain floats, with Python's own functions:
numpy takes ten to twenty times as long for one number, and a live tick has nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")

_ONE = SimpleNamespace(
    sqrt=math.sqrt, sin=math.sin, cos=math.cos, atan2=math.atan2, hypot=math.hypot,
    sign=lambda value: math.copysign(1.0, value), least=min, most=max,
    where=lambda condition, first, second: first if condition else second,
)  # fmt: skip
_MANY = SimpleNamespace(
    sqrt=np.sqrt, sin=np.sin, cos=np.cos, atan2=np.arctan2, hypot=np.hypot,
    sign=lambda values: np.copysign(1.0, values), least=np.minimum, most=np.maximum,
    where=np.where,
)  # fmt: skip


def _functions(shape: tuple[int, ...]) -> Any:
    """The functions for rotations of a shape: () is a single one."""
    return _MANY if shape else _ONE


def _parts(quaternions: np.ndarray) -> Any:
    """w, x, y, z of (..., 4), each (...)."""
    return quaternions.tolist() if quaternions.ndim == 1 else np.moveaxis(quaternions, -1, 0)


def _entries(matrices: np.ndarray) -> Any:
    """(..., 3, 3) as something whose [i][j] is (...)."""
    return matrices.tolist() if matrices.ndim == 2 else np.moveaxis(matrices, (-2, -1), (0, 1))


def _joined(parts: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """(..., n) of n parts, each (...) or a number."""
    if not shape:
        return np.array(parts)
    result = np.empty((*shape, len(parts)))
    for i, part in enumerate(parts):
        result[..., i] = part
    return result


def quaternions_of(matrices: np.ndarray) -> np.ndarray:
    """(..., 4) unit quaternions of (..., 3, 3) rotation matrices.

    Of the four ways to write a quaternion down, the one with the largest divisor is taken, so
    that half turns keep their digits.
    """
    array = np.asarray(matrices, np.float64)
    shape = array.shape[:-2]
    m = _entries(array)
    x, y, z = m[0][0], m[1][1], m[2][2]
    wx, wy, wz = m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]
    xy, xz, yz = m[1][0] + m[0][1], m[2][0] + m[0][2], m[2][1] + m[1][2]
    # Row k holds the quaternion times four times its own component k.
    rows = (
        (1 + x + y + z, wx, wy, wz),
        (wx, 1 + x - y - z, xy, xz),
        (wy, xy, 1 - x + y - z, yz),
        (wz, xz, yz, 1 - x - y + z),
    )
    if shape:
        best = np.argmax([row[k] for k, row in enumerate(rows)], 0)
        w, x, y, z = np.take_along_axis(np.array(rows), best[None, None], 0)[0]
    else:
        w, x, y, z = max(enumerate(rows), key=lambda row: row[1][row[0]])[1]
    f = _functions(shape)
    scale = f.sign(w) / f.sqrt(w * w + x * x + y * y + z * z)
    return _joined((w * scale, x * scale, y * scale, z * scale), shape)


def _turned(quaternions: np.ndarray) -> list[list[Any]]:
    """The nine entries, each (...), of the matrices of (..., 4) unit quaternions."""
    w, x, y, z = _parts(quaternions)
    return [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]


def matrices_of(quaternions: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotation matrices of (..., 4) unit quaternions."""
    q = np.asarray(quaternions, np.float64)
    entries = _turned(q)
    shape = q.shape[:-1]
    return _joined([entry for row in entries for entry in row], shape).reshape(*shape, 3, 3)


def product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(..., 4) first times second: the rotation that does `second`, then `first`."""
    a, b, c, d = _parts(first)
    e, f, g, h = _parts(second)
    parts = (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )
    return _joined(parts, np.broadcast_shapes(first.shape[:-1], second.shape[:-1]))


def carried(quaternions: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(..., 4) the same turns in other axes: (3, 3) `axes` carries vectors there."""
    result = np.array(quaternions, np.float64)
    result[..., 1:] = result[..., 1:] @ axes.T
    return result


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]


def about(axis: int, angles: np.ndarray | float) -> np.ndarray:
    """(..., 4) turns about one axis (0, 1, 2) by (...) radians."""
    shape = np.shape(angles)
    half = np.asarray(angles, np.float64) / 2 if shape else float(angles) / 2
    f = _functions(shape)
    parts = [f.cos(half), 0.0, 0.0, 0.0]
    parts[1 + axis] = f.sin(half)
    return _joined(parts, shape)


def fraction(quaternions: np.ndarray, share: float, limit: float = 180.0) -> np.ndarray:
    """(..., 4) the same turns, carried out to `share` of their angle, at most `limit` degrees."""
    q = np.asarray(quaternions, np.float64)
    if share == 1.0 and limit >= 180.0:
        return q
    shape = q.shape[:-1]
    f = _functions(shape)
    w, x, y, z = _parts(q)
    sign = f.sign(w)
    length = f.sqrt(x * x + y * y + z * z)
    half = f.least(share * f.atan2(length, sign * w), math.radians(limit) / 2)
    # The axis is the vector over its length; of no turn at all every axis is one.
    stretch = sign * f.sin(half) / f.most(length, 1e-12)
    return _joined((f.cos(half), x * stretch, y * stretch, z * stretch), shape)


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
    return _eulers(_entries(array), order, array.shape[:-2])


def eulers_of_quaternions(quaternions: np.ndarray, order: str) -> np.ndarray:
    """(..., 3) the same of (..., 4) unit quaternions."""
    q = np.asarray(quaternions, np.float64)
    return _eulers(_turned(q), order, q.shape[:-1])


def _eulers(m: Any, order: str, shape: tuple[int, ...]) -> np.ndarray:
    """(..., 3) angles of the rotation whose matrix has the entries m[i][j], each (...)."""
    f = _functions(shape)
    i, j, k = ("XYZ".index(letter) for letter in order)
    odd = -1.0 if (i, j, k) not in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else 1.0
    level = f.hypot(m[i][i], m[j][i])
    safe = level > 1e-6  # else gimbal lock: the third angle is left at zero
    angles: list[Any] = [0.0, 0.0, 0.0]
    angles[i] = odd * f.where(safe, f.atan2(m[k][j], m[k][k]), f.atan2(-m[j][k], m[j][j]))
    angles[j] = odd * f.atan2(-m[k][i], level)
    angles[k] = odd * f.where(safe, f.atan2(m[j][i], m[i][i]), 0.0)
    return _joined(angles, shape)


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
