# SPDX-License-Identifier: GPL-3.0-or-later
"""The head model as the renderer wants it: split at texture seams, with shoulders and materials.

Everything here is fixed for all people; `people` varies it. Lengths are metres, head frame.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mfn_addon.face import IDENTITY_COUNT, HeadModel, load_head_model
from mfn_addon.face.head_model import DEFAULT_PATH
from training.correspondence import load_teacher_points

from . import raster
from .atlas import ATLAS_ORIGIN, ATLAS_SPAN

CLOTH_HEIGHT = -0.113
"""Skin whose neutral height lies below this belongs to the bust: skin or cloth by its neckline."""

MOUTH_CHART = 0.14
"""In MakeHuman's texture the inside of the mouth lies below this v."""


@dataclass(frozen=True)
class HeadMesh:
    """Head and bust, n points.

    Attributes:
        model: the head model. Rows of `modes` are its 40 identity, then its 52 expression modes.
        source: (n,) the model's vertex that each render point copies.
        neutral: (n, 3), and modes: (92, n * 3) float32: its offsets at weight 1.
        triangles: (t, 3) int32, and material: (t,) uint8.
        aux: (n, 4) float32, see `shade.shade`.
        neck: (n,) 0..1, how far a point follows the torso instead of the head.
        pivot: (3,) what the head turns about.
        region: (468, 3) points and region_weights: (468, 3): the face's surface points.
        landmarks: (68,) render points.
        eyes: (2, 3) the eyeballs' middles, actor's left first.
        smooth: (n,) for each render point the first one at the same place (normals are shared).
    """

    model: HeadModel
    source: np.ndarray
    neutral: np.ndarray
    modes: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    aux: np.ndarray
    neck: np.ndarray
    pivot: np.ndarray
    region: np.ndarray
    region_weights: np.ndarray
    landmarks: np.ndarray
    eyes: np.ndarray
    smooth: np.ndarray
    iris_radius: float
    skull: np.ndarray
    """(k,) render points of the outer skin of head and neck, for hair and hats to lie on."""


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


@lru_cache(maxsize=2)
def load_head_mesh(path: Path = DEFAULT_PATH) -> HeadMesh:
    """Build the render mesh of a head model file."""
    model = load_head_model(path)
    with np.load(path) as data:
        source_vertex = data["source_vertex"]
    corners, weights = load_teacher_points(source_vertex)

    pairs = np.stack([model.triangles.ravel(), model.uv_triangles.ravel()], 1)
    split, inverse = np.unique(pairs, axis=0, return_inverse=True)
    triangles = inverse.reshape(-1, 3).astype(np.int32)
    source = split[:, 0]
    uv = model.uv[split[:, 1]]
    neutral = model.neutral[source]
    first = np.full(len(model.neutral), -1)
    first[source[::-1]] = np.arange(len(source))[::-1]
    render_of = first  # the model's vertex -> its first render point

    names = np.array(model.groups)[model.triangle_group]
    material = np.zeros(len(triangles), np.uint8)
    for name, kind in (
        ("eyeLeft", raster.EYE), ("eyeRight", raster.EYE), ("teethUpper", raster.TEETH),
        ("teethLower", raster.TEETH), ("tongue", raster.TONGUE), ("lashes", raster.LASH),
    ):  # fmt: skip
        material[names == name] = kind
    corner_uv = uv[triangles]
    inside = (names == "skin") & (corner_uv[..., 1].mean(1) < MOUTH_CHART)
    inside &= corner_uv[..., 0].mean(1) > 0.6
    material[inside] = raster.MOUTH
    low = (names == "skin") & ~inside & (neutral[triangles][..., 1].max(1) < CLOTH_HEIGHT)
    material[low] = raster.CLOTH

    aux = np.zeros((len(source), 4), np.float32)
    aux[:, 0] = (uv[:, 0] - ATLAS_ORIGIN[0]) / ATLAS_SPAN[0]
    aux[:, 1] = (1 - uv[:, 1] - ATLAS_ORIGIN[1]) / ATLAS_SPAN[1]
    aux[:, 2] = 1
    aux[:, 3] = neutral[:, 1]
    eyes = []
    for name in ("eyeLeft", "eyeRight"):
        of_eye = np.unique(triangles[names == name])
        middle = (neutral[of_eye].min(0) + neutral[of_eye].max(0)) / 2
        eyes.append(middle)
        aux[of_eye, :3] = neutral[of_eye] - middle
        aux[of_eye, 3] = 1 if name == "eyeLeft" else -1
    cloth_points = np.unique(triangles[material == raster.CLOTH])
    aux[cloth_points, 0] = body_angle(neutral[cloth_points])
    for kind, upper in (("teethUpper", True), ("teethLower", False)):
        of_teeth = np.unique(triangles[names == kind])
        y = neutral[of_teeth, 1]
        aux[of_teeth, 0] = neutral[of_teeth, 0]
        gum = y.max() - 0.35 * np.ptp(y) if upper else y.min() + 0.35 * np.ptp(y)
        aux[of_teeth, 3] = gum - y if upper else y - gum
    for kind in ("teethUpper", "teethLower", "tongue"):
        of_part = np.unique(triangles[names == kind])
        aux[of_part, 2] = 0.75 * mouth_occlusion(neutral[of_part, 2])  # in the lips' shadow
    in_mouth = np.unique(triangles[material == raster.MOUTH])
    aux[in_mouth, 2] = mouth_occlusion(neutral[in_mouth, 2])
    set_lash_strands(aux, neutral, triangles, names == "lashes")

    outer = np.unique(triangles[(material == raster.SKIN) | (material == raster.CLOTH)])
    modes = np.concatenate([model.identity[:, source], model.expression[:, source]])
    bust = build_bust(neutral, triangles[(material == raster.SKIN) | low])
    count = len(source)
    # the bust follows the rim it hangs from, as if it were part of the neck
    source = np.concatenate([source, source[bust.rim]])
    modes = np.concatenate([modes, modes[:, bust.rim]], 1)
    neutral = np.concatenate([neutral, bust.points]).astype(np.float32)
    triangles = np.concatenate([triangles, bust.triangles]).astype(np.int32)
    material = np.concatenate([material, np.full(len(bust.triangles), raster.CLOTH, np.uint8)])
    bust_aux = np.ones((len(bust.points), 4), np.float32)
    bust_aux[:, 0] = body_angle(bust.points)
    bust_aux[:, 3] = bust.points[:, 1]
    aux = np.concatenate([aux, bust_aux])
    # identity moves the bust as a whole; expression does not move it
    modes[IDENTITY_COUNT:, count:] = 0

    smooth = np.arange(len(source))
    smooth[:count] = render_of[source[:count]]
    smooth[count : count + len(bust.rim_first)] = bust.rim_first
    region_points = np.unique(corners)
    mesh = HeadMesh(
        model=model,
        source=source,
        neutral=np.ascontiguousarray(neutral),
        modes=np.ascontiguousarray(modes.reshape(len(modes), -1), np.float32),
        triangles=np.ascontiguousarray(triangles),
        material=material,
        aux=aux,
        neck=neck_weights(neutral, model.neutral[region_points]),
        pivot=np.array([0.0, -0.09, -0.075], np.float32),
        region=render_of[corners].astype(np.int32),
        region_weights=weights.astype(np.float32),
        landmarks=render_of[model.landmarks].astype(np.int32),
        eyes=np.array(eyes, np.float32),
        smooth=smooth,
        iris_radius=iris_radius(model),
        skull=outer,
    )
    bake_occlusion(mesh)
    return mesh


def body_angle(points: np.ndarray) -> np.ndarray:
    """Angle about the neck's axis over pi: 0 in front, +-1 behind."""
    return (np.arctan2(points[:, 0], points[:, 2] + 0.095) / np.pi).astype(np.float32)


def mouth_occlusion(z: np.ndarray) -> np.ndarray:
    """How much light reaches into the mouth: little behind the front teeth."""
    return (0.04 + 0.76 * np.clip((z + 0.012) / 0.032, 0, 1) ** 1.5).astype(np.float32)


def iris_radius(model: HeadModel) -> float:
    """An iris is 0.41 of the opening between the lids' corners wide."""
    corners = model.neutral[model.landmarks[[36, 39, 42, 45]]]
    width = np.linalg.norm(corners[0] - corners[1]) + np.linalg.norm(corners[2] - corners[3])
    return float(0.41 * width / 4)


def set_lash_strands(
    aux: np.ndarray, neutral: np.ndarray, triangles: np.ndarray, lashes: np.ndarray
) -> None:
    """Lash cards: across them runs x, along them the distance from the eyeball."""
    points = np.unique(triangles[lashes])
    middle = np.array([0.0285, 0, 0.0])
    away = np.linalg.norm(np.abs(neutral[points]) * [1, 0, 1] - middle, axis=1)
    away = np.hypot(away, neutral[points, 1])
    aux[points, 0] = neutral[points, 0] / 0.00035  # a lash is 0.35 mm apart from the next
    aux[points, 1] = (away - away.min()) / np.ptp(away)
    aux[points, 3] = 1


def neck_weights(neutral: np.ndarray, region: np.ndarray) -> np.ndarray:
    """0 on the head, 1 on the shoulders, smooth over the neck."""
    chin = np.interp(neutral[:, 2], [-0.12, -0.05, 0.0], [-0.045, -0.075, -0.112])
    weight = smoothstep(0.0, 0.085, chin - neutral[:, 1])
    weight[neutral[:, 2] > 0.0] *= neutral[neutral[:, 2] > 0.0, 1] < region[:, 1].min() - 0.02
    return weight.astype(np.float32)


@dataclass(frozen=True)
class Bust:
    """Shoulders and chest hung from the head mesh's lower rim."""

    points: np.ndarray  # (n, 3)
    triangles: np.ndarray  # (t, 3), into head points followed by `points`
    rim: np.ndarray  # (n,) the head point each hangs from
    rim_first: np.ndarray  # the first ring's head points


def build_bust(neutral: np.ndarray, triangles: np.ndarray, rings: int = 12) -> Bust:
    """Continue the lower rim of the skin down to the chest, about a metre below the eyes."""
    # Work on places, not points: seams split points but not the surface.
    places, place_of = np.unique(np.round(neutral, 6), axis=0, return_inverse=True)
    place_of = place_of.ravel()
    edges = Counter()
    directed = {}
    for triangle in place_of[triangles]:
        for a, b in zip(triangle, np.roll(triangle, -1), strict=True):
            edges[(min(a, b), max(a, b))] += 1
            directed[(min(a, b), max(a, b))] = (a, b)
    following = dict(
        directed[e] for e, n in edges.items() if n == 1 and places[list(e), 1].max() < -0.13
    )
    start = next(iter(following))
    loop = [start]
    while following[loop[-1]] != start:
        loop.append(following[loop[-1]])
    point_at = np.full(len(places), -1)
    point_at[place_of[::-1]] = np.arange(len(neutral))[::-1]
    rim = point_at[loop]
    top = neutral[rim]

    along = np.linspace(0, 1, rings) ** 1.4
    ring_points = []
    for t in along:
        drop = 0.85 * t
        ring = top.copy()
        side = np.clip(np.abs(top[:, 0]) / 0.168, 0, 1)
        front = np.clip((top[:, 2] + 0.1) / 0.06, -1, 1)
        bulge = np.sin(np.pi * min(1.0, t * 2.2) / 2)
        ring[:, 0] *= 1 + 0.42 * bulge * (0.35 + 0.65 * side) - 0.12 * t
        ring[:, 2] = (
            -0.1 + (top[:, 2] + 0.1) * (1 + 0.5 * bulge * (1 - side)) + 0.05 * bulge * front
        )
        level = top[:, 1] * (1 - min(1.0, 6 * t)) + -0.172 * min(1.0, 6 * t)
        ring[:, 1] = level - drop * (1 - 0.25 * side * (1 - t))
        ring_points.append(ring)
    points = np.concatenate(ring_points)
    n, base = len(loop), len(neutral)
    new = []
    for r in range(rings - 1):
        for k in range(n):
            a, b = base + r * n + k, base + r * n + (k + 1) % n
            c, d = a + n, b + n
            # the rim's edges run with the skin on their left: the new skin lies on their right
            new += [(b, a, d), (a, c, d)]
    return Bust(points, np.array(new), np.tile(rim, rings), rim)


def bake_occlusion(mesh: HeadMesh, directions: int = 96, size: int = 224) -> None:
    """Multiply `aux` of skin and cloth by how open each neutral point is to the sky around it."""
    keep = np.isin(mesh.material, (raster.SKIN, raster.CLOTH))
    triangles = mesh.triangles[keep]
    normal = np.zeros_like(mesh.neutral)
    raster.normals(mesh.neutral, mesh.smooth[triangles].astype(np.int32), normal)
    normal = normal[mesh.smooth]
    points = np.unique(triangles)
    centre = np.array([0, -0.06, -0.06], np.float32)
    index = np.arange(directions) + 0.5
    polar, turn = np.arccos(1 - 2 * index / directions), np.pi * (1 + 5**0.5) * index
    light = np.stack(
        [np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], 1
    ).astype(np.float32)
    depth = np.empty((size, size), np.float32)
    open_sky, total = np.zeros(len(points)), np.zeros(len(points))
    material = np.zeros(len(triangles), np.uint8)
    for direction in light:
        axes = light_axes(direction)
        scale = np.float32(size / 0.46)
        raster.shadow_map(mesh.neutral, triangles, material, axes, centre, scale, depth)
        local = (mesh.neutral[points] - centre) @ axes.T
        x = np.clip((size / 2 + scale * local[:, 0]).astype(int), 0, size - 1)
        y = np.clip((size / 2 - scale * local[:, 1]).astype(int), 0, size - 1)
        cosine = np.maximum(normal[points] @ direction, 0)
        open_sky += cosine * (depth[y, x] <= local[:, 2] + 0.004)
        total += cosine
    openness = open_sky / np.maximum(total, 1e-6)
    whole = np.ones(len(mesh.neutral))
    whole[points] = openness
    edges = mesh.smooth[np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]]])]
    for _ in range(3):  # the shadow maps are coarse: let neighbours agree
        around = np.bincount(edges[:, 0], whole[edges[:, 1]], len(whole))
        around += np.bincount(edges[:, 1], whole[edges[:, 0]], len(whole))
        count = np.bincount(edges.ravel(), minlength=len(whole))
        whole = np.where(count > 0, 0.4 * whole + 0.6 * around / np.maximum(count, 1), whole)
    openness = whole[mesh.smooth[points]]
    shaded = np.ones(len(mesh.neutral))
    shaded[points] = 0.10 + 0.90 * np.clip(openness * 1.12, 0, 1) ** 1.5
    mesh.aux[points, 2] = shaded[points]


def light_axes(direction: np.ndarray) -> np.ndarray:
    """(3, 3) rows right, up, direction of a view along a light."""
    up = np.array([0, 0, 1.0]) if abs(direction[1]) > 0.9 else np.array([0, 1.0, 0])
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction]).astype(np.float32)
