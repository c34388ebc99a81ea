# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair as geometry: tubes swept along paths, and what grows on a moving skin."""

from __future__ import annotations

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from .arrays import Mesh, triangles, unit


def sweep(
    paths: np.ndarray,
    radii: np.ndarray,
    sides: int = 3,
    flat: float = 1.0,
    normals: np.ndarray | None = None,
) -> Mesh:
    """Tubes along paths, closed at both ends by narrowing.

    Args:
        paths: (N, K, 3) metres.
        radii: (N, K) or (K,) metres.
        sides: corners of the cross-section.
        flat: thickness across `normals` over the width; below 1 makes a lock of hair flat.
        normals: (N, K, 3) what the flat side faces, or None where it does not matter.

    Returns:
        N * K * sides vertices, path by path; quads.
    """
    count, steps, _ = paths.shape
    radii = np.broadcast_to(radii, (count, steps))
    along = unit(np.gradient(paths, axis=1))
    if normals is None:
        helper = np.where(np.abs(along[..., :1]) > 0.9, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0])
        normals = helper
    across = unit(np.cross(along, normals))
    up = np.cross(across, along)
    angle = np.arange(sides) * (2 * np.pi / sides)
    ring = (
        np.cos(angle)[:, None] * across[:, :, None] + flat * np.sin(angle)[:, None] * up[:, :, None]
    )
    vertices = (paths[:, :, None] + ring * radii[:, :, None, None]).reshape(-1, 3)
    k, s = np.meshgrid(np.arange(steps - 1), np.arange(sides), indexing="ij")
    k, s = k.ravel(), s.ravel()
    n = (s + 1) % sides
    quad = np.stack([k * sides + s, (k + 1) * sides + s, (k + 1) * sides + n, k * sides + n], 1)
    faces = (quad + (np.arange(count) * steps * sides)[:, None, None]).reshape(-1, 4)
    return Mesh(vertices, faces)


class Surface:
    """A triangulated skin that answers where things on it go when it moves.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 4) or (F, 3).
        shapes: (V, 3) offsets by shape key name.
        weights: (V,) by bone name.
    """

    def __init__(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        shapes: dict[str, np.ndarray],
        weights: dict[str, np.ndarray],
    ) -> None:
        self.vertices, self.shapes, self.weights = vertices, shapes, weights
        self.triangles = triangles(faces)
        self.tree = BVHTree.FromPolygons(
            [Vector(v) for v in vertices], self.triangles.tolist(), all_triangles=True
        )

    def front(self, x: np.ndarray, z: np.ndarray, lift: float = 0.0) -> np.ndarray:
        """(N, 3) the skin seen from the front at (x, z), moved `lift` metres outwards.

        Raises:
            ValueError: a point lies beside the skin.
        """
        found = []
        for a, b in zip(x, z, strict=True):
            place, normal, _, _ = self.tree.ray_cast(Vector((a, -5.0, b)), Vector((0, 1, 0)))
            if place is None:
                raise ValueError(f"no skin in front at x={a:.3f}, z={b:.3f}")
            found.append(place + normal * lift)
        return np.array(found)

    def drop(
        self, points: np.ndarray, lift: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) the nearest places on the skin moved outwards by `lift`, and (N, 3) normals."""
        places, normals = [], []
        for point in points:
            place, normal, _, _ = self.tree.find_nearest(Vector(point))
            places.append(place)
            normals.append(normal)
        normals = np.array(normals)
        return np.array(places) + normals * np.reshape(lift, (-1, 1)), normals

    def ride(self, mesh: Mesh) -> Mesh:
        """Give the mesh the shapes and weights of the skin nearest to each of its vertices."""
        corner = np.empty((len(mesh.vertices), 3), int)
        share = np.empty((len(mesh.vertices), 3))
        for i, vertex in enumerate(mesh.vertices):
            place, _, index, _ = self.tree.find_nearest(Vector(vertex))
            corner[i] = self.triangles[index]
            share[i] = _barycentric(np.array(place), self.vertices[corner[i]])
        mesh.shapes = {
            name: (offset[corner] * share[..., None]).sum(1) for name, offset in self.shapes.items()
        }
        mesh.weights = {name: (w[corner] * share).sum(1) for name, w in self.weights.items()}
        return mesh


def _barycentric(point: np.ndarray, corners: np.ndarray) -> np.ndarray:
    a, b, c = corners
    system = np.stack([b - a, c - a], 1)
    v, w = np.linalg.lstsq(system, point - a, rcond=None)[0]
    share = np.clip([1 - v - w, v, w], 0, 1)
    return share / share.sum()
