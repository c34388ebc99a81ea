# SPDX-License-Identifier: GPL-3.0-or-later
"""Videos that phones recorded beside a take, handed over piece by piece after it.

A piece says where it belongs, and the answer how far the file has come: so a sender goes on where
it was, whatever was cut off in between. A file is complete, or its name ends in `.part`.
"""

from __future__ import annotations

import asyncio
import errno
import glob
import math
import os
import shutil
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..capture.protocol import ProtocolError, unpack_json
from ..take import Take, TakeError
from ..take.videos import Video, videos_in
from .connection import Answer
from .devices import Device
from .hub import Hub

HEADER = "mfn-video"
LONGEST_PIECE = 1 << 20
LARGEST = 16 << 30
"""Bytes of a video: four hours at 9 Mbit/s."""
_MOST_UNFINISHED = 100
"""Videos of one take and phone: each reload of the page begins another."""
_SPARE = 256 << 20
"""Bytes of the disk that stay free: the takes need them more."""
_SUFFIXES = {"video/webm": ".webm", "video/mp4": ".mp4"}


class VideoError(Exception):
    """Why a piece was not taken: the answer, with one line for people."""

    def __init__(self, status: int, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.answer = Answer.json(status, {"reason": reason, **facts})


@dataclass(frozen=True)
class Piece:
    """What the header says of a piece.

    Attributes:
        take: the take's number; video: the video's own, chosen by the phone.
        stream: the run of the page by whose clock the video begins at `start`, seconds.
        suffix: of the file; size: bytes of the whole video; offset: where the piece belongs.
    """

    take: int
    video: int
    stream: int
    start: float
    suffix: str
    size: int
    offset: int


class Videos:
    """Takes in the pieces. Belongs to the server's thread, but for `news`.

    Attributes:
        news: one line on each video that has come, for `popleft`.
    """

    def __init__(self, hub: Hub) -> None:
        self.news: deque[str] = deque(maxlen=100)
        self._hub = hub
        self._busy: set[Path] = set()
        self._naming = asyncio.Lock()

    def sender(self, headers: dict[str, str]) -> Device | None:
        """The paired device whose key a request bears."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return self._hub.devices.find(key) if scheme == "Bearer" else None

    async def receive(self, headers: dict[str, str], body: bytes) -> Answer:
        """Take in a piece. The answer's JSON has `have`, how many bytes are on the disk."""
        device = self.sender(headers)
        if device is None:
            return Answer.json(401, {"reason": "This device is not paired"})
        try:
            piece = parse(headers.get(HEADER, ""))
            take = self._hub.recordings.path_of(piece.take)
            if take is None or not take.is_file():
                raise VideoError(404, "Blender no longer has this take", code="unknown_take")
            key = f"{device.id}_{piece.video:08x}"
            part = take.with_name(f"{take.stem}_{key}{piece.suffix}.part")
            if not part.exists() and await asyncio.to_thread(_has_come, take, key):
                return Answer.json(200, {"have": piece.size})  # only the last answer was lost
            have = await self._write(part, piece, body)
            if have == piece.size:
                await self._complete(part, take, device, piece, key)
        except VideoError as error:
            return error.answer
        return Answer.json(200, {"have": have})

    async def _write(self, part: Path, piece: Piece, body: bytes) -> int:
        """Append a piece where it belongs; returns the file's size. Raises VideoError."""
        if part in self._busy:
            raise VideoError(429, "One piece of a video at a time")
        self._busy.add(part)
        try:
            return await asyncio.to_thread(_append, part, piece, body)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise _disk_full(part) from error
            raise VideoError(500, f"{part.name}: cannot be written ({error.strerror})") from error
        finally:
            self._busy.discard(part)

    async def _complete(
        self, part: Path, take: Path, device: Device, piece: Piece, key: str
    ) -> None:
        """Tell the take of the file, then give it its name: a crash in between is made good when
        the last piece comes again. Raises VideoError."""
        async with self._naming:
            path = _free_name(take, device.name, piece.suffix)
            try:
                recording = self._hub.recordings.opened(piece.take, self._hub.clock())
                if recording is None:
                    raise TakeError("the take cannot be opened")
                start = self._hub.to_ours(device, piece.stream, piece.start) - recording.epoch
                info = Video(path.name, device.name, start, key).to_info()
                await asyncio.to_thread(recording.writer.note, info)
                part.rename(path)
            except (TakeError, OSError) as error:
                raise VideoError(500, f"{path.name}: {error}") from error
        self.news.append(f"{take.stem}: the video of {device.name} has come, {path.name}")


def parse(header: str) -> Piece:
    """The header's JSON, checked. Raises VideoError."""
    try:
        data = unpack_json(header.encode())
        take, video, stream = (_whole(data[name], 1 << 32) for name in ("take", "video", "stream"))
        size = _whole(data["size"], LARGEST + 1)
        offset = _whole(data["offset"], size + 1)
        start, suffix = float(data["start"]), _SUFFIXES[data["type"]]
    except (ProtocolError, KeyError, TypeError, ValueError) as error:
        raise VideoError(400, f"{HEADER}: unusable ({error})") from error
    if not math.isfinite(start) or size == 0:
        raise VideoError(400, f"{HEADER}: a video has a start and a size")
    return Piece(take, video, stream, start, suffix, size, offset)


def _whole(value: Any, end: int) -> int:
    """A whole number from 0 up to `end`. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < end:
        raise ValueError(f"{value!r} is no number below {end}")
    return value


def _append(part: Path, piece: Piece, body: bytes) -> int:
    """Append a piece; returns the file's size. Raises VideoError, OSError."""
    have = part.stat().st_size if part.exists() else _begin(part, piece)
    if piece.offset != have or have + len(body) > piece.size:
        raise VideoError(409, "The video goes on elsewhere", have=have)
    with part.open("ab") as file:
        file.write(body)
        if have + len(body) == piece.size:
            file.flush()
            os.fsync(file.fileno())
    return have + len(body)


def _begin(part: Path, piece: Piece) -> int:
    """Check that there is room for a new video. Raises VideoError, OSError."""
    stem = part.name.rpartition("_")[0]
    if len(list(part.parent.glob(f"{glob.escape(stem)}_*.part"))) >= _MOST_UNFINISHED:
        raise VideoError(429, f"{_MOST_UNFINISHED} videos of this take are unfinished")
    if shutil.disk_usage(part.parent).free < piece.size + _SPARE:
        raise _disk_full(part)
    return 0


def _has_come(take: Path, key: str) -> bool:
    """Whether a take has a video already, of which there is no part any more."""
    try:
        with Take(take) as read:
            return any(video.key == key for video in videos_in(read.info))
    except TakeError:
        return False


def _free_name(take: Path, device: str, suffix: str) -> Path:
    """A file beside the take that is named after it and the phone, and is not there yet."""
    plain = "".join(char if char.isalnum() or char == "-" else "_" for char in device)
    number, path = 1, take.with_name(f"{take.stem}_{plain}{suffix}")
    while path.exists():
        number += 1
        path = take.with_name(f"{take.stem}_{plain}_{number}{suffix}")
    return path


def _disk_full(part: Path) -> VideoError:
    return VideoError(
        507, f"The computer's disk is full: free some space in {part.parent}", code="disk_full"
    )
