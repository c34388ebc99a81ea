# SPDX-License-Identifier: GPL-3.0-or-later
"""A guided session that measures an actor: rest, then one movement after another.

Feed it the actor's faces as they come; it says what to ask for and how far it is. It keeps no
clock of its own: seconds come with the faces, so that a stalled source only takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS, Face
from .calibration import Calibration

LEAST_PEAK = 0.3
"""A movement that reads less was not made: its range stays as it was."""


@dataclass(frozen=True)
class Step:
    """One thing asked of the actor.

    Attributes:
        ask: what to say, in English.
        seconds: for how long.
        stems: the expressions that are measured, by the start of their names.
    """

    ask: str
    seconds: float
    stems: tuple[str, ...] = ()


NEUTRAL = Step("Rest your face and look ahead", 1.0)
STEPS = (
    NEUTRAL,
    Step("Open your mouth wide", 2.0, ("jawOpen",)),
    Step("Smile as broadly as you can", 2.0, ("mouthSmile", "cheekSquint")),
    Step("Pucker your lips", 2.0, ("mouthPucker", "mouthFunnel")),
    Step("Raise your brows, then frown", 3.0, ("brow",)),
    Step("Blink firmly, several times", 3.0, ("eyeBlink",)),
    Step("Look up, down, left and right", 4.0, ("eyeLook",)),
)


class GuidedCalibration:
    """Collects an actor's faces through the steps.

    Args:
        steps: what to ask for, rest first.
    """

    def __init__(self, steps: tuple[Step, ...] = STEPS) -> None:
        self.steps = steps
        self._faces: list[list[Face]] = [[] for _ in steps]
        self._current = 0
        self._elapsed = 0.0
        self._time: float | None = None

    @property
    def done(self) -> bool:
        """Whether every step has had its time."""
        return self._current == len(self.steps)

    @property
    def step(self) -> Step | None:
        """What to ask for now; None when done."""
        return None if self.done else self.steps[self._current]

    @property
    def progress(self) -> float:
        """0..1 of the whole session."""
        past = sum(step.seconds for step in self.steps[: self._current])
        return min((past + self._elapsed) / sum(step.seconds for step in self.steps), 1.0)

    def see(self, face: Face, time: float) -> None:
        """Take one face of the actor; `time` in seconds of the source's clock.

        Only time in which the actor was seen counts.
        """
        if self.done:
            return
        if self._time is not None:
            self._elapsed += float(np.clip(time - self._time, 0.0, 0.2))
        self._time = time
        self._faces[self._current].append(face)
        if self._elapsed >= self.steps[self._current].seconds:
            self._current, self._elapsed = self._current + 1, 0.0

    def result(self) -> Calibration:
        """The calibration of what has been seen so far.

        The peak of an expression is the 95th percentile of its step: a single wild reading does
        not count.

        Raises:
            ValueError: the actor was not seen at rest.
        """
        calibration = Calibration.from_faces(self._faces[0])
        for step, faces in zip(self.steps[1:], self._faces[1:], strict=True):
            measured = [
                EXPRESSION_INDEX[name] for name in EXPRESSIONS if name.startswith(step.stems)
            ]
            if not faces or not measured:
                continue
            readings = np.array([face.expression[measured] for face in faces])
            peak = np.quantile(readings, 0.95, axis=0)
            made = peak - calibration.neutral[measured] >= LEAST_PEAK
            calibration.peak[measured] = np.where(made, peak, calibration.peak[measured])
        return calibration
