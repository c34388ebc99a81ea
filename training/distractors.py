# SPDX-License-Identifier: GPL-3.0-or-later
"""What a small network takes for faces until it has seen it without any.

Photographs without faces are photographs without people: a network that knows no others has
learned that skin, hair and clothes mean a face. Hands, arms, knees, backs of heads and
lettering were nearly all of its false alarms in real crowds.
"""

from __future__ import annotations

import cv2
import numpy as np

LETTERS = "ABCDEGOQRSUabcdegmnopqs0235689&@ "  # the round ones, above all
SKIN = np.array([[255, 224, 196], [234, 182, 146], [198, 134, 94], [141, 85, 54], [84, 52, 38]])
"""Skin in plain light from light to dark, RGB; a tone is drawn between two neighbours."""
SIDE = 64  # px of the square on which a limb is drawn before it is turned into the picture


def skin_tone(random: np.random.Generator) -> np.ndarray:
    """(3,) RGB float."""
    at = random.uniform(0, len(SKIN) - 1)
    low = min(int(at), len(SKIN) - 2)
    return SKIN[low] + (at - low) * (SKIN[low + 1] - SKIN[low])


def colour(random: np.random.Generator) -> tuple[int, ...]:
    """RGB; warm, as skin is, in two of five."""
    low, high = (
        ((150, 90, 40), (255, 200, 150)) if random.random() < 0.4 else ((0, 0, 0), (256,) * 3)
    )
    return tuple(int(v) for v in random.integers(low, high))


def draw_graphics(picture: np.ndarray, random: np.random.Generator) -> None:
    """Lettering, lamps and rings."""
    size = picture.shape[0]
    for _ in range(int(random.integers(1, 4))):
        x, y = (int(v) for v in random.integers(-size // 8, size, 2))
        if random.random() < 0.65:
            draw_letters(picture, random, (x, y))
        else:
            draw_rings(picture, random, (x, y))


def draw_letters(picture: np.ndarray, random: np.random.Generator, at: tuple[int, int]) -> None:
    letters = random.choice(list(LETTERS), random.integers(2, 12))
    height = float(np.exp(random.uniform(np.log(7), np.log(0.35 * picture.shape[0]))))
    stroke = max(1, int(height * random.uniform(0.06, 0.22)))
    font, zoom = int(random.choice([0, 2, 3, 4, 5, 6, 7])), height / 22
    fill, words = colour(random), "".join(letters)
    if random.random() < 0.5:
        rim = stroke + max(2, int(height * 0.1))
        cv2.putText(picture, words, at, font, zoom, colour(random), rim, cv2.LINE_AA)
    cv2.putText(picture, words, at, font, zoom, fill, stroke, cv2.LINE_AA)


def draw_rings(picture: np.ndarray, random: np.random.Generator, at: tuple[int, int]) -> None:
    radius = float(np.exp(random.uniform(np.log(3), np.log(0.15 * picture.shape[0]))))
    axes = (int(radius) + 1, int(radius * random.uniform(0.7, 1.4)) + 1)
    for shrink in (1.0, 0.55, 0.25)[: int(random.integers(1, 4))]:
        inner = (int(axes[0] * shrink) + 1, int(axes[1] * shrink) + 1)
        line = -1 if random.random() < 0.7 else max(1, int(radius * 0.15))
        cv2.ellipse(picture, at, inner, 0, 0, 360, colour(random), line, cv2.LINE_AA)


def draw_bodies(
    picture: np.ndarray, random: np.random.Generator, crop: np.ndarray, most: int = 9
) -> None:
    """Hands, limbs, torsos, backs of heads and signs, faceless.

    Args:
        picture: (S, S, 3) uint8 RGB, drawn upon.
        crop: a face's crop (`training.bank`), whose hair and clothes are borrowed.
        most: how many at most.
    """
    size = picture.shape[0]
    for _ in range(int(random.integers(1, most + 1))):
        side = float(np.exp(random.uniform(np.log(14), np.log(0.45 * size))))
        shape, mask = PARTS[int(random.integers(len(PARTS)))](random, crop)
        turn = random.uniform(-180, 180) if random.random() < 0.6 else random.normal(0, 12)
        matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), turn, side / SIDE)
        middle = random.uniform(-0.1 * size, 1.1 * size, 2)
        # Only the square that the part can reach is touched: most parts are small.
        low = np.maximum(middle - 0.75 * side - 1, 0).astype(int)
        high = np.minimum(middle + 0.75 * side + 2, size).astype(int)
        width, height = high - low
        if width <= 0 or height <= 0:
            continue
        matrix[:, 2] += middle - low - SIDE / 2
        shape = np.clip(shape * random.uniform(0.5, 1.15), 0, 255)
        front = cv2.warpAffine(shape, matrix, (int(width), int(height)))
        alpha = cv2.warpAffine(mask, matrix, (int(width), int(height)))[..., None]
        there = picture[low[1] : high[1], low[0] : high[0]]
        there[:] = (there * (1 - alpha) + front * alpha).astype(np.uint8)


def canvas() -> tuple[np.ndarray, np.ndarray]:
    """An empty part: (SIDE, SIDE, 3) float32 RGB, and how far each of its pixels covers, 0..1."""
    return np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE), np.float32)


def rounded(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shading (SIDE, SIDE, 1) of a bulging shape, lit from one side: bright far from its border."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    height = np.sqrt(np.minimum(depth / max(depth.max(), 1e-3), 1))
    y, x = np.gradient(cv2.GaussianBlur(height, (0, 0), 2.0))
    angle = random.uniform(0, 2 * np.pi)
    lit = 0.55 + 0.45 * height + 2.2 * (np.cos(angle) * x + np.sin(angle) * y)
    return np.clip(lit, 0.25, 1.35)[..., None].astype(np.float32)


def limb(random: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An arm, a leg or a knee: a bent, tapering capsule of skin, now and then in a sleeve."""
    shape, mask = canvas()
    middle = np.array([SIDE / 2, SIDE / 2])
    bend = random.uniform(-0.9, 0.9)
    ends = [middle + SIDE * 0.42 * np.array([np.cos(a), np.sin(a)]) for a in (bend, np.pi - bend)]
    thick = random.uniform(0.16, 0.6) * SIDE
    for end, taper in zip(ends, random.uniform(0.55, 1, 2), strict=True):
        for step in np.linspace(0, 1, 12):
            at = middle + (end - middle) * step
            radius = thick / 2 * (1 + (taper - 1) * step)
            cv2.circle(mask, tuple(int(v) for v in at), max(1, int(radius)), 1, -1)
    shape[:] = skin_tone(random)
    if random.random() < 0.4:
        cut = int(random.integers(SIDE // 4, 3 * SIDE // 4))
        shape[:, :cut] = cloth(random, crop)[:, :cut]
    return finished(shape, mask, random)


def fist(random: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A hand, closed or open: a palm and four fingers with dark gaps."""
    shape, mask = canvas()
    palm = SIDE * random.uniform(0.2, 0.28)
    cv2.circle(mask, (SIDE // 2, int(SIDE * 0.58)), int(palm), 1, -1)
    shape[:] = skin_tone(random)
    reach = random.uniform(0.1, 0.42) * SIDE  # short: closed
    wide = palm * 0.46
    for k in range(4):
        x = SIDE / 2 + (k - 1.5) * wide * random.uniform(0.95, 1.25)
        foot = (int(x), int(SIDE * 0.5))
        tip = (int(x + (k - 1.5) * random.uniform(0, 3)), int(SIDE * 0.42 - reach))
        cv2.line(mask, foot, tip, 1, max(2, int(wide)))
        beside = int(x + wide / 2)
        cv2.line(shape, (beside, int(SIDE * 0.55)), (beside, tip[1]),
                 tuple(float(v) * 0.45 for v in shape[0, 0]), 1)  # fmt: skip
    thumb = (int(SIDE / 2 - palm * 1.3), int(SIDE * random.uniform(0.3, 0.6)))
    cv2.line(mask, (int(SIDE / 2 - palm * 0.5), int(SIDE * 0.65)), thumb, 1, max(2, int(wide)))
    cv2.line(mask, (SIDE // 2, int(SIDE * 0.6)), (SIDE // 2, SIDE), 1, int(palm * 1.2))
    return finished(shape, mask, random)


def torso(random: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shoulders and chest in somebody's clothes, without a head."""
    _, mask = canvas()
    top, waist = random.uniform(0.15, 0.3) * SIDE, random.uniform(0.25, 0.45) * SIDE
    corners = [(SIDE / 2 - waist * 0.6, top), (SIDE / 2 + waist * 0.6, top),
               (SIDE / 2 + waist, top + 9), (SIDE / 2 + waist * 0.9, SIDE),
               (SIDE / 2 - waist * 0.9, SIDE), (SIDE / 2 - waist, top + 9)]  # fmt: skip
    cv2.fillConvexPoly(mask, np.array(corners, np.int32), 1)
    return finished(cloth(random, crop), mask, random)


def back_of_head(random: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hair all round, an ear's or neck's skin under it, and shoulders."""
    shape, mask = canvas()
    shape[:] = cloth(random, crop)
    cv2.rectangle(mask, (SIDE // 8, int(SIDE * 0.8)), (SIDE - SIDE // 8, SIDE), 1, -1)
    tone = tuple(float(v) * 0.9 for v in skin_tone(random))
    neck = int(SIDE * random.uniform(0.1, 0.16))
    for layer, value in ((mask, 1.0), (shape, tone)):
        cv2.rectangle(layer, (SIDE // 2 - neck, SIDE // 2), (SIDE // 2 + neck, int(SIDE * 0.84)),
                      value, -1)  # fmt: skip
    head = np.zeros_like(mask)
    axes = (int(SIDE * random.uniform(0.24, 0.3)), int(SIDE * random.uniform(0.28, 0.36)))
    cv2.ellipse(head, (SIDE // 2, int(SIDE * 0.38)), axes, 0, 0, 360, 1, -1)
    strip = crop[: crop.shape[0] // 6, crop.shape[1] // 3 : 2 * crop.shape[1] // 3]
    hair = cv2.resize(strip, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if random.random() < 0.5:  # dark, brown, blond or grey, since many a strip is background
        base = np.array([[28, 24, 22], [70, 48, 34], [170, 135, 90], [150, 150, 150]])
        hair = hair * 0.25 + base[random.choice(len(base), p=[0.45, 0.25, 0.15, 0.15])]
    shape = np.where(head[..., None] > 0, hair, shape).astype(np.float32)
    return finished(shape, np.maximum(mask, head), random)


def cloth(random: np.random.Generator, crop: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, 3) float32: what is below the chin of a crop, or one colour."""
    if random.random() < 0.3:
        return np.full((SIDE, SIDE, 3), colour(random), np.float32)
    below = crop[int(crop.shape[0] * 0.84) :]
    return cv2.resize(below, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def sign(random: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sheet with lines of print: dark marks in rows on a light oval or square are half a face."""
    shape, mask = canvas()
    wide, high = (int(SIDE * random.uniform(0.26, 0.46)) for _ in range(2))
    corner, other = (SIDE // 2 - wide, SIDE // 2 - high), (SIDE // 2 + wide, SIDE // 2 + high)
    cv2.rectangle(mask, corner, other, 1, -1)
    ground = random.uniform(180, 255) if random.random() < 0.7 else random.uniform(0, 90)
    shape[:] = np.clip(ground + random.normal(0, 12, 3), 0, 255)
    ink = (255 - ground) * random.uniform(0.6, 1.0) + random.normal(0, 25, 3)
    if random.random() < 0.3:
        ink = np.array(colour(random), np.float64)
    rows = int(random.integers(2, 8))
    line = 2 * high / rows
    for k in range(rows):
        words = "".join(random.choice(list(LETTERS), random.integers(2, 14)))
        zoom = line * random.uniform(0.5, 0.9) / 22
        (width, _), _ = cv2.getTextSize(words, 0, zoom, 1)
        at = (int(SIDE / 2 - min(width / 2, wide * 0.92)), int(corner[1] + (k + 0.78) * line))
        stroke = max(1, int(line * random.uniform(0.05, 0.2)))
        cv2.putText(shape, words, at, 0, zoom, tuple(float(v) for v in ink), stroke, cv2.LINE_AA)
    mottled = 1 + 0.04 * random.standard_normal((SIDE, SIDE, 1)).astype(np.float32)
    return shape * mottled, mask


def closed_hand(random: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A fist from the side of its fingers: four bulges with dark gaps, a thumb across, a wrist."""
    shape, mask = canvas()
    tone = skin_tone(random)
    shape[:] = tone * 0.35
    finger = SIDE * random.uniform(0.1, 0.14)
    top = SIDE / 2 - 2 * finger
    for k in range(4):
        middle = (int(SIDE / 2 + random.normal(0, 1.5)), int(top + (k + 0.5) * finger))
        axes = (int(SIDE * random.uniform(0.2, 0.27)), max(2, int(finger * 0.52)))
        light = tuple(float(v) for v in tone * random.uniform(0.85, 1.1))
        cv2.ellipse(mask, middle, (axes[0], axes[1] + 2), 0, 0, 360, 1, -1)
        cv2.ellipse(shape, middle, (axes[0], axes[1] - 1), random.normal(0, 5), 0, 360, light, -1)
        if random.random() < 0.5:  # a nail, or light on a knuckle
            nail = (int(middle[0] + axes[0] * random.uniform(-0.7, 0.7)), middle[1])
            pale = tuple(float(v) for v in np.clip(tone * 1.15 + 12, 0, 255))
            cv2.ellipse(shape, nail, (3, 2), 0, 0, 360, pale, -1)
    start = (int(SIDE * random.uniform(0.28, 0.4)), int(SIDE * random.uniform(0.5, 0.75)))
    end = (int(SIDE * random.uniform(0.5, 0.68)), int(SIDE * random.uniform(0.35, 0.6)))
    for layer, value in ((mask, 1.0), (shape, tuple(float(v) for v in tone * 1.03))):
        cv2.line(layer, start, end, value, int(finger * 0.95))
        cv2.line(layer, (SIDE // 2, int(SIDE * 0.6)), (int(SIDE * random.uniform(0.3, 0.7)), SIDE),
                 value, int(SIDE * 0.2))  # fmt: skip
    return finished(shape, mask, random)


def finished(
    shape: np.ndarray, mask: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Shaded, mottled as skin and weave are, and soft at the border."""
    mottled = cv2.resize(
        random.normal(1, 0.06, (SIDE // 4, SIDE // 4)).astype(np.float32), (SIDE, SIDE)
    )
    shape = shape * rounded(mask, random) * mottled[..., None]
    return shape, cv2.GaussianBlur(mask, (0, 0), random.uniform(0.5, 1.5))


PARTS = (limb, fist, closed_hand, torso, back_of_head, sign)
