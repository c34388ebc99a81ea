# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes in a take's file: tables of their own, so that the first recording stays as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from .layout import PASSES_VERSION
from .passes import Pass, lay_over
from .performance import Performance, performance_of

_TABLES = (
    """CREATE TABLE IF NOT EXISTS pass (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    channels TEXT NOT NULL,
    start REAL,
    end REAL
)""",
    """CREATE TABLE IF NOT EXISTS pass_frame (
    pass INTEGER NOT NULL REFERENCES pass,
    id INTEGER NOT NULL,
    source TEXT NOT NULL,
    number INTEGER NOT NULL,
    time REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    PRIMARY KEY (pass, id)
) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS pass_sample (
    pass INTEGER NOT NULL REFERENCES pass,
    frame INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (pass, frame, actor)
) WITHOUT ROWID""",
)


def insert_pass(connection: sqlite3.Connection, new: Pass, recorded: sqlite3.Connection) -> None:
    """Copy a recording's frames and samples into a take, as a pass over what is there."""
    run = connection.execute
    for table in _TABLES:
        run(table)
    run(f"PRAGMA user_version = {PASSES_VERSION}")
    number = run(
        "INSERT INTO pass (at, channels, start, end) VALUES (?, ?, ?, ?)",
        (new.at, " ".join(new.channels), new.start, new.end),
    ).lastrowid
    assert number is not None
    _fill(connection, number, recorded)


def refill_pass(
    connection: sqlite3.Connection, new: Pass, recorded: sqlite3.Connection, frames: int
) -> bool:
    """Let a take's newest pass hold all frames of its recording, to which some have been added.

    Returns:
        False where it had as many frames already, and nothing was done.
    """
    run = connection.execute
    number, had = run("SELECT max(id) FROM pass").fetchone()[0], newest_count(connection)
    at = run("SELECT at FROM pass WHERE id = ?", (number,)).fetchone()[0]
    if (had, at) == (frames, new.at):
        return False
    run("DELETE FROM pass_sample WHERE pass = ?", (number,))
    run("DELETE FROM pass_frame WHERE pass = ?", (number,))
    run("UPDATE pass SET at = ? WHERE id = ?", (new.at, number))
    _fill(connection, number, recorded)
    return True


def newest_count(connection: sqlite3.Connection) -> int:
    """How many frames the newest pass of a take with passes has."""
    return connection.execute(
        "SELECT count(*) FROM pass_frame WHERE pass = (SELECT max(id) FROM pass)"
    ).fetchone()[0]


def _fill(connection: sqlite3.Connection, number: int, recorded: sqlite3.Connection) -> None:
    """Copy a recording's frames and samples; it may be growing, so both as of one moment."""
    recorded.execute("BEGIN")
    connection.executemany(
        f"INSERT INTO pass_frame VALUES ({number}, ?, ?, ?, ?, ?, ?)",
        recorded.execute(
            "SELECT frame.id, source.name, number, time, width, height "
            "FROM frame JOIN source ON source.id = frame.source"
        ),
    )
    connection.executemany(
        f"INSERT INTO pass_sample VALUES ({number}, ?, ?, ?)",
        recorded.execute("SELECT frame, actor, data FROM sample"),
    )
    recorded.execute("COMMIT")


def read_passes(connection: sqlite3.Connection) -> dict[int, Pass]:
    """The passes of a take by number, in the order in which they lie over it."""
    run = connection.execute
    if not run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'pass'").fetchone():
        return {}
    rows = run("SELECT id, at, channels, start, end FROM pass ORDER BY id").fetchall()
    return {
        number: Pass(at, tuple(channels.split()), start, end)
        for number, at, channels, start, end in rows
    }


def pass_performances(
    connection: sqlite3.Connection, number: int, at: float
) -> dict[int, Performance]:
    """The performances of one pass by actor, in the take's time: its first frame is at `at`."""
    rows = connection.execute("SELECT id, time FROM pass_frame WHERE pass = ?", (number,))
    times = dict(rows.fetchall())
    frames: dict[int, list[int]] = {}
    samples: dict[int, bytearray] = {}
    for frame, actor, data in connection.execute(
        "SELECT frame, actor, data FROM pass_sample WHERE pass = ? ORDER BY frame", (number,)
    ):
        frames.setdefault(actor, []).append(frame)
        samples.setdefault(actor, bytearray()).extend(data)
    shift = at - min(times.values(), default=0.0)
    told = {actor: performance_of(actor, times, frames[actor], samples[actor]) for actor in frames}
    return {actor: replace(each, time=each.time + shift) for actor, each in told.items()}


def under_passes(
    connection: sqlite3.Connection,
    performances: Mapping[int, Performance],
    passes: Mapping[int, Pass],
    actors: int,
) -> dict[int, Performance]:
    """Performances of the first recording with a take's passes over them.

    A pass's actor is the take's of the same id; where each has only one, they are the same.

    Args:
        actors: how many the take has.
    """
    shown = dict(performances)
    for number, each in passes.items():
        over = pass_performances(connection, number, each.at)
        alone = next(iter(over.values())) if len(over) == actors == 1 else None
        for actor, performance in shown.items():
            found = over.get(actor, alone)
            if found is not None:
                shown[actor] = lay_over(performance, found, each)
    return shown
