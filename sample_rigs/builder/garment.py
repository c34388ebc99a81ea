# SPDX-License-Identifier: GPL-3.0-or-later
"""A top with a ribbed collar, grown from the bust's own skin."""

from __future__ import annotations

import numpy as np

from .arrays import Mesh, boundary_edges, merge, smooth, unit, vertex_normals
from .cutting import cut

CLOTH, COLLAR = range(2)
HEM = 0.03  # metres that the hem cuts off the bust's ragged lower edge
NECKLINE_REACH = 0.105  # metres from the neck's middle to either side; the head is narrower


def top(
    bust: Mesh,
    neck: np.ndarray,
    front: float,
    back: float,
    loose: float,
    colours: tuple[tuple[float, float, float], tuple[float, float, float]],
    collar_height: float,
) -> Mesh:
    """The top, with the bust's weights.

    Args:
        bust: the skin with weights.
        neck: (3,) the neck's root.
        front, back: heights of the neckline above `neck` in front of and behind the neck.
        loose: how far the cloth stands off the skin, metres.
        colours: linear RGB of the cloth and of the collar.
        collar_height: metres.
    """
    hem = bust.vertices[:, 2]  # the hem is cut at height nought
    cloth = cut(bust, np.minimum(-above_neckline(bust.vertices, neck, front, back), hem))
    cloth.uv, cloth.shapes = None, {}
    faces = cloth.faces
    border = np.zeros(len(cloth.vertices), bool)
    border[boundary_edges(faces)] = True
    vertices = smooth(cloth.vertices, faces, 20, hold=border)
    normals = smooth(vertex_normals(vertices, faces), faces, 3)
    vertices = vertices + unit(normals) * loose
    weights = {name: smooth(w, faces, 4) for name, w in cloth.weights.items()}
    grain = 1 + 0.04 * np.sin(vertices[:, 0] * 900) * np.sin(vertices[:, 2] * 900)
    body = Mesh(
        vertices,
        faces,
        colours=np.array(colours[0]) * grain[:, None],
        material=np.full(len(faces), CLOTH),
        weights=weights,
    )
    loop = _neck_loop(vertices, faces, neck)
    return merge([body, _collar(vertices, normals, loop, weights, collar_height, colours[1])])


def hem_height(points: np.ndarray) -> float:
    """The height at which the hem clears the ragged lower edge of the chest (not of the arms)."""
    chest = points[np.abs(points[:, 0]) < 0.06]
    return float(chest[:, 2].min()) + HEM


def above_neckline(points: np.ndarray, neck: np.ndarray, front: float, back: float) -> np.ndarray:
    """(N,) metres above the neckline, a plane about 9 cm before to 4 cm behind the neck's root.

    Shoulders may rise above the plane; they are covered all the same.
    """
    slope = (back - front) / 0.13
    over = points[:, 2] - (neck[2] + front + slope * (points[:, 1] - neck[1] + 0.09))
    aside = NECKLINE_REACH - np.abs(points[:, 0])
    return np.minimum(over, aside)


def _neck_loop(vertices: np.ndarray, faces: np.ndarray, neck: np.ndarray) -> np.ndarray:
    """The neckline's vertex numbers in order around the neck."""
    follow: dict[int, list[int]] = {}
    for a, b in boundary_edges(faces):
        follow.setdefault(int(a), []).append(int(b))
        follow.setdefault(int(b), []).append(int(a))
    start = int(
        np.argmin(
            np.where(
                np.isin(np.arange(len(vertices)), list(follow)),
                np.linalg.norm(vertices - neck, axis=1),
                np.inf,
            )
        )
    )
    loop, last = [start], -1
    while True:
        step = next((n for n in follow[loop[-1]] if n != last and n not in loop[1:]), start)
        if step == start:
            return np.array(loop)
        last = loop[-1]
        loop.append(step)


def _collar(
    vertices: np.ndarray,
    normals: np.ndarray,
    loop: np.ndarray,
    weights: dict[str, np.ndarray],
    height: float,
    colour: tuple,
) -> Mesh:
    """A ribbed band around the neckline."""
    count = 144
    ring = np.concatenate([vertices[loop], vertices[loop[:1]]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    at = np.linspace(0, along[-1], count, endpoint=False)

    def around(values: np.ndarray) -> np.ndarray:
        closed = np.concatenate([values[loop], values[loop[:1]]])
        columns = np.stack([np.interp(at, along, closed[:, k]) for k in range(closed.shape[1])], 1)
        for _ in range(14):
            columns = (np.roll(columns, 1, 0) + 2 * columns + np.roll(columns, -1, 0)) / 4
        return columns

    middle, out = around(vertices), unit(around(normals))
    tangent = unit(np.roll(middle, -1, 0) - np.roll(middle, 1, 0))
    rise = unit(np.cross(out, tangent))
    rise *= np.sign(rise[:, 2:3])
    turn = np.arange(12) * (2 * np.pi / 12)
    thick = 0.0030 + 0.0007 * (np.arange(count) % 2)[:, None]  # ribs
    section = (
        middle[:, None]
        + rise[:, None] * (height * (0.5 * np.sin(turn) + 0.18))[None, :, None]
        + out[:, None] * (thick * np.cos(turn))[:, :, None]
    )
    k, s = np.meshgrid(np.arange(count), np.arange(12), indexing="ij")
    k, s = k.ravel(), s.ravel()
    kn, sn = (k + 1) % count, (s + 1) % 12
    faces = np.stack([k * 12 + s, kn * 12 + s, kn * 12 + sn, k * 12 + sn], 1)
    shade = np.where(np.arange(count) % 2, 1.0, 0.88)[:, None, None]
    colours = np.broadcast_to(np.array(colour) * shade, (count, 12, 3)).reshape(-1, 3)
    carried = {n: np.repeat(around(w[:, None])[:, 0], 12) for n, w in weights.items()}
    return Mesh(
        section.reshape(-1, 3),
        faces,
        colours=colours,
        material=np.full(len(faces), COLLAR),
        weights=carried,
    )
