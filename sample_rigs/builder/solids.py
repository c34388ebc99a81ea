# SPDX-License-Identifier: GPL-3.0-or-later
"""Clean shapes for modelled characters: blended ellipsoids, lathes, shells, ellipsoids."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Mesh

Field = Callable[[np.ndarray], np.ndarray]
"""(N, 3) points -> (N,) about the distance to a surface in metres, negative inside."""


def ellipsoid_field(centre: tuple, radii: tuple) -> Field:
    """The field of an ellipsoid."""
    c, r = np.array(centre), np.array(radii)

    def field(points: np.ndarray) -> np.ndarray:
        scaled = np.linalg.norm((points - c) / r, axis=1)
        steep = np.linalg.norm((points - c) / r**2, axis=1)
        return scaled * (scaled - 1) / np.maximum(steep, 1e-9)

    return field


def blend(fields: list[Field], softness: float) -> Field:
    """Shapes grown together; `softness` in metres rounds the seams."""

    def field(points: np.ndarray) -> np.ndarray:
        values = np.stack([f(points) for f in fields])
        low = values.min(0)
        return low - softness * np.log(np.exp(-(values - low) / softness).sum(0))

    return field


def star(field: Field, centre: np.ndarray, rings: np.ndarray, segments: int, reach: float) -> Mesh:
    """The surface of a field that is seen whole from `centre`, with poles before and behind.

    Args:
        rings: polar angles from the front (-y), degrees, ascending from near 0 to near 180.
        reach: no surface lies further from the centre, metres.
    """
    a, t = np.meshgrid(np.radians(rings), np.arange(segments) * 2 * np.pi / segments, indexing="ij")
    way = np.stack([np.sin(a) * np.cos(t), -np.cos(a), np.sin(a) * np.sin(t)], -1).reshape(-1, 3)
    steps = np.linspace(0, reach, 96)
    inside = np.stack([field(centre + way * s) < 0 for s in steps])
    last = len(steps) - 1 - np.argmax(inside[::-1], axis=0)
    low, high = steps[last], steps[np.minimum(last + 1, len(steps) - 1)]
    for _ in range(18):
        middle = (low + high) / 2
        within = field(centre + way * middle[:, None]) < 0
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return Mesh(centre + way * low[:, None], grid_faces(len(rings), segments, closed=True))


def grid_faces(rows: int, columns: int, closed: bool) -> np.ndarray:
    """(F, 4) of a grid of vertices, row by row; `closed` joins the last column to the first."""
    r, c = np.meshgrid(
        np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij"
    )
    r, c = r.ravel(), c.ravel()
    n = (c + 1) % columns
    return np.stack(
        [r * columns + c, r * columns + n, (r + 1) * columns + n, (r + 1) * columns + c], 1
    )


def ellipsoid(centre: tuple, radii: tuple, rows: int = 16, segments: int = 24) -> Mesh:
    """A closed ellipsoid with poles before and behind."""
    return star(
        ellipsoid_field(centre, radii),
        np.array(centre),
        np.linspace(0.5, 179.5, rows),
        segments,
        1.05 * max(radii),
    )


def lathe(
    heights: np.ndarray,
    radii: np.ndarray,
    depths: np.ndarray,
    shift: np.ndarray,
    segments: int = 48,
) -> Mesh:
    """A body turned about z: half widths and half depths at heights, moved along y by `shift`."""
    turn = np.arange(segments) * 2 * np.pi / segments
    ring = np.stack([np.cos(turn), np.sin(turn)], 1)
    x = radii[:, None] * ring[:, 0]
    y = depths[:, None] * ring[:, 1] + shift[:, None]
    z = np.broadcast_to(heights[:, None], x.shape)
    return Mesh(
        np.stack([x, y, z], -1).reshape(-1, 3), grid_faces(len(heights), segments, closed=True)
    )


def shell(centre: np.ndarray, radius: float, start: float, end: float, thick: float) -> Mesh:
    """A lid: the part of a sphere between two angles about its x axis, with a rounded edge.

    Args:
        start, end: degrees about x from the front; positive turns down. `end` is the lid's edge.
        thick: metres; the edge folds inwards by it.
    """
    turn = np.concatenate([np.linspace(start, end, 20), [end, end]])
    rise = np.concatenate([np.full(20, 1.0), [1 - 0.5 * thick / radius, 1 - 1.6 * thick / radius]])
    turn[-2] += np.sign(end - start) * np.degrees(0.5 * thick / radius)
    across = np.radians(np.linspace(-88, 88, 25))
    a, b = np.meshgrid(np.radians(turn), across, indexing="ij")
    way = np.stack([np.sin(b), -np.cos(b) * np.cos(a), -np.cos(b) * np.sin(a)], -1)
    vertices = centre + radius * rise[:, None, None] * way
    return Mesh(vertices.reshape(-1, 3), grid_faces(len(turn), 25, closed=False))
