# SPDX-License-Identifier: GPL-3.0-or-later
"""The two humans: Amara and Viktor. Invented; they resemble nobody."""

from __future__ import annotations

import numpy as np

from . import hair
from .arrays import Mesh, merge
from .human import Look
from .makehuman import Person
from .materials import linear
from .skin import Face
from .strands import Surface

AMARA = Person(
    ancestry={"african": 0.8, "caucasian": 0.2},
    male=0.0,
    old=0.0,
    local={
        "eyes/eye-scale-incr": 0.35,
        "eyes/eye-height2-incr": 0.3,
        "head/head-oval": 0.4,
        "mouth/mouth-upperlip-volume-incr": 0.2,
        "cheek/cheek-bones-incr": 0.3,
        "chin/chin-width-decr": 0.3,
        "nose/nose-scale-horiz-decr": 0.2,
    },
)

VIKTOR = Person(
    ancestry={"caucasian": 1.0},
    male=1.0,
    old=0.45,
    weight="average",
    local={
        "head/head-square": 0.35,
        "head/head-age-incr": 0.3,
        "nose/nose-hump-incr": 0.35,
        "nose/nose-scale-vert-incr": 0.2,
        "chin/chin-width-incr": 0.3,
        "eyes/eye-bag-incr": 0.3,
        "mouth/mouth-lowerlip-middle-up": 0.45,
        "mouth/mouth-lowerlip-volume-incr": 0.15,
        "ears/ear-scale-incr": 0.2,
    },
)


def _curly(
    skin: Mesh, surface: Surface, face: Face, above: np.ndarray, ears: np.ndarray, seed: int
) -> Mesh:
    colour = linear("#2a1a12")
    scalp = hair.cap(skin, above, 0.014, colour, ears)
    coils = hair.curls(scalp, face, 0.0082, 0.032, 0.0050, 0.0020, colour, seed)
    return merge([scalp, coils])


def _short(
    skin: Mesh, surface: Surface, face: Face, above: np.ndarray, ears: np.ndarray, seed: int
) -> Mesh:
    scalp = hair.cap(skin, above, 0.006, linear("#6e6a66"), ears)
    on = Surface(scalp.vertices, scalp.faces, {}, {})
    crown = face.skull + np.array([0.0, 0.055, 0.09])

    def flow(points: np.ndarray) -> np.ndarray:
        """Away from the crown: forwards on top, down at the sides and behind."""
        return points - crown

    def degrees(points: np.ndarray) -> np.ndarray:
        return hair.scalp_field(points, face, hair.RECEDING_HAIRLINE)

    strands = hair.locks(
        scalp,
        on,
        face,
        degrees,
        0.0042,
        0.032,
        0.0017,
        0.0045,
        flow,
        (linear("#76706a"), linear("#b4aea6")),
        seed,
    )
    return merge([scalp, strands])


def _stubble(surface: Surface, skin: Mesh, face: Face, bare: np.ndarray, seed: int) -> Mesh:
    return hair.beard(
        surface, skin, face, bare, 0.0032, 0.0042, (linear("#5f544b"), linear("#a9a198")), seed
    )


AMARA_LOOK = Look(
    name="Amara",
    skin="#9c6a4b", blush="#9a4f3c", shade="#6b4230", lips="#8a4542", scalp="#33211a",
    iris="#5a3216", iris_rim="#1d0f08", hair="#2a1a12", brows="#1d120d",
    cloth="#d9a13b", collar="#c58a2a", hairline=hair.FULL_HAIRLINE, style=_curly,
    lash_length=0.95, brow_thick=0.0065, backdrop="#33474d",
)  # fmt: skip

VIKTOR_LOOK = Look(
    name="Viktor",
    skin="#d8a586", blush="#c9735f", shade="#a87257", lips="#b8726a", scalp="#b58a74",
    iris="#6b93a8", iris_rim="#2c4450", hair="#8f8a84", brows="#6a5c50",
    cloth="#3f5d4a", collar="#36503f", hairline=hair.RECEDING_HAIRLINE, style=_short,
    beard=_stubble, beard_shadow="#9c8474", beard_amount=0.55, blush_amount=0.5,
    brow_thick=0.0095, brow_hairs=240, brow_arch=0.0, lash_length=0.45, lashes_per_column=2,
    lower_lid_line=False,
    neckline=(-0.028, 0.014, 0.014), teeth="#e9dcc4", backdrop="#453c38",
)  # fmt: skip
