# SPDX-License-Identifier: GPL-3.0-or-later
"""One face's filters."""

from __future__ import annotations

import numpy as np

from ..face import EXPRESSIONS, Face
from .one_euro import ArrayFilter, OneEuro, RotationFilter
from .options import Smoothing

RESTART_AFTER = 0.4
"""A face unseen for this many seconds starts anew: its old pose says nothing about this one."""


class IdentityAverage:
    """The mean of the identity weights seen: of all at first, later of the last `span` s."""

    def __init__(self, span: float) -> None:
        self._span = span
        self._seen = 0
        self.mean = np.zeros(0)

    def __call__(self, identity: np.ndarray, dt: float) -> np.ndarray:
        """The mean after one more sample, `dt` seconds after the last."""
        self._seen += 1
        if self._seen == 1:
            self.mean = np.asarray(identity, np.float64)
        share = max(1.0 / self._seen, min(dt / self._span, 1.0) if self._span > 0 else 1.0)
        self.mean = self.mean + share * (identity - self.mean)
        return self.mean.astype(np.float32)


class FaceFilter:
    """Smooths one actor's faces over time."""

    def __init__(self, knobs: Smoothing) -> None:
        self._rotation = RotationFilter(knobs.rotation)
        self._translation = ArrayFilter(knobs.translation)
        self._box = ArrayFilter(knobs.box)
        self._landmarks = ArrayFilter(knobs.landmarks)
        self._expression = [
            (channels, ArrayFilter(knob)) for channels, knob in _channels_by_knob(knobs)
        ]
        self._identity = IdentityAverage(knobs.identity)

    def __call__(self, face: Face, dt: float) -> Face:
        """The smoothed face, `dt` seconds after the last one."""
        if dt > RESTART_AFTER:
            self.reset()
        size = box_size(face.box)
        expression = np.empty_like(face.expression)
        for channels, smooth in self._expression:
            expression[channels] = smooth(face.expression[channels], dt)
        return face.with_(
            rotation=self._rotation(face.rotation, dt),
            translation=self._translation(face.translation, dt),
            box=self._box(face.box, dt, size),
            landmarks=self._landmarks(face.landmarks, dt, size),
            expression=np.clip(expression, 0.0, 1.0),
            identity=self._identity(face.identity, dt),
        )

    def reset(self) -> None:
        """Let the next face through as it is; the identity stays."""
        for smooth in (self._rotation, self._translation, self._box, self._landmarks):
            smooth.reset()
        for _, smooth in self._expression:
            smooth.reset()


def box_size(box: np.ndarray) -> float:
    """px: the side of a square as large as the box, at least 1."""
    return float(np.sqrt(max(box[2] - box[0], 1.0) * max(box[3] - box[1], 1.0)))


def _channels_by_knob(knobs: Smoothing) -> list[tuple[np.ndarray, OneEuro]]:
    groups: dict[str, list[int]] = {"lids": [], "mouth": [], "others": []}
    for index, name in enumerate(EXPRESSIONS):
        if name.startswith(("eyeBlink", "eyeWide", "eyeLook")):
            groups["lids"].append(index)
        elif name.startswith(("jaw", "mouth", "tongue")):
            groups["mouth"].append(index)
        else:
            groups["others"].append(index)
    return [(np.array(channels), getattr(knobs, name)) for name, channels in groups.items()]
