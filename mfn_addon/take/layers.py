# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of corrections in a take's file: the table `layer`, beside the samples."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from .corrections import Layer
from .edit import editing

_KIND = "corrections"

_TABLE = """CREATE TABLE IF NOT EXISTS layer (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    settings TEXT NOT NULL DEFAULT '{}'
)"""


def read_layers(connection: sqlite3.Connection) -> list[Layer]:
    """The corrections in a take. Raises ValueError for one that cannot be read."""
    run = connection.execute
    if not run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'layer'").fetchone():
        return []
    rows = run("SELECT name, enabled, settings FROM layer WHERE kind = ? ORDER BY id", (_KIND,))
    return [Layer.from_settings(name, bool(enabled), text) for name, enabled, text in rows]


def write_layers(path: str | Path, layers: Sequence[Layer]) -> None:
    """Put these corrections in the place of a take's; its samples stay as they are.

    Raises:
        TakeError: there is no such take, or it cannot be written.
    """
    with editing(path) as connection:
        connection.execute(_TABLE)
        connection.execute("DELETE FROM layer WHERE kind = ?", (_KIND,))
        connection.executemany(
            "INSERT INTO layer (kind, name, enabled, settings) VALUES (?, ?, ?, ?)",
            [(_KIND, layer.name, int(layer.enabled), layer.settings()) for layer in layers],
        )
