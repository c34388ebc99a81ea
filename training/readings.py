# SPDX-License-Identifier: GPL-3.0-or-later
"""What landmarks alone say of an expression: a judge that is no network's vocabulary.

Distances between the 68 iBUG landmarks that people have set (the P1 set's csv), in the face's own
frame (its x axis through the outer eye corners), over the distance of those corners. Expression
weights are judged by rank correlation with them (Spearman): neither side's gain or resting level
matters. Heads turned further than MOST_TURNED are left out, where distances in the picture say
little.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mfn_addon.face import EXPRESSION_INDEX

OUTER_RIGHT, OUTER_LEFT = 36, 45
INNER_LIPS = ((61, 67), (62, 66), (63, 65))
CORNER_RIGHT, CORNER_LEFT = 48, 54
LIDS = {"Right": ((37, 41), (38, 40)), "Left": ((43, 47), (44, 46))}
EYE_CORNERS = {"Right": (36, 39), "Left": (42, 45)}
BROWS = tuple(range(17, 27))
MOST_TURNED = 25.0  # degrees of yaw

Weights = np.ndarray
Reading = tuple[Callable[[np.ndarray], np.ndarray], Callable[[Weights], np.ndarray]]


def in_face_frame(landmarks: np.ndarray) -> np.ndarray:
    """(N, 68, 2) px -> the same with x along the eye corners, y down, in eye distances."""
    across = landmarks[:, OUTER_LEFT] - landmarks[:, OUTER_RIGHT]
    span = np.linalg.norm(across, axis=1)[:, None, None]
    x = across / span[:, 0]
    frame = np.stack([x, np.stack([-x[:, 1], x[:, 0]], 1)], 2)
    middle = (landmarks[:, OUTER_LEFT] + landmarks[:, OUTER_RIGHT])[:, None] / 2
    return np.einsum("npi,nij->npj", landmarks - middle, frame) / span


def lip_gap(points: np.ndarray) -> np.ndarray:
    """Mean height between the inner lips."""
    return np.mean([points[:, low, 1] - points[:, up, 1] for up, low in INNER_LIPS], axis=0)


def eye_opening(points: np.ndarray, side: str) -> np.ndarray:
    """The lids' mean distance over the eye's width."""
    gaps = [np.linalg.norm(points[:, low] - points[:, up], axis=1) for up, low in LIDS[side]]
    outer, inner = EYE_CORNERS[side]
    return np.mean(gaps, axis=0) / np.linalg.norm(points[:, outer] - points[:, inner], axis=1)


def mouth_corners(points: np.ndarray) -> np.ndarray:
    """How wide and how far up the corners of the mouth are, against the outer lips' middle."""
    middle = (points[:, 51, 1] + points[:, 57, 1]) / 2
    raised = middle - (points[:, CORNER_RIGHT, 1] + points[:, CORNER_LEFT, 1]) / 2
    return points[:, CORNER_LEFT, 0] - points[:, CORNER_RIGHT, 0] + raised


def brow_height(points: np.ndarray) -> np.ndarray:
    """The brows' mean height over the line through the outer eye corners."""
    return -points[:, BROWS, 1].mean(1)


def total(*names: str) -> Callable[[Weights], np.ndarray]:
    """Sums (N, 52) weights; a name that begins with "-" counts against."""
    rows = [(EXPRESSION_INDEX[name.lstrip("-")], -1 if name[0] == "-" else 1) for name in names]
    return lambda weights: np.sum([sign * weights[:, i] for i, sign in rows], axis=0)


def both(name: str) -> tuple[str, str]:
    return name + "Left", name + "Right"


READINGS: dict[str, Reading] = {
    "lips apart": (
        lip_gap,
        total("jawOpen", *both("mouthUpperUp"), *both("mouthLowerDown"), "-mouthClose"),
    ),
    "blink, right eye": (lambda p: -eye_opening(p, "Right"), total("eyeBlinkRight")),
    "blink, left eye": (lambda p: -eye_opening(p, "Left"), total("eyeBlinkLeft")),
    "right blink, wrong eye": (lambda p: -eye_opening(p, "Left"), total("eyeBlinkRight")),
    "left blink, wrong eye": (lambda p: -eye_opening(p, "Right"), total("eyeBlinkLeft")),
    "smile": (mouth_corners, total(*both("mouthSmile"))),
    "brows up": (brow_height, total("browInnerUp", *both("browOuterUp"))),
    "brows down": (lambda p: -brow_height(p), total(*both("browDown"))),
}


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's; ties get their mean rank."""

    def ranks(values: np.ndarray) -> np.ndarray:
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        return ((ends - counts + ends - 1) / 2)[inverse]

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def readings(landmarks: np.ndarray, yaw: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Rank correlation of each sum of weights with what the landmarks show.

    Args:
        landmarks: (N, 68, 2) px, iBUG order, NaN where there are none.
        yaw: (N,) degrees; weights: (N, 52) by ARKit name.
    """
    ok = np.isfinite(weights).all(1) & np.isfinite(landmarks).all((1, 2))
    ok &= np.abs(yaw) < MOST_TURNED
    points = in_face_frame(landmarks[ok])
    return {
        name: rank_correlation(said(weights[ok]), shown(points))
        for name, (shown, said) in READINGS.items()
    }
