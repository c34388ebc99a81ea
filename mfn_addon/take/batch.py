# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of frames on their way into a take's tables."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field

from ..face import NO_ID, FaceFrame
from .layout import pack_sample

Delivery = tuple[str, int]
"""What a frame is known by that may be delivered twice: its stream's name, its sequence number."""

# Only takes of phones have this table; a reader does not need it.
_DELIVERY_TABLE = """CREATE TABLE IF NOT EXISTS delivery (
    stream TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (stream, sequence)
) WITHOUT ROWID"""


@dataclass(frozen=True)
class Facts:
    """Further metadata on its way; `safe` is set once it is committed."""

    info: dict[str, str]
    safe: threading.Event = field(default_factory=threading.Event)


class Batch:
    """Inserts frames, and commits them when told to; goes on after what the take holds.

    Attributes:
        open: whether more is to come.
        added: how many frames were given, those already there included.
        last_time: the time of the last one, seconds.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        run = connection.execute
        self._sources: dict[str, int] = dict(run("SELECT name, id FROM source"))
        self._actors: set[int] = {actor for (actor,) in run("SELECT id FROM actor")}
        self._last_id: int = run("SELECT coalesce(max(id), 0) FROM frame").fetchone()[0]
        self._has_delivery_table = False
        self._noted: list[Facts] = []
        self.open = True
        self.added = 0
        self.last_time = 0.0

    def add(self, frame: FaceFrame, delivery: Delivery | None) -> None:
        """Insert a frame and its samples; a delivery that is there already changes nothing."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        self.added += 1
        if delivery is None or self._is_new(delivery):
            self._insert(frame)

    def note(self, facts: Facts) -> None:
        """Insert metadata, in place of what was known by the same keys."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.info.items()
        )
        self._noted.append(facts)

    def commit(self) -> None:
        """Make the rows safe."""
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")
        for facts in self._noted:
            facts.safe.set()
        self._noted.clear()

    def _is_new(self, delivery: Delivery) -> bool:
        run = self._connection.execute
        if not self._has_delivery_table:
            run(_DELIVERY_TABLE)
            self._has_delivery_table = True
        return run("INSERT OR IGNORE INTO delivery VALUES (?, ?)", delivery).rowcount == 1

    def _insert(self, frame: FaceFrame) -> None:
        run = self._connection.execute
        if frame.source not in self._sources:
            self._sources[frame.source] = len(self._sources) + 1
            run("INSERT INTO source VALUES (?, ?)", (self._sources[frame.source], frame.source))
        self._last_id += 1
        run(
            "INSERT INTO frame VALUES (?, ?, ?, ?, ?, ?)",
            (self._last_id, self._sources[frame.source], int(frame.frame), float(frame.time),
             int(frame.width), int(frame.height)),
        )  # fmt: skip
        for face in frame.faces:
            actor = int(face.id)
            if actor not in self._actors and actor != NO_ID:
                self._actors.add(actor)
                run("INSERT INTO actor VALUES (?, ?)", (actor, f"Actor {actor}"))
            run(
                "INSERT OR REPLACE INTO sample VALUES (?, ?, ?)",
                (actor, self._last_id, pack_sample(face)),
            )
        self.last_time = float(frame.time)
