# SPDX-License-Identifier: GPL-3.0-or-later
"""The One Euro filter: still when the signal is still, quick when it moves.

Casiez, Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. All filters here take the real time that has passed, so that a
dropped or late frame does not change how they look.

The paper's filter takes the speed of the noise for a movement, and lets through in part what it
should hold back. Here a speed counts from where it exceeds what the signal's own noise makes of it
(docs/decisions/0009). A head's is looked for over a few frames, and over many, where less noise is
left of it: a slow turn is noticed too. And a value that comes to rest is the mean of what has been
seen since, as a Kalman filter's would be, until the cutoff at rest is reached
(docs/decisions/0026).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from .rotation import quaternion_from_matrix, quaternion_to_matrix, slerp

Numbers = Any
"""A float, or an array of them."""

LOUD_GATE = 4 / 3
"""How much wider the gate of a loud signal is at most."""
DRIFT_GATE = 4.0
"""How many standard deviations of the noise's own drift count as standing still."""


class OneEuro(NamedTuple):
    """The two knobs of a One Euro filter, and the pace at which it notices a movement.

    Attributes:
        cutoff: Hz at rest. Lower is calmer, and later at the start of slow movements.
        speed: how many Hz the cutoff gains for one unit a second. Higher is quicker.
        derivative: Hz of the low pass on the speed itself; the paper's value is 1.
        gate: how many standard deviations of the noise's own speed count as standing still.
        loud: the noise's standard deviation from which on the cutoff at rest falls in proportion.
        drift: of rotations: Hz of a second, slower low pass on the speed, which notices slow
            movements under the noise; 0: there is none.
    """

    cutoff: Numbers
    speed: Numbers
    derivative: Numbers = 1.0
    gate: Numbers = 0.0
    loud: Numbers = np.inf
    drift: Numbers = 0.0


def smoothing(cutoff: Numbers, dt: float) -> Numbers:
    """The share of the new sample in a first-order low pass of `cutoff` Hz after `dt` s."""
    turn = 2 * np.pi * max(dt, 1e-6) * cutoff
    return turn / (turn + 1.0)


class Noise:
    """How much each of N signals shakes by itself, measured while it moves.

    A steady movement has no second difference, and white noise's has six times its variance.
    What a jerk of the signal itself adds is bounded, and soon forgotten.
    """

    SPAN = 1.0  # seconds that count
    FIRST = 10  # frames, until something is known
    MOST = 4.0  # times the variance so far: more than that in one frame is a movement
    LEAST = 1e-7

    def __init__(self, count: int) -> None:
        self.variance = np.zeros(count)
        self._step = np.zeros(count)
        self._seen = 0

    def __call__(self, step: np.ndarray, dt: float) -> np.ndarray:
        """(N,) the variance, after a step (N,) from the last sample to this one, `dt` s long."""
        jerk, self._step = step - self._step, step
        seen = jerk * jerk / 6.0
        self._seen += 1
        if self._seen > self.FIRST:
            seen = np.minimum(seen, self.MOST * self.variance + self.LEAST)
        share = max(1.0 / self._seen, dt / (dt + self.SPAN))
        self.variance = self.variance + share * (seen - self.variance)
        return self.variance


def loudness(knobs: OneEuro, variance: Numbers) -> Numbers:
    """How many times louder than `loud` the noise is, at least 1."""
    return np.maximum(np.sqrt(variance) / knobs.loud, 1.0)


def noise_speed(cutoff: Numbers, variance: Numbers, dt: float) -> Numbers:
    """The standard deviation that a signal's noise gives its speed, low-passed at `cutoff` Hz.

    The rate that the filters follow is the distance to the calm value over `dt`: its variance is
    the noise's, times share / (2 - share) of the low pass, over the squared time.
    """
    share = smoothing(cutoff, dt)
    return np.sqrt(variance * share / (2.0 - share)) / max(dt, 1e-6)


def moving_speed(
    knobs: OneEuro, variance: Numbers, dt: float, speed: Numbers, drift: Numbers = 0.0
) -> Numbers:
    """How fast a signal moves by more than its noise does.

    The gate of a loud signal is wider: once in a while noise passes three deviations, and would
    throw a value that rests far more calmly than that.

    Args:
        speed, drift: by the quicker and by the slower low pass.
    """
    gate = knobs.gate * np.minimum(loudness(knobs, variance), LOUD_GATE)
    speed = speed - gate * noise_speed(knobs.derivative, variance, dt)
    drift = drift - DRIFT_GATE * noise_speed(knobs.drift, variance, dt)
    return np.maximum(np.maximum(speed, drift), 0.0)


def rest_cutoff(knobs: OneEuro, variance: Numbers) -> Numbers:
    """Hz at rest: lower, the louder the noise is, or a face that can hardly be read would shake.

    What this holds back longer is less than the noise itself: beyond it, the speed counts.
    """
    return knobs.cutoff / loudness(knobs, variance)


def settling(share: Numbers) -> Numbers:
    """The least share of a new sample, after one with `share`: 1, 1/2, 1/3, ... as in a mean."""
    return share / (1.0 + share)


class ArrayFilter:
    """A One Euro filter on a (N,) array.

    The x and y of a point share its speed, so that both lag alike.
    """

    def __init__(self, knobs: OneEuro, points: slice = slice(0, 0)) -> None:
        """
        Args:
            knobs: for all values, or with an array in place of each number, (N,) for each.
            points: which values are the x and y of points, in turn.
        """
        self._knobs = knobs
        self._points = points
        self._value: np.ndarray | None = None
        self._last = self._rate = self._share = np.zeros(0)
        self._noise = Noise(0)

    def __call__(self, value: np.ndarray, dt: float, unit: Numbers = 1.0) -> np.ndarray:
        """The filtered value, (N,) float32.

        Args:
            value: (N,) the new value.
            dt: seconds since the last.
            unit: what the knobs' unit is in the value's, one number or (N,): px a face size.
        """
        value = np.asarray(value, np.float64)
        if self._value is None:
            self._value, self._last = value.copy(), value.copy()
            self._rate, self._share = np.zeros_like(value), np.ones_like(value)
            self._noise = Noise(len(value))
            return value.astype(np.float32)
        noise = self._noise(value - self._last, dt)
        self._last = value.copy()
        rate = (value - self._value) / max(dt, 1e-6)
        self._rate += smoothing(self._knobs.derivative, dt) * (rate - self._rate)
        speed = np.abs(self._rate)
        points = self._rate[self._points].reshape(-1, 2)
        if len(points):
            speed[self._points] = np.repeat(np.hypot(points[:, 0], points[:, 1]), 2)
        speed = moving_speed(self._knobs, noise, dt, speed)
        cutoff = rest_cutoff(self._knobs, noise) + self._knobs.speed * speed / unit
        self._share = np.maximum(smoothing(cutoff, dt), settling(self._share))
        smooth = self._value = self._value + self._share * (value - self._value)
        return smooth.astype(np.float32)

    def reset(self) -> None:
        """Forget the past: the next value comes through as it is."""
        self._value = None


class RotationFilter:
    """A One Euro filter on rotations: along the shortest arc, its speed in rad/s."""

    def __init__(self, knobs: OneEuro) -> None:
        self._knobs = knobs
        self._value: np.ndarray | None = None
        self._last = self._rate = self._drift = np.zeros(3)
        self._share = 1.0
        self._noise = Noise(3)

    def __call__(self, rotation: np.ndarray, dt: float) -> np.ndarray:
        """The filtered (3, 3) rotation, `dt` seconds after the last."""
        new = quaternion_from_matrix(rotation)
        if self._value is None:
            self._value = self._last = new
            self._rate, self._drift = np.zeros(3), np.zeros(3)
            self._share, self._noise = 1.0, Noise(3)
            return quaternion_to_matrix(new)
        noise = float(self._noise(_turn_between(self._last, new), dt).sum())
        self._last = new
        turn = _turn_between(self._value, new) / max(dt, 1e-6)
        self._rate += smoothing(self._knobs.derivative, dt) * (turn - self._rate)
        self._drift += smoothing(self._knobs.drift, dt) * (turn - self._drift)
        speed, drift = (math.sqrt(each @ each) for each in (self._rate, self._drift))
        speed = float(moving_speed(self._knobs, noise, dt, speed, drift))
        cutoff = float(rest_cutoff(self._knobs, noise)) + self._knobs.speed * speed
        self._share = max(smoothing(cutoff, dt), settling(self._share))
        self._value = slerp(self._value, new, self._share)
        return quaternion_to_matrix(self._value)

    def reset(self) -> None:
        """Forget the past: the next rotation comes through as it is."""
        self._value = None


def _turn_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3,) rotation vector from one unit quaternion to another, radians."""
    a, b, c, d = (float(value) for value in start)
    e, f, g, h = (float(value) for value in end)
    # The product of `end` and the conjugate of `start`.
    w = a * e + b * f + c * g + d * h
    x = a * f - b * e - c * h + d * g
    y = a * g + b * h - c * e - d * f
    z = a * h - b * g + c * f - d * e
    sine = math.sqrt(x * x + y * y + z * z)
    angle = 2.0 * math.atan2(sine, abs(w))
    factor = math.copysign(angle / sine if sine > 1e-9 else 2.0, w)
    return np.array([x, y, z]) * factor
