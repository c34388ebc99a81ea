# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer keys, within a tolerance that holds at every frame of the bake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SAFETY = 1.0 - 1e-3
"""Curves hold their keys in single precision: this share of the tolerance is left to that."""


@dataclass(frozen=True)
class Tolerance:
    """How far a reduced curve may be from the full bake.

    Attributes:
        shape: percent of a shape key's range of 1.
        angle: degrees, of a bone's whole turn.
        distance: millimetres, of a bone's whole way.
    """

    shape: float = 0.5
    angle: float = 0.2
    distance: float = 0.1

    def of_shape(self) -> float:
        """The largest error of a shape key's value."""
        return self.shape / 100

    def of_bone(self, path: str, metres: float) -> float | None:
        """The largest error of each component of a bone's property, so that the whole is held.

        Three angles add up at worst, as do three ways squared. Each part of a quaternion may
        err by e: the four by 2 e, which turns by 2 asin(2 e). None for a property whose keys
        are all kept: an error of an axis counts by its angle.

        Args:
            path: "location", "rotation_euler", "rotation_quaternion", …
            metres: how long one unit of a location is in the world.
        """
        if path == "location":
            return self.distance / 1000 / metres / 3**0.5
        if path == "rotation_euler":
            return np.radians(self.angle) / 3
        if path == "rotation_quaternion":
            return np.sin(np.radians(self.angle) / 2) / 2
        return None


def kept_keys(values: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """(n, c) True where a key stays, so that straight lines between them keep the tolerance.

    From each key on, the slopes that pass all values since within the tolerance form a cone that
    narrows; the last value within it becomes the next key. All curves go side by side, so that
    the loop is over frames alone: give it as many curves at once as there are.

    Args:
        values: (n, c) curves at n even frames, at least one.
        tolerance: (c,) the largest error of each.
    """
    kept = np.zeros(values.shape, bool)
    values = np.ascontiguousarray(values, np.float64)
    room = np.maximum(np.asarray(tolerance, np.float64) * _SAFETY, 1e-9)
    origin, run = values[0].copy(), np.zeros(values.shape[1])
    low, high = np.full_like(run, -np.inf), np.full_like(run, np.inf)
    rise, slope, outside = np.empty_like(run), np.empty_like(run), np.empty(run.shape, bool)
    # The arrays are short and the frames many: masks and results in place cost the least.
    for frame in range(1, len(values)):
        value, last = values[frame], values[frame - 1]
        run += 1.0
        np.divide(np.subtract(value, origin, out=rise), run, out=slope)
        np.logical_or(slope < low, slope > high, out=outside)
        kept[frame - 1] = outside
        np.copyto(origin, last, where=outside)
        np.copyto(run, 1.0, where=outside)
        np.copyto(low, -np.inf, where=outside)
        np.copyto(high, np.inf, where=outside)
        np.subtract(value, origin, out=rise)
        np.maximum(low, np.divide(np.subtract(rise, room, out=slope), run, out=slope), out=low)
        np.minimum(high, np.divide(np.add(rise, room, out=slope), run, out=slope), out=high)
    kept[[0, -1]] = True
    return kept
