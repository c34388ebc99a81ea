# SPDX-License-Identifier: GPL-3.0-or-later
"""From a face as it looks to where it is, and back.

A network sees a face, not a camera: it can tell how the head is turned *relative to the line of
sight*, where the head's origin falls in the picture and how large a metre is there. This module
turns that into a pose in the camera frame under an assumed focal length, and the other way round.
"""

from __future__ import annotations

import numpy as np

FOCAL_PER_LONG_SIDE = 1.2
"""Focal length over the picture's longer side, assumed where the camera is unknown: about 45
degrees across the longer side, between a phone's front camera (near 55) and a webcam (near
40). `translation` is metric under this assumption; pose and expression hardly depend on it."""

VIEWING_DISTANCE = 0.8
"""Metres. The perspective within a face is that of a camera at this distance. The true one is
unknown and shows little; taking it from the assumed focal length would give a face that fills
a cropped picture a swollen nose."""


def sight_rotation(
    u: float | np.ndarray, v: float | np.ndarray, width: float, height: float
) -> np.ndarray:
    """(..., 3, 3) rotations that turn the camera's axis (0, 0, -1) onto the lines of sight of
    pixels u, v (...).

    The shortest such rotation, Rodrigues' formula for the axis a x b and the angle between,
    multiplied out: arrays of a few numbers cost by the number of steps.
    """
    focal = FOCAL_PER_LONG_SIDE * max(width, height)
    x, y = (np.asarray(u) - width / 2) / focal, (height / 2 - np.asarray(v)) / focal
    cosine = 1 / np.sqrt(x * x + y * y + 1)
    x, y = x * cosine, y * cosine
    share = 1 / (1 + cosine)
    out = np.empty((*np.shape(x), 3, 3))
    out[..., 0, 0], out[..., 0, 1], out[..., 0, 2] = 1 - x * x * share, -x * y * share, -x
    out[..., 1, 0], out[..., 1, 1], out[..., 1, 2] = -x * y * share, 1 - y * y * share, -y
    out[..., 2, 0], out[..., 2, 1], out[..., 2, 2] = x, y, cosine
    return out


def place(
    rotation: np.ndarray, centre: np.ndarray, scale: float | np.ndarray, width: float, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """From faces' looks to their poses in the camera frame; of one face, or of many at once.

    Args:
        rotation: (..., 3, 3) head axes as columns, relative to the line of sight to the head.
        centre: (..., 2) px, where the head's origin falls.
        scale: (...) px a metre at the head's origin.
        width, height: the picture's size in px.

    Returns:
        (..., 3, 3) rotation and (..., 3) translation in metres, as `Face` holds them.
    """
    focal = FOCAL_PER_LONG_SIDE * max(width, height)
    depth = focal / np.asarray(scale, np.float64)
    u, v = np.asarray(centre, np.float64)[..., 0], np.asarray(centre, np.float64)[..., 1]
    x, y = (u - width / 2) / focal, (height / 2 - v) / focal
    translation = np.stack([x * depth, y * depth, -depth], -1)
    turned = sight_rotation(u, v, width, height) @ rotation
    return turned.astype(np.float32), translation.astype(np.float32)


def unplace(
    rotation: np.ndarray, translation: np.ndarray, width: float, height: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """The inverse of `place`: rotation relative to the line of sight, centre in px, px a metre."""
    focal = FOCAL_PER_LONG_SIDE * max(width, height)
    depth = max(-float(translation[2]), 1e-3)
    u = width / 2 + focal * float(translation[0]) / depth
    v = height / 2 - focal * float(translation[1]) / depth
    relative = sight_rotation(u, v, width, height).T @ np.asarray(rotation)
    return relative.astype(np.float32), np.array([u, v], np.float32), focal / depth


def project_local(
    points: np.ndarray, rotation: np.ndarray, centre: np.ndarray, scale: float | np.ndarray
) -> np.ndarray:
    """(..., N, 3) head-frame points in metres -> (..., N, 2) px, by faces' looks (see `place`)."""
    seen = points @ np.swapaxes(np.asarray(rotation), -1, -2)
    perspective = VIEWING_DISTANCE / np.maximum(VIEWING_DISTANCE - seen[..., 2:3], 0.1)
    shown = seen[..., :2] * np.asarray(scale)[..., None, None] * (1, -1) * perspective
    return (np.asarray(centre)[..., None, :] + shown).astype(np.float32)


def project(
    points: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    width: float,
    height: float,
) -> np.ndarray:
    """Where head-frame points fall in the picture.

    Args:
        points: (N, 3) head frame, metres.
        rotation, translation: the head's pose in the camera frame, as `Face` holds them.
        width, height: the picture's size in px.

    Returns:
        (N, 2) px, origin top left, y down. The head's origin is projected by a pinhole with
        the assumed focal length; within the face the perspective is that of VIEWING_DISTANCE.
    """
    return project_local(points, *unplace(rotation, translation, width, height))
