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


def sight_rotation(u: float, v: float, width: float, height: float) -> np.ndarray:
    """(3, 3) rotation that turns the camera's axis (0, 0, -1) onto the line of sight of pixel u, v.

    The shortest such rotation: Rodrigues' formula for the axis a x b and the angle between.
    """
    focal = FOCAL_PER_LONG_SIDE * max(width, height)
    ray = np.array([(u - width / 2) / focal, (height / 2 - v) / focal, -1.0])
    ray /= np.linalg.norm(ray)
    x, y, c = ray[1], -ray[0], -ray[2]  # axis (0, 0, -1) x ray = (y_ray, -x_ray, 0), cosine
    cross = np.array([[0, 0, y], [0, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + c)


def place(
    rotation: np.ndarray, centre: np.ndarray, scale: float, width: float, height: float
) -> tuple[np.ndarray, np.ndarray]:
    """From a face's look to its pose in the camera frame.

    Args:
        rotation: (3, 3) head axes as columns, relative to the line of sight to the head.
        centre: (2,) px, where the head's origin falls.
        scale: px a metre at the head's origin.
        width, height: the picture's size in px.

    Returns:
        (3, 3) rotation and (3,) translation in metres, as `Face` holds them.
    """
    focal = FOCAL_PER_LONG_SIDE * max(width, height)
    depth = focal / scale
    x, y = (centre[0] - width / 2) / focal, (height / 2 - centre[1]) / focal
    translation = np.array([x * depth, y * depth, -depth])
    turned = sight_rotation(centre[0], centre[1], width, height) @ rotation
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
    points: np.ndarray, rotation: np.ndarray, centre: np.ndarray, scale: float
) -> np.ndarray:
    """(N, 3) head-frame points in metres -> (N, 2) px, by a face's look (see `place`)."""
    seen = points @ np.asarray(rotation).T
    perspective = VIEWING_DISTANCE / np.maximum(VIEWING_DISTANCE - seen[:, 2:3], 0.1)
    return (centre + seen[:, :2] * (scale, -scale) * perspective).astype(np.float32)


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
