# SPDX-License-Identifier: GPL-3.0-or-later
"""A take as a database: connected to, created, gone on with, finished."""

from __future__ import annotations

import errno
import sqlite3
import uuid
from datetime import UTC, datetime
from pathlib import Path

from ..face import EXPRESSIONS
from .errors import TakeError
from .layout import APPLICATION_ID, PLAIN_VERSION, TABLES


def connect(path: Path, mode: str = "rwc") -> sqlite3.Connection:
    """A connection whose transactions are begun by hand."""
    uri = f"{Path(path).resolve().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def make_way(path: Path, overwrite: bool) -> None:
    """Let a new take be created at `path`: its folder is there, and nothing of this name.

    Raises:
        TakeError: it exists and is not to be replaced, is a folder, or cannot be written there.
    """
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


def check_appendable(path: Path) -> None:
    """Raises TakeError where `path` is no take that frames can be added to."""
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


def create(connection: sqlite3.Connection, info: dict[str, str]) -> None:
    """Lay out an empty take with this metadata."""
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


def reopen(connection: sqlite3.Connection, info: dict[str, str]) -> None:
    """Make a take ready for more frames; it counts as unfinished until they are in."""
    _log_ahead(connection)
    connection.execute("BEGIN")
    connection.execute("DELETE FROM meta WHERE key = 'finished'")
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", info.items())
    connection.execute("COMMIT")


def _log_ahead(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def finish(connection: sqlite3.Connection) -> None:
    """Mark the take as ended in good order and bring the log into the one file."""
    connection.execute("INSERT INTO meta VALUES ('finished', '1')")
    # A reader that has the take open keeps the log alive; the take is complete either way.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise


def close(connection: sqlite3.Connection) -> None:
    """End the connection, without what it had not committed."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()
    except sqlite3.Error:  # the error that ended the recording is the one to tell
        pass


def is_disk_full(error: Exception) -> bool:
    """Whether this is how SQLite or the system tells that the disk has no room."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE
