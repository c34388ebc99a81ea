# SPDX-License-Identifier: GPL-3.0-or-later
"""One face's filters."""

from __future__ import annotations

import numpy as np

from ..face import EXPRESSIONS, LANDMARK_COUNT, Face
from .one_euro import ArrayFilter, OneEuro, RotationFilter
from .options import Smoothing

RESTART_AFTER = 0.4
"""A face unseen for this many seconds starts anew: its old pose says nothing about this one."""

_BOX = slice(0, 4)
_TRANSLATION = slice(4, 7)
_EXPRESSION = slice(7, 7 + len(EXPRESSIONS))
_LANDMARKS = slice(_EXPRESSION.stop, _EXPRESSION.stop + 2 * LANDMARK_COUNT)


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
    """Smooths one actor's faces over time.

    All values but the rotation go through one filter as one array, with knobs of their own: a
    filter for each part would take five times as long.
    """

    def __init__(self, knobs: Smoothing) -> None:
        self._rotation = RotationFilter(knobs.rotation)
        self._values = ArrayFilter(_knobs_of_values(knobs), points=_LANDMARKS)
        self._unit = np.ones(_LANDMARKS.stop)
        self._identity = IdentityAverage(knobs.identity)

    def __call__(self, face: Face, dt: float) -> Face:
        """The smoothed face, `dt` seconds after the last one."""
        if dt > RESTART_AFTER:
            self.reset()
        self._unit[_BOX] = self._unit[_LANDMARKS] = box_size(face.box)
        values = np.concatenate(
            [face.box, face.translation, face.expression, face.landmarks.ravel()]
        )
        smooth = self._values(values, dt, self._unit)
        return face.with_(
            rotation=self._rotation(face.rotation, dt),
            box=smooth[_BOX],
            translation=smooth[_TRANSLATION],
            expression=smooth[_EXPRESSION].clip(0.0, 1.0),
            landmarks=smooth[_LANDMARKS].reshape(-1, 2),
            identity=self._identity(face.identity, dt),
        )

    def reset(self) -> None:
        """Let the next face through as it is; the identity stays."""
        self._rotation.reset()
        self._values.reset()


def box_size(box: np.ndarray) -> float:
    """px: the side of a square as large as the box, at least 1."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    return (max(width, 1.0) * max(height, 1.0)) ** 0.5


def _knobs_of_values(knobs: Smoothing) -> OneEuro:
    """The knobs of each value, as arrays."""
    parts = [knobs.box] * 4 + [knobs.translation] * 3
    for name in EXPRESSIONS:
        if name.startswith(("eyeBlink", "eyeWide", "eyeLook")):
            parts.append(knobs.lids)
        elif name.startswith(("jaw", "mouth", "tongue")):
            parts.append(knobs.mouth)
        else:
            parts.append(knobs.others)
    parts += [knobs.landmarks] * (2 * LANDMARK_COUNT)
    return OneEuro(*np.array(parts, np.float64).T)
