# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of a take, kept in its file only where the user has asked for them."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .edit import editing

Thumbnail = tuple[float, np.ndarray]
"""The take's time in seconds, and an (H, W, 3) uint8 RGB picture."""

_TABLE = """CREATE TABLE IF NOT EXISTS thumbnail (
    time REAL PRIMARY KEY,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    data BLOB NOT NULL
)"""


def write_thumbnails(path: str | Path, thumbnails: Sequence[Thumbnail]) -> None:
    """Put these pictures in the place of a take's. Raises TakeError."""
    with editing(path) as connection:
        connection.execute(_TABLE)
        connection.execute("DELETE FROM thumbnail")
        connection.executemany(
            "INSERT OR REPLACE INTO thumbnail VALUES (?, ?, ?, ?)",
            [
                (float(time), image.shape[1], image.shape[0], zlib.compress(image.tobytes()))
                for time, image in thumbnails
            ],
        )


def read_thumbnails(connection: sqlite3.Connection) -> list[Thumbnail]:
    """The pictures in a take, by time. Raises ValueError for one that cannot be read."""
    run = connection.execute
    if not run("SELECT 1 FROM sqlite_master WHERE name = 'thumbnail'").fetchone():
        return []
    try:
        return [
            (time, np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width, 3))
            for time, width, height, data in run("SELECT * FROM thumbnail ORDER BY time")
        ]
    except zlib.error as error:
        raise ValueError(f"a thumbnail cannot be read: {error}") from error


class ThumbnailStrip:
    """Collects a few pictures of a recording of unknown length, evenly spread over it."""

    def __init__(self, most: int = 8, side: int = 96) -> None:
        """Keep fewer than `2 * most` pictures whose longer side is at most `side` px."""
        self._most, self._side = most, side
        self._every = 0.5
        self._kept: list[Thumbnail] = []

    def wants(self, time: float) -> bool:
        """Whether a picture at this time, in seconds, would be kept."""
        return not self._kept or time - self._kept[-1][0] >= self._every

    def add(self, time: float, image: np.ndarray) -> None:
        """Keep an (H, W, 3) RGB picture, made small; when there are too many, every second."""
        step = max(1, -(-max(image.shape[:2]) // self._side))
        self._kept.append((time, np.ascontiguousarray(image[::step, ::step])))
        if len(self._kept) >= 2 * self._most:
            self._kept = self._kept[::2]
            self._every *= 2

    def pictures(self) -> list[Thumbnail]:
        """At most `most`, evenly spread."""
        count = min(self._most, len(self._kept))
        return [self._kept[i] for i in np.linspace(0, len(self._kept) - 1, count).astype(int)]
