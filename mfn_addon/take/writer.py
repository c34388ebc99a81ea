# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording a take: adding a frame never waits for the disk, and a crash loses half a second."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from pathlib import Path
from typing import Self

from ..face import FaceFrame
from ..texts import Text
from . import database
from .batch import Batch, Delivery, Facts
from .errors import TakeError

COMMIT_EVERY = 0.4
"""Seconds between commits. Each is synced to the disk (WAL, synchronous=FULL)."""

_WAITING_FRAMES = 36_000
"""Frames that may wait for a slow disk (ten minutes at 60 a second) before `add` waits too."""


_Item = tuple[FaceFrame, Delivery | None] | Facts


class TakeWriter:
    """Records FaceFrames into a take; a context manager.

    The database belongs to a thread of its own: `add` only hands the frame over. An error of
    that thread (a full disk, say) is raised by the next `add`, or by `close`; everything that
    had been committed stays.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        append: bool = False,
        info: dict[str, str] | None = None,
    ) -> None:
        """Create the take, or go on with one.

        Args:
            path: the file, by custom `*.mfntake`.
            overwrite: replace a take of this name.
            append: add to the take of this name, which has to be there.
            info: further metadata, e.g. {"network": "…"}; read back as `Take.info`.

        Raises:
            TakeError: it exists already, is not there to be added to, or cannot be written.
        """
        self.path = Path(path)
        self.frames_added = 0
        self.frames_committed = 0
        """How many of those added are safe on the disk, in the order of adding."""
        self._error: TakeError | None = None
        self._committed_time = 0.0
        self._queue: queue.Queue[_Item | None] = queue.Queue(_WAITING_FRAMES)
        self._closed = False
        self._append = append
        if append:
            database.check_appendable(self.path)
        else:
            database.make_way(self.path, overwrite)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready, dict(info or {})), name="take writer", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._error:
            self._closed = True
            raise self._error

    def add(self, frame: FaceFrame, delivery: Delivery | None = None) -> None:
        """Record a frame, also one without faces. Do not change it afterwards.

        Args:
            frame: what to record; frames may come in any order of time.
            delivery: what the frame is known by where it may come twice; it is kept once.

        Raises:
            TakeError: the take cannot be written any more; what it holds so far is kept.
        """
        if self._closed:
            raise TakeError(f"{self.path}: this take is closed")
        if self._error:
            raise self._error
        self._queue.put((frame, delivery))
        self.frames_added += 1

    def note(self, info: dict[str, str], wait: bool = True) -> None:
        """Add metadata; read back as `Take.info`.

        Args:
            wait: until it is safe on the disk.

        Raises:
            TakeError: as `add`.
        """
        if self._closed:
            raise TakeError(f"{self.path}: this take is closed")
        facts = Facts(info)
        self._queue.put(facts)
        while wait and not facts.safe.wait(COMMIT_EVERY) and self._thread.is_alive():
            pass
        if self._error:
            raise self._error

    def close(self) -> None:
        """Write what is waiting, and leave a single finished file.

        Raises:
            TakeError: an error that no `add` has raised yet.
        """
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)  # the end
        self._thread.join()
        if self._error:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except TakeError:
            if kind is None:  # otherwise the error under way is the first and tells more
                raise

    def _run(self, ready: threading.Event, info: dict[str, str]) -> None:
        """The thread: create, commit batches until the end, finish."""
        connection = None
        try:
            connection = database.connect(self.path)
            if self._append:
                database.reopen(connection, info)
            else:
                database.create(connection, info)
            ready.set()
            batch = Batch(connection)
            while batch.open:
                self._fill(batch)
                batch.commit()
                self._committed_time = batch.last_time
                self.frames_committed = batch.added
            database.finish(connection)
        except (sqlite3.Error, OSError) as error:
            self._error = self._explain(error)
        finally:
            if connection is not None:
                database.close(connection)
            ready.set()
            self._drain()

    def _fill(self, batch: Batch) -> None:
        """Add frames until the batch is old enough to be committed."""
        self._take_in(batch, self._queue.get())
        until = time.monotonic() + COMMIT_EVERY
        while batch.open:
            try:
                item = self._queue.get(timeout=max(until - time.monotonic(), 0.0))
            except queue.Empty:
                return
            self._take_in(batch, item)
            if time.monotonic() >= until:
                return

    def _take_in(self, batch: Batch, item: _Item | None) -> None:
        if item is None:
            batch.open = False
        elif isinstance(item, Facts):
            batch.note(item)
        else:
            batch.add(*item)

    def _drain(self) -> None:
        """Let no `add` wait for a thread that has ended."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return

    def _explain(self, error: Exception) -> TakeError:
        full = database.is_disk_full(error)
        cause = Text("the take cannot be written ({error})", error=error)
        if full:
            cause = Text("the disk is full")
        if not self.frames_committed:
            return TakeError("{path}: {cause}; nothing was recorded", path=self.path, cause=cause)
        told = TakeError(
            "{path}: {cause}; recording has stopped, its first {count} frames (up to "
            "{seconds:.1f} s) are kept",
            path=self.path, cause=cause, count=self.frames_committed, seconds=self._committed_time,
        )  # fmt: skip
        return TakeError("{told}; free some space and record again", told=told) if full else told
