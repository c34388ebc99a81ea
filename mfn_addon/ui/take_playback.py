# SPDX-License-Identifier: GPL-3.0-or-later
"""A take as a live source: it is played in real time, with its corrections, and drives the
characters as a camera would. Edits of its corrections are heard while it plays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..face import FaceFrame
from ..take import Performance, Take, TakeError, corrected_performances
from . import session
from .translation import told

_EVERY = 1 / 60
"""Seconds between frames at least."""
_SEEN_FOR = 0.2
"""Seconds after its last sample for which an actor still counts as in view."""


class TakeSource:
    """See `session.Source`."""

    message = ""
    preview_frame = -1

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to play. Raises TakeError."""
        self.path = path
        self.state = "running"
        self._clock = clock
        self._number = 0
        self._shown = -float("inf")
        self.load()
        self._began = clock()

    @property
    def alive(self) -> bool:
        """Until the take's end, or `stop`."""
        return self.state == "running"

    @property
    def played(self) -> float:
        """Seconds since the take's first picture."""
        return self._clock() - self._began

    def load(self) -> None:
        """Read the take, and its corrections as they are now. Raises TakeError."""
        with Take(self.path) as take:
            self._performances = corrected_performances(take, [a.id for a in take.actors()])
            self._start, self.duration = take.start, take.duration
            self._head = next(iter(take.heads().values()), None)

    def poll(self) -> list[FaceFrame]:
        """The faces as they are now, as one frame; none where the last is as good as now."""
        played = self.played
        if self._head is None or played > self.duration:
            self.state = "ended"
            return []
        if played - self._shown < _EVERY:
            return []
        self._shown = played
        at = self._start + played
        near = (_sample_at(each, at) for each in self._performances.values())
        faces = [performance.face(i) for performance, i in near if i is not None]
        self._number += 1
        head = self._head
        return [FaceFrame(at, self.path.stem, self._number, head.width, head.height, faces)]

    def captured(self, _: FaceFrame) -> None:
        """It was at some other time."""

    def preview(self) -> None:
        """A take has no pictures."""

    def stop(self) -> None:
        """Play no more."""
        self.state = "stopped"


def _sample_at(performance: Performance, at: float) -> tuple[Performance, int | None]:
    """The newest sample at a moment, None where the actor is not in view."""
    i = int(np.searchsorted(performance.time, at, "right")) - 1
    seen = i >= 0 and at - performance.time[i] <= _SEEN_FOR
    return performance, i if seen else None


def reload(path: str) -> None:
    """Let a take that plays be heard with its corrections as they are now."""
    source = session.current.source if session.current is not None else None
    if isinstance(source, TakeSource) and str(source.path) == path:
        try:
            source.load()
        except TakeError as error:
            session.message.text, session.message.icon = told(error), "CANCEL"
