# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled faces read by a finished network, one at a time, at a size that is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from mfn_addon.face import Face
from mfn_addon.face.camera import unplace
from mfn_addon.network.crops import cut
from mfn_addon.network.mfn import LONG_SIDE
from training import measures
from training.bank import FaceBank, Surface
from training.evaluate import face_at
from training.marks import FEATURE_POINTS
from training.rendered import looks
from training.synthetic.scene import Studio

EYES = (246, 466)  # the teacher's points beside the outer corners


class Reader(Protocol):
    """What finds and reads the faces of a picture, as `mfn_addon.network.FaceNetwork` does."""

    def detect(self, image: np.ndarray, /) -> list[Face]: ...


@dataclass(frozen=True)
class Reading:
    """What a network made of N labelled faces; rows of faces that it missed are NaN.

    Attributes:
        landmarks: (N,) mean error of the marked points over the distance of the eyes.
        turn: (N,) degrees between the rotations to the line of sight.
        expression, truth: (N, 52) as read and as labelled.
        trusted: (52,) which labels are to be believed.
    """

    landmarks: np.ndarray
    turn: np.ndarray
    expression: np.ndarray
    truth: np.ndarray
    trusted: np.ndarray

    def figures(self, rows: Any = slice(None)) -> dict[str, float]:
        """The means over some of the faces, over those that were found."""
        said, truth = self.expression[rows][:, self.trusted], self.truth[rows][:, self.trusted]
        found = np.isfinite(said).all(1)
        shapes = [measures.correlation(a, b) for a, b in zip(said[found].T, truth[found].T,
                                                             strict=True)]  # fmt: skip
        some = truth[found]
        return {
            "faces": float(len(found)),
            "found, %": 100 * float(found.mean()),
            "landmark error, % of the eye distance": 100 * float(np.nanmean(self.landmarks[rows])),
            "rotation error, degrees": float(np.nanmean(self.turn[rows])),
            "expression error": float(np.abs(said[found] - some).mean()),
            "the same, always the mean face": float(np.abs(some - some.mean(0)).mean()),
            "expression correlation": float(
                np.mean([r for r in shapes if np.isfinite(r)] or [0.0])
            ),
        }


def read_at(
    network: Reader, bank: FaceBank, surface: Surface, size: float, finer: int = 1
) -> Reading:
    """Show each face in the middle of a grey picture, its box's longer side `size` px of the
    network's input.

    Pictures have the size of that input, so that nothing is scaled twice; or `finer` times as many
    pixels each way, as a camera gives.
    """
    side = LONG_SIDE * finer
    order = list(surface.numbers)
    marks = [order.index(number) for number in FEATURE_POINTS]
    eyes = [order.index(number) for number in EYES]
    off, turn = np.full(len(bank), np.nan), np.full(len(bank), np.nan)
    said = np.full(bank.expression.shape, np.nan)
    for i in tqdm(range(len(bank)), desc=f"{bank.name}, {size:g} px", disable=None):
        row = slice(i, i + 1)
        seen = surface.project(bank.rotation[row], bank.centre[row], bank.scale[row],
                               bank.identity[row], bank.expression[row])[0]  # fmt: skip
        low, high = seen.min(0), seen.max(0)
        zoom = size * finer / float((high - low).max())
        corner = (low + high) / 2 - side / 2 / zoom
        picture = cut(np.asarray(bank.crops[i]), corner, zoom, side)
        box = np.concatenate([low - corner, high - corner]) * zoom
        face = face_at(network.detect(picture), box)
        if face is None:
            continue
        rotation, centre, scale = unplace(face.rotation, face.translation, side, side)
        points = surface.project(rotation[None], centre[None], np.array([scale]),
                                 face.identity[None], face.expression[None])[0]  # fmt: skip
        truth = (seen - corner) * zoom
        span = np.linalg.norm(truth[eyes[0]] - truth[eyes[1]])
        off[i] = np.linalg.norm(points[marks] - truth[marks], axis=1).mean() / span
        cosine = (np.trace(rotation.T @ bank.rotation[i]) - 1) / 2
        turn[i] = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
        said[i] = face.expression
    return Reading(off, turn, said, np.asarray(bank.expression), np.asarray(bank.trusted) > 0.5)


def studies(count: int, seed: int, side: int = 256) -> tuple[FaceBank, list]:
    """Rendered faces with exact labels, made on the spot, and who each of them is
    (`training.synthetic.people.Person`)."""
    studio = Studio(side, side)
    crops, focal, truths = [], [], []
    for i in tqdm(range(count), desc="rendering", disable=None):
        picture, length, (truth,) = studio.study(np.random.default_rng([seed, i]))
        crops.append(picture)
        focal.append(length)
        truths.append(truth)

    def stack(key: str) -> np.ndarray:
        return np.stack([getattr(truth, key) for truth in truths])

    labels = looks(stack("rotation"), stack("translation"), np.array(focal), side)
    bank = FaceBank(
        crops=np.stack(crops), identity=stack("identity"), expression=stack("expression"),
        trusted=np.ones(52, np.float32), name="rendered", **labels,
    )  # fmt: skip
    return bank, [truth.person for truth in truths]
