# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a take: frame by frame as it was recorded, or one actor's whole performance at once."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..face import FaceFrame
from .corrections import Layer, frames_under
from .database import connect
from .errors import TakeError
from .layers import read_layers
from .layout import APPLICATION_ID, VERSION, unpack_sample
from .pass_tables import read_passes, under_passes
from .performance import Performance, performance_of
from .thumbnails import Thumbnail, read_thumbnails


@dataclass(frozen=True)
class Actor:
    """One actor of a take.

    Attributes:
        id: the id that this actor's faces carry.
        name: what the user calls the actor.
        frames: in how many frames the actor is in view.
        start, end: seconds, the first and the last of them.
    """

    id: int
    name: str
    frames: int
    start: float
    end: float


class Take:
    """A recorded take; a context manager. Nothing here changes its samples.

    Attributes:
        path: the file.
        info: its metadata, e.g. "created".
        sources: the names of its sources.
        duration: seconds from its first frame to its last.
        start: the time of its first frame, seconds.
        frame_count: how many frames it has.
        passes: the recordings over the first one, by number.
        finished: False where recording was cut off (a crash, a full disk); what was committed
            is all there.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a take.

        Raises:
            TakeError: absent, no take, damaged, or written by a newer version.
        """
        self.path = Path(path)
        if not self.path.is_file():
            raise TakeError("{path}: there is no such take", path=self.path)
        # A take whose recording was cut off still has its log, and reading brings that in,
        # which needs write access; a finished take is only ever read.
        mode = "rw" if Path(f"{self.path}-wal").exists() else "ro"
        with self._telling():
            self._connection = connect(self.path, mode)
        try:
            with self._telling():
                self._check()
                self.info = dict(self._connection.execute("SELECT key, value FROM meta"))
                self.sources = [
                    name for (name,) in self._connection.execute("SELECT name FROM source")
                ]
                self.passes = read_passes(self._connection)
                self.frame_count, start, end = self._connection.execute(
                    "SELECT count(*), min(time), max(time) FROM frame"
                ).fetchone()
        except BaseException:
            self.close()
            raise
        self.start = start or 0.0
        self.duration = (end or 0.0) - self.start
        self.finished = self.info.pop("finished", None) is not None

    def actors(self) -> list[Actor]:
        """Who is in the take, by id."""
        with self._telling():
            rows = self._connection.execute(
                "SELECT sample.actor, actor.name, count(*), min(frame.time), max(frame.time) "
                "FROM sample JOIN frame ON frame.id = sample.frame "
                "JOIN actor ON actor.id = sample.actor GROUP BY sample.actor"
            ).fetchall()
        return [Actor(*row) for row in rows]

    @property
    def id(self) -> str:
        """What the take is known by for good, whatever its file is called: bakes carry it.

        Takes from before there were ids have one worked out from facts that never change.
        """
        facts = f"{self.info.get('created')} {self.frame_count} {self.start} {self.duration}"
        return self.info.get("id") or uuid.uuid5(uuid.NAMESPACE_OID, facts).hex

    @property
    def timeline(self) -> float | None:
        """Where the take's time 0 lies on the timeline that it was recorded along, in seconds
        (a scene's frame over its frames a second); None where there was none."""
        try:
            return float(self.info["timeline"])
        except (KeyError, ValueError):
            return None

    def actor_names(self) -> dict[int, str]:
        """Who is in the take, by id: quick, also where a take is long."""
        with self._telling():
            return dict(self._connection.execute("SELECT id, name FROM actor ORDER BY id"))

    def frames(self, source: str | None = None) -> Iterator[FaceFrame]:
        """The frames by time, of all sources or of one; under the take's passes, if it has any.

        Raises:
            TakeError: a part of the file is damaged; the frames before it have been given.
        """
        if self.passes:
            yield from (f for f in frames_under(self, ()) if source in (None, f.source))
            return
        query = (
            "SELECT frame.id, source.name, number, time, width, height "
            "FROM frame JOIN source ON source.id = frame.source "
            "WHERE ?1 IS NULL OR source.name = ?1 ORDER BY time, frame.id"
        )
        with self._telling():
            for key, name, number, time, width, height in self._connection.execute(
                query, (source,)
            ):
                rows = self._connection.execute(
                    "SELECT actor, data FROM sample WHERE frame = ? ORDER BY actor", (key,)
                )
                faces = [unpack_sample(actor, data) for actor, data in rows]
                yield FaceFrame(time, name, number, width, height, faces)

    def performance(self, actor: int) -> Performance:
        """One actor's samples as arrays: the quick way to bake.

        Raises:
            TakeError: the take has no such actor, or is damaged.
        """
        return self.performances([actor])[actor]

    def performances(self, actors: Collection[int]) -> dict[int, Performance]:
        """Several actors' samples, under the take's passes; read at once, as a long take needs.

        Raises:
            TakeError: the take lacks one of them, or is damaged.
        """
        frames: dict[int, list[int]] = {actor: [] for actor in actors}
        samples = {actor: bytearray() for actor in actors}
        marks = ", ".join("?" * len(frames))
        # In the order of the file, and without a join: each costs more than reading itself.
        query = f"SELECT frame, actor, data FROM sample WHERE actor IN ({marks}) ORDER BY frame"
        with self._telling():
            for frame, actor, data in self._connection.execute(query, tuple(frames)):
                frames[actor].append(frame)
                samples[actor] += data
            for actor, seen in frames.items():
                if not seen:
                    known = ", ".join(str(each.id) for each in self.actors()) or "none"
                    raise TakeError(
                        "{path}: no actor {actor} in this take (it has: {known})",
                        path=self.path,
                        actor=actor,
                        known=known,
                    )
            times = dict(self._connection.execute("SELECT id, time FROM frame"))
            told = {
                actor: performance_of(actor, times, frames[actor], samples[actor])
                for actor in frames
            }
            if not self.passes:
                return told
            return under_passes(self._connection, told, self.passes, len(self.actor_names()))

    def heads(self) -> dict[int, FaceFrame]:
        """All frames without their faces, by their `frame.id` in the file."""
        query = (
            "SELECT frame.id, source.name, number, time, width, height "
            "FROM frame JOIN source ON source.id = frame.source"
        )
        with self._telling():
            return {
                key: FaceFrame(time, name, number, width, height, [])
                for key, name, number, time, width, height in self._connection.execute(query)
            }

    def layers(self) -> list[Layer]:
        """The corrections that lie over the samples, the first one first.

        Raises:
            TakeError: a layer cannot be read; the samples can.
        """
        with self._telling():
            return read_layers(self._connection)

    def thumbnails(self) -> list[Thumbnail]:
        """The pictures that were kept, by time; none unless the user has asked for them."""
        with self._telling():
            return read_thumbnails(self._connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise TakeError("{path}: this file is not a take", path=self.path)
        if version > VERSION:
            raise TakeError(
                "{path}: written by a newer version of MFN Face Capture (take format {format}, "
                "this version reads up to {newest}); update the extension",
                path=self.path,
                format=version,
                newest=VERSION,
            )

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn SQLite's errors into TakeErrors."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            text = str(error)
            if "not a database" in text:
                raise TakeError("{path}: this file is not a take", path=self.path) from error
            if "locked" in text or "unable to open" in text or "readonly" in text:
                raise TakeError(
                    "{path}: the take cannot be opened ({error})", path=self.path, error=text
                ) from error
            raise TakeError(
                "{path}: the take is damaged ({error})", path=self.path, error=text
            ) from error
        except ValueError as error:
            if isinstance(error, TakeError):
                raise
            raise TakeError(
                "{path}: the take is damaged ({error})", path=self.path, error=error
            ) from error
