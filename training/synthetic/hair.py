# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair styles grown by script: ribbons rooted on the scalp, combed, pulled down, kept off the skin.

A style is grown once on the neutral head and then follows each person's skull: every point is
bound to the skull point nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import raster
from .atlas import hairline
from .head import HeadMesh

Ribbons = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Points (n, 3), normals (n, 3), triangles (t, 3), aux (n, 4)."""

SKULL_CENTRE = np.array([0.0, 0.015, -0.065])


@dataclass(frozen=True)
class Hair:
    """A style on the neutral head.

    Attributes:
        points, normal: (n, 3).  triangles: (t, 3), from 0.  aux: (n, 4): across, along, seed,
            occlusion.
        bind: (n,) the head mesh's point that each follows.
        torso: (n,) 0..1, how far a point follows the torso instead of the head.
        hairline: which of the atlas' hairlines goes with it.
        outward: (t, 3) which way each triangle faces if it lies on the skull, else zero; such a
            triangle cannot be seen from behind.
    """

    points: np.ndarray
    normal: np.ndarray
    triangles: np.ndarray
    aux: np.ndarray
    bind: np.ndarray
    torso: np.ndarray
    hairline: int
    outward: np.ndarray


@dataclass(frozen=True)
class Style:
    """How to grow a style; lengths in metres.

    comb names the direction field: forward, back, side, down, up (radial).
    """

    comb: str
    length: float
    volume: float = 0.010
    gravity: float = 0.3
    curl: float = 0.0
    part: float = 0.0  # where the parting is, metres to the actor's left
    fringe: float = 0.0  # share of front roots combed over the forehead
    strands: int = 460
    width: float = 0.0115
    hairline: int = 0
    knot: tuple[float, float, float] | None = None  # hair is gathered there
    tail: float = 0.0  # length of a tail that hangs from the knot
    ragged: float = 0.25


STYLES: tuple[Style, ...] = (
    Style("forward", 0.035, 0.008, ragged=0.4),
    Style("forward", 0.055, 0.014, fringe=0.7),
    Style("side", 0.06, 0.014, part=0.03),
    Style("side", 0.09, 0.018, part=-0.035, hairline=1),
    Style("back", 0.05, 0.012, hairline=3),
    Style("back", 0.10, 0.020, hairline=2),
    Style("up", 0.03, 0.010, gravity=0.0, ragged=0.4),
    Style("up", 0.055, 0.02, gravity=0.1, curl=0.5, strands=460),
    Style("up", 0.085, 0.02, gravity=0.05, curl=0.9, strands=650, width=0.012),
    Style("up", 0.025, 0.012, gravity=0.0, curl=0.9, strands=600, hairline=3),
    Style("down", 0.17, 0.015, ragged=0.1, gravity=0.8),
    Style("down", 0.20, 0.018, ragged=0.1, gravity=0.8, part=0.025, strands=430),
    Style("down", 0.21, 0.018, ragged=0.12, gravity=0.8, fringe=0.9, strands=430),
    Style("down", 0.30, 0.018, ragged=0.15, gravity=0.9, strands=460),
    Style("down", 0.36, 0.022, gravity=0.9, part=-0.03, curl=0.35, strands=520),
    Style("down", 0.42, 0.020, ragged=0.15, gravity=0.9, part=0.02, strands=520),
    Style("down", 0.30, 0.028, gravity=0.7, curl=0.9, strands=600, width=0.010),
    Style("down", 0.38, 0.018, gravity=0.9, fringe=0.9, strands=500),
    Style("back", 0.2, 0.008, knot=(0, 0.03, -0.175), gravity=0.0),
    Style("back", 0.22, 0.008, knot=(0, 0.095, -0.12), gravity=0.0, hairline=2),
    Style("back", 0.2, 0.010, knot=(0, 0.0, -0.17), tail=0.25, gravity=0.0, part=0.02),
    Style("back", 0.2, 0.008, knot=(0, 0.06, -0.175), tail=0.3, gravity=0.0, fringe=0.4),
    Style("back", 0.03, 0.006, hairline=4, ragged=0.3),
    Style("side", 0.03, 0.006, hairline=6, ragged=0.3, strands=260),
    Style("forward", 0.025, 0.006, hairline=5, ragged=0.3),
    Style("side", 0.13, 0.02, part=0.04, gravity=0.5, fringe=0.5),
)
"""Index into these is a person's hair style; what follows them in `people` is bald and buzz cut."""


def grow_all(
    mesh: HeadMesh, hairlines: tuple[tuple[float, float], ...], seed: int = 3
) -> tuple[list[Hair], list[Hair]]:
    """Every style of STYLES: in full, and with fewer, wider ribbons for faces that are small."""
    out: tuple[list[Hair], list[Hair]] = ([], [])
    for k, style in enumerate(STYLES):
        few = replace(style, strands=int(style.strands * 0.5), width=style.width * 1.5)
        for hairs, what in zip(out, (style, few), strict=True):
            rng = np.random.default_rng(seed + k)
            hairs.append(grow(mesh, what, hairlines[style.hairline], rng))
    return out


class Skull:
    """Distance to the head's outer skin, by its nearest point and that point's normal."""

    def __init__(self, mesh: HeadMesh) -> None:
        normal = np.zeros_like(mesh.neutral)
        raster.normals(mesh.neutral, mesh.smooth[mesh.triangles].astype(np.int32), normal)
        chosen = mesh.skull
        ears = (np.abs(mesh.neutral[chosen, 0]) > 0.072) & (mesh.neutral[chosen, 1] > -0.06)
        self.index = chosen[~ears][::2]
        self.points = np.ascontiguousarray(mesh.neutral[self.index])
        self.normal = normal[mesh.smooth][self.index]

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """(n,) numbers of the skull's points."""
        out = np.empty(len(points), np.int64)
        raster.nearest(np.ascontiguousarray(points, np.float32), self.points, out)
        return out

    def push_out(self, points: np.ndarray, height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Move points to at least `height` above the skin; also the skin's normals there."""
        near = self.nearest(points)
        normal = self.normal[near]
        above = ((points - self.points[near]) * normal).sum(1)
        lift = np.maximum(height - above, 0)[:, None]
        return points + lift * normal, normal


def grow(mesh: HeadMesh, style: Style, line: tuple[float, float], rng: np.random.Generator) -> Hair:
    """Grow one style."""
    skull = Skull(mesh)
    roots = scatter_roots(mesh, line, style.strands, rng)
    count, segments = len(roots), 9
    _, normal = skull.push_out(roots, np.zeros(count))
    front = (roots[:, 1] > 0.045) & (roots[:, 2] > -0.045)
    fringe = front & (rng.random(count) < style.fringe) & (np.abs(roots[:, 0]) < 0.06)
    length = style.length * (1 - style.ragged * rng.random(count))
    if style.knot is not None:
        to_knot = np.linalg.norm(np.array(style.knot) - roots, axis=1)
        length = np.where(fringe, 0.06, to_knot * 1.25)
    length = np.where(fringe, rng.uniform(0.045, 0.075, count), length)
    flow = comb(style, roots, normal, fringe, rng)
    layer = rng.random(count)
    path = np.empty((segments + 1, count, 3))
    out = np.empty_like(path)
    path[0], out[0] = roots, normal
    step = (length / segments)[:, None]
    direction = flow.copy()
    phase = rng.uniform(0, 6.28, (count, 1))
    for k in range(segments):
        along = (k + 1) / segments
        if style.knot is not None:
            pull = np.array(style.knot) - path[k]
            pull /= np.linalg.norm(pull, axis=1, keepdims=True) + 1e-9
            direction = np.where(fringe[:, None], direction, 0.4 * direction + 0.8 * pull)
        # what lies on the skin is combed along it; what hangs free falls
        heavy = style.gravity * min(1.0, along * length.max() / 0.05)
        direction = direction + np.array([0, -1.0, 0]) * heavy * 0.55
        if style.curl:
            sideways = np.cross(direction, out[k])
            wave = np.sin(phase + 9.0 * along * (length[:, None] / 0.1) ** 0.5)
            direction = direction + style.curl * (0.9 * wave * sideways
                                                  + 0.5 * rng.normal(0, 1, (count, 3)))  # fmt: skip
        direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
        height = 0.0015 + style.volume * (0.25 + 0.75 * layer) * np.sin(
            np.pi * min(along * 0.85 + 0.1, 0.75)
        )
        ahead = path[k] + step * direction
        if style.comb != "up":
            ahead = lie_down(skull, ahead, height * 1.6 + 0.004, fringe)
            ahead = clear_face(ahead, fringe)
        moved, around = skull.push_out(ahead, height)
        path[k + 1], out[k + 1] = moved, around
        direction = moved - path[k]
        direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-9
    if not style.curl:  # the skull's facets put kinks into straight hair
        for _ in range(3):
            path[1:-1] = 0.25 * path[:-2] + 0.5 * path[1:-1] + 0.25 * path[2:]
            out[1:-1] = out[:-2] + 2 * out[1:-1] + out[2:]
            out /= np.linalg.norm(out, axis=2, keepdims=True) + 1e-9
    lock = ribbons(path, out, style.width * (0.7 + 0.6 * rng.random(count)), layer, rng)
    parts = [lock]
    if style.knot is not None:
        parts.append(knot(np.array(style.knot), style.tail, skull, rng))
    return bind(parts, skull, mesh, style)


def lie_down(
    skull: Skull, points: np.ndarray, height: np.ndarray, fringe: np.ndarray
) -> np.ndarray:
    """Bring hair on the head back towards the skin where it stands off too far."""
    near = skull.nearest(points)
    normal = skull.normal[near]
    above = ((points - skull.points[near]) * normal).sum(1)
    on_head = np.clip((points[:, 1] + 0.02) / 0.03, 0, 1) * np.where(fringe, 0.5, 1.0)
    excess = np.clip(above - height, 0, 0.03) * on_head * 0.85
    return points - excess[:, None] * normal


def clear_face(points: np.ndarray, fringe: np.ndarray) -> np.ndarray:
    """Keep all but the fringe out of the face, beside the cheeks."""
    limit = np.interp(points[:, 2], [-0.06, -0.02, 0.03], [0.0, 0.066, 0.058])
    limit = limit * np.clip((0.075 - points[:, 1]) / 0.03, 0, 1) * ~fringe
    out = points.copy()
    out[:, 0] = np.where(points[:, 0] < 0, -1, 1) * np.maximum(np.abs(points[:, 0]), limit)
    return out


def scatter_roots(
    mesh: HeadMesh, line: tuple[float, float], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Roots spread evenly over the scalp inside the hairline."""
    triangles = mesh.triangles[mesh.material == raster.SKIN]
    corner = mesh.neutral[triangles]
    middle = corner.mean(1)
    ears = (np.abs(middle[:, 0]) > 0.071) & (middle[:, 1] < 0.02) & (middle[:, 2] < -0.05)
    inside = (hairline(middle, *line) > -0.006) & ~(ears & (middle[:, 2] > -0.095))
    corner = corner[inside]
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    chosen = rng.choice(len(corner), count * 8, p=area / area.sum())
    weight = rng.dirichlet([1, 1, 1], count * 8)
    points = (corner[chosen] * weight[..., None]).sum(1)
    points = points[hairline(points, *line) > 0]
    # farthest-first thinning would be even; a grid jitter is enough and quick
    cell = np.round(points / 0.004).astype(int)
    _, keep = np.unique(cell, axis=0, return_index=True)
    points = points[rng.permutation(keep)]
    edge = hairline(points, *line) < 0.012  # more roots along the edge, where they are seen
    points = np.concatenate([points[edge][: count // 3], points[~edge]])
    return points[:count]


def comb(
    style: Style,
    roots: np.ndarray,
    normal: np.ndarray,
    fringe: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(n, 3) unit directions in which hair leaves its roots."""
    count = len(roots)
    side = np.sign(roots[:, 0] - style.part)[:, None]
    if style.comb == "forward":
        wanted = np.array([0, -0.25, 1.0]) + 0.3 * roots * [3, 0, 0]
    elif style.comb == "back":
        wanted = np.array([0, 0.1, -1.0]) + np.zeros((count, 3))
    elif style.comb == "side":
        wanted = np.concatenate([side, -0.2 + 0 * side, 0.35 + 0 * side], 1)
    elif style.comb == "down":
        wanted = np.concatenate([side * 0.9, -0.5 + 0 * side, -0.35 + 0 * side], 1)
    else:
        wanted = 1.4 * normal + np.array([0, 0.4, 0.1])
    wanted = np.where(fringe[:, None], np.array([0.15, -0.35, 1.0]), wanted)
    wanted = wanted + rng.normal(0, 0.09 + 0.15 * (style.comb == "up"), (count, 3))
    if style.comb != "up":  # along the skin, a little off it
        wanted = wanted - (wanted * normal).sum(1, keepdims=True) * normal + 0.28 * normal
    return wanted / np.linalg.norm(wanted, axis=1, keepdims=True)


def ribbons(
    path: np.ndarray,
    out: np.ndarray,
    width: np.ndarray,
    layer: np.ndarray,
    rng: np.random.Generator,
) -> Ribbons:
    """Ribbons along paths (k, n, 3): points, normals, triangles, aux."""
    rows, count = path.shape[:2]
    along = np.gradient(path, axis=0)
    across = np.cross(along, out)
    across /= np.linalg.norm(across, axis=2, keepdims=True) + 1e-9
    twist = np.cross(across, along)
    twist /= np.linalg.norm(twist, axis=2, keepdims=True) + 1e-9
    tilt = rng.normal(0, 0.18, (1, count, 1))
    across = across + tilt * twist
    t = np.linspace(0, 1, rows)[:, None, None]
    half = (width[None, :, None] / 2) * (0.75 + 0.25 * np.sin(np.pi * t)) * (1 - 0.5 * t**3)
    points = np.stack([path - half * across, path + half * across], 2)  # (k, n, 2, 3)
    outward = path - SKULL_CENTRE
    outward /= np.linalg.norm(outward, axis=2, keepdims=True) + 1e-9
    smooth = 0.45 * twist * np.sign((twist * outward).sum(2, keepdims=True)) + 0.55 * out
    normal = np.stack([smooth - 0.35 * across, smooth + 0.35 * across], 2)
    normal /= np.linalg.norm(normal, axis=3, keepdims=True) + 1e-9
    aux = np.empty((rows, count, 2, 4), np.float32)
    aux[..., 0] = [-1, 1]
    aux[..., 1] = np.linspace(0, 1, rows)[:, None, None]
    aux[..., 2] = rng.random(count)[None, :, None]
    aux[..., 3] = (0.35 + 0.65 * layer[None, :, None]) * (0.6 + 0.4 * np.sqrt(t))
    index = np.arange(rows * count * 2).reshape(rows, count, 2)
    a, b = index[:-1, :, 0].ravel(), index[:-1, :, 1].ravel()
    c, d = index[1:, :, 0].ravel(), index[1:, :, 1].ravel()
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    return points.reshape(-1, 3), normal.reshape(-1, 3), triangles, aux.reshape(-1, 4)


def knot(centre: np.ndarray, tail: float, skull: Skull, rng: np.random.Generator) -> Ribbons:
    """A bun at `centre`, or a tail that hangs from it."""
    count, rows = 70, 10
    phase = rng.uniform(0, 2 * np.pi, count)
    if tail:
        t = np.linspace(0, 1, rows)[:, None]
        spread = 0.022 * np.sin(np.pi * np.clip(t * 0.8 + 0.12, 0, 1)) * rng.random(count)
        path = centre + np.stack(
            [
                spread * np.cos(phase),
                -tail * t**1.3 * (0.8 + 0.2 * rng.random(count)) + 0.02 * t,
                -0.035 * np.sin(2 * t) + spread * np.sin(phase),
            ], 2,
        )  # fmt: skip
        out = np.stack([np.cos(phase) + 0 * t, 0 * phase + 0 * t, np.sin(phase) + 0 * t], 2)
        for k in range(rows):
            path[k], _ = skull.push_out(path[k], np.full(count, 0.012))
    else:
        radius = rng.uniform(0.024, 0.036)
        turn = np.linspace(0, 2.2, rows)[:, None]
        lift = rng.normal(0, 0.6, count)
        tilt = phase + turn
        out = np.stack(
            [np.cos(tilt) * np.cos(lift), np.sin(lift) + 0 * turn, np.sin(tilt) * np.cos(lift)], 2
        )
        path = centre + radius * out
    return ribbons(path, out, np.full(count, 0.011), rng.random(count), rng)


def bind(parts: list[Ribbons], skull: Skull, mesh: HeadMesh, style: Style) -> Hair:
    """Join the parts and tie each point to the skull."""
    points, normal, triangles, aux, offset = [], [], [], [], 0
    for p, n, t, a in parts:
        points.append(p)
        normal.append(n)
        triangles.append(t + offset)
        aux.append(a)
        offset += len(p)
    at = np.concatenate(points).astype(np.float32)
    nearest = skull.nearest(at)
    near = skull.index[nearest]
    every = np.concatenate(triangles)
    on_head = (at[every, 1] > -0.02).all(1)
    outward = skull.normal[nearest[every[:, 0]]] * on_head[:, None]
    torso = np.where(at[:, 1] < -0.03, mesh.neck[near], 0)
    return Hair(
        at, np.concatenate(normal).astype(np.float32),
        every.astype(np.int32), np.concatenate(aux).astype(np.float32),
        near.astype(np.int32), torso.astype(np.float32), style.hairline, outward.astype(np.float32),
    )  # fmt: skip
