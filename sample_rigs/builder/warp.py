# SPDX-License-Identifier: GPL-3.0-or-later
"""From a human to a drawn character: smooth warps of space that carry shape keys along."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Mesh
from .skin import Face

Warp = Callable[[np.ndarray], np.ndarray]
"""(N, 3) points in metres -> (N, 3) where they go."""


def cartoon(face: Face, neck: np.ndarray, eye_scale: float) -> Warp:
    """Big eyes set wide, a button nose, a narrow jaw, a big head on a thin neck.

    Args:
        eye_scale: how much bigger the eyes get; a ball about each eye is scaled as a whole, so
            the eyeballs stay round and the lids stay on them.
    """
    eye_z = face.eyes[:, 2].mean()
    ear_depth = face.skull[1]

    def warp(points: np.ndarray) -> np.ndarray:
        out = np.array(points, float)
        out = _shrink_nose(out, face)
        out = _narrow_jaw(out, eye_z, face.chin[2], ear_depth)
        out = _swell_eyes(out, face, eye_scale)
        out = _shorten(out, eye_z - 1.1 * eye_scale * face.radius, face.chin[2])
        return _big_head(out, neck, face.chin[2])

    return warp


def carry(mesh: Mesh, warp: Warp) -> None:
    """Warp a mesh and its shape keys in place."""
    before = mesh.vertices
    mesh.vertices = warp(before)
    mesh.shapes = {
        name: np.where(np.abs(offset) > 0, warp(before + offset) - mesh.vertices, 0.0)
        if np.abs(offset).max() > 0
        else offset
        for name, offset in mesh.shapes.items()
    }


def _ramp(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _swell_eyes(points: np.ndarray, face: Face, scale: float) -> np.ndarray:
    moved = np.zeros_like(points)
    for eye, side in zip(face.eyes, (1, -1), strict=True):
        away = np.linalg.norm(points - eye, axis=1)
        share = 1 - _ramp((away - 1.25 * face.radius) / (2.3 * face.radius))
        shift = np.array([0.0035 * side, 0.003, -0.003])
        moved += share[:, None] * ((scale - 1) * (points - eye) + shift)
    # The nose keeps out of the eyes' way, and its bridge is not pinched from both sides.
    gap = (points - face.nose - (0, 0, 0.004)) / (0.017, 0.03, 0.017)
    moved *= 1 - 0.85 * np.exp(-(gap**2).sum(1) / 2)[:, None]
    moved[:, 0] *= 0.25 + 0.75 * _ramp(np.abs(points[:, 0]) / 0.016)
    return points + moved


def _shrink_nose(points: np.ndarray, face: Face) -> np.ndarray:
    root = face.nose + (0, 0.020, 0.004)
    gap = (points - face.nose) / (0.016, 0.020, 0.021)
    share = np.exp(-(gap**2).sum(1) / 2)[:, None]
    return points + share * (root - points) * (0.20, 0.30, 0.16)


def _narrow_jaw(points: np.ndarray, eye_z: float, chin_z: float, ear_depth: float) -> np.ndarray:
    down = _ramp((eye_z - 0.015 - points[:, 2]) / (eye_z - chin_z))
    above_neck = _ramp((points[:, 2] - chin_z + 0.045) / 0.05)
    front = _ramp((ear_depth + 0.03 - points[:, 1]) / 0.06)
    out = points.copy()
    beside = 0.25 + 0.75 * _ramp((np.abs(points[:, 0]) - 0.015) / 0.02)  # leave the mouth its width
    out[:, 0] *= 1 - 0.13 * down * above_neck * front * beside
    return out


def _shorten(points: np.ndarray, top: float, chin_z: float) -> np.ndarray:
    """Raise the mouth and chin towards the eyes; what is below the chin comes along."""
    out = points.copy()
    depth = np.clip(top - points[:, 2], 0, top - chin_z + 0.012)
    out[:, 2] += 0.22 * depth
    return out


def _big_head(points: np.ndarray, neck: np.ndarray, chin_z: float) -> np.ndarray:
    head = _ramp((points[:, 2] - neck[2]) / (chin_z + 0.005 - neck[2]))
    scale = 1 + 0.20 * head
    base = neck + (0, -0.01, 0)
    out = base + (points - base) * scale[:, None]
    body = 1 - head
    aside = np.abs(points[:, 0])
    narrow = 1 - 0.20 * body * _ramp((aside - 0.02) / 0.06)
    thin = 1 - 0.16 * np.exp(-(((points[:, 2] - neck[2] - 0.035) / 0.04) ** 2))
    out[:, 0] *= narrow * thin
    out[:, 1] = base[1] + (out[:, 1] - base[1]) * (1 - 0.12 * body) * thin
    return out
