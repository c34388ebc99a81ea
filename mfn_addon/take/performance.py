# SPDX-License-Identifier: GPL-3.0-or-later
"""One actor's samples as arrays, by time: the form in which a take is corrected and baked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from ..face import Face
from .layout import SAMPLE


@dataclass(frozen=True)
class Performance:
    """All of one actor's samples, by time.

    Attributes:
        actor: the id.
        time: (N,) float64 seconds.
        frame: (N,) int64, which of the take's frames each sample is of (`frame.id` in the file).
        score: (N,), box: (N, 4), rotation: (N, 3, 3), translation: (N, 3),
        expression: (N, 52), identity: (N, 40), landmarks: (N, 68, 2), as in `face.Face`; of a
        take's own samples these are views that cannot be written to.
    """

    actor: int
    time: np.ndarray
    frame: np.ndarray
    score: np.ndarray
    box: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    expression: np.ndarray
    identity: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def only(self, chosen: np.ndarray) -> Performance:
        """Some of the samples: those of a mask (N,), or of indices."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    def joined(self, other: Performance) -> Performance:
        """Both performances' samples, by time."""
        time = np.concatenate([self.time, other.time])
        order = np.argsort(time, kind="stable")
        both = {
            name: np.concatenate([getattr(self, name), getattr(other, name)])[order]
            for name in _COLUMNS
        }
        return replace(self, **both)

    def face(self, i: int) -> Face:
        """One sample as a Face; its arrays are copies."""
        arrays = {name: getattr(self, name)[i].copy() for name in _ARRAYS}
        return Face(id=self.actor, score=float(self.score[i]), **arrays)


_COLUMNS = tuple(field.name for field in fields(Performance) if field.name != "actor")
_ARRAYS = tuple(name for name in SAMPLE.names or () if name != "score")


def performance_of(
    actor: int, times: Mapping[int, float], frames: list[int], samples: bytearray
) -> Performance:
    """The rows of a take's tables as columns, by time.

    Args:
        times: when each of the take's frames is, by its id.
        frames: which frame each sample is of.
        samples: the samples, one after the other.

    Raises:
        ValueError: samples are damaged, or of frames that are not there.
    """
    try:
        time = np.array([times[frame] for frame in frames], np.float64)
    except KeyError as error:
        raise ValueError(f"there is no frame {error}") from error
    frame = np.array(frames, np.int64)
    records = np.frombuffer(samples, SAMPLE)
    records.flags.writeable = False
    if len(records) != len(time):
        raise ValueError(f"{len(time)} samples fill the bytes of {len(records)}")
    if np.any(np.diff(time) < 0):  # late frames lie where they arrived
        order = np.argsort(time, kind="stable")
        time, frame, records = time[order], frame[order], records[order]
    # Views: copies of all columns would take longer than a bake's arithmetic on the two it needs.
    return Performance(actor, time, frame, **{name: records[name] for name in SAMPLE.names or ()})
