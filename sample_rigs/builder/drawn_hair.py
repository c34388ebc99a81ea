# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair and brows as drawn characters wear them: few, big, pointed shapes."""

from __future__ import annotations

import numpy as np
from mathutils import Vector

from .arrays import Mesh, merge, unit, vertex_normals
from .skin import Face
from .strands import Surface, sweep

STEPS = 14


def bob(surface: Surface, face: Face, colour: tuple, seed: int) -> Mesh:
    """A bob with a fringe: locks that run from the crown down the skull's meridians."""
    rng = np.random.default_rng(seed)
    # Azimuth and elevation of the tip, sway (degrees), width and lift (metres) of each lock.
    locks = [  # the fringe
        (azimuth, 25 + 5 * (k % 2) - abs(azimuth) * 0.10, 10, 0.0175, 0.010)
        for k, azimuth in enumerate(np.linspace(-56, 56, 11))
    ]
    locks += [  # before and over the ears
        (side * azimuth, low, 0, 0.017, 0.013)
        for side in (-1, 1)
        for azimuth, low in ((66, -30), (76, -52), (88, -58), (102, -60))
    ]
    locks += [
        (azimuth, -60 + rng.uniform(-3, 3), 0, 0.019, 0.014)
        for azimuth in np.linspace(112, 248, 13)
    ]
    locks += [  # a shorter layer on top
        (azimuth + 5, -38 + rng.uniform(-6, 6), 0, 0.021, 0.019)
        for azimuth in np.linspace(70, 290, 16)
    ]
    meshes = [_cap(surface, face, colour)]
    meshes += [_lock(surface, face, *lock, colour, rng) for lock in locks]
    return merge(meshes)


def _out(surface: Surface, face: Face, azimuth: np.ndarray, elevation: np.ndarray) -> tuple:
    """The outermost skin in directions from the skull's middle: (N,) distances, (N, 3) ways."""
    a, e = np.radians(azimuth), np.radians(elevation)
    way = np.stack([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)], -1)
    away = []
    for w in way:
        place, _, _, _ = surface.tree.ray_cast(Vector(face.skull + w * 0.5), Vector(-w))
        away.append(np.nan if place is None else np.linalg.norm(np.array(place) - face.skull))
    return np.array(away), way


def _lock(
    surface: Surface,
    face: Face,
    azimuth: float,
    tip: float,
    sway: float,
    width: float,
    lift: float,
    colour: tuple,
    rng: np.random.Generator,
) -> Mesh:
    t = np.linspace(0, 1, STEPS)
    elevation = 84 + (tip - 84) * t
    turn = azimuth + sway * (t - 1) + rng.uniform(-2, 2)
    away, way = _out(surface, face, turn, np.maximum(elevation, -35))
    # Below the jaw hair hangs straight instead of following the neck.
    hanging = np.maximum.accumulate(np.nan_to_num(away, nan=0.08) * (elevation < 10))
    away = np.maximum(np.nan_to_num(away, nan=0.08), hanging * 0.97)
    for _ in range(3):
        away[1:-1] = (away[:-2] + 2 * away[1:-1] + away[2:]) / 4
    below = np.radians(np.minimum(elevation + 35, 0))
    path = face.skull + way * (away + lift * np.sin(np.pi * (0.12 + 0.78 * t)))[:, None]
    path[:, 2] += np.sin(below) * 0.105
    normals = unit(way + (0, 0, 0.2))
    shape = np.interp(t, (0, 0.25, 0.6, 0.85, 1), (0.45, 0.9, 1.0, 0.62, 0.02))
    mesh = sweep(path[None], width * shape * rng.uniform(0.92, 1.08), 8, 0.36, normals[None])
    shade = rng.uniform(0.90, 1.08) * (0.80 + 0.30 * np.sin(np.pi * t) + 0.10 * t)
    mesh.colours = (np.array(colour) * np.repeat(shade, 8)[:, None]).clip(0, 1)
    return mesh


def _cap(surface: Surface, face: Face, colour: tuple) -> Mesh:
    """A smooth shell under the locks, open towards the face."""
    rows, columns = 18, 48
    azimuth = np.linspace(-180, 180, columns, endpoint=False)
    low = np.interp(np.abs(azimuth), (0, 50, 75, 95, 120, 180), (44, 40, 12, -2, -22, -34))
    t = np.linspace(0, 1, rows)[:, None]
    elevation = 89 + (low - 89) * t
    turn = np.broadcast_to(azimuth, elevation.shape)
    away, way = _out(surface, face, turn.ravel(), elevation.ravel())
    away = np.nan_to_num(away, nan=np.nanmean(away)).reshape(rows, columns)
    for _ in range(4):
        away = (np.roll(away, 1, 1) + 2 * away + np.roll(away, -1, 1)) / 4
    lift = 0.008 * np.clip((1 - t) * 6, 0, 1) ** 0.5 + 0.001
    vertices = face.skull + way * (away + lift).reshape(-1, 1)
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    r, c = r.ravel(), c.ravel()
    n = (c + 1) % columns
    faces = np.stack(
        [r * columns + c, (r + 1) * columns + c, (r + 1) * columns + n, r * columns + n], 1
    )
    normals = vertex_normals(vertices, faces)
    if ((vertices - face.skull) * normals).sum() < 0:
        faces = faces[:, ::-1]
    return Mesh(vertices, faces, colours=np.tile(np.array(colour) * 0.75, (len(vertices), 1)))


def drawn_brow(surface: Surface, eye: np.ndarray, side: int, radius: float, colour: tuple) -> Mesh:
    """One tapered stroke above an eye.

    Args:
        eye: (3,) the eyeball's centre; radius: its radius, which the brow is sized by.
    """
    t = np.linspace(0, 1, 16)
    x = eye[0] + side * radius * np.interp(t, (0, 1), (-0.80, 1.05))
    z = eye[2] + radius * (1.14 + 0.20 * np.sin(np.pi * t**0.9) - 0.02 * t)
    path = surface.front(x, z, lift=0.0006)
    mesh = sweep(
        path[None],
        0.0030 * np.interp(t, (0, 0.1, 0.5, 1), (0.25, 0.85, 1, 0.1)),
        6,
        0.5,
        np.tile(np.array([0.0, -1.0, 0.15]), (1, 16, 1)),
    )
    mesh.colours = np.tile(np.array(colour), (len(mesh.vertices), 1))
    return surface.ride(mesh)
