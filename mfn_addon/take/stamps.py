# SPDX-License-Identifier: GPL-3.0-or-later
"""Which footage a take is of: its file's size and contents, since names are given twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
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


def stamps_in(info: Mapping[str, str]) -> dict[str, str]:
    """The stamps of a take's metadata, by source."""
    return {
        key.removeprefix(_PREFIX): stamp
        for key, stamp in info.items()
        if key.startswith(_PREFIX) and stamp
    }


def find_stamped(stamps: Iterable[str], places: Iterable[Path]) -> Path | None:
    """The first file with one of some stamps, whatever it is called.

    Sizes are compared first, so that hardly any file is read but the one that is found.

    Args:
        places: files, and folders whose files are looked at, but not those of their folders;
            what is not there or cannot be read is passed over.
    """
    first_words = {stamp: stamp.partition(" ")[0] for stamp in stamps}
    wanted = {stamp: int(word) for stamp, word in first_words.items() if word.isdecimal()}
    sizes = set(wanted.values())
    for path in _files(places) if wanted else ():
        try:
            if path.stat().st_size in sizes and stamp_of(path) in wanted:
                return path
        except OSError:
            continue
    return None


def _files(places: Iterable[Path]) -> Iterable[Path]:
    """The files among some places, then those in the folders, each folder once."""
    folders: dict[Path, None] = {}
    for place in places:
        if place.is_file():
            yield place
        elif place.is_dir():
            folders[place.resolve()] = None
    for folder in folders:
        try:
            inside = sorted(folder.iterdir())
        except OSError:
            continue
        yield from (path for path in inside if path.is_file())
