# SPDX-License-Identifier: GPL-3.0-or-later
"""Closed eyes are closed: what lids do together is told by the blink alone.

Labels of photographs are fits, which share a closed eye out: eyeBlink .5, eyeSquint .25,
eyeLookDown .25 shut the head model's lids by nine tenths. On another character they leave the eye
half open, so where these shapes together have shut it, eyeBlink says so
(docs/decisions/0026). The page on the phone does the same (companion/src/core/lids.ts).
"""

from __future__ import annotations

import numpy as np

from ..face import EXPRESSION_INDEX

PARTS = {"eyeBlink": 1.32, "eyeSquint": 0.485, "eyeLookDown": 0.5}
"""The share of the way from open to shut by which one unit of each shape moves the lids of the head
model (`models/head_model.npz`), for small weights."""
MOST_LOOKING_DOWN = 0.3
"""Beyond it the gaze goes down and the eye stays open."""
OPEN, SHUT = 0.5, 1.05
"""From here on the eye counts as closing, and as shut. In between, noise of what was read grows:
over a shorter way it would show."""

_ROWS = np.array([[EXPRESSION_INDEX[name + side] for name in PARTS] for side in ("Left", "Right")])
_SHARES = np.array([*PARTS.values()], np.float32)


def shut_lids(expression: np.ndarray) -> np.ndarray:
    """(..., 52) weights 0..1, with eyeBlink raised to 1 where the lids meet; others stay."""
    parts = expression[..., _ROWS]  # (..., 2 sides, 3 shapes)
    blink = parts[..., 0]
    parts[..., 2] = np.minimum(parts[..., 2], MOST_LOOKING_DOWN)
    way = np.clip((parts @ _SHARES - OPEN) / (SHUT - OPEN), 0.0, 1.0)
    shut = expression.copy()
    shut[..., _ROWS[:, 0]] = blink + (1.0 - blink) * way * way * (3.0 - 2.0 * way)
    return shut
