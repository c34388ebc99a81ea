# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as the parts of their quaternions: each formula once, for one frame or a whole take.

A turn is (w, x, y, z). Of many rotations these are arrays (...), all of one shape, or plain numbers
where all share one; of a single rotation they are plain floats and go through Python's own
functions: numpy takes ten to twenty times as long for one number, and a live tick has nothing
else. `rotation` has the ways from arrays and back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

Turn = Sequence[Any]
"""w, x, y, z: arrays (...) or numbers."""
EULER_ORDERS = {
    order: tuple("XYZ".index(letter) for letter in order)
    for order in ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
}
"""What Blender calls it -> the axes in the order of their turns."""

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


def _functions(number: Any) -> Any:
    """The functions for numbers like this one: an array or a float."""
    return _ONE if isinstance(number, float) else _MANY


def joined(parts: Sequence[Any]) -> np.ndarray:
    """(..., n) of n parts, each (...) or a number."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if not arrays:
        return np.array(parts, np.float64)
    result = np.empty((*arrays[0].shape, len(parts)))
    for i, part in enumerate(parts):
        result[..., i] = part
    return result


def of_matrix(m: Any) -> Turn:
    """The unit quaternion of a rotation matrix with entries m[i][j].

    Of the four ways to write a quaternion down, the one with the largest divisor is taken, so
    that half turns keep their digits.
    """
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
    if isinstance(x, float):
        w, x, y, z = max(enumerate(rows), key=lambda row: row[1][row[0]])[1]
    else:
        best = np.argmax([row[k] for k, row in enumerate(rows)], 0)
        w, x, y, z = np.take_along_axis(np.array(rows), best[None, None], 0)[0]
    f = _functions(w)
    scale = f.sign(w) / f.sqrt(w * w + x * x + y * y + z * z)
    return w * scale, x * scale, y * scale, z * scale


def matrix_of(turn: Turn) -> list[list[Any]]:
    """The entries [i][j] of the matrix of a unit quaternion."""
    w, x, y, z = turn
    return [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]


def product(first: Turn, second: Turn) -> Turn:
    """First times second: the rotation that does `second`, then `first`."""
    a, b, c, d = first
    e, f, g, h = second
    return (
        a * e - b * f - c * g - d * h,
        a * f + b * e + c * h - d * g,
        a * g - b * h + c * e + d * f,
        a * h + b * g - c * f + d * e,
    )


def carried(turn: Turn, axes: Sequence[Sequence[float]]) -> Turn:
    """The same turn in other axes: `axes`, the rows of a (3, 3) matrix, carry vectors there."""
    w, x, y, z = turn
    a, b, c = (row[0] * x + row[1] * y + row[2] * z for row in axes)
    return w, a, b, c


def about(axis: int, angle: Any) -> Turn:
    """A turn about one axis (0, 1, 2) by an angle in radians."""
    f, half = _functions(angle), angle / 2
    parts = [f.cos(half), 0.0, 0.0, 0.0]
    parts[1 + axis] = f.sin(half)
    return parts


def fraction(turn: Turn, share: float, limit: float = 180.0) -> Turn:
    """The same turn, carried out to `share` of its angle, at most `limit` degrees."""
    if share == 1.0 and limit >= 180.0:
        return turn
    w, x, y, z = turn
    f = _functions(w)
    sign = f.sign(w)
    length = f.sqrt(x * x + y * y + z * z)
    half = f.least(share * f.atan2(length, sign * w), math.radians(limit) / 2)
    # The axis is the vector over its length; of no turn at all every axis is one.
    stretch = sign * f.sin(half) / f.most(length, 1e-12)
    return f.cos(half), x * stretch, y * stretch, z * stretch


def eulers_of(m: Any, order: str) -> Sequence[Any]:
    """The angles about x, y, z of a rotation matrix with entries m[i][j], in an Euler order."""
    i, j, k = EULER_ORDERS[order]
    odd = -1.0 if (k - i) % 3 == 1 else 1.0
    f = _functions(m[0][0])
    level = f.hypot(m[i][i], m[j][i])
    safe = level > 1e-6  # else gimbal lock: the third angle is left at zero
    angles: list[Any] = [0.0, 0.0, 0.0]
    angles[i] = odd * f.where(safe, f.atan2(m[k][j], m[k][k]), f.atan2(-m[j][k], m[j][j]))
    angles[j] = odd * f.atan2(-m[k][i], level)
    angles[k] = odd * f.where(safe, f.atan2(m[j][i], m[i][i]), 0.0)
    return angles


def of_eulers(angles: Sequence[Any], order: str) -> Turn:
    """The inverse of `eulers_of`: x, y, z of a turn."""
    first, second, third = (about(axis, angles[axis]) for axis in EULER_ORDERS[order])
    return product(third, product(second, first))
