# SPDX-License-Identifier: GPL-3.0-or-later
"""Glasses, hats and scarves as small meshes on the neutral head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import raster
from .head import HeadMesh


@dataclass(frozen=True)
class Part:
    """A mesh that is worn: points (n, 3), triangles (t, 3), aux (n, 4), bind (n,) head points."""

    points: np.ndarray
    triangles: np.ndarray
    aux: np.ndarray
    bind: np.ndarray
    covers: np.ndarray
    """(t,) bool: the head mesh's triangles that lie well under it and need not be drawn."""


@dataclass(frozen=True)
class Glasses:
    """Frame and lenses; both follow the bridge of the nose and the width of the temples."""

    frame: np.ndarray  # (n, 3)
    frame_triangles: np.ndarray
    lens: np.ndarray  # (m, 3)
    lens_triangles: np.ndarray
    lens_normal: np.ndarray


def build_glasses(mesh: HeadMesh, rng: np.random.Generator) -> Glasses:
    """One pair: rounded rectangles to circles, thin wire to thick plastic."""
    eye = mesh.eyes[0]
    half_width, half_height = rng.uniform(0.021, 0.027), rng.uniform(0.013, 0.023)
    power = rng.uniform(2.0, 4.5)
    thick = rng.uniform(0.0006, 0.0012) if rng.random() < 0.5 else rng.uniform(0.0012, 0.0026)
    drop = rng.uniform(0.001, 0.006)
    sides = 28
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    cos, sin = np.cos(turn), np.sin(turn)
    x = np.sign(cos) * np.abs(cos) ** (2 / power) * half_width
    y = np.sign(sin) * np.abs(sin) ** (2 / power) * half_height
    x = x * (1 + 0.12 * y / half_height * rng.uniform(-0.2, 1))
    middle = max(abs(eye[0]) + 0.002, half_width + 0.006)
    wrap = rng.uniform(0.05, 0.2)

    def place(side: int) -> np.ndarray:
        px = side * (middle + x)
        z = 0.0295 - wrap * np.abs(px) ** 1.5 * 1.6 - 0.12 * (y - half_height)
        return np.stack([px, y - drop, z], 1)

    points, triangles = [], []

    def tube(path: np.ndarray, radius: float, closed: bool) -> None:
        base = sum(len(p) for p in points)
        along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        up = np.where(np.abs(along[:, 2:3]) > 0.8, [[0, 1.0, 0]], [[0, 0, 1.0]])
        first = np.cross(along, up)
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        second = np.cross(along, first)
        ring = [path + radius * (np.cos(a) * first + np.sin(a) * second)
                for a in np.arange(5) * 2 * np.pi / 5]  # fmt: skip
        points.append(np.stack(ring, 1).reshape(-1, 3))
        n = len(path)
        for k in range(n if closed else n - 1):
            for j in range(5):
                a, b = base + k * 5 + j, base + k * 5 + (j + 1) % 5
                c, d = base + (k + 1) % n * 5 + j, base + (k + 1) % n * 5 + (j + 1) % 5
                triangles.extend([(a, b, c), (b, d, c)])

    lens, lens_triangles, lens_normal = [], [], []
    for side in (1, -1):
        rim = place(side)
        tube(rim, thick, True)
        outer = rim[np.argmax(np.abs(rim[:, 0]))] + [0, half_height * 0.4, 0]
        ear = np.array([side * 0.079, 0.004, -0.085])
        arm = outer + (ear - outer) * np.linspace(0, 1, 6)[:, None] ** [0.55, 1.0, 1.0]
        tube(arm, thick * rng.uniform(0.8, 1.3), False)
        base = sum(len(p) for p in lens)
        lens.append(np.concatenate([[rim.mean(0)], rim]))
        bulge = np.concatenate([[rim.mean(0)], rim]) - rim.mean(0)
        normal = bulge * [14, 14, 0] + [0, 0, 1]
        lens_normal.append(normal / np.linalg.norm(normal, axis=1, keepdims=True))
        lens_triangles += [(base, base + 1 + k, base + 1 + (k + 1) % sides) for k in range(sides)]
    left, right = place(1), place(-1)
    a, b = left[np.argmin(left[:, 0])], right[np.argmax(right[:, 0])]
    t = np.linspace(0, 1, 5)[:, None]
    bridge = a + (b - a) * t + np.array([0, 0.006, 0.002]) * np.sin(np.pi * t)
    tube(bridge + np.array([0, half_height * 0.25, 0]), thick * 1.1, False)
    frame_triangles = np.array(triangles, np.int32)
    return Glasses(
        np.concatenate(points).astype(np.float32),
        np.concatenate([frame_triangles, frame_triangles[:, ::-1]]),  # thin: both sides
        np.concatenate(lens).astype(np.float32), np.array(lens_triangles, np.int32),
        np.concatenate(lens_normal).astype(np.float32),
    )  # fmt: skip


def build_hat(mesh: HeadMesh, kind: str, rng: np.random.Generator) -> Part:
    """A beanie, a cap with a brim, or a scarf around head and neck: the skin, lifted."""
    normal = np.zeros_like(mesh.neutral)
    raster.normals(mesh.neutral, mesh.smooth[mesh.triangles].astype(np.int32), normal)
    normal = normal[mesh.smooth]
    p = mesh.neutral
    tilt = 0.3 * (p[:, 2] + 0.06)
    if kind == "scarf":
        edge = np.interp(p[:, 1], [-0.13, -0.1, -0.03, 0.03, 0.055, 0.075],
                         [0.1, -0.02, -0.06, -0.045, -0.005, 0.08])  # fmt: skip
        inside = edge - p[:, 2]
        lift = rng.uniform(0.006, 0.011)
    else:
        low = rng.uniform(0.03, 0.055) if kind == "beanie" else rng.uniform(0.042, 0.06)
        inside = p[:, 1] - low - (tilt if kind == "cap" else 0.7 * tilt)
        lift = rng.uniform(0.006, 0.014)
    skin = mesh.triangles[(mesh.material == raster.SKIN) | (mesh.material == raster.CLOTH)]
    triangles = skin[(inside[skin] > 0).any(1)]
    used, local = np.unique(triangles, return_inverse=True)
    points = p[used] + normal[mesh.smooth[used]] * lift
    ears = np.abs(points[:, 0]) > 0.078
    points[ears, 0] = np.sign(points[ears, 0]) * 0.078
    if kind == "beanie":
        points[:, 1] += np.clip(points[:, 1] - 0.08, 0, 1) * rng.uniform(0, 0.8)
    triangles = local.reshape(-1, 3)
    aux = np.stack([np.arctan2(points[:, 0], points[:, 2] + 0.065) * 0.1, points[:, 1] * 3,
                    inside[used], np.ones(len(points))], 1)  # fmt: skip
    bind = used
    if kind == "cap":
        rows, columns = 5, 15
        angle = np.linspace(-0.95, 0.95, columns)
        reach = np.linspace(0, rng.uniform(0.05, 0.075), rows)[:, None]
        edge_y = 0.3 * (0.01 + 0.06) + low
        radius_x, radius_z = 0.066 + lift, 0.076 + lift
        x = (radius_x + reach * 0.35) * np.sin(angle)
        z = -0.065 + (radius_z + reach * 1.0) * np.cos(angle) ** 0.6
        y = edge_y + 0.004 - reach * 0.25 + 0 * angle - 0.018 * np.sin(angle) ** 2
        brim = np.stack([x, y, z], 2).reshape(-1, 3)
        index = np.arange(rows * columns).reshape(rows, columns) + len(points)
        a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
        c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
        triangles = np.concatenate([triangles, np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
        brim_aux = np.stack(
            [brim[:, 0], brim[:, 2], np.ones(len(brim)), 0.8 * np.ones(len(brim))], 1
        )
        aux = np.concatenate([aux, brim_aux])
        points = np.concatenate([points, brim])
        nearest = mesh.skull[np.argmin(((mesh.neutral[mesh.skull] - [0, edge_y, 0.0]) ** 2).sum(1))]
        bind = np.concatenate([bind, np.full(len(brim), nearest)])
    return Part(points.astype(np.float32), triangles.astype(np.int32), aux.astype(np.float32),
                bind.astype(np.int32), (inside[mesh.triangles] > 0.012).all(1))  # fmt: skip
