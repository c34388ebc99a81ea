# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing what a take says beside its samples: layers, facts, thumbnails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from .database import connect
from .errors import TakeError
from .layout import APPLICATION_ID, VERSION


@contextmanager
def editing(path: str | Path) -> Iterator[sqlite3.Connection]:
    """A transaction on a take that is there; it is done whole or not at all.

    Raises:
        TakeError: no such take, none at all, of a newer format, or it cannot be written.
    """
    path = Path(path)
    if not path.is_file():
        raise TakeError("{path}: there is no such take", path=path)
    try:
        with closing(connect(path, "rw")) as connection:
            _check(connection, path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise TakeError(
            "{path}: the take cannot be changed ({error})", path=path, error=error
        ) from error


def write_info(path: str | Path, info: Mapping[str, str]) -> None:
    """Set some of a take's metadata (`Take.info`); an empty text takes a fact away.

    Raises:
        TakeError: there is no such take, or it cannot be written.
    """
    with editing(path) as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(key, value) for key, value in info.items() if value],
        )
        connection.executemany(
            "DELETE FROM meta WHERE key = ?", [(key,) for key, value in info.items() if not value]
        )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    run = connection.execute
    if run("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise TakeError("{path}: this file is not a take", path=path)
    if run("PRAGMA user_version").fetchone()[0] > VERSION:
        raise TakeError(
            "{path}: written by a newer version of MFN Face Capture; update the extension",
            path=path,
        )
