# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces at rest stay at rest, and what they show is shown as strongly.

What a network is unsure of it draws towards the mean: a brow that is raised fully is read as
raised by two thirds, and a face that does nothing as doing a little of everything. Both are undone,
shape by shape, by what `training.amplitude` has measured (docs/decisions/0028). The page on the
phone does the same: it is given this table with the head model (tools/companion_head.py).
"""

from __future__ import annotations

import numpy as np

from ..face import EXPRESSIONS

BELOW_REST = 0.2
"""What lies below rest is kept by a fifth: cut off, it would take with it how low a brow sits."""

REST_AND_GAIN: dict[str, tuple[float, float]] = {
    "browDown": (0.04, 1.36),
    "browInnerUp": (0.0, 1.21),
    "browOuterUp": (0.0, 1.22),
    "cheekPuff": (0.02, 1.4),
    "cheekSquint": (0.03, 1.26),
    "eyeLookDown": (0.04, 1.39),
    "eyeLookIn": (0.02, 1.16),
    "eyeLookOut": (0.02, 1.14),
    "eyeLookUp": (0.05, 1.4),
    "eyeSquint": (0.1, 1.4),
    "eyeWide": (0.03, 1.25),
    "jawForward": (0.04, 1.4),
    "jawLeft": (0.02, 1.4),
    "jawOpen": (0.04, 1.05),
    "jawRight": (0.02, 1.4),
    "mouthClose": (0.01, 1.18),
    "mouthDimple": (0.05, 1.4),
    "mouthFrown": (0.02, 1.4),
    "mouthFunnel": (0.01, 1.01),
    "mouthLeft": (0.02, 1.34),
    "mouthLowerDown": (0.06, 1.21),
    "mouthPress": (0.04, 1.4),
    "mouthPucker": (0.02, 1.4),
    "mouthRight": (0.02, 1.34),
    "mouthRollLower": (0.03, 1.4),
    "mouthRollUpper": (0.06, 1.4),
    "mouthShrugLower": (0.02, 1.4),
    "mouthShrugUpper": (0.04, 1.4),
    "mouthSmile": (0.02, 1.16),
    "mouthStretch": (0.03, 1.4),
    "mouthUpperUp": (0.04, 1.09),
    "noseSneer": (0.07, 1.4),
    "tongueOut": (0.0, 1.28),
}
"""For shapes without their side: what a face at rest is read with, and by what the rest of the way
is multiplied. Shapes that are not here stay as they are read."""


def rest_and_gain() -> np.ndarray:
    """(2, 52) float32 of the table above, in the order of the expressions."""
    rows = [
        REST_AND_GAIN.get(name.removesuffix("Left").removesuffix("Right"))
        or REST_AND_GAIN.get(name, (0.0, 1.0))
        for name in EXPRESSIONS
    ]
    return np.array(rows, np.float32).T


_REST, _GAIN = rest_and_gain()


def as_shown(expression: np.ndarray) -> np.ndarray:
    """(..., 52) weights as read, 0..1, to weights as the face shows them, 0..1."""
    low = np.minimum(expression, _REST) * BELOW_REST
    return np.clip(low + np.maximum(expression - _REST, 0.0) * _GAIN, 0.0, 1.0)
