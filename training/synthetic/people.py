# SPDX-License-Identifier: GPL-3.0-or-later
"""Who stands before the camera: random appearance, dress, hair and glasses of one person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from mfn_addon.face import IDENTITY_COUNT
from mfn_addon.face.head_model import DEFAULT_PATH

from . import traits
from .accessories import Glasses, Part, build_glasses, build_hat
from .atlas import BEARDS, HAIRLINES, Atlas, build_atlas
from .hair import STYLES, Hair, grow_all
from .head import HeadMesh, load_head_mesh

SKIN_TONES = np.array(
    [(247, 218, 200), (238, 198, 172), (226, 178, 148), (208, 156, 122), (184, 130, 96),
     (152, 102, 72), (118, 76, 54), (86, 55, 42), (62, 41, 34)], np.float32,
)  # fmt: skip
"""sRGB, from the lightest to the darkest skin under white light."""

HAIR_COLOURS = np.array(
    [(22, 18, 17), (34, 26, 22), (52, 36, 27), (78, 52, 36), (110, 76, 50), (150, 110, 70),
     (190, 152, 102), (215, 190, 150), (132, 66, 36), (160, 82, 45), (150, 148, 146),
     (205, 203, 200)], np.float32,
)  # fmt: skip
IRIS_COLOURS = np.array(
    [(60, 36, 22), (42, 26, 18), (86, 54, 30), (110, 80, 46), (98, 104, 66), (88, 118, 96),
     (96, 128, 152), (76, 108, 140), (118, 130, 138)], np.float32,
)  # fmt: skip

BALD, BUZZ = len(STYLES), len(STYLES) + 1
"""Hair styles without ribbons."""


STYLE_SHARE = np.array([1.6 if s.length < 0.1 and s.comb != "up" else 0.8 for s in STYLES])
STYLE_SHARE /= STYLE_SHARE.sum()


def linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB 0..255 to linear 0..1."""
    return (np.asarray(srgb, np.float32) / 255) ** 2.2


@dataclass(frozen=True)
class Wardrobe:
    """What all people are made from; built once a process."""

    mesh: HeadMesh
    atlas: Atlas
    hair: list[Hair]
    hair_far: list[Hair]
    """The same styles with fewer ribbons."""
    glasses: list[Glasses]
    hats: list[Part]
    hat_kinds: tuple[str, ...]
    strands: np.ndarray


@lru_cache(maxsize=1)
def load_wardrobe(path: Path = DEFAULT_PATH) -> Wardrobe:
    """Build head mesh, texture layers, hair, glasses and hats; about ten seconds."""
    mesh = load_head_mesh(path)
    rng = np.random.default_rng(11)
    strands = rng.standard_normal((256, 64)).astype(np.float32)
    blurred = sum(np.roll(strands, k, 1) * w for k, w in
                  zip(range(-12, 13), np.hanning(27)[1:-1], strict=True))  # fmt: skip
    blurred = np.argsort(np.argsort(blurred.ravel())) / blurred.size
    kinds = ("beanie", "beanie", "beanie", "cap", "cap", "cap", "scarf", "scarf")
    hair, hair_far = grow_all(mesh, HAIRLINES)
    return Wardrobe(
        mesh=mesh,
        atlas=build_atlas(mesh),
        hair=hair,
        hair_far=hair_far,
        glasses=[build_glasses(mesh, rng) for _ in range(18)],
        hats=[build_hat(mesh, kind, rng) for kind in kinds],
        hat_kinds=kinds,
        strands=(blurred.reshape(256, 64) * 255).astype(np.uint8),
    )


@dataclass
class Person:
    """One person's lasting traits. `look` is described in `shade`; -1 means none."""

    identity: np.ndarray
    look: np.ndarray
    hair: int
    hat: int
    glasses: int
    lens_dark: float
    lens_tint: np.ndarray
    lens_glare: float
    brow: int
    beard: int
    detail: int
    hairline: int


def random_person(wardrobe: Wardrobe, rng: np.random.Generator) -> Person:
    """Draw a person: identity modes ~ N(0, 1), the rest from tables."""
    look = np.zeros(traits.SIZE, np.float32)
    tone = rng.uniform(0, len(SKIN_TONES) - 1)
    skin = linear(_between(SKIN_TONES, tone)) * np.exp(rng.normal(0, [0.04, 0.05, 0.07]))
    look[traits.SKIN :][:3] = skin
    made_up = rng.random() < 0.3
    lips = np.array([rng.uniform(0.8, 1.02), rng.uniform(0.5, 0.72), rng.uniform(0.55, 0.78)])
    if made_up and rng.random() < 0.6:
        lips = np.array([rng.uniform(0.6, 1.1), rng.uniform(0.1, 0.45), rng.uniform(0.15, 0.5)])
    look[traits.LIPS :][:3] = lips
    dark_hair = tone > rng.uniform(2.0, 4.5)
    choice = rng.integers(0, 4) if dark_hair else rng.integers(0, len(HAIR_COLOURS))
    if rng.random() < 0.1:
        choice = rng.integers(10, 12)
    hair = linear(HAIR_COLOURS[choice]) * np.exp(rng.normal(0, 0.18))
    if rng.random() < 0.02:
        hair = linear(rng.uniform(30, 220, 3))
    look[traits.HAIR :][:3] = hair
    brow = np.minimum(hair * rng.uniform(0.25, 0.7), skin * 0.4)
    look[traits.BROW :][:3] = brow
    look[traits.BEARD :][:3] = np.minimum(hair * rng.uniform(0.6, 1.3) * [1.1, 1, 0.95], skin * 0.8)
    iris = rng.integers(0, 4) if dark_hair else rng.integers(0, len(IRIS_COLOURS))
    look[traits.IRIS :][:3] = linear(IRIS_COLOURS[iris]) * rng.uniform(0.6, 1.5)
    for place in (traits.CLOTH, traits.CLOTH2, traits.HAT):
        grey = rng.uniform(10, 235)
        colour = np.clip(grey + rng.normal(0, 38, 3) * (rng.random() < 0.65), 6, 245)
        look[place:][:3] = linear(colour)
    frame = (
        linear(np.array([18.0, 16, 16])) if rng.random() < 0.6 else linear(rng.uniform(20, 190, 3))
    )
    look[traits.FRAME :][:3] = frame
    look[traits.TEETH :][:3] = linear(
        np.array([222, 214, 198]) - rng.uniform(0, 1) * np.array([20, 30, 55])
    )
    look[traits.LIPS_AMOUNT] = rng.uniform(0.6, 1)
    look[traits.BROW_AMOUNT] = rng.uniform(0.65, 1)
    look[traits.DETAIL] = rng.uniform(0.04, 0.22)
    look[traits.FRECKLES] = rng.uniform(0, 0.9) if rng.random() < 0.5 else 0.15
    look[traits.BLUSH] = rng.uniform(0, 0.45)
    look[traits.EYE_MAKEUP] = rng.uniform(0.1, 0.8) if made_up else rng.uniform(0, 0.18)
    look[traits.OIL] = rng.uniform(0.02, 0.16) if rng.random() < 0.8 else rng.uniform(0.1, 0.3)
    look[traits.OIL] *= 0.4 + 0.6 * float(skin.mean() / 0.4)
    look[traits.PUPIL] = rng.uniform(0.25, 0.5)
    look[traits.IRIS_RADIUS] = wardrobe.mesh.iris_radius * rng.uniform(0.94, 1.12)
    pattern = int(rng.choice(6, p=[0.4, 0.1, 0.08, 0.12, 0.18, 0.12]))
    look[traits.PATTERN] = pattern
    if pattern == 4:  # a dark jacket over a light shirt, most of the time
        look[traits.CLOTH :][:3] = linear(rng.uniform(12, 80) * np.exp(rng.normal(0, 0.15, 3)))
        look[traits.CLOTH2 :][:3] = linear(rng.uniform(150, 245) * np.exp(rng.normal(0, 0.05, 3)))
    look[traits.PATTERN_SCALE] = np.exp(rng.uniform(np.log(25), np.log(120)))
    look[traits.NECKLINE] = 0.0 if pattern >= 4 else rng.uniform(0, 0.03)
    look[traits.NECKLINE_V] = rng.uniform(0.03, 0.1) if rng.random() < 0.3 and pattern < 4 else 0
    look[traits.HAIR_SHINE] = rng.uniform(0.02, 0.22)
    look[traits.STRAND_CONTRAST] = rng.uniform(0.2, 0.55)
    look[traits.WRINKLES] = rng.uniform(0, 0.12) if rng.random() < 0.7 else rng.uniform(0.1, 0.4)
    look[traits.SCLERA] = rng.uniform(0.30, 0.52)
    look[traits.FOLDS] = rng.uniform(0.4, 0.9) if rng.random() < 0.6 else rng.uniform(0.7, 1.4)
    look[traits.RESTING_FOLDS] = look[traits.WRINKLES] * rng.uniform(0, 1.2)

    hat = int(rng.integers(len(wardrobe.hats))) if rng.random() < 0.1 else -1
    style = int(rng.choice(len(STYLES), p=STYLE_SHARE))
    if rng.random() < 0.13:
        style = BALD if rng.random() < 0.4 else BUZZ
    hairline = int(rng.integers(0, 6)) if style >= BALD else wardrobe.hair[style].hairline
    look[traits.SCALP_AMOUNT] = {BALD: rng.uniform(0, 0.25), BUZZ: rng.uniform(0.35, 0.9)}.get(
        style, rng.uniform(0.85, 1)
    )
    if hat >= 0 and wardrobe.hat_kinds[hat] == "scarf":
        look[traits.SCALP_AMOUNT] = 0
    bearded = rng.random() < 0.3
    look[traits.BEARD_AMOUNT] = rng.uniform(0.35, 1) if bearded else 0
    glasses = int(rng.integers(len(wardrobe.glasses))) if rng.random() < 0.24 else -1
    sunglasses = rng.random() < 0.14
    return Person(
        identity=rng.standard_normal(IDENTITY_COUNT).astype(np.float32),
        look=look,
        hair=style if style < BALD else -1,
        hat=hat,
        glasses=glasses,
        lens_dark=rng.uniform(0.6, 0.97) if sunglasses else rng.uniform(0, 0.12),
        lens_tint=rng.uniform(*((0, 0.25) if sunglasses else (0.5, 1)), 3).astype(np.float32),
        lens_glare=float(rng.uniform(0, 0.9) if rng.random() < 0.6 else 0),
        brow=int(rng.integers(len(wardrobe.atlas.brow[0]))),
        beard=int(rng.integers(len(BEARDS))),
        detail=int(rng.integers(len(wardrobe.atlas.detail[0]))),
        hairline=hairline,
    )  # fmt: skip


def dressed(person: Person, wardrobe: Wardrobe, rng: np.random.Generator) -> Person:
    """The same person as people go about in a street: sunglasses, glasses, hats and beards, far
    more of them than sit before a camera."""
    look = person.look.copy()
    hat, glasses, dark, tint = person.hat, person.glasses, person.lens_dark, person.lens_tint
    if rng.random() < 0.4:
        hat = int(rng.integers(len(wardrobe.hats)))
        if wardrobe.hat_kinds[hat] == "scarf":
            look[traits.SCALP_AMOUNT] = 0
    worn = rng.random()
    if worn < 0.5:
        glasses = int(rng.integers(len(wardrobe.glasses)))
    if worn < 0.32:
        dark, tint = rng.uniform(0.7, 0.99), rng.uniform(0, 0.2, 3).astype(np.float32)
    if rng.random() < 0.35:
        look[traits.BEARD_AMOUNT] = rng.uniform(0.5, 1)
    return replace(person, look=look, hat=hat, glasses=glasses, lens_dark=dark, lens_tint=tint)


def _between(table: np.ndarray, at: float) -> np.ndarray:
    """Row `at` of a table, linear between rows."""
    low = min(int(at), len(table) - 2)
    return table[low] + (at - low) * (table[low + 1] - table[low])
