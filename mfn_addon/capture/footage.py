# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage: videos, pictures and numbered picture sequences as timed RGB pictures.

Videos are decoded by OpenCV's FFmpeg. `CAP_PROP_POS_MSEC` read after a frame is that frame's
own presentation timestamp, so variable frame rates come out exact; the rotation flag of phone
footage is applied here, since OpenCV builds differ in whether they do it themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .errors import InputError
from .images import IMAGE_SUFFIXES, SMALLEST_SIDE, read_image

# One line of ours instead of many of the decoder's.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.setLogLevel(0)

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".ts", ".wmv",
     ".ogv", ".flv", ".3gp", ".gif", ".mxf"}
)  # fmt: skip

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class Picture:
    """One picture of a source.

    Attributes:
        time: presentation time in seconds from the source's first picture, and its start.
        frame: the picture's number in the source, from 0.
        image: (H, W, 3) uint8 RGB, as displayed.
    """

    time: float
    frame: int
    image: np.ndarray


class Footage:
    """A video, a still picture, or a folder's pictures as a sequence. Iterate it for its
    `Picture`s, as often as needed: each loop decodes anew.

    Attributes:
        path: the file or folder.
        name: its file name, which frames carry as their source.
        width, height: px, as displayed.
        rate: pictures a second (the average, where the rate varies).
        frame_count: pictures, as the file announces them; for some files an estimate.
        still: True for a single picture, whose time is always 0.
        start: seconds that are added to the pictures' times; 0 unless set.
        warning: after a loop, one line if less could be decoded than the file announces.
    """

    def __init__(self, path: str | Path, rate: float = 25.0) -> None:
        """Open footage and decode its first picture.

        Args:
            path: a video, a picture, or a folder of pictures to be taken as a sequence.
            rate: pictures a second of a folder's sequence; a video has its own.

        Raises:
            InputError: nothing usable is there; one line says what and where.
        """
        self.path = Path(path)
        self.name = self.path.name or self.path.resolve().name
        self.start = 0.0
        self.warning: str | None = None
        self._pictures: list[Path] = []
        kind = _kind(self.path)
        self.still = kind == "picture"
        if kind == "video":
            self._open_video()
        else:
            self._pictures = pictures_in(self.path) if kind == "folder" else [self.path]
            self._first = read_image(self._pictures[0])
            self.height, self.width = self._first.shape[:2]
            self.rate = float(rate)
            self.frame_count = len(self._pictures)

    @property
    def duration(self) -> float:
        """Seconds, as the file announces them; 0 for a still or where unknown."""
        return 0.0 if self.still or not self.rate else (self.frame_count or 0) / self.rate

    def __iter__(self) -> Iterator[Picture]:
        self.warning = None
        if not self._pictures:
            yield from self._decode_video()
            return
        for number, path in enumerate(self._pictures):
            image = self._first if number == 0 else read_image(path)
            yield Picture(self.start + number / self.rate, number, image)

    def _open_video(self) -> None:
        capture = _capture(self.path)
        try:
            turn = _turn(capture)
            self.rate = float(capture.get(cv2.CAP_PROP_FPS)) or 25.0
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.frame_count = count if count > 0 else None
            found, image = capture.read()
            if not found:
                raise InputError(
                    f"{self.path}: no picture of this video can be decoded "
                    "(truncated, damaged, or an unknown codec); convert it to H.264"
                )
            self.height, self.width = _upright(image, turn).shape[:2]
        finally:
            capture.release()
        if min(self.width, self.height) < SMALLEST_SIDE:
            raise InputError(
                f"{self.path}: {self.width}x{self.height} px is too small to hold a face"
            )

    def _decode_video(self) -> Iterator[Picture]:
        capture = _capture(self.path)
        turn = _turn(capture)
        start = time = longest = 0.0
        number = 0
        try:
            while True:
                found, image = capture.read()
                if not found:
                    break
                stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
                if number == 0:
                    start = stamp
                elif stamp - start <= time:  # a file without timestamps
                    stamp = start + time + 1.0 / self.rate
                longest = max(longest, stamp - start - time)
                time = stamp - start
                yield Picture(self.start + time, number, _to_rgb(_upright(image, turn)))
                number += 1
        finally:
            capture.release()
        missing = self.duration - time - max(longest, 1.0 / self.rate)
        if missing > 0.25 and missing > 0.02 * self.duration:
            self.warning = (
                f"{self.path}: the video ends early: {number} pictures up to {time:.2f} s could "
                f"be decoded of about {self.duration:.2f} s (truncated or damaged?); they are used"
            )


@dataclass(frozen=True)
class Input:
    """One thing to be solved: footage that exists but has not been opened.

    Attributes:
        path: a video, a picture, or a folder that is a sequence of pictures.
        name: what its frames carry as their source: the file's name, or its path where two
            inputs have the same name.
        start: seconds that are added to its pictures' times, in a take's time for instance.
    """

    path: Path
    name: str
    start: float = 0.0


def find_inputs(paths: Sequence[str | Path], sequences: bool = False) -> list[Input]:
    """The footage that a user's inputs name, in order.

    Args:
        paths: videos, pictures and folders. A folder stands for each picture and video in it,
            2 before 10.
        sequences: take each folder's pictures as one sequence instead of as unrelated pictures.

    Raises:
        InputError: an input is absent or empty.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if _kind(path) != "folder":
            found.append(path)
        elif sequences:
            found.append(pictures_in(path)[0].parent)
        else:
            found += _usable_in(path)
    names = [path.name or path.resolve().name for path in found]
    return [
        Input(path, str(path) if names.count(name) > 1 else name)
        for path, name in zip(found, names, strict=True)
    ]


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder, 2 before 10. Raises InputError where there is none."""
    return _usable_in(folder, IMAGE_SUFFIXES, "picture")


def _usable_in(
    folder: Path,
    suffixes: frozenset[str] = IMAGE_SUFFIXES | VIDEO_SUFFIXES,
    what: str = "picture or video",
) -> list[Path]:
    try:
        inside = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in suffixes and not path.name.startswith(".")
        ]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if not inside:
        raise InputError(f"{folder}: the folder holds no {what}")
    return sorted(inside, key=_by_number)


def _by_number(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _kind(path: Path) -> str:
    try:
        if path.is_dir():
            return "folder"
        with path.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file or folder") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not start:
        raise InputError(f"{path}: the file is empty")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return "picture"
    if _is_text(start):  # which the decoder might follow as a playlist, or show as a terminal
        raise InputError(f"{path}: not a video or picture, but text")
    known = path.suffix.lower() in VIDEO_SUFFIXES
    return "picture" if not known and cv2.haveImageReader(str(path)) else "video"


def _is_text(start: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 27 or byte >= 0x80 for byte in start)


def _capture(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise InputError(
            f"{path}: not a video or picture that can be read "
            "(another kind of file, truncated, or damaged)"
        )
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
    return capture


def _turn(capture: cv2.VideoCapture) -> int | None:
    return _TURNS.get(int(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360)


def _upright(image: np.ndarray, turn: int | None) -> np.ndarray:
    return image if turn is None else cv2.rotate(image, turn)


def _to_rgb(image: np.ndarray) -> np.ndarray:
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, code)
