# SPDX-License-Identifier: GPL-3.0-or-later
"""The take's tables and the bytes of a sample (described in docs/take_format.md)."""

from __future__ import annotations

from typing import Final

import numpy as np

from ..face import EXPRESSIONS, IDENTITY_COUNT, LANDMARK_COUNT, Face

APPLICATION_ID: Final = 0x4D464E54
"""`MFNT`, in SQLite's header: what `file` and other programs know a take by."""

VERSION: Final = 2
"""The newest format that this code reads (SQLite's user_version)."""

PLAIN_VERSION: Final = 1
"""The format of a take that was recorded once. Readers of this format know all that is in it."""

PASSES_VERSION: Final = 2
"""The format of a take with passes: without them, a reader would show the wrong performance."""

SUFFIX: Final = ".mfntake"

TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE actor (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE frame (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    number INTEGER NOT NULL,
    time REAL NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL
);
CREATE TABLE sample (
    actor INTEGER NOT NULL,
    frame INTEGER NOT NULL REFERENCES frame,
    data BLOB NOT NULL,
    PRIMARY KEY (frame, actor)
) WITHOUT ROWID;
CREATE TABLE layer (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    settings TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE correction (
    layer INTEGER NOT NULL REFERENCES layer ON DELETE CASCADE,
    actor INTEGER NOT NULL,
    frame INTEGER NOT NULL REFERENCES frame,
    data BLOB NOT NULL,
    PRIMARY KEY (layer, actor, frame)
) WITHOUT ROWID;
"""

SAMPLE: Final = np.dtype(
    [
        ("score", "<f4"),
        ("box", "<f4", 4),
        ("rotation", "<f4", (3, 3)),
        ("translation", "<f4", 3),
        ("expression", "<f4", len(EXPRESSIONS)),
        ("identity", "<f4", IDENTITY_COUNT),
        ("landmarks", "<f4", (LANDMARK_COUNT, 2)),
    ]
)
"""One face in one frame: 980 bytes, little-endian float32, no padding. All 32 bits are kept,
so that an exported take has the very numbers that were recorded."""


def pack_sample(face: Face) -> bytes:
    """The face as one sample."""
    parts = (
        np.float32(face.score), face.box, face.rotation, face.translation, face.expression,
        face.identity, face.landmarks,
    )  # fmt: skip
    return b"".join(np.asarray(part, "<f4").tobytes() for part in parts)


def unpack_sample(actor: int, data: bytes) -> Face:
    """The inverse of `pack_sample`. Raises ValueError for another length."""
    return face_of(actor, np.frombuffer(data, SAMPLE, count=1)[0])


def face_of(actor: int, record: np.void) -> Face:
    """A Face from one SAMPLE record; the arrays are copies."""
    arrays = {name: record[name].copy() for name in SAMPLE.names or () if name != "score"}
    return Face(id=actor, score=float(record["score"]), **arrays)
