# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour for grey photographs of faces, as a poor camera gives it: luminance stays as it is.

Most photographs of the press are grey; a network that sees them so learns that grey is for real
faces and colour for rendered ones. The face gets skin's colours by luminance, as measured in colour
photographs, the lips a little more red, hair less of it; clothes and what is behind get any hue.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from training.bank import load_surface
from training.wearing import CHIN, LIPS, TOP

LEVELS = (0, 40, 80, 120, 160, 200, 235, 255)
SKIN = np.array([[6, 16, 21, 26, 29, 29, 15, 3], [-5, -12, -16, -19, -23, -22, -16, -4]])
"""Skin's Cr and Cb (BT.601, less 128) at luminances of `LEVELS`: medians over 804 frontal colour
photographs of 250 people, within the fitted face."""
SKIN_SPREAD, HUE_SPREAD = 0.3, 0.2
"""Of the logarithm: how people and their light differ in saturation, and in Cb beside it."""
SHADOW = 0.45
"""Share of the face's middle luminance below which its pixels are hair and shadow."""
ALIKE = 25.0
"""Grey levels: neck and ears are told from what is behind them by looking like the face."""


def is_grey(crop: np.ndarray) -> bool:
    """Whether all channels of (H, W, 3) are the same, by some of its pixels."""
    some = crop[::8, ::8]
    return bool((some == some[..., :1]).all())


def colour_in(patch: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A grey patch (H, W, 3) uint8 in colour.

    Args:
        points: (P, 2) px of the training surface (`training.bank.load_surface`).
    """
    light = np.ascontiguousarray(patch[..., 0])
    # colour is half as fine as light is, as in most cameras' files
    height, width = light.shape
    grey = cv2.resize(light, (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_AREA)
    points = np.asarray(points, np.float32) / 2
    lips, chin, top = numbers()
    hull = cv2.convexHull(points)[:, 0]
    up = points[top] - points[chin]
    side = float(np.linalg.norm(np.ptp(hull, axis=0)))
    middle = hull.mean(0)

    def area(corners: np.ndarray, soft: float) -> np.ndarray:
        mask = np.zeros(grey.shape, np.float32)
        cv2.fillConvexPoly(mask, corners.astype(np.int32), 1)
        width = 2 * int(soft * side / 2) + 1
        return cv2.blur(cv2.blur(mask, (width, width)), (width, width))

    face = area(hull, 0.05)
    inside = grey[face > 0.7]
    bright = float(np.median(inside)) if len(inside) else 128.0
    levels = np.arange(256, dtype=np.float32)
    lit = np.clip((levels / max(bright, 1) - SHADOW / 2) / (SHADOW / 2), 0.35, 1)
    alike = np.exp(-(((levels - bright) / ALIKE) ** 2))
    around = np.concatenate([middle + (hull - middle) * 1.1, hull - 0.35 * up])
    neck = area(cv2.convexHull(around)[:, 0], 0.06) * alike[grey]
    skin = np.maximum(face * lit[grey], 0.8 * neck)
    head = area(middle + (hull - middle) * random.uniform(1.3, 1.6) + 0.22 * up, 0.12)

    saturation = random.uniform(0.5, 1.05)
    spread = np.clip(random.normal(0, 1, 2), -1.4, 1.4) * (SKIN_SPREAD, HUE_SPREAD)
    tone = np.exp([spread[0], spread.sum()])
    of_skin = by_level(SKIN * tone[:, None])
    of_hair = by_level(SKIN * tone[:, None] * random.uniform(0.05, 0.75))
    chroma = surroundings(grey, middle - 0.6 * up, up, random)
    for mask, table in ((head, of_hair), (skin, of_skin)):
        chroma += mask[..., None] * (table[grey] - chroma)
    red = area(cv2.convexHull(points[lips])[:, 0], 0.012)
    chroma[..., 0] += red * face * float(random.uniform(0, 11))
    return with_chroma(light, cv2.resize(chroma * np.float32(saturation), (width, height)))


def surroundings(
    grey: np.ndarray, shoulders: np.ndarray, up: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """(H, W, 2) Cr and Cb of clothes, below the shoulders (2,) px, and of what is behind."""
    height, width = grey.shape
    patches = []
    for _ in range(2):  # each of one hue, here and there another
        angle, strength = random.uniform(0, 2 * np.pi), random.gamma(1.2, 7)
        hue = strength * np.array([np.cos(angle), np.sin(angle)])
        varied = hue + random.normal(0, 0.25 * strength + 1.5, (4, 4, 2))
        patches.append(cv2.resize(varied.astype(np.float32), (width, height)))
    behind, clothes = patches
    along = np.arange(height, dtype=np.float32)[:, None] - np.float32(shoulders[1])
    across = np.arange(width, dtype=np.float32)[None] - np.float32(shoulders[0])
    length = float(np.linalg.norm(up))
    below = -(along * up[1] + across * up[0]) / max(length, 1e-3)  # px
    worn = np.clip(0.5 + below / (0.1 * length + 1), 0, 1)[..., None]
    return (behind + worn * (clothes - behind)) * ROOM[grey][..., None]


def by_level(knots: np.ndarray) -> np.ndarray:
    """(2, 8) Cr and Cb at `LEVELS` -> (256, 2) at each luminance."""
    levels = np.arange(256)
    return np.stack([np.interp(levels, LEVELS, row) for row in knots], 1).astype(np.float32)


ROOM = np.clip(1.4 * np.sin(np.pi * np.arange(256) / 255), 0, 1).astype(np.float32)
"""How much colour a luminance has room for: black and white have none."""


def with_chroma(grey: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """(H, W) luminance and (H, W, 2) Cr, Cb -> (H, W, 3) uint8 RGB, by BT.601."""
    light, red, blue = grey.astype(np.float32), chroma[..., 0], chroma[..., 1]
    channels = [light + 1.402 * red, light - 0.714 * red - 0.344 * blue, light + 1.772 * blue]
    return cv2.convertScaleAbs(cv2.max(cv2.merge(channels), 0))


@lru_cache(maxsize=1)
def numbers() -> tuple[list[int], int, int]:
    """Which of the surface's points the lips, the chin and the forehead's top are."""
    at = {int(number): i for i, number in enumerate(load_surface().numbers)}
    return [at[n] for n in LIPS if n in at], at[CHIN], at[TOP]
