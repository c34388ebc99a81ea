# SPDX-License-Identifier: GPL-3.0-or-later
"""Which footage a take is of: its file's size and contents, since names are given twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PREFIX = "footage:"
_PIECE = 64 * 1024
"""Bytes that are read of each end of a file: hours of footage are told apart at once."""


def stamp_of(path: Path) -> str:
    """The file's bytes, and 16 digits of SHA-256 over its first and last 64 KiB. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        pieces = hashlib.sha256(file.read(_PIECE))
        file.seek(max(size - _PIECE, 0))
        pieces.update(file.read(_PIECE))
    return f"{size} {pieces.hexdigest()[:16]}"


def stamp_info(source: str, path: Path) -> dict[str, str]:
    """The line of a take's metadata that tells what file its source was; none for a folder.

    Args:
        source: what the take's frames carry as their source.
        path: the footage. Raises OSError.
    """
    return {_PREFIX + source: stamp_of(path)} if path.is_file() else {}


def is_other(info: dict[str, str], source: str, path: Path) -> bool:
    """Whether a take's metadata says that its source was another file; False where it says nothing,
    as in takes of earlier versions. Raises OSError."""
    known = info.get(_PREFIX + source)
    return known is not None and path.is_file() and known != stamp_of(path)
