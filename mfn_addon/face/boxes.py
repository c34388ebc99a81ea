# SPDX-License-Identifier: GPL-3.0-or-later
"""How much two boxes (4,) x0, y0, x1, y1 have in common. Pairs only: for arrays of a few numbers
plain floats are several times as quick as numpy."""

from __future__ import annotations

import numpy as np


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union."""
    shared = _shared(first, second)
    total = _area(first) + _area(second) - shared
    return shared / total if total > 0 else 0.0


def contained(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over the smaller box."""
    smaller = min(_area(first), _area(second))
    return _shared(first, second) / smaller if smaller > 0 else 0.0


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    a, b, c, d = first.tolist()
    e, f, g, h = second.tolist()
    return max(min(c, g) - max(a, e), 0.0) * max(min(d, h) - max(b, f), 0.0)


def _area(box: np.ndarray) -> float:
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))
