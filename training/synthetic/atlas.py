# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin's texture layers: lips, lids, brows, beards, freckles, hairlines, drawn by script.

The atlas is the part of MakeHuman's texture that holds the head's outer skin. A position map
gives each texel its place on the neutral head, so that layers are drawn in space: a brow is a
set of strokes above an eye, a beard grows below the nose. `masks.png` holds what only the
artist's masks know (lips, lids, ears), cut from MakeHuman's CC0 textures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .folds import Fold, build_folds

if TYPE_CHECKING:
    from .head import HeadMesh

ATLAS_ORIGIN = (0.635, 0.175)
ATLAS_SPAN = (0.365, 0.690)
"""The atlas' left top corner and size in MakeHuman's texture (x right, y down, 0..1)."""

ATLAS_WIDTH, ATLAS_HEIGHT = 380, 718
LEVELS = 3
"""Sizes of each layer: full, half, quarter; small faces take small ones, or they would sparkle."""

MASKS = Path(__file__).parent / "masks.png"


@dataclass(frozen=True)
class Atlas:
    """Texture layers by level of detail, largest first.

    Attributes:
        static: per level (h, w, 4) uint8: lips, lids, cheeks, shine.
        detail: per level, per variant (h, w, 4) uint8: tone, redness (both about 128), freckles,
            creases.
        brow, beard, scalp: per level, per variant (h, w) uint8.
        folds: per level, per variant.
    """

    static: list[np.ndarray]
    detail: list[list[np.ndarray]]
    brow: list[list[np.ndarray]]
    beard: list[list[np.ndarray]]
    scalp: list[list[np.ndarray]]
    folds: list[list[list[Fold]]]
    position: np.ndarray


def cut_masks(textures: Path) -> None:
    """Write `masks.png` (lips, lids, ears) from MakeHuman's `textures` folder."""
    layers = []
    for name in ("lips", "eyelids", "ears"):
        picture = cv2.imread(str(textures / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        size = len(picture)
        x0, y0 = (round(o * size) for o in ATLAS_ORIGIN)
        x1, y1 = x0 + round(ATLAS_SPAN[0] * size), y0 + round(ATLAS_SPAN[1] * size)
        part = picture[y0:y1, x0:x1]
        layers.append(cv2.resize(part, (ATLAS_WIDTH, ATLAS_HEIGHT), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(MASKS), np.stack(layers, -1))


def position_map(neutral: np.ndarray, triangles: np.ndarray, aux: np.ndarray) -> np.ndarray:
    """(h, w, 3) each texel's place on the neutral head, NaN where the atlas is empty."""
    out = np.full((ATLAS_HEIGHT, ATLAS_WIDTH, 3), np.nan, np.float32)
    scale = np.array([ATLAS_WIDTH, ATLAS_HEIGHT])
    for triangle in triangles:
        corner = aux[triangle, :2] * scale
        x0, y0 = np.floor(corner.min(0)).astype(int)
        x1, y1 = np.ceil(corner.max(0)).astype(int)
        if x0 < -2 or y0 < -2 or x1 > ATLAS_WIDTH + 2 or y1 > ATLAS_HEIGHT + 2:
            continue
        a, b, c = corner
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        xs, ys = np.meshgrid(
            np.arange(max(0, x0), min(ATLAS_WIDTH, x1 + 1)),
            np.arange(max(0, y0), min(ATLAS_HEIGHT, y1 + 1)),
        )
        px, py = xs + 0.5 - a[0], ys + 0.5 - a[1]
        wb = (px * (c[1] - a[1]) - py * (c[0] - a[0])) / area
        wc = (py * (b[0] - a[0]) - px * (b[1] - a[1])) / area
        hit = (wb > -0.02) & (wc > -0.02) & (wb + wc < 1.02)
        weight = np.stack([1 - wb - wc, wb, wc], -1)[hit]
        out[ys[hit], xs[hit]] = weight @ neutral[triangle]
    return out


def noise(rng: np.random.Generator, height: int, width: int, cells: float) -> np.ndarray:
    """(h, w) smooth noise, about N(0, 1), `cells` bumps across the width."""
    rows = max(2, round(cells * height / width))
    coarse = rng.standard_normal((rows + 3, round(cells) + 3)).astype(np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return fine / max(float(fine.std()), 1e-6)


def hairline(position: np.ndarray, shift: float = 0.0, recede: float = 0.0) -> np.ndarray:
    """How far inside the scalp's hair a neutral place lies, metres (negative: outside).

    Args:
        position: (..., 3).
        shift: metres the line is moved up and back.
        recede: metres the temples are moved back further.
    """
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    side = np.clip(np.abs(x) / 0.05, 0, 1.2)
    front = 0.66 * y - 0.75 * z - 0.037 - shift - recede * np.exp(-(((side - 0.75) / 0.3) ** 2))
    front -= 0.004 * np.cos(side * np.pi)
    low = np.interp(z, [-0.16, -0.125, -0.1, -0.09, -0.075, -0.055, -0.03],
                    [-0.085, -0.082, -0.055, 0.01, 0.022, 0.005, -0.02])  # fmt: skip
    return np.minimum(front, y - low)


def _to_byte(values: np.ndarray) -> np.ndarray:
    return np.clip(np.nan_to_num(values) * 255, 0, 255).astype(np.uint8)


def _levels(layer: np.ndarray) -> list[np.ndarray]:
    out = [np.ascontiguousarray(layer)]
    for k in range(1, LEVELS):
        size = (ATLAS_WIDTH >> k, ATLAS_HEIGHT >> k)
        out.append(np.ascontiguousarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA)))
    return out


FRONT_SCALE = 8000.0  # px a metre of the drawing board that brows are drawn on: 0.125 mm a px
FRONT_SIZE = 1200


def draw_brows(rng: np.random.Generator, points: np.ndarray) -> np.ndarray:
    """(1200, 1200) uint8 front view of both brows, 0.125 mm a px, drawn hair by hair.

    Args:
        points: (5, 2) the left brow's landmarks, inner to outer, x and y in metres.
    """
    board = np.zeros((FRONT_SIZE, FRONT_SIZE), np.uint8)
    thickness = rng.uniform(0.0022, 0.0055)
    lift, arch = rng.normal(0, 0.0012), rng.normal(0, 0.0015)
    count = int(rng.uniform(90, 420))
    tail = rng.uniform(0.82, 1.0)
    gap = rng.uniform(-0.12, 0.02) if rng.random() < 0.9 else -0.3
    length = rng.uniform(0.005, 0.009)
    knots = np.linspace(0, 1, len(points))
    for mirror in (1, -1):
        for _ in range(count):
            t = gap + (tail - gap) * rng.beta(1.35, 1.1)
            x = np.interp(t, knots, points[:, 0]) + min(t, 0) * 0.035
            y = np.interp(t, knots, points[:, 1]) + lift + arch * np.sin(np.pi * np.clip(t, 0, 1))
            width = thickness * np.interp(t, [-0.12, 0.15, 0.6, 1], [0.45, 1, 0.85, 0.25])
            offset = rng.normal(0, 0.5) * width
            # hairs stand up at the inner end, lie outward at the tail, and meet in the middle
            lean = np.interp(t, [0, 0.25, 1], [1.35, 0.75, -0.1]) - 60 * offset * (t > 0.15)
            angle = lean + rng.normal(0, 0.15)
            reach = length * np.interp(t, [0, 0.5, 1], [0.8, 1, 0.7]) * rng.uniform(0.7, 1.2)
            start = np.array([x, y + offset])
            end = start + reach * np.array([np.cos(angle), np.sin(angle)])
            pixel = [
                (int((mirror * p[0] * FRONT_SCALE + FRONT_SIZE / 2) * 16),
                 int((FRONT_SIZE * 0.6 - p[1] * FRONT_SCALE) * 16))
                for p in (start, end)
            ]  # fmt: skip
            stroke = int(rng.uniform(120, 255))
            cv2.line(board, pixel[0], pixel[1], (stroke,), int(rng.uniform(1, 3.4)), cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(board, (0, 0), 9)
    return np.maximum(board, (soft * rng.uniform(0.3, 1.1)).clip(0, 255).astype(np.uint8))


def from_front(board: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Bring a front view drawing into the atlas; what does not face forward stays empty."""
    place = np.nan_to_num(position, nan=-1.0)
    x = place[..., 0] * FRONT_SCALE + FRONT_SIZE / 2
    y = FRONT_SIZE * 0.6 - place[..., 1] * FRONT_SCALE
    board = cv2.GaussianBlur(board, (0, 0), 1.6)  # a texel is four px of the board
    layer = cv2.remap(
        board, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0
    )
    return layer * (place[..., 2] > -0.02)


def beard_layer(rng: np.random.Generator, position: np.ndarray, lips: np.ndarray,
                landmarks: np.ndarray, kind: str) -> np.ndarray:  # fmt: skip
    """(h, w) 0..1 how much of the skin hair covers: stubble, full beard, goatee, moustache."""
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    mouth_y = landmarks[[48, 54], 1].mean()
    nose_y, chin_y = landmarks[33, 1], landmarks[8, 1]
    corner = abs(landmarks[54, 0])
    side = np.abs(x)
    cheek = np.interp(side, [0, corner, 0.05, 0.075],
                      [mouth_y, mouth_y + rng.uniform(0, 0.012), mouth_y + rng.uniform(0.004, 0.03),
                       0.012])  # fmt: skip
    edge = 0.004 + 0.004 * rng.random()

    def below(line: np.ndarray | float) -> np.ndarray:
        return np.clip((line - y) / edge, 0, 1)

    jaw = below(cheek) * np.clip((z + 0.078) / 0.006, 0, 1)
    neck_line = chin_y - rng.uniform(0.012, 0.03)
    jaw *= np.clip((y - neck_line) / 0.012, 0, 1) * (z > -0.085)
    upper = below(nose_y - 0.002) * np.clip((y - mouth_y + 0.003) / edge, 0, 1)
    upper *= np.clip((corner + rng.uniform(0.002, 0.008) - side) / edge, 0, 1)
    middle = np.clip((corner + 0.004 - side) / edge, 0, 1)
    sides = np.clip((side - corner + 0.008) / 0.006, 0, 1)
    soul = np.clip((0.008 - side) / 0.004, 0, 1)
    under_lip = np.clip((landmarks[57, 1] - 0.006 - y) / 0.004, 0, 1)
    chin = jaw * np.maximum(under_lip, np.maximum(sides, soul * 0.8))
    if kind == "moustache":
        area = upper
    elif kind == "goatee":
        area = np.maximum(upper * (rng.random() < 0.8), chin * middle)
    else:
        area = np.maximum(upper * (rng.random() < 0.92), chin)
    area = area * (1 - np.clip(lips * 1.5, 0, 1))
    h, w = area.shape
    patchy = np.clip(0.75 + 0.3 * noise(rng, h, w, 14), 0.2, 1)
    if kind == "stubble":
        grain = np.clip(0.5 + 0.45 * rng.standard_normal((h, w)), 0, 1)
        grain = 0.55 * grain + 0.45 * cv2.GaussianBlur(grain.astype(np.float32), (0, 0), 2)
        return area * patchy * grain * rng.uniform(0.35, 0.85)
    # hairs run outwards from the mouth, in the atlas about along x (down the face)
    grain = rng.standard_normal((h, w)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), sigmaX=3.2, sigmaY=0.5)
    grain = np.clip(0.72 + 0.28 * grain / grain.std(), 0.1, 1)
    return np.clip(area * patchy * 1.4, 0, 1) * grain


def scalp_layer(rng: np.random.Generator, position: np.ndarray, ears: np.ndarray,
                shift: float, recede: float) -> np.ndarray:  # fmt: skip
    """(h, w) 0..1 cover of short hair on the scalp."""
    h, w = ears.shape
    inside = hairline(position, shift, recede) + 0.0025 * noise(rng, h, w, 40)
    soft = np.clip(inside / rng.uniform(0.006, 0.014), 0, 1)
    grain = rng.standard_normal((h, w)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.8)
    grain = np.clip(0.92 + 0.1 * grain / grain.std(), 0.4, 1)
    return soft * grain * (1 - np.clip(ears * 2, 0, 1))


def detail_layer(rng: np.random.Generator, position: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8: tone, redness, freckles and moles, creases."""
    h, w = position.shape[:2]
    tone = sum(noise(rng, h, w, c) * a for c, a in ((8, 0.25), (30, 0.3), (90, 0.35), (190, 0.5)))
    tone += 0.35 * rng.standard_normal((h, w))
    red = sum(noise(rng, h, w, c) * a for c, a in ((6, 0.6), (24, 0.5), (80, 0.4)))
    place = np.nan_to_num(position, nan=1.0)
    nose_cheek = np.exp(-(((place[..., 1] + 0.03) / 0.025) ** 2)) * (place[..., 2] > -0.03)
    red += 0.9 * nose_cheek
    freckles = np.zeros((h, w), np.float32)
    for _ in range(int(rng.uniform(50, 1800))):
        centre = (int(rng.integers(w) * 8), int(rng.integers(h) * 8))
        dot = float(rng.uniform(0.25, 0.8))
        cv2.circle(freckles, centre, int(rng.uniform(3, 10)), (dot,), -1, cv2.LINE_AA, 3)
    freckles = cv2.GaussianBlur(freckles, (0, 0), 0.6)
    freckles *= np.clip(0.35 + nose_cheek, 0, 1)
    for _ in range(rng.integers(0, 5)):  # moles
        centre = (int(rng.integers(w // 3, w) * 8), int(rng.integers(h // 4, 3 * h // 4) * 8))
        cv2.circle(freckles, centre, int(rng.uniform(6, 13)), (1.3,), -1, cv2.LINE_AA, 3)
    # creases: forehead lines, crow's feet, under the eyes
    creases = np.zeros((h, w), np.float32)
    y, x, z = place[..., 1], place[..., 0], place[..., 2]
    wobble = 0.0012 * noise(rng, h, w, 10)
    for level in rng.uniform(0.032, 0.06, rng.integers(2, 5)):
        line = np.exp(-(((y + wobble - level) / 0.0006) ** 2)) * (np.abs(x) < 0.035)
        creases = np.maximum(creases, line * rng.uniform(0.3, 1))
    for drop in rng.uniform(0.011, 0.018, 2):
        bag = y + drop - 2.2 * (np.abs(x) - 0.03) ** 2 * 8 + wobble * 0.5
        line = np.exp(-((bag / 0.0007) ** 2)) * (np.abs(np.abs(x) - 0.029) < 0.013)
        creases = np.maximum(creases, line * rng.uniform(0.3, 0.9))
    fold = np.abs(x) - (0.019 + (-0.035 - y) * 0.42) + wobble
    line = np.exp(-((fold / 0.0009) ** 2)) * (y < -0.035) * (y > -0.066) * (z > 0)
    creases = np.maximum(creases, line * rng.uniform(0.2, 0.9))
    creases *= z > -0.03
    return np.stack(
        [
            np.clip(128 + 32 * tone, 0, 255), np.clip(128 + 36 * red, 0, 255),
            np.clip(freckles * 200, 0, 255), np.clip(creases * 255, 0, 255),
        ], -1,
    ).astype(np.uint8)  # fmt: skip


BEARDS = ("stubble",) * 7 + ("full",) * 6 + ("goatee",) * 3 + ("moustache",) * 2
HAIRLINES = ((0.0, 0.0), (0.0, 0.0), (-0.004, 0.0), (0.006, 0.004), (0.004, 0.016), (0.012, 0.022),
             (0.045, 0.02), (0.06, 0.03))  # fmt: skip


def build_atlas(mesh: HeadMesh, seed: int = 7, variants: int = 16) -> Atlas:
    """Draw all layers; about two seconds, once a process."""
    rng = np.random.default_rng(seed)
    position = position_map(mesh.neutral, mesh.triangles[mesh.material == 0], mesh.aux)
    masks = cv2.imread(str(MASKS)).astype(np.float32) / 255
    lips, lids, ears = (masks[..., k] for k in range(3))
    place = np.nan_to_num(position, nan=1.0)
    x, y, z = (place[..., k] for k in range(3))
    cheeks = np.exp(-(((np.abs(x) - 0.042) / 0.018) ** 2) - ((y + 0.032) / 0.017) ** 2) * (
        z > -0.04
    )
    socket = np.exp(-(((np.abs(x) - 0.029) / 0.016) ** 2) - ((y - 0.003) / 0.0085) ** 2) * (
        z > -0.01
    )
    oily = np.exp(-((x / 0.02) ** 2)) * (z > 0) * (y > -0.045) + 0.4 * cheeks
    lids = np.maximum(lids * 0.6, socket)
    static = np.stack([lips, lids, cheeks, np.clip(oily, 0, 1)], -1)
    inner = cv2.GaussianBlur(static.astype(np.float32), (0, 0), 1.0)
    points = mesh.neutral[mesh.landmarks]
    brow_points = points[22:27, :2]  # the actor's left brow, inner to outer

    def stack(layers: list[np.ndarray]) -> list[list[np.ndarray]]:
        pyramids = [_levels(layer) for layer in layers]
        return [[pyramid[k] for pyramid in pyramids] for k in range(LEVELS)]

    details = [detail_layer(rng, position) for _ in range(8)]
    for layer in details:
        layer[0, 0] = (128, 128, 0, 0)  # the texel of skin that lies outside the atlas
    brows = [from_front(draw_brows(rng, brow_points), position) for _ in range(variants)]
    beards = [_to_byte(beard_layer(rng, place, lips, points, kind)) for kind in BEARDS]
    scalps = [
        _to_byte(scalp_layer(rng, np.nan_to_num(position, nan=0.0) + np.where(
            np.isnan(position), 9.0, 0.0), ears, *line)) for line in HAIRLINES
    ]  # fmt: skip
    static_levels = _levels(_to_byte(inner))
    return Atlas(
        static_levels, stack(details), stack(brows), stack(beards), stack(scalps),
        build_folds(position, LEVELS), position,
    )  # fmt: skip
