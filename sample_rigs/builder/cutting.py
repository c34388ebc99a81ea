# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a mesh along the line where a field is nought: clean hairlines, necklines and markings."""

from __future__ import annotations

import numpy as np

from .arrays import Mesh


def cut(mesh: Mesh, field: np.ndarray) -> Mesh:
    """The part of the mesh where the field is positive; everything on it is interpolated.

    Args:
        field: (V,); its zero line is where the cut runs.
    """
    whole, inside = divide(mesh, field)
    used, local = np.unique(whole.faces[inside], return_inverse=True)
    return Mesh(
        vertices=whole.vertices[used],
        faces=local.reshape(-1, 4),
        uv=None if whole.uv is None else whole.uv[inside],
        colours=None if whole.colours is None else whole.colours[used],
        material=None if whole.material is None else whole.material[inside],
        shapes={name: offset[used] for name, offset in whole.shapes.items()},
        weights={name: weight[used] for name, weight in whole.weights.items()},
    )


def divide(mesh: Mesh, field: np.ndarray) -> tuple[Mesh, np.ndarray]:
    """The mesh with its faces split where the field is nought.

    Returns:
        the whole mesh, still in one piece; (F,) bool, the faces on the positive side.
    """
    field = np.where(np.abs(field) < 1e-9, 1e-9, field)
    seam = _Seam(field)
    faces: list[list[int]] = []
    origin: list[int] = []
    positive: list[bool] = []
    uv_corners: list[np.ndarray] = []
    for number, face in enumerate(mesh.faces):
        polygon = list(dict.fromkeys(int(v) for v in face))
        uv = np.zeros((len(polygon), 2)) if mesh.uv is None else mesh.uv[number]
        for sign in (True, False):
            kept, kept_uv = seam.clip(polygon, uv, sign)
            for k in range(1, len(kept) - 1, 2):  # a fan of quads
                ids = [0, k, k + 1, min(k + 2, len(kept) - 1)]
                faces.append([kept[i] for i in ids])
                uv_corners.append(np.array([kept_uv[i] for i in ids]))
                origin.append(number)
                positive.append(sign)
    split = Mesh(
        vertices=seam.extend(mesh.vertices),
        faces=np.array(faces).reshape(-1, 4),
        uv=None if mesh.uv is None else np.array(uv_corners),
        colours=None if mesh.colours is None else seam.extend(mesh.colours),
        material=None if mesh.material is None else mesh.material[origin],
        shapes={name: seam.extend(offset) for name, offset in mesh.shapes.items()},
        weights={name: seam.extend(weight) for name, weight in mesh.weights.items()},
    )
    return split, np.array(positive, bool)


class _Seam:
    """The new vertices on the zero line, one for each edge that crosses it."""

    def __init__(self, field: np.ndarray) -> None:
        self.field = field
        self.number: dict[tuple[int, int], int] = {}
        self.pairs: list[tuple[int, int, float]] = []  # from, to, how far

    def crossing(self, a: int, b: int) -> tuple[int, float]:
        """The vertex on the edge a-b, and how far from a it lies, 0..1."""
        low, high = min(a, b), max(a, b)
        if (low, high) not in self.number:
            self.number[low, high] = len(self.field) + len(self.pairs)
            share = self.field[low] / (self.field[low] - self.field[high])
            self.pairs.append((low, high, float(share)))
        vertex = self.number[low, high]
        share = self.pairs[vertex - len(self.field)][2]
        return vertex, share if a == low else 1 - share

    def clip(self, polygon: list[int], uv: np.ndarray, positive: bool) -> tuple[list, list]:
        """The part of a polygon on one side, and its texture coordinates."""
        inside = (self.field[polygon] > 0) == positive
        if not inside.any():
            return [], []
        kept, kept_uv = [], []
        for k, a in enumerate(polygon):
            n = (k + 1) % len(polygon)
            if inside[k]:
                kept.append(a)
                kept_uv.append(uv[k])
            if inside[k] != inside[n]:
                vertex, share = self.crossing(a, polygon[n])
                kept.append(vertex)
                kept_uv.append(uv[k] * (1 - share) + uv[n] * share)
        return kept, kept_uv

    def extend(self, values: np.ndarray) -> np.ndarray:
        """Values at the old vertices, followed by those at the new ones."""
        if not self.pairs:
            return values
        low, high, share = (np.array(column) for column in zip(*self.pairs, strict=True))
        share = share.reshape(-1, *([1] * (values.ndim - 1)))
        return np.concatenate([values, values[low] * (1 - share) + values[high] * share])
