# SPDX-License-Identifier: GPL-3.0-or-later
"""Hair: where it grows, a cap that hides the scalp, curls, short locks, brows and beards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Mesh, smooth, unit, vertex_normals
from .cutting import cut
from .skin import Face, beard_field
from .strands import Surface, sweep

# Height of the hairline seen from between the ears: degrees of azimuth (0 in front, 180 behind)
# against degrees of elevation.
FULL_HAIRLINE = (
    (0, 45),
    (25, 44),
    (45, 40),
    (60, 26),
    (74, 8),
    (84, -8),
    (92, -2),
    (100, 12),
    (108, 8),
    (118, -12),
    (135, -26),
    (160, -34),
    (180, -36),
)
RECEDING_HAIRLINE = (
    (0, 49),
    (12, 49),
    (27, 55),
    (42, 46),
    (56, 27),
    (66, 16),
    (74, 8),
    (84, -10),
    (92, -2),
    (100, 12),
    (108, 8),
    (118, -12),
    (135, -26),
    (160, -32),
    (180, -33),
)


def scalp_field(points: np.ndarray, face: Face, hairline: tuple) -> np.ndarray:
    """(N,) degrees above the hairline; negative below it."""
    way = points - face.skull
    flat = np.hypot(way[:, 0], way[:, 1])
    azimuth = np.degrees(np.arctan2(np.abs(way[:, 0]), -way[:, 1]))
    elevation = np.degrees(np.arctan2(way[:, 2], flat))
    return elevation - np.interp(azimuth, *np.array(hairline, float).T)


def cap(skin: Mesh, above: np.ndarray, thickness: float, colour: tuple, ears: np.ndarray) -> Mesh:
    """The scalp's faces lifted off by `thickness`, thinning out towards the hairline.

    Args:
        above: (V,) of `scalp_field`.
        ears: (V,) 0..1; hair does not grow on them.
    """
    grows = smooth(np.where(ears > 0.3, -20.0, above), skin.faces, 2)
    whole = Mesh(skin.vertices, skin.faces, weights={"grows": grows})
    scalp = cut(whole, grows + 1.5)
    grows = scalp.weights.pop("grows")
    normals = smooth(vertex_normals(scalp.vertices, scalp.faces), scalp.faces, 4)
    lift = thickness * np.clip((grows + 1.5) / 12, 0.0, 1) ** 0.6
    lift = smooth(lift, scalp.faces, 2) * np.clip((grows + 1.5) / 3, 0, 1)
    vertices = scalp.vertices + unit(normals) * (lift[:, None] - 0.0008)
    return Mesh(vertices, scalp.faces, colours=np.tile(np.array(colour), (len(vertices), 1)))


def scatter(mesh: Mesh, spacing: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points on the mesh at least `spacing` metres apart, and their normals: (N, 3) each."""
    quads = mesh.faces
    a, b, c, d = (mesh.vertices[quads[:, k]] for k in range(4))
    area = np.linalg.norm(np.cross(c - a, d - b), axis=1) / 2
    wanted = int(16 * area.sum() / spacing**2)
    pick = rng.choice(len(quads), wanted, p=area / area.sum())
    u, v = rng.random((2, wanted, 1))
    points = (a[pick] * (1 - u) + b[pick] * u) * (1 - v) + (d[pick] * (1 - u) + c[pick] * u) * v
    normals = unit(np.cross(c - a, d - b))[pick]
    kept: list[int] = []
    for i in range(wanted):
        if not kept or ((points[kept] - points[i]) ** 2).sum(1).min() > spacing**2:
            kept.append(i)
    return points[kept], normals[kept]


def curls(
    scalp: Mesh,
    face: Face,
    spacing: float,
    length: float,
    coil: float,
    thick: float,
    colour: tuple,
    seed: int,
) -> Mesh:
    """Springy coils that stand off the scalp and bow to gravity.

    Args:
        spacing: between roots; length: of a coil; coil: its radius; thick: the strand's radius.
    """
    rng = np.random.default_rng(seed)
    roots, normals = scatter(scalp, spacing, rng)
    steps, turns = 22, 2.6
    t = np.linspace(0, 1, steps)
    count = len(roots)
    size = rng.uniform(0.75, 1.2, count)
    low = np.clip((face.skull[2] + 0.03 - roots[:, 2]) / 0.08, 0, 1)
    outward = unit(normals + rng.normal(0, 0.28, (count, 3)))
    sag = unit(np.array([0, 0, -1.0]) + 0.4 * outward)
    reach = (length * size * (1 - 0.35 * low))[:, None, None]
    spine = roots[:, None] + reach * (
        outward[:, None] * (t - 0.35 * t**2)[None, :, None]
        + sag[:, None] * (0.55 * t**2)[None, :, None]
    )
    side = unit(np.cross(outward, rng.normal(size=(count, 3))))
    up = np.cross(outward, side)
    phase = rng.uniform(0, 2 * np.pi, count)[:, None] + t * turns * 2 * np.pi
    wide = coil * size[:, None] * (0.35 + 0.65 * np.sin(np.pi * np.clip(t * 1.15, 0, 1)) ** 0.5)
    paths = spine + wide[..., None] * (
        np.cos(phase)[..., None] * side[:, None] + np.sin(phase)[..., None] * up[:, None]
    )
    radii = thick * size[:, None] * (1 - 0.55 * t**2)
    mesh = sweep(paths, radii, sides=3)
    tint = rng.uniform(0.75, 1.35, count)[:, None] * (0.7 + 0.6 * t)
    mesh.colours = (np.array(colour) * np.repeat(tint.ravel(), 3)[:, None]).clip(0, 1)
    return mesh


def locks(
    scalp: Mesh,
    surface: Surface,
    face: Face,
    above: Callable[[np.ndarray], np.ndarray],
    spacing: float,
    length: float,
    width: float,
    lift: float,
    flow: Callable[[np.ndarray], np.ndarray],
    colours: tuple,
    seed: int,
) -> Mesh:
    """Short locks that lie along the scalp.

    Args:
        surface: what they lie on.
        above: points -> degrees above the hairline; locks near it are shorter.
        lift: how high their tips stand, metres.
        flow: (N, 3) points -> (N, 3) directions.
        colours: two linear RGB between which the locks vary.
    """
    rng = np.random.default_rng(seed)
    roots, _ = scatter(scalp, spacing, rng)
    count, steps = len(roots), 6
    near = np.clip((above(roots) + 3) / 10, 0.6, 1)
    reach = length * near * rng.uniform(0.7, 1.15, count)
    way = unit(unit(flow(roots)) + rng.normal(0, 0.13, (count, 3)))
    paths, normals = np.empty((count, steps, 3)), np.empty((count, steps, 3))
    here = roots
    for k in range(steps):
        height = (0.1 + 0.9 * k / (steps - 1)) * lift * near * rng.uniform(0.8, 1.2, count)
        paths[:, k], normals[:, k] = surface.drop(here, height)
        flat = unit(way - normals[:, k] * (way * normals[:, k]).sum(1, keepdims=True))
        here = here + flat * (reach / (steps - 1))[:, None]
    shape = np.array([0.5, 0.95, 1.0, 0.85, 0.55, 0.06])
    mesh = sweep(paths, width * shape * rng.uniform(0.7, 1.2, (count, 1)), 4, 0.45, normals)
    blend = np.clip(rng.beta(1.3, 1.3, count), 0, 1)[:, None]
    colour = np.array(colours[0]) * (1 - blend) + np.array(colours[1]) * blend
    shade = (0.72 + 0.4 * np.linspace(0, 1, steps))[None, :, None]
    mesh.colours = np.repeat((colour[:, None] * shade).reshape(-1, 3), 4, 0).clip(0, 1)
    return mesh


def brow_line(surface: Surface, eye: np.ndarray, side: int, arch: float) -> np.ndarray:
    """(25, 3) along a brow from the nose outwards, on the skin.

    Args:
        eye: (3,) the eyeball's centre. side: 1 for the character's left, -1 for the right.
        arch: how much higher the middle is than a flat brow's, metres.
    """
    t = np.linspace(0, 1, 25)
    x = eye[0] + side * np.interp(t, (0, 1), (-0.0165, 0.0245))
    z = eye[2] + np.interp(t, (0, 0.3, 0.62, 1), (0.0190, 0.0222, 0.0232, 0.0165))
    z = z + arch * np.sin(np.pi * np.clip(t * 0.8, 0, 1)) ** 2
    for _ in range(4):
        z[1:-1] = (z[:-2] + 2 * z[1:-1] + z[2:]) / 4
    return surface.front(x, z)


def brow(
    surface: Surface,
    line: np.ndarray,
    side: int,
    thick: float,
    count: int,
    colour: tuple,
    seed: int,
) -> Mesh:
    """One eyebrow: hairs that rise at the nose and sweep outwards.

    Args:
        thick: the brow's height at its inner third, metres.
    """
    rng = np.random.default_rng(seed)
    t = rng.random(count) ** 0.9
    across = rng.uniform(-0.5, 0.5, count)
    width = thick * np.interp(t, (0, 0.12, 0.45, 1), (0.7, 1.0, 0.85, 0.28))
    at = t * (len(line) - 1)
    where = np.stack([np.interp(at, np.arange(len(line)), line[:, k]) for k in range(3)], 1)
    tangent = unit(
        np.stack([np.interp(at, np.arange(len(line)), g) for g in np.gradient(line, axis=0).T], 1)
    )
    up = np.array([0, 0, 1.0])
    roots = where + up * (across * width)[:, None]
    rise = np.interp(t, (0, 0.2, 0.5, 1), (1.1, 0.55, 0.12, -0.05)) - 0.9 * across * np.interp(
        t, (0, 0.3, 1), (0.2, 0.8, 0.5)
    )
    way = unit(tangent + up * rise[:, None] + rng.normal(0, 0.06, (count, 3)))
    length = rng.uniform(0.006, 0.0095, count) * np.interp(t, (0, 0.2, 0.8, 1), (0.8, 1, 0.9, 0.6))
    steps = np.linspace(0, 1, 4)
    paths = roots[:, None] + way[:, None] * (length[:, None] * steps)[..., None]
    flat, normals = surface.drop(paths.reshape(-1, 3), np.tile(0.0003 + 0.0009 * steps, count))
    mesh = sweep(
        flat.reshape(count, 4, 3),
        np.array([0.00032, 0.00042, 0.0003, 0.00004]),
        3,
        1.0,
        normals.reshape(count, 4, 3),
    )
    tint = np.repeat(rng.uniform(0.7, 1.3, count), 12)[:, None]
    mesh.colours = (np.array(colour) * tint).clip(0, 1)
    return surface.ride(mesh)


def beard(
    surface: Surface,
    skin: Mesh,
    face: Face,
    bare: np.ndarray,
    spacing: float,
    length: float,
    colours: tuple,
    seed: int,
) -> Mesh:
    """Short hairs on chin, jaw and upper lip that ride on the skin; none where `bare`."""
    rng = np.random.default_rng(seed)
    field = beard_field(skin.vertices, face) * (smooth(bare, skin.faces, 2) < 0.02)
    patch = Mesh(skin.vertices, skin.faces[(field[skin.faces] > 0.3).all(1)])
    roots, normals = scatter(patch, spacing, rng)
    sure = beard_field(roots, face) > rng.uniform(0.35, 0.75, len(roots))
    outside = np.array([surface.tree.find_nearest(r)[3] < 4e-4 for r in roots])
    roots, normals = roots[sure & outside], normals[sure & outside]
    count, steps = len(roots), 2
    down = np.array([0, 0, -1.0]) + np.sign(roots[:, :1]) * np.array([0.15, 0, 0])
    way = unit(normals * 0.55 + unit(down) * 0.8 + rng.normal(0, 0.22, (count, 3)))
    t = np.linspace(0, 1, steps)
    reach = length * rng.uniform(0.6, 1.15, count)
    paths = roots[:, None] + way[:, None] * (reach[:, None] * t)[..., None]
    mesh = sweep(paths, np.array([0.00045, 0.00006]), 3)
    blend = rng.beta(0.8, 0.8, count)[:, None]
    colour = np.array(colours[0]) * (1 - blend) + np.array(colours[1]) * blend
    mesh.colours = np.repeat(colour, 3 * steps, 0)
    return surface.ride(mesh)
