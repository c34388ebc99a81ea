# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in, FaceFrames out: the network on each picture, then the tracker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from ..face import Face, FaceFrame
from .footage import Picture

TRACKED_SCORE = 0.4
"""The least score to ask a network for where a tracker follows: it keeps an actor whose head
turns, and makes no actor of a face that is never surer than this."""

STILL_SCORE = 0.5
"""The least score of a face in a picture that stands alone."""


class Detector(Protocol):
    """What the network offers: all faces of a picture in one pass."""

    def detect(self, image: np.ndarray) -> list[Face]:
        """The faces in a (H, W, 3) uint8 RGB picture, without ids."""
        ...


class Follower(Protocol):
    """What the tracker offers: ids that stay, over the frames of one source."""

    def update(self, frame: FaceFrame) -> FaceFrame:
        """The frame with ids, smoothed."""
        ...


def solve_pictures(
    pictures: Iterable[Picture], network: Detector, tracker: Follower | None, source: str
) -> Iterator[FaceFrame]:
    """Find the faces in each picture.

    Args:
        pictures: in the order of their times.
        network: finds the faces.
        tracker: a fresh one for each moving source. None for unrelated stills: their faces are
            numbered 1, 2, … in each picture, the surest first, and are not smoothed.
        source: the name that the frames carry.

    Yields:
        One frame a picture, also where no face is in it.
    """
    for picture in pictures:
        yield solve_picture(picture, network, tracker, source)


def solve_picture(
    picture: Picture, network: Detector, tracker: Follower | None, source: str
) -> FaceFrame:
    """Find the faces in one picture; see `solve_pictures`."""
    height, width = picture.image.shape[:2]
    faces = network.detect(picture.image)
    frame = FaceFrame(picture.time, source, picture.frame, width, height, faces)
    return tracker.update(frame) if tracker else _numbered(frame)


def _numbered(frame: FaceFrame) -> FaceFrame:
    found = (face for face in frame.faces if face.score >= STILL_SCORE)
    surest_first = sorted(found, key=lambda face: -face.score)
    frame.faces = [face.with_(id=number) for number, face in enumerate(surest_first, 1)]
    return frame
