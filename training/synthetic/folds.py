# SPDX-License-Identifier: GPL-3.0-or-later
"""Folds that skin throws when a face moves: foreheads that wrinkle, cheeks that crease by a smile.

The head model moves the skin smoothly; what a camera sees first of a raised brow, a sneer or a
squint are its folds. Each is a curve on the neutral face, seen from the front, with a groove along
it and a swelling beside it, and a sum of expression weights that draws it. They bend the normals
and darken the skin, each person's as deep as their `traits.FOLDS`; old skin keeps some at rest.

Which muscle folds what follows Ekman and Friesen's Facial Action Coding System (1978): action
units 1, 2 and 4 forehead and glabella, 6 and 7 the corners of the eyes, 9 the nose, 10 and 12 the
nasolabial fold, 14 the dimple, 15, 17 and 20 what lies below the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mfn_addon.face import EXPRESSION_INDEX

from . import traits

VARIANTS = 6
"""Sets of curves, each a little elsewhere; people share them."""

SLOPE = 0.62
"""How far the steepest fold tilts the skin: tangent of the angle, at full strength."""

DARK = 0.45
"""Share of light that the bottom of a full fold loses."""

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Kind:
    """Folds that move together, on the actor's left side (x > 0) or across the middle.

    Attributes:
        curves: points (x, y) in mm on the neutral face, head frame.
        width: mm, how wide the groove is: exp(-(distance / width)^2).
        drive: names of shapes, without a side, and their share; what sums to 1 draws them fully.
        swell: of the groove's depth that one side rises: above zero what lies to the left of the
            curve as it runs, below zero to its right.
        across: over the middle: driven by both sides alike.
    """

    curves: tuple[Curve, ...]
    width: float
    drive: dict[str, float]
    swell: float = 0.5
    across: bool = False


def arch(level: float, reach: float, start: float = 0.0) -> Curve:
    """A line over the brow at `level`, from `start` to `reach`."""
    xs = np.linspace(start, reach, 9)
    return tuple((float(x), float(level + 3.5 * np.cos(x / 44 * np.pi / 2))) for x in xs)


KINDS = (
    Kind(tuple(arch(v, 47, 5) for v in (25, 33, 41)), 1.8, {"browOuterUp": 1.0}),
    Kind(tuple(arch(v, 19, -19) for v in (26, 34, 42)), 1.9, {"browInnerUp": 1.0}, across=True),
    Kind((((4.5, 6), (6, 16), (7.5, 29)), ((10, 14), (12.5, 25))), 1.5, {"browDown": 1.0}, -0.6),
    Kind((((-9, 3), (0, 1.5), (9, 3)),), 1.4, {"noseSneer": 0.7, "browDown": 0.4}, across=True),
    Kind((((4, -6), (9, -12), (12, -20)), ((7, -4), (12, -9), (17, -17)),
          ((3, -12), (7, -18), (9, -25))), 1.6, {"noseSneer": 1.1}),
    Kind((((13, -32), (19, -39), (26, -49), (30.5, -58), (32, -66)),), 2.3,
         {"mouthSmile": 0.8, "noseSneer": 0.75, "mouthUpperUp": 0.6, "cheekSquint": 0.3,
          "mouthDimple": 0.25, "mouthStretch": 0.3}, 1.0),
    Kind((((45, 0), (53, 5), (61, 11)), ((46, -4), (55, -3), (63, -2)),
          ((45, -8), (52, -12), (59, -17))), 1.3,
         {"cheekSquint": 0.7, "eyeSquint": 0.5, "mouthSmile": 0.35, "eyeBlink": 0.08}),
    Kind((((18, -13), (25, -17), (33, -16.5), (41, -11)),), 1.5,
         {"cheekSquint": 0.8, "eyeSquint": 0.5, "mouthSmile": 0.25}, -0.9),
    Kind((((15, -20), (24, -27), (35, -28), (46, -23)),), 2.2,
         {"cheekSquint": 0.9, "mouthSmile": 0.25, "noseSneer": 0.25}, -0.9),
    Kind((((28, -61), (30.5, -67), (29, -74)),), 2.0,
         {"mouthDimple": 1.0, "mouthPress": 0.3, "mouthSmile": 0.25}, 0.7),
    Kind((((33, -58), (37, -68), (36, -82)),), 1.8, {"mouthStretch": 0.9, "mouthSmile": 0.2}, 0.6),
    Kind((((24, -70), (28, -78), (29, -88)),), 1.8,
         {"mouthFrown": 0.9, "mouthStretch": 0.35, "mouthLowerDown": 0.2}, 0.7),
    Kind((((-19, -86), (-9, -84), (0, -83.5), (9, -84), (19, -86)),), 1.9,
         {"mouthShrugLower": 1.0, "mouthPress": 0.3, "mouthRollLower": 0.4, "mouthFrown": 0.25},
         -1.0, across=True),
    Kind((((-10, -50), (-4, -49), (4, -49), (10, -50)),), 1.7,
         {"mouthShrugUpper": 1.0, "noseSneer": 0.25, "mouthUpperUp": 0.2}, -0.8, across=True),
)  # fmt: skip

PUCKER = {"mouthPucker": 0.9, "mouthFunnel": 0.25, "mouthRollUpper": 0.2, "mouthRollLower": 0.2}
CHIN = {"mouthShrugLower": 1.0, "mouthFrown": 0.3, "mouthPress": 0.3}


@dataclass(frozen=True)
class Fold:
    """One layer: where it lies in the atlas, and what it does there.

    Attributes:
        corner: row and column of `layer` in the atlas.
        layer: (h, w, 3) float32: slope to the actor's left, slope up, darkness.
        drive: (52,) share of each expression weight.
    """

    corner: tuple[int, int]
    layer: np.ndarray
    drive: np.ndarray


def drive_of(shares: dict[str, float], side: str) -> np.ndarray:
    """(52,) from shares of shapes; `side` is Left, Right, or empty for half of each."""
    out = np.zeros(len(EXPRESSION_INDEX), np.float32)
    for name, share in shares.items():
        if name in EXPRESSION_INDEX:
            out[EXPRESSION_INDEX[name]] = share
        else:
            for one in [side] if side else ["Left", "Right"]:
                out[EXPRESSION_INDEX[name + one]] = share if side else share / 2
    return out


def profile(x: np.ndarray, y: np.ndarray, kind: Kind, curves: list[np.ndarray]) -> np.ndarray:
    """Height of the skin at (x, y) mm by the folds of one kind: -1 at the bottom of a groove."""
    height = np.zeros_like(x)
    for curve in curves:
        nearest, side, along = np.full(x.shape, np.inf), np.zeros_like(x), np.zeros_like(x)
        reach = np.linalg.norm(np.diff(curve, axis=0), axis=1)
        start = 0.0
        for a, b, length in zip(curve[:-1], curve[1:], reach, strict=True):
            ux, uy = (b - a) / length
            t = np.clip((x - a[0]) * ux + (y - a[1]) * uy, 0, length)
            dx, dy = x - a[0] - t * ux, y - a[1] - t * uy
            distance = np.hypot(dx, dy)
            closer = distance < nearest
            side = np.where(closer, ux * dy - uy * dx, side)
            along = np.where(closer, start + t, along)
            nearest = np.where(closer, distance, nearest)
            start += length
        # a fold fades out towards both ends
        taper = np.sin(np.pi * np.clip(along / start, 0, 1) * 0.9 + 0.05 * np.pi) ** 0.6
        groove = np.exp(-((nearest / kind.width) ** 2))
        beyond = (np.abs(side) - 2.2 * kind.width) / (1.5 * kind.width)
        ridge = abs(kind.swell) * np.exp(-(beyond**2)) * np.exp(-((nearest / 9) ** 2))
        ridge *= side * np.sign(kind.swell) > 0
        height = np.where(
            np.abs(taper * (ridge - groove)) > np.abs(height), taper * (ridge - groove), height
        )
    return height


def layer_of(height: np.ndarray, ahead: np.ndarray, above: np.ndarray, step: float,
             width: float) -> np.ndarray:  # fmt: skip
    """(h, w, 3) slopes and darkness from heights here, `step` mm further left, and further up."""
    slope = np.stack([ahead - height, above - height], -1) / step * width * SLOPE
    dark = DARK * np.clip(-height, 0, 1)
    return np.concatenate([slope, dark[..., None]], -1).astype(np.float32)


def cut(layer: np.ndarray, drive: np.ndarray, level: int) -> Fold:
    """Only the part of a full layer that does something, at half its size `level` times."""
    for _ in range(level):
        size = (layer.shape[1] // 2, layer.shape[0] // 2)
        layer = cv2.resize(layer, size, interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(np.abs(layer).max(-1) > 0.004)
    corner = (int(rows.min()), int(columns.min()))
    part = layer[corner[0] : rows.max() + 1, corner[1] : columns.max() + 1]
    return Fold(corner, np.ascontiguousarray(part, np.float32), drive)


def build_folds(position: np.ndarray, levels: int, seed: int = 5) -> list[list[list[Fold]]]:
    """Per level of detail, per variant, all folds.

    Args:
        position: (h, w, 3) each texel's place on the neutral head, metres, NaN where there is none.
    """
    rng = np.random.default_rng(seed)
    place = np.nan_to_num(position, nan=9.0)
    x, y = place[..., 0] * 1000, place[..., 1] * 1000
    front = ((place[..., 2] > -0.045) & (place[..., 2] < 1)).astype(np.float32)[..., None]
    step = 0.4
    out: list[list[list[Fold]]] = [[] for _ in range(levels)]
    for _ in range(VARIANTS):
        full = []
        for kind in KINDS:
            moved = [
                np.array(c) + rng.normal(0, 0.9, 2) + rng.normal(0, 0.5, (len(c), 2))
                for c in kind.curves
            ]
            moved = moved[: rng.integers(max(1, len(moved) - 1), len(moved) + 1)]
            width = kind.width * float(np.exp(rng.normal(0, 0.12)))
            for side in ("",) if kind.across else ("Left", "Right"):
                # only what is near is worth computing
                left = -x if side == "Right" else x
                near = front[..., 0] > 0
                for axis, at in ((0, left), (1, y)):
                    ends = np.concatenate(moved)[:, axis]
                    near &= (at > ends.min() - 12) & (at < ends.max() + 12)
                here, ahead, above = [
                    profile(left[near] + dx, y[near] + dy, kind, moved)
                    for dx, dy in ((0, 0), (step, 0), (0, step))
                ]
                layer = np.zeros((*x.shape, 3), np.float32)
                layer[near] = layer_of(here, ahead, above, step, width)
                if side == "Right":
                    layer[..., 0] *= -1
                full.append((layer, drive_of(kind.drive, side)))
        full.append((front * round_the_lips(x, y, step, rng), drive_of(PUCKER, "")))
        full.append((front * pebbles(x, y, rng), drive_of(CHIN, "")))
        for level in range(levels):
            out[level].append([cut(layer, drive, level) for layer, drive in full])
    return out


def round_the_lips(
    x: np.ndarray, y: np.ndarray, step: float, rng: np.random.Generator
) -> np.ndarray:
    """(h, w, 3) fine lines that run away from pursed lips."""
    phase, count = rng.uniform(0, 6), rng.integers(26, 40)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        across, up = x / 1.35, y + 68
        angle, away = np.arctan2(up, across), np.hypot(across, up)
        ring = np.exp(-(((away - 14) / 4.5) ** 2))
        return 0.4 * ring * (np.cos(angle * count + phase + 2 * np.sin(3 * angle)) - 1) / 2

    return layer_of(height(x, y), height(x + step, y), height(x, y + step), step, 1.4)


def pebbles(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) a chin that puckers like the peel of an orange."""
    area = np.exp(-((x / 12) ** 2) - ((y + 97) / 8) ** 2)
    fine = cv2.GaussianBlur(rng.standard_normal((*x.shape, 3)).astype(np.float32), (0, 0), 2.2)
    fine /= fine.std()
    fine[..., :2] *= 0.55 * SLOPE
    fine[..., 2] = 0.4 * DARK * np.clip(fine[..., 2], 0, 2)
    return area[..., None] * fine


def fold(
    out: np.ndarray,
    variants: list[list[Fold]],
    expression: np.ndarray,
    look: np.ndarray,
    own: tuple[int, ...],
) -> None:
    """Write all folds of one face into `out` (h, w, 3): slopes to the left and up, darkness.

    Args:
        variants: of one level of detail.
        expression: (52,) weights.
        look: the person's traits, see `traits`.
        own: numbers that the person keeps: which variant, and which of its folds stay at rest.
    """
    folds = variants[sum(own) % len(variants)]
    stays = look[traits.RESTING_FOLDS] * np.random.default_rng(own).random(len(folds))
    out[:] = 0
    for one, rest in zip(folds, stays, strict=True):
        drawn = np.clip(one.drive @ expression, 0, 1.15)
        amount = look[traits.FOLDS] * drawn**1.2 + rest  # light moves hardly fold the skin
        if amount > 0.02:
            (top, left), (height, width) = one.corner, one.layer.shape[:2]
            out[top : top + height, left : left + width] += amount * one.layer
