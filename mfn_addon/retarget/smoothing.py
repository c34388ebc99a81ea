# SPDX-License-Identifier: GPL-3.0-or-later
"""Extra smoothing of single expressions, the same live and over a whole take."""

from __future__ import annotations

import numpy as np

RESTART_AFTER = 0.5
"""Seconds without the face after which it starts anew."""


class WeightFilter:
    """An exponential low-pass for each expression.

    Args:
        seconds: (n,) time constants; 0 lets a value through.
    """

    def __init__(self, seconds: np.ndarray) -> None:
        self._seconds = np.maximum(seconds, 1e-9)
        self._value: np.ndarray | None = None
        self._time = 0.0

    def __call__(self, weights: np.ndarray, time: float) -> np.ndarray:
        """(n,) the smoothed weights, of (n,) weights at a time in seconds.

        A time that goes back, or comes long after the last, starts anew.
        """
        dt = time - self._time
        value = self._value
        if value is None or not 0.0 <= dt <= RESTART_AFTER:
            value = np.array(weights, np.float64)
        else:
            value = value + (1.0 - np.exp(-dt / self._seconds)) * (weights - value)
        self._value, self._time = value, time
        return value


def smoothed(times: np.ndarray, weights: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """(m, n) the same over a performance: (m,) seconds, (m, n) weights, (n,) time constants."""
    if not seconds.any():
        return weights
    lowpass = WeightFilter(seconds)
    return np.array([lowpass(row, time) for row, time in zip(weights, times, strict=True)])
