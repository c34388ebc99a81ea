# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving pictures with faces drawn over them, as a video or a picture file."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import cv2
import numpy as np

from ..face import FaceFrame, HeadModel, load_head_model
from .errors import InputError
from .footage import Footage, Picture
from .images import IMAGE_SUFFIXES
from .overlay import draw_overlay

_CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".m4v": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}


class OverlayWriter:
    """Draws the frames of one footage; a context manager.

    A video file has a constant rate: pictures of footage with a varying rate are repeated or
    left out so that everything happens at its time.
    """

    def __init__(self, path: Path, footage: Footage) -> None:
        """Make ready. Raises InputError where the file cannot be written or is of no known kind."""
        self.path = path
        self._footage = footage
        self._model = _head_model()
        self._written = 0
        self._last: np.ndarray | None = None
        suffix = path.suffix.lower()
        known = IMAGE_SUFFIXES if footage.still else _CODECS
        if suffix not in known:
            raise InputError(
                f"{path}: an overlay of a {'picture' if footage.still else 'video'} must end in "
                f"{' or '.join(sorted(known)[:5])}"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self._video = None
        if not footage.still:
            codec = cv2.VideoWriter.fourcc(*_CODECS[suffix])
            size = (footage.width, footage.height)
            self._video = cv2.VideoWriter(str(path), codec, footage.rate, size)
            if not self._video.isOpened():
                raise InputError(f"{path}: the overlay video cannot be written there")

    def add(self, picture: Picture, frame: FaceFrame) -> None:
        """Draw a frame over its picture."""
        drawn = cv2.cvtColor(draw_overlay(picture.image, frame, self._model), cv2.COLOR_RGB2BGR)
        if self._video is None:
            found, data = cv2.imencode(self.path.suffix, drawn)
            if found:
                self.path.write_bytes(data.tobytes())
            return
        due = round(picture.time * self._footage.rate)
        while self._last is not None and self._written < due:
            self._video.write(self._last)
            self._written += 1
        self._last = self._fitted(drawn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._video is not None:
            if self._last is not None:
                self._video.write(self._last)
            self._video.release()

    def _fitted(self, drawn: np.ndarray) -> np.ndarray:
        """A sequence's pictures may differ in size; a video's may not."""
        size = (self._footage.width, self._footage.height)
        return drawn if drawn.shape[1::-1] == size else cv2.resize(drawn, size)


def _head_model() -> HeadModel | None:
    try:
        return load_head_model()
    except FileNotFoundError:  # boxes and landmarks need none
        return None
