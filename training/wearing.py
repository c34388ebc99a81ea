# SPDX-License-Identifier: GPL-3.0-or-later
"""What people wear or hold before their faces, drawn on photographs; and heads without a face.

Photographers of faces ask people to take hats and sunglasses off. In crowds they keep them on, hold
signs, and turn their backs: most of the faces that were missed there wore something, and many of
the false alarms were heads and hands without a face. All is placed by the fitted 3DMM's points, so
it turns with the head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mfn_addon.face import EXPRESSIONS
from training.bank import load_surface
from training.distractors import LETTERS, colour

RIGHT_LIDS = (246, 161, 160, 159, 158, 157, 173, 7, 163, 144, 145, 153, 154, 155)
LEFT_LIDS = (466, 388, 387, 386, 385, 384, 398, 249, 390, 373, 374, 380, 381, 382)
JAW = (234, 58, 172, 136, 150, 152, 378, 365, 397, 288, 454)
"""Teacher points from the right ear along the chin to the left; those it has of them are used."""
LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 17, 91)
TOP, CHIN, BRIDGE, TIP, UNDER_NOSE = 10, 152, 168, 4, 2
RIGHT_SIDE, LEFT_SIDE = 234, 454
HAIR = np.array([[24, 20, 18], [60, 42, 30], [120, 84, 50], [140, 140, 138], [225, 222, 215]])
UNSEEN_TRUST = 0.15
"""How far an expression label counts whose part of the face is covered."""
EYES, MOUTH, BROWS = (
    np.array([name.startswith(starts) for name in EXPRESSIONS])
    for starts in (("eye", "cheekSquint"), ("mouth", "jaw", "tongue", "cheekPuff"), ("brow",))
)
Points = dict[int, np.ndarray]


@dataclass(frozen=True)
class Head:
    """Where a face is in a patch.

    Attributes:
        points: (2,) px by teacher number. right, up: (2,) the face's own axes in the picture, px a
            unit of the distance between the eyes' middles, and so long as a face from the front has
            it. eyes: the middles of the right and the left eye. hull: (N, 2) px.
    """

    points: Points
    right: np.ndarray
    up: np.ndarray
    eyes: tuple[np.ndarray, np.ndarray]
    hull: np.ndarray

    @property
    def size(self) -> float:
        """Px between the eyes' middles, were the face turned to the front."""
        return float(np.linalg.norm(self.up))


@lru_cache(maxsize=1)
def rows() -> dict[int, int]:
    """Which surface point a teacher number is."""
    return {int(number): row for row, number in enumerate(load_surface().numbers)}


def head(points: np.ndarray) -> Head:
    """Of the surface's (P, 2) px."""
    named = {number: points[row] for number, row in rows().items()}
    eyes = tuple(
        np.mean([named[n] for n in lids if n in named], axis=0) for lids in (RIGHT_LIDS, LEFT_LIDS)
    )
    # From the brow to the chin a face is about 1.75 times as long as its eyes are apart.
    up = (named[BRIDGE] - named[CHIN]) / 1.75
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    return Head(named, eyes[1] - eyes[0], up, eyes, hull)


def filled(shape: tuple[int, ...], corners: np.ndarray) -> np.ndarray:
    """(H, W) float32 mask of a polygon (N, 2) px, smooth at its border."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def blend(patch: np.ndarray, front: np.ndarray | tuple, mask: np.ndarray) -> None:
    """Put a colour or a picture over a patch where the mask (H, W) 0..1 says."""
    alpha = mask[..., None]
    patch[:] = (patch * (1 - alpha) + np.asarray(front, np.float32) * alpha).astype(np.uint8)


def woven(shape: tuple[int, ...], random: np.random.Generator, tone: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 of a tone, mottled, brighter to one side."""
    height, width = shape[:2]
    cell = random.uniform(0.015, 0.12) * max(height, width) + 1
    cells = (max(2, int(height / cell)), max(2, int(width / cell)))
    small = random.normal(1, random.uniform(0.01, 0.12), cells).astype(np.float32)
    grain = cv2.resize(small, (width, height))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    slope = random.uniform(-0.5, 0.5, 2)
    light = 1 + slope[0] * (x / width - 0.5) + slope[1] * (y / height - 0.5)
    return np.clip(tone * (grain * light)[..., None], 0, 255).astype(np.float32)


def hair_tone(random: np.random.Generator) -> np.ndarray:
    at = random.uniform(0, len(HAIR) - 1)
    low = min(int(at), len(HAIR) - 2)
    return HAIR[low] + (at - low) * (HAIR[low + 1] - HAIR[low])


def glasses(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """Sunglasses, or a frame with clear glass; returns which labels are unseen."""
    dark = random.random() < 0.7
    rim = np.array(colour(random), np.float32) * (0.3 if random.random() < 0.7 else 1.0)
    wide, high = random.uniform(0.34, 0.46), random.uniform(0.26, 0.4)
    square = random.uniform(2, 5)  # exponent of the superellipse: round to nearly square
    line = max(1, round(face.size * random.uniform(0.03, 0.09)))
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    unit = np.stack([np.sign(v) * np.abs(v) ** (2 / square) for v in (cosine, sine)], 1)
    tone = np.array(colour(random), np.float32) * 0.2 + random.uniform(0, 30)
    for eye in face.eyes:
        middle = eye + face.up * random.uniform(-0.06, 0.02)
        corners = middle + unit[:, :1] * wide * face.right + unit[:, 1:] * high * face.up
        lens = filled(patch.shape, corners)
        if dark:
            blend(patch, tone, lens * random.uniform(0.8, 1.0))
            if random.random() < 0.4:  # the sky in it
                shine = filled(patch.shape, corners + 0.35 * high * face.up)
                blend(patch, (190, 205, 225), lens * shine * random.uniform(0.1, 0.5))
        elif random.random() < 0.4:
            blend(patch, (235, 240, 245), lens * random.uniform(0.05, 0.45))
        ring = [np.round(corners * 16).astype(np.int32)]
        cv2.polylines(patch, ring, True, rim.tolist(), line, cv2.LINE_AA, 4)
    inner = [eye + s * wide * face.right for eye, s in zip(face.eyes, (1, -1), strict=True)]
    outer = [eye - s * wide * face.right for eye, s in zip(face.eyes, (1, -1), strict=True)]
    sides = [face.points[n] + 0.25 * face.up for n in (RIGHT_SIDE, LEFT_SIDE)]
    for a, b in ((inner[0], inner[1]), (outer[0], sides[0]), (outer[1], sides[1])):
        cv2.line(patch, at16(a), at16(b), rim.tolist(), line, cv2.LINE_AA, 4)
    return EYES if dark else EYES & False


def at16(point: np.ndarray) -> tuple[int, int]:
    """In sixteenths of a pixel, as OpenCV draws between pixels."""
    return int(point[0] * 16), int(point[1] * 16)


def hat(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """A cap, a beanie or a helmet's rim, with the shadow that it throws."""
    low = random.uniform(0.32, 0.75)  # of its rim, over the eyes
    middle = (face.eyes[0] + face.eyes[1]) / 2
    half = (face.points[LEFT_SIDE] - face.points[RIGHT_SIDE]) / 2 * random.uniform(0.95, 1.2)
    centre = (face.points[LEFT_SIDE] + face.points[RIGHT_SIDE]) / 2
    base = centre + face.up * (low + 0.35) * 0.8
    tone = np.array(colour(random), np.float32) * random.uniform(0.25, 1)
    if random.random() < 0.6:
        shadow = np.stack([base - half, base + half, middle + half * 0.8 - face.up * 0.1,
                           middle - half * 0.8 - face.up * 0.1])  # fmt: skip
        soft = cv2.GaussianBlur(filled(patch.shape, shadow), (0, 0), face.size * 0.12 + 0.3)
        blend(patch, (10, 10, 14), soft * random.uniform(0.2, 0.65))
    angle = np.linspace(0, np.pi, 14)
    tall = random.uniform(0.9, 1.7)
    dome = base + np.cos(angle)[:, None] * half + np.sin(angle)[:, None] * tall * face.up
    sag = np.linspace(np.pi, 2 * np.pi, 8)[1:-1]
    rim = base + np.cos(sag)[:, None] * half + np.sin(sag)[:, None] * 0.12 * face.up
    corners = np.concatenate([dome, rim])
    blend(patch, woven(patch.shape, random, tone), filled(patch.shape, corners))
    if random.random() < 0.6:  # a peak, to the front or aside as the nose points
        ahead = face.points[TIP] - (face.eyes[0] + face.eyes[1]) / 2
        ahead = ahead - face.up * (ahead @ face.up) / max(face.up @ face.up, 1e-6)
        tip = base + ahead * random.uniform(0.8, 1.6) - face.up * random.uniform(0, 0.15)
        peak = np.stack(
            [base - half * 0.85, base + half * 0.85, tip + half * 0.5, tip - half * 0.5]
        )
        blend(patch, tone * random.uniform(0.4, 1), filled(patch.shape, peak))
    return BROWS


def beard(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """Hair on the jaw and around the lips."""
    along = np.array([face.points[n] for n in JAW if n in face.points])
    keep = slice(1, -1) if random.random() < 0.5 else slice(0, None)
    down = -face.up * random.uniform(0, 0.5) ** 2
    nose = face.points[UNDER_NOSE]
    inner = np.array([face.points[291] + 0.25 * face.up, nose + 0.05 * face.up,
                      face.points[61] + 0.25 * face.up])  # fmt: skip
    mask = filled(patch.shape, np.concatenate([along[keep] + down * 0.5, inner]))
    lips = filled(patch.shape, np.array([face.points[n] for n in LIPS if n in face.points]))
    mask = cv2.GaussianBlur(mask * (1 - lips), (0, 0), max(0.4, 0.06 * face.size))
    coat = woven(patch.shape, random, hair_tone(random))
    blend(patch, coat, mask * random.uniform(0.5, 0.95))
    return MOUTH & False


def cloth_mask(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """A scarf or a mask from the nose down."""
    along = np.array([face.points[n] for n in JAW if n in face.points])
    along = along - face.up * random.uniform(0, 0.3)
    nose = face.points[TIP] + face.up * random.uniform(-0.15, 0.4)
    light = random.random() < 0.5
    tone = np.array((200, 215, 225) if light else colour(random), np.float32)
    corners = np.concatenate([along, nose[None]])
    blend(patch, woven(patch.shape, random, tone), filled(patch.shape, corners))
    return MOUTH


def hood(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """A hood, a veil or long hair all round the face."""
    middle = face.hull.mean(0)
    tight = random.uniform(0.88, 1.02)
    outer = middle + (face.hull - middle) * random.uniform(1.3, 1.6)
    ring = filled(patch.shape, outer) - filled(patch.shape, middle + (face.hull - middle) * tight)
    tone = hair_tone(random) if random.random() < 0.4 else np.array(colour(random), np.float32)
    blend(patch, woven(patch.shape, random, tone), np.clip(ring, 0, 1))
    return BROWS & False


def sign(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """A written sheet before the mouth, or before the forehead."""
    below = random.random() < 0.7
    edge = face.points[UNDER_NOSE] + face.up * random.uniform(-0.5, 0.2)
    if not below:
        edge = (face.eyes[0] + face.eyes[1]) / 2 + face.up * random.uniform(0.25, 0.6)
    away = (-1.0 if below else 1.0) * face.up * random.uniform(1.2, 2.5)
    tilt = random.normal(0, 0.15) * face.up
    half = np.array([-face.up[1], face.up[0]]) * random.uniform(1.2, 2.4)
    shift = half * random.uniform(-0.6, 0.6)
    corners = np.stack([edge - half - tilt, edge + half + tilt,
                        edge + half + tilt + away, edge - half - tilt + away]) + shift  # fmt: skip
    paper = colour(random) if random.random() < 0.5 else (235, 235, 230)
    layer = np.empty_like(patch)
    layer[:] = paper
    words = "".join(random.choice(list(LETTERS), 6))
    ink = colour(random) if sum(paper) > 380 else (240, 240, 240)
    at = corners.mean(0) - half * 0.8
    cv2.putText(layer, words, (int(at[0]), int(at[1])), 2, max(0.15, face.size / 26), ink,
                max(1, round(face.size / 20)), cv2.LINE_AA)  # fmt: skip
    blend(patch, layer, filled(patch.shape, corners))
    return MOUTH if below else BROWS


def shadow(patch: np.ndarray, face: Head, random: np.random.Generator) -> np.ndarray:
    """A hard or soft shadow over a part of the face."""
    angle = random.uniform(0, 2 * np.pi)
    normal = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-normal[1], normal[0]]) * 9 * face.size
    edge = face.hull.mean(0) + normal * random.uniform(-0.5, 0.6) * face.size
    corners = np.stack([edge - along, edge + along, edge + along + normal * 99 * face.size,
                        edge - along + normal * 99 * face.size])  # fmt: skip
    corners = np.clip(corners, -9999, 9999)
    soft = cv2.GaussianBlur(
        filled(patch.shape, corners), (0, 0), face.size * random.uniform(0.02, 0.5) + 0.3
    )
    blend(patch, (8, 8, 12), soft * random.uniform(0.3, 0.8))
    return EYES & False


Wear = Callable[[np.ndarray, Head, np.random.Generator], np.ndarray]
WORN: dict[Wear, float] = {
    glasses: 0.36, hat: 0.26, beard: 0.12, hood: 0.12, cloth_mask: 0.08, sign: 0.14, shadow: 0.2,
}  # fmt: skip
"""How often each is there, on the faces that wear something."""


def dress(patch: np.ndarray, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Put on what some people wear.

    Args:
        patch: (H, W, 3) uint8 RGB, drawn upon. points: (P, 2) px of the training surface.

    Returns:
        (52,) by what each expression label's trust is to be multiplied.
    """
    trust = np.ones(len(EXPRESSIONS), np.float32)
    if not patch.flags.c_contiguous:
        raise ValueError("OpenCV draws on contiguous pictures alone")
    face = head(points)
    for wear, chance in WORN.items():
        if random.random() < chance:
            trust[wear(patch, face, random)] = UNSEEN_TRUST
    return trust


def take_face_away(patch: np.ndarray, points: np.ndarray, random: np.random.Generator) -> None:
    """Leave a head without a face: hair, skin or cloth where it was, and all around as it is.

    Args: as for `dress`.
    """
    face = head(points)
    middle = face.hull.mean(0)
    mask = filled(patch.shape, middle + (face.hull - middle) * 1.06)
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.1 * face.size))
    kind = random.random()
    low, high = face.hull.min(0), face.hull.max(0)
    height, width = patch.shape[:2]
    x0, x1 = np.clip([low[0] * 0.7 + high[0] * 0.3, high[0] * 0.7 + low[0] * 0.3], 0, width - 1)
    if kind < 0.6:  # the back of it: hair, from above the forehead where the picture has some
        top = np.clip([low[1] - 0.3 * (high[1] - low[1]), low[1]], 0, height - 1)
        strip = patch[int(top[0]) : int(top[1]) + 1, int(x0) : int(x1) + 1]
        front = cv2.resize(strip, (width, height)).astype(np.float32)
        if random.random() < 0.6:
            front = front * 0.3 + woven(patch.shape, random, hair_tone(random)) * 0.7
        blend(patch, front, mask)
    elif kind < 0.85:  # skin without features: a knee, a shaven head, a neck
        cheek = patch[np.clip(int(middle[1]), 0, height - 1), np.clip(int(x0), 0, width - 1)]
        blend(patch, woven(patch.shape, random, cheek.astype(np.float32)), mask)
    else:
        tone = np.array(colour(random), np.float32)
        blend(patch, woven(patch.shape, random, tone), mask)
