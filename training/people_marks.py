# SPDX-License-Identifier: GPL-3.0-or-later
"""What people have marked in photographs, as further evidence for the fits of `training.fit`.

The teacher's lips follow what people have set at .6 to .7 only (rank correlation of distances,
`training.readings`), and a network that learns from it can be no better. Where a set has landmarks
by people, those of the mouth count too.
"""

from __future__ import annotations

import numpy as np
import torch

from mfn_addon.face import HeadModel
from training import fit as fitting
from training.fit import Fit, Points

MOUTH = np.arange(48, 68)
"""Of the 68 landmarks. Eyes are set too coarsely: the two, which blink together, agree at .16 there
(`training.limits`), so that lids fitted to them would learn noise."""
WEIGHT = 4.0
"""Of each of these points beside the teacher's, of which there are many more."""
FRONT = np.sin(np.radians(30))  # further aside people have guessed what they could not see


def marked_points(model: HeadModel) -> Points:
    """The landmarks of the mouth on the head model."""
    vertices = np.asarray(model.landmarks)[MOUTH]
    basis = np.concatenate([model.identity[:, vertices], model.expression[:, vertices]])
    return Points(
        torch.from_numpy(np.float32(model.neutral[vertices])),
        torch.from_numpy(np.float32(basis)),
        torch.full((len(vertices),), WEIGHT),
    )


def usable(landmarks: np.ndarray, fit: Fit, held_back: np.ndarray) -> np.ndarray:
    """Rows of (N, 68, 2) landmarks to be believed; none that is held back: it is a judge."""
    there = np.isfinite(landmarks[:, MOUTH]).all((1, 2))
    return np.flatnonzero(there & ~held_back & (np.abs(fit.rotation[:, 0, 2]) < FRONT))


def refit(
    model: HeadModel,
    points: Points,
    observed: np.ndarray,
    landmarks: np.ndarray,
    prior: np.ndarray,
    fit: Fit,
    pitch: np.ndarray,
    rows: np.ndarray,
) -> Fit:
    """The fit, with faces solved anew by what people have marked.

    Args:
        points, observed, prior, pitch: what `fit` was made of, see `training.fit.solve`.
        landmarks: (N, 68, 2) px set by people.
        rows: which faces, see `usable`.
    """
    if not len(rows):
        return fit
    own = marked_points(model)
    shown = landmarks[rows][:, MOUTH].astype(np.float32)
    own.neutral += fitting.learn_definition(own, shown, some(fit, rows))
    both = Points(
        torch.cat([points.neutral, own.neutral]),
        torch.cat([points.basis, own.basis], 1),
        torch.cat([points.weight, own.weight]),
    )
    seen = np.concatenate([observed[rows], shown], 1)
    anew = fitting.solve_all(both, seen, prior[rows], fit.identity[rows], pitch[rows])
    parts = {name: getattr(fit, name).copy() for name in Fit.__annotations__}
    for name, values in parts.items():
        values[rows] = getattr(anew, name)
    return Fit(**parts)


def some(fit: Fit, rows: np.ndarray) -> Fit:
    return Fit(*(getattr(fit, name)[rows] for name in Fit.__annotations__))
