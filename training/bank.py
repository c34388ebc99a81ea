# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled faces in one form, whether photographed or rendered: the stock of training scenes.

Every face has a square crop and, in the crop's pixels, the parameters that
`mfn_addon.face.camera.project_local` takes. Labels live in memory, pictures stay on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from mfn_addon.face import EXPRESSIONS, HeadModel, load_head_model
from mfn_addon.face.camera import VIEWING_DISTANCE
from training.fit import UNSEEN_BY_TEACHER, teacher_points

WORST_FIT = 0.03  # a photograph whose fit is off by more than this share of the face is left out
PLAIN_CHANCE = 0.35  # of drawing a face: this part for what it is, the rest for rare shapes
RAREST_CHANCE = 8.0  # no face is drawn more often than this, over the average
PROFILE = 0.64  # sine of the yaw from which a face counts as a profile
PROFILE_CHANCE = 2.5  # how much more often profiles are drawn: photographers wait for the front
MARKED_CHANCE = 2.0  # how much more often photographs are drawn that people have marked
HIDES = (0.5, 0.94)
"""Sine of the yaw from which a face's far side goes out of sight, and where it has gone."""
ONE_SIDED = {
    side: np.array(
        [name.endswith(side) and name not in ("jaw" + side, "mouth" + side) for name in EXPRESSIONS]
    ).astype(np.float32)
    for side in ("Left", "Right")
}
"""(52,) 1 for the shapes of one side of the face; jaw and mouth that move aside are seen from both.
"""


@dataclass
class FaceBank:
    """N faces.

    Attributes:
        crops: (N, S, S, 3) uint8 RGB, memory-mapped.
        rotation: (N, 3, 3) relative to the line of sight; centre: (N, 2) px; scale: (N,) px a
            metre; identity: (N, 40); expression: (N, 52).
        trusted: (52,) how far each expression label is to be believed, 0..1.
        name: photo, turned or rendered, for reports.
        hidden_trust: what is left of that in a full profile for the far side's shapes.
        favour: (N,) how much more often than others each face is to be drawn.
    """

    crops: np.ndarray
    rotation: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    trusted: np.ndarray
    name: str
    hidden_trust: float = 1.0
    favour: np.ndarray | float = 1.0

    def __len__(self) -> int:
        return len(self.crops)

    def trust(self, i: int) -> np.ndarray:
        """(52,) how far each expression label of face i is to be believed, 0..1."""
        aside = float(self.rotation[i, 0, 2])  # to the picture's right: away goes the actor's left
        start, whole = HIDES
        hidden = np.clip((abs(aside) - start) / (whole - start), 0, 1) * (1 - self.hidden_trust)
        return self.trusted * (1 - np.float32(hidden) * ONE_SIDED["Left" if aside > 0 else "Right"])

    @cached_property
    def chance(self) -> np.ndarray:
        """(N,) how often each face is to be drawn, relative to the average.

        Each trusted shape gets the same share, in proportion to its weight in the face. Drawn
        evenly, a tongue is out in one face of a hundred, and a network does best to ignore it.
        Profiles are drawn more often too.
        """
        sure = self.trusted > 0.5
        weights = np.asarray(self.expression, np.float64)[:, sure]
        rare = (weights / np.maximum(weights.mean(0), 0.01)).mean(1)
        chance = np.minimum(PLAIN_CHANCE + (1 - PLAIN_CHANCE) * rare, RAREST_CHANCE)
        chance = np.where(np.abs(self.rotation[:, 0, 2]) > PROFILE, PROFILE_CHANCE, 1) * chance
        chance = chance * self.favour
        return chance / chance.mean()

    @cached_property
    def cumulative(self) -> np.ndarray:
        """(N,) running sum of `chance`, ending at 1."""
        total = np.cumsum(self.chance)
        return total / total[-1]

    @cached_property
    def profiles(self) -> np.ndarray:
        """Numbers of the faces that are turned far aside."""
        return np.flatnonzero(np.abs(self.rotation[:, 0, 2]) > PROFILE)

    def draw(self, random: np.random.Generator, profile: bool = False) -> int:
        """The number of a face, drawn by `chance`; of a profile, if so wished and there is one."""
        if profile and len(self.profiles):
            return int(random.choice(self.profiles))
        return min(int(np.searchsorted(self.cumulative, random.random())), len(self) - 1)


@dataclass(frozen=True)
class Surface:
    """The points of the head model by which training measures and boxes faces.

    Attributes:
        neutral: (P, 3), basis: (92, P, 3), metres: the teacher's points (outline included),
            offset to the teacher's definition where photographs have taught it.
        weight: (P,) of the landmark loss.
        numbers: (P,) which of the teacher's points each is; 468 and 469 are the irises.
    """

    neutral: np.ndarray
    basis: np.ndarray
    weight: np.ndarray
    numbers: np.ndarray

    @cached_property
    def flat(self) -> np.ndarray:
        """(92, P * 3) the basis in one row for each weight."""
        return np.ascontiguousarray(self.basis.reshape(len(self.basis), -1), np.float32)

    def project(
        self,
        rotation: np.ndarray,
        centre: np.ndarray,
        scale: np.ndarray,
        identity: np.ndarray,
        expression: np.ndarray,
    ) -> np.ndarray:
        """(N, ...) parameters -> (N, P, 2) px."""
        weights = np.concatenate([identity, expression], 1)
        shape = self.neutral + (weights @ self.flat).reshape(len(weights), -1, 3)
        turned = shape @ rotation.transpose(0, 2, 1)
        depth = VIEWING_DISTANCE / (VIEWING_DISTANCE - turned[..., 2:])
        flat = turned[..., :2] * depth * (1, -1)
        return (centre[:, None] + flat * scale[:, None, None]).astype(np.float32)


DEFINITION = Path(__file__).parent / "data" / "definition.npz"


@lru_cache(maxsize=1)
def load_surface() -> Surface:
    """The training surface: the teacher's points, as photographs have defined them."""
    model: HeadModel = load_head_model()
    with np.load("models/head_model.npz") as data:
        points = teacher_points(model, data["source_vertex"])
    with np.load(DEFINITION) as data:
        keep, neutral = data["points"], data["neutral"]
    return Surface(neutral, points.basis.numpy()[:, keep], points.weight.numpy()[keep], keep)


def photo_bank(path: Path, held_back: bool = False) -> FaceBank:
    """The photographs that `training.fit` has fitted; `held_back` picks the evaluation tenth."""
    with np.load(path) as data:
        rows = np.flatnonzero(
            (data["held_back"] == held_back) & (held_back | (data["error"] < WORST_FIT))
        )
        labels = {
            key: data[key][rows]
            for key in ("rotation", "centre", "scale", "identity", "expression")
        }
        marked = data["by_people"][rows] if "by_people" in data else np.zeros(len(rows), bool)
    crops = np.load(path.with_suffix(".crops.npy"), mmap_mode="r")
    trusted = np.array([0.08 if name in UNSEEN_BY_TEACHER else 1.0 for name in EXPRESSIONS])
    return FaceBank(
        crops=Rows(crops, rows), trusted=trusted.astype(np.float32), name="photo",
        favour=np.where(marked, MARKED_CHANCE, 1.0), **labels,
    )  # fmt: skip


class Rows:
    """Some rows of a memory-mapped array, read when asked for."""

    def __init__(self, array: np.ndarray, rows: np.ndarray) -> None:
        self.array, self.rows = array, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> np.ndarray:
        return self.array[self.rows[i]]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.array.shape[1:])
