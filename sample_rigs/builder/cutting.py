# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a mesh along the line where a field is nought: clean hairlines, necklines and hems."""

from __future__ import annotations

import numpy as np

from .arrays import Mesh


def cut(mesh: Mesh, field: np.ndarray) -> Mesh:
    """The part of the mesh where the field is positive; everything on it is interpolated.

    Args:
        field: (V,); its zero line is where the cut runs.
    """
    field = np.where(np.abs(field) < 1e-9, 1e-9, field)
    made: dict[tuple[int, int], int] = {}
    pairs: list[tuple[int, int, float]] = []  # a new vertex: from, to, how far
    faces: list[list[int]] = []
    origin: list[int] = []
    corners_uv: list[np.ndarray] = []
    count = len(mesh.vertices)

    def crossing(a: int, b: int) -> tuple[int, float]:
        key = (min(a, b), max(a, b))
        if key not in made:
            low, high = key
            made[key] = count + len(pairs)
            pairs.append((low, high, float(field[low] / (field[low] - field[high]))))
        low, high, share = pairs[made[key] - count]
        return made[key], share if a == low else 1 - share

    for number, face in enumerate(mesh.faces):
        polygon = list(dict.fromkeys(int(v) for v in face))
        uv = None if mesh.uv is None else mesh.uv[number]
        inside = field[polygon] > 0
        if not inside.any():
            continue
        kept: list[int] = []
        kept_uv: list[np.ndarray] = []
        for k, a in enumerate(polygon):
            n = (k + 1) % len(polygon)
            b = polygon[n]
            if inside[k]:
                kept.append(a)
                kept_uv.append(np.zeros(2) if uv is None else uv[k])
            if inside[k] != inside[n]:
                vertex, share = crossing(a, b)
                kept.append(vertex)
                kept_uv.append(np.zeros(2) if uv is None else uv[k] * (1 - share) + uv[n] * share)
        for k in range(1, len(kept) - 1, 2):
            ids = [0, k, k + 1, min(k + 2, len(kept) - 1)]
            faces.append([kept[i] for i in ids])
            corners_uv.append(np.array([kept_uv[i] for i in ids]))
            origin.append(number)
    low = np.array([p[0] for p in pairs], int)
    high = np.array([p[1] for p in pairs], int)
    share = np.array([p[2] for p in pairs])

    def extend(values: np.ndarray) -> np.ndarray:
        s = share.reshape(-1, *([1] * (values.ndim - 1)))
        return np.concatenate([values, values[low] * (1 - s) + values[high] * s])

    used, local = np.unique(np.array(faces), return_inverse=True)
    return Mesh(
        vertices=extend(mesh.vertices)[used],
        faces=local.reshape(-1, 4),
        uv=None if mesh.uv is None else np.array(corners_uv),
        colours=None if mesh.colours is None else extend(mesh.colours)[used],
        material=None if mesh.material is None else mesh.material[origin],
        shapes={name: extend(offset)[used] for name, offset in mesh.shapes.items()},
        weights={name: extend(weight)[used] for name, weight in mesh.weights.items()},
    )

