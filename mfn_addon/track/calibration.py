# SPDX-License-Identifier: GPL-3.0-or-later
"""An actor's neutral: what the network reads from this face when it rests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..face import EXPRESSIONS, Face


@dataclass
class Calibration:
    """Takes an actor's resting values out of the faces.

    Attributes:
        neutral: (52,) expression weights of the resting face.
        rotation: (3, 3) the head's rotation when the actor looks ahead.
    """

    neutral: np.ndarray = field(default_factory=lambda: np.zeros(len(EXPRESSIONS), np.float32))
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3, dtype=np.float32))

    @classmethod
    def from_faces(cls, faces: Iterable[Face]) -> Calibration:
        """The median over about a second of a resting actor who looks ahead.

        Raises:
            ValueError: there are no faces.
        """
        resting = list(faces)
        if not resting:
            raise ValueError("no face to calibrate on: the actor has to be in view")
        neutral = np.median([face.expression for face in resting], axis=0)
        u, _, v = np.linalg.svd(np.mean([face.rotation for face in resting], axis=0))
        turn = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v  # the nearest rotation to the mean
        return cls(neutral.astype(np.float32), turn.astype(np.float32))

    def apply(self, face: Face) -> Face:
        """The face relative to its neutral.

        Weights are rescaled, not shifted: rest becomes 0 and 1 stays 1, so that lids that rest
        half closed can still close.
        """
        room = np.maximum(1.0 - self.neutral, 0.2)
        expression = np.clip((face.expression - self.neutral) / room, 0.0, 1.0)
        return face.with_(
            expression=expression.astype(np.float32), rotation=face.rotation @ self.rotation.T
        )
