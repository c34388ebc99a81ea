# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as arrays: normals, smoothing, nearest points, binding to a moving surface. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Mesh:
    """A mesh on its way into Blender.

    Attributes:
        vertices: (V, 3) metres.
        faces: (F, 4) or (F, 3) vertex numbers; a triangle among quads repeats its last number.
        uv: (F, 4, 2) texture coordinates a corner, or None.
        colours: (V, 3) linear RGB 0..1, or (F, 4, 3) a corner, or None.
        material: (F,) material slot numbers.
        shapes: shape key name -> (V, 3) offsets from `vertices`.
        weights: bone name -> (V,) skin weights.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None = None
    colours: np.ndarray | None = None
    material: np.ndarray | None = None
    shapes: dict[str, np.ndarray] = field(default_factory=dict)
    weights: dict[str, np.ndarray] = field(default_factory=dict)


def triangles(faces: np.ndarray) -> np.ndarray:
    """(T, 3) of polygons; degenerate ones dropped."""
    if faces.shape[1] == 3:
        return faces
    halves = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    return halves[halves[:, 1] != halves[:, 2]]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, area-weighted."""
    tri = triangles(faces)
    a, b, c = (vertices[tri[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, tri[:, k], face)
    return unit(normals)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1 along the last axis; a null vector stays null."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-12)


def edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) unique edges, smaller number first."""
    pairs = np.concatenate(
        [np.stack([faces[:, k], np.roll(faces, -1, 1)[:, k]], 1) for k in range(faces.shape[1])]
    )
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.unique(np.sort(pairs, 1), axis=0)


def boundary_edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2) edges that only one polygon has."""
    pairs = np.concatenate(
        [np.stack([faces[:, k], np.roll(faces, -1, 1)[:, k]], 1) for k in range(faces.shape[1])]
    )
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    kept, count = np.unique(np.sort(pairs, 1), axis=0, return_counts=True)
    return kept[count == 1]


def smooth(
    values: np.ndarray,
    faces: np.ndarray,
    steps: int,
    hold: np.ndarray | None = None,
    share: float = 0.5,
) -> np.ndarray:
    """Laplacian smoothing of (V, ...) values over the mesh's edges.

    Args:
        hold: (V,) bool, values that stay.
        share: how far a step goes towards the neighbours' mean.
    """
    pairs = edges(faces)
    degree = np.bincount(pairs.ravel(), minlength=len(values)).astype(float)
    moving = degree > 0 if hold is None else (degree > 0) & ~hold
    values = values.astype(float).copy()
    flat = values.reshape(len(values), -1)
    for _ in range(steps):
        total = np.zeros_like(flat)
        np.add.at(total, pairs[:, 0], flat[pairs[:, 1]])
        np.add.at(total, pairs[:, 1], flat[pairs[:, 0]])
        mean = total[moving] / degree[moving, None]
        flat[moving] += share * (mean - flat[moving])
    return values


def nearest(points: np.ndarray, among: np.ndarray, block: int = 512) -> np.ndarray:
    """(N,) for each point the number of the nearest of `among`."""
    found = np.empty(len(points), int)
    norm = (among**2).sum(1)
    for start in range(0, len(points), block):
        part = points[start : start + block]
        found[start : start + block] = (norm - 2 * part @ among.T).argmin(1)
    return found


def merge(meshes: list[Mesh]) -> Mesh:
    """One mesh of several. Material numbers are kept; absent shapes and weights are nought."""
    offset = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    shape_names = list(dict.fromkeys(name for m in meshes for name in m.shapes))
    bones = list(dict.fromkeys(name for m in meshes for name in m.weights))
    quads = [m.faces if m.faces.shape[1] == 4 else m.faces[:, [0, 1, 2, 2]] for m in meshes]

    def column(m: Mesh, value: np.ndarray | None, default: np.ndarray) -> np.ndarray:
        return default if value is None else value

    return Mesh(
        vertices=np.concatenate([m.vertices for m in meshes]),
        faces=np.concatenate([q + o for q, o in zip(quads, offset, strict=True)]),
        uv=np.concatenate([column(m, m.uv, np.zeros((len(m.faces), 4, 2))) for m in meshes]),
        colours=np.concatenate(
            [column(m, m.colours, np.ones((len(m.vertices), 3))) for m in meshes]
        ),
        material=np.concatenate(
            [column(m, m.material, np.zeros(len(m.faces), int)) for m in meshes]
        ),
        shapes={
            name: np.concatenate([m.shapes.get(name, np.zeros_like(m.vertices)) for m in meshes])
            for name in shape_names
        },
        weights={
            name: np.concatenate([m.weights.get(name, np.zeros(len(m.vertices))) for m in meshes])
            for name in bones
        },
    )
