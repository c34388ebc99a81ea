# SPDX-License-Identifier: GPL-3.0-or-later
"""An actor's calibration: what this face reads at rest, and how far it goes.

It is a layer over raw samples, applied where they are retargeted and never written into them, so
that it can be made or changed after the recording.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS, Face
from ..texts import Text

LIDS = np.array([name.startswith("eyeBlink") for name in EXPRESSIONS])
"""(52,) the expressions that are calibrated as eyelids."""
LEAST_ROOM = 0.2
"""However high an expression rests, so much of its range is still taken to be movement."""


@dataclass
class Calibration:
    """Takes an actor's resting values out of the faces, and brings the actor's range to 1.

    Attributes:
        neutral: (52,) expression weights of the resting face.
        rotation: (3, 3) the head's rotation when the actor looks ahead.
        position: (3,) metres in the camera frame, where the head rests; None where not known.
        peak: (52,) what the actor's strongest movement reads; 1 where it is not known.
    """

    neutral: np.ndarray = field(default_factory=lambda: np.zeros(len(EXPRESSIONS), np.float32))
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    peak: np.ndarray = field(default_factory=lambda: np.ones(len(EXPRESSIONS), np.float32))
    position: np.ndarray | None = None

    @classmethod
    def from_faces(cls, faces: Iterable[Face]) -> Calibration:
        """The median over about a second of a resting actor who looks ahead.

        Raises:
            ValueError: there are no faces.
        """
        resting = list(faces)
        if not resting:
            raise ValueError(Text("no face to calibrate on: the actor has to be in view"))
        return cls.from_arrays(
            np.array([face.expression for face in resting]),
            np.array([face.rotation for face in resting]),
            np.array([face.translation for face in resting]),
        )

    @classmethod
    def from_arrays(
        cls, expression: np.ndarray, rotation: np.ndarray, translation: np.ndarray | None = None
    ) -> Calibration:
        """The same of (n, 52) weights, (n, 3, 3) rotations and (n, 3) translations in metres, of a
        take's frames for instance.

        A blink within the second does not count: the lids' neutral is the lower quartile, which
        is that of open eyes, where the other expressions take the median.
        """
        neutral = np.median(expression, axis=0)
        neutral[LIDS] = np.quantile(expression[:, LIDS], 0.25, axis=0)
        u, _, v = np.linalg.svd(np.mean(rotation, axis=0))
        turn = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v  # the nearest rotation to the mean
        place = None if translation is None else np.median(translation, axis=0).astype(np.float32)
        return cls(neutral.astype(np.float32), turn.astype(np.float32), position=place)

    def apply(self, face: Face) -> Face:
        """The face relative to its neutral."""
        return face.with_(
            expression=self.weights(face.expression).astype(np.float32),
            rotation=self.turns(face.rotation),
        )

    def weights(self, expression: np.ndarray) -> np.ndarray:
        """(..., 52) weights relative to the neutral.

        Weights are rescaled, not shifted: rest becomes 0, and the peak (1 where none was
        measured) becomes 1. The lids keep the whole way to shut: what a rest reads is taken out
        less and less as the eye closes, so that a closed eye is closed whatever the bias, and a
        quick blink that reads less than 1 loses nothing of its height above the middle.
        """
        room = np.maximum(self.peak - self.neutral, LEAST_ROOM)
        plain = (expression - self.neutral) / room
        bias = self.neutral * np.clip(1.0 - 2.0 * plain, 0.0, 1.0)
        lids = (expression - bias) / np.maximum(self.peak, LEAST_ROOM)
        return np.clip(np.where(LIDS, lids, plain), 0.0, 1.0)

    def turns(self, rotation: np.ndarray) -> np.ndarray:
        """(..., 3, 3) rotations relative to where the actor looks ahead."""
        return rotation @ self.rotation.T

    def to_text(self) -> str:
        """JSON: `neutral` and `peak` by expression where they are not 0 and 1, `rotation`, and
        `position` where it is known."""
        data: dict[str, Any] = {
            "neutral": _named(self.neutral, usual=0.0),
            "peak": _named(self.peak, usual=1.0),
            "rotation": np.round(self.rotation, 6).tolist(),
        }
        if self.position is not None:
            data["position"] = np.round(self.position, 5).tolist()
        return json.dumps(data)

    @classmethod
    def from_text(cls, text: str) -> Calibration:
        """What `to_text` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            data: Any = json.loads(text)
            rotation = np.array(data["rotation"], np.float32).reshape(3, 3)
            place = data.get("position")
            return cls(
                _row(data["neutral"], 0.0),
                rotation,
                _row(data["peak"], 1.0),
                None if place is None else np.array(place, np.float32).reshape(3),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no calibration: {error}") from error


def _named(values: np.ndarray, usual: float) -> dict[str, float]:
    return {
        name: round(float(value), 4)
        for name, value in zip(EXPRESSIONS, values, strict=True)
        if value != usual
    }


def _row(named: dict[str, float], usual: float) -> np.ndarray:
    row = np.full(len(EXPRESSIONS), usual, np.float32)
    for name, value in named.items():
        row[EXPRESSION_INDEX[name]] = value
    return row
