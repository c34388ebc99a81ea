# SPDX-License-Identifier: GPL-3.0-or-later
"""The head that a photograph shows: its surface, its look, and what goes along when it turns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mfn_addon.face import load_head_model
from mfn_addon.face.camera import VIEWING_DISTANCE, project_local
from mfn_addon.face.mirror import mirror_partners

PIVOT = np.array([0.0, -0.02, -0.085], np.float32)
"""Head frame, metres: the head's middle, which stays at its place in the picture."""
HAIR_SIDES, HAIR_ABOVE = 0.012, 0.03
"""Metres outside the bald head's outline that are taken for hair, beside and above it."""


@dataclass(frozen=True)
class Head:
    """The head model's surface, for drawing.

    Attributes:
        neutral: (V, 3); modes: (92, V * 3) metres.
        triangles: (T, 3) without lashes. partner: (V,) each point's mirror image.
        face: (V,) whether a point belongs to the face, where a mirrored side is better than none.
        back: (V,) whether it belongs to the back of the head, ears apart.
        scalp: (V,) 0..1, how far hair lifts what is drawn of the head's hidden side.
        neck: (V,) 0..1, how far a point stays with the shoulders.
    """

    neutral: np.ndarray
    modes: np.ndarray
    triangles: np.ndarray
    partner: np.ndarray
    face: np.ndarray
    back: np.ndarray
    scalp: np.ndarray
    neck: np.ndarray


@lru_cache(maxsize=1)
def load_head() -> Head:
    model = load_head_model()
    neutral = np.asarray(model.neutral, np.float32)
    modes = np.concatenate([model.identity, model.expression]).reshape(-1, neutral.size)
    lashes = model.groups.index("lashes")
    x, y, z = neutral.T
    ears = (np.abs(x) > 0.071) & (y < 0.03)
    return Head(
        neutral=neutral,
        modes=np.ascontiguousarray(modes, np.float32),
        triangles=np.ascontiguousarray(model.triangles[model.triangle_group != lashes], np.int32),
        partner=mirror_partners(neutral),
        face=(z > -0.06) & (y < 0.05) & (y > -0.12),
        back=(y > -0.05) & (z < -0.04) & ~ears,
        scalp=smooth((y + 0.03) / 0.06) * smooth((-0.03 - z) / 0.05),
        neck=stay(y, z).astype(np.float32),
    )


def smooth(t: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def hair_width(y: np.ndarray) -> np.ndarray:
    """Metres by which hair stands out at height y of the head frame."""
    return np.interp(y, [-0.03, 0.02, 0.08], [0.004, HAIR_SIDES, HAIR_ABOVE])


def stay(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How far points at height y, depth z of the head frame stay with the shoulders, 0..1."""
    chin = np.interp(z, [-0.12, -0.05, 0.0], [-0.06, -0.09, -0.125])
    return smooth((chin - y) / 0.1)


@dataclass(frozen=True)
class Look:
    """What `project_local` takes, and the weights (92,): identity, then expression."""

    rotation: np.ndarray
    centre: np.ndarray
    scale: float
    weights: np.ndarray

    def screen(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) head-frame points -> (N, 3) x px, y px, 1 / depth."""
        flat = project_local(points, self.rotation, self.centre, self.scale)
        depth = VIEWING_DISTANCE - points @ self.rotation[2]
        return np.concatenate([flat, 1 / np.maximum(depth, 0.1)[:, None]], 1).astype(np.float32)

    def lift(self, places: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """The inverse: (N, 2) px at (N,) depths -> (N, 3) head-frame points."""
        flat = (places - self.centre) * np.array([1, -1]) / self.scale
        flat = flat * (depth / VIEWING_DISTANCE)[:, None]
        seen = np.concatenate([flat, (VIEWING_DISTANCE - depth)[:, None]], 1)
        return (seen @ self.rotation).astype(np.float32)


def turned_look(look: Look, yaw: float, pitch: float) -> Look:
    """The look of a head turned by yaw to the picture's right and by pitch upwards, radians.

    The axes are the picture's, rolled as the head is; the head's middle stays at its place.
    """
    roll = np.arctan2(look.rotation[1, 0], look.rotation[0, 0])
    turn = about(2, roll) @ about(1, yaw) @ about(0, -pitch) @ about(2, -roll)
    rotation = turn @ look.rotation
    before = project_local(PIVOT[None], look.rotation, look.centre, look.scale)[0]
    after = project_local(PIVOT[None], rotation, look.centre, look.scale)[0]
    return Look(rotation, look.centre + before - after, look.scale, look.weights)


def about(axis: int, angle: float) -> np.ndarray:
    """(3, 3) rotation about a coordinate axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[i, i] = out[j, j] = np.cos(angle)
    out[i, j], out[j, i] = -np.sin(angle), np.sin(angle)
    return out
