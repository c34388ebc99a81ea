# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording a take: adding a frame never waits for the disk, and a crash loses half a second."""

from __future__ import annotations

import errno
import queue
import sqlite3
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from ..face import EXPRESSIONS, FaceFrame
from ..texts import Text
from .batch import Batch, Delivery, Facts
from .errors import TakeError
from .layout import APPLICATION_ID, PLAIN_VERSION, TABLES

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
            _check_appendable(self.path)
        else:
            _make_way(self.path, overwrite)
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

    def note(self, info: dict[str, str]) -> None:
        """Add metadata, and wait until it is safe on the disk; read back as `Take.info`.

        Raises:
            TakeError: as `add`.
        """
        if self._closed:
            raise TakeError(f"{self.path}: this take is closed")
        facts = Facts(info)
        self._queue.put(facts)
        while not facts.safe.wait(COMMIT_EVERY) and self._thread.is_alive():
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
            connection = connect(self.path)
            if self._append:
                _reopen(connection, info)
            else:
                _create(connection, info)
            ready.set()
            batch = Batch(connection)
            while batch.open:
                self._fill(batch)
                batch.commit()
                self._committed_time = batch.last_time
                self.frames_committed = batch.added
            _finish(connection)
        except (sqlite3.Error, OSError) as error:
            self._error = self._explain(error)
        finally:
            if connection is not None:
                _close(connection)
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
        full = _is_disk_full(error)
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


def connect(path: Path, mode: str = "rwc") -> sqlite3.Connection:
    """A connection whose transactions are begun by hand."""
    uri = f"{Path(path).resolve().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _make_way(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise TakeError("{path}: is a folder; name a file in it", path=path)
    if path.exists() and not overwrite:
        raise TakeError("{path}: exists already; choose another name, or overwrite it", path=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for stale in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            stale.unlink(missing_ok=True)
    except OSError as error:
        raise TakeError(
            "{path}: cannot be created there ({error})", path=path, error=error.strerror or error
        ) from error


def _check_appendable(path: Path) -> None:
    if not path.is_file():
        raise TakeError(f"{path}: there is no such take to add to")
    try:
        connection = connect(path, "rw")
        facts = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        ]
        connection.close()
    except sqlite3.Error as error:
        raise TakeError(f"{path}: cannot be added to ({error})") from error
    if facts != [APPLICATION_ID, PLAIN_VERSION]:
        raise TakeError(
            f"{path}: is no take of format {PLAIN_VERSION}, so nothing can be added to it"
        )


def _create(connection: sqlite3.Connection, info: dict[str, str]) -> None:
    _log_ahead(connection)
    facts = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "id": uuid.uuid4().hex,
        "expressions": " ".join(EXPRESSIONS),
        **info,
    }
    connection.execute("BEGIN")
    for statement in TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {PLAIN_VERSION}")
    connection.execute("COMMIT")


def _reopen(connection: sqlite3.Connection, info: dict[str, str]) -> None:
    """Make a take ready for more frames; it counts as unfinished until they are in."""
    _log_ahead(connection)
    connection.execute("BEGIN")
    connection.execute("DELETE FROM meta WHERE key = 'finished'")
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", info.items())
    connection.execute("COMMIT")


def _log_ahead(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _finish(connection: sqlite3.Connection) -> None:
    """Mark the take as ended in good order and bring the log into the one file."""
    connection.execute("INSERT INTO meta VALUES ('finished', '1')")
    # A reader that has the take open keeps the log alive; the take is complete either way.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise


def _close(connection: sqlite3.Connection) -> None:
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()
    except sqlite3.Error:  # the error that ended the recording is the one to tell
        pass


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE
