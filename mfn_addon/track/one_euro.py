# SPDX-License-Identifier: GPL-3.0-or-later
"""The One Euro filter: still when the signal is still, quick when it moves.

Casiez, Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. All filters here take the real time that has passed, so that a
dropped or late frame does not change how they look.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .rotation import quaternion_from_matrix, quaternion_to_matrix, slerp


class OneEuro(NamedTuple):
    """The two knobs of a One Euro filter, and the pace at which it notices a movement.

    Attributes:
        cutoff: Hz at rest. Lower is calmer, and later at the start of slow movements.
        speed: how many Hz the cutoff gains for one unit a second. Higher is quicker.
        derivative: Hz of the low pass on the speed itself; the paper's value is 1.
    """

    cutoff: float
    speed: float
    derivative: float = 1.0


def smoothing(cutoff: np.ndarray | float, dt: float) -> np.ndarray | float:
    """The share of the new sample in a first-order low pass of `cutoff` Hz after `dt` s."""
    tau = 1.0 / (2 * np.pi * np.maximum(cutoff, 1e-6))
    return 1.0 / (1.0 + tau / max(dt, 1e-6))


class ArrayFilter:
    """A One Euro filter on an array.

    The cutoff follows the speed of each row (a landmark, a corner, a weight), so that the x and
    y of a point lag alike. Units are the array's a second over `unit` (e.g. the face's size).
    """

    def __init__(self, knobs: OneEuro | tuple[np.ndarray, np.ndarray, float]) -> None:
        """Either one OneEuro for all rows, or arrays of cutoffs and speeds and a derivative."""
        if isinstance(knobs, OneEuro):
            knobs = (np.asarray(knobs.cutoff), np.asarray(knobs.speed), knobs.derivative)
        self._cutoff, self._speed, self._derivative = knobs
        self._value: np.ndarray | None = None
        self._rate = np.zeros(0)

    def __call__(self, value: np.ndarray, dt: float, unit: float = 1.0) -> np.ndarray:
        """The filtered value, `dt` seconds after the last."""
        value = np.asarray(value, np.float64)
        if self._value is None:
            self._value, self._rate = value.copy(), np.zeros_like(value)
            return value.astype(np.float32)
        rate = (value - self._value) / max(dt, 1e-6)
        self._rate = self._rate + smoothing(self._derivative, dt) * (rate - self._rate)
        if value.ndim == 2:
            speed = np.linalg.norm(self._rate, axis=1, keepdims=True) / unit
        else:
            speed = np.abs(self._rate) / unit
        share = smoothing(self._cutoff + self._speed * speed, dt)
        self._value += share * (value - self._value)
        return self._value.astype(np.float32)

    def reset(self) -> None:
        """Forget the past: the next value comes through as it is."""
        self._value = None


class RotationFilter:
    """A One Euro filter on rotations: along the shortest arc, its speed in rad/s."""

    def __init__(self, knobs: OneEuro) -> None:
        self._knobs = knobs
        self._value: np.ndarray | None = None
        self._rate = np.zeros(3)

    def __call__(self, rotation: np.ndarray, dt: float) -> np.ndarray:
        """The filtered (3, 3) rotation, `dt` seconds after the last."""
        new = quaternion_from_matrix(rotation)
        if self._value is None:
            self._value, self._rate = new, np.zeros(3)
            return quaternion_to_matrix(new)
        turn = _turn_between(self._value, new) / max(dt, 1e-6)
        self._rate = self._rate + smoothing(self._knobs.derivative, dt) * (turn - self._rate)
        cutoff = self._knobs.cutoff + self._knobs.speed * float(np.linalg.norm(self._rate))
        self._value = slerp(self._value, new, float(smoothing(cutoff, dt)))
        return quaternion_to_matrix(self._value)

    def reset(self) -> None:
        """Forget the past: the next rotation comes through as it is."""
        self._value = None


def _turn_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3,) rotation vector from one unit quaternion to another, radians."""
    w0, v0 = start[0], -start[1:]
    w1, v1 = end[0], end[1:]
    w = w0 * w1 - v0 @ v1
    vector = w1 * v0 + w0 * v1 + np.cross(v1, v0)
    if w < 0:
        w, vector = -w, -vector
    sine = float(np.linalg.norm(vector))
    return vector * (2.0 * np.arctan2(sine, w) / sine if sine > 1e-9 else 2.0)
