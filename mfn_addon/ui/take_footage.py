# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the footage of the chosen take lies, also after it was moved or renamed."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import bpy

from ..take.stamps import find_stamped, stamp_of
from .take_list import facts_of

_KEPT = 5.0
"""Seconds for which a search that found nothing is not made again, unless a folder changes:
panels ask each time they are drawn."""

_Stamps = tuple[tuple[str, str], ...]


def chosen_footage(context: bpy.types.Context) -> Path | None:
    """The footage of the chosen take, where it is known."""
    item = context.window_manager.mfn.take()
    if item is None or item.error:
        return None
    take = Path(item.path)
    chosen, saved = context.scene.mfn.footage, bpy.data.filepath
    return footage_of(
        item.sources,
        facts_of(take).stamps,
        Path(bpy.path.abspath(chosen)) if chosen else None,
        (take.parent, *([Path(saved).parent] if saved else [])),
    )


def footage_of(
    sources: str, stamps: _Stamps, chosen: Path | None, folders: tuple[Path, ...]
) -> Path | None:
    """The footage of a take: the file of its source's name, or else one that has its stamp.

    Args:
        sources: what the take names as its sources.
        stamps: (source, stamp) of the footage that it was made from.
        chosen: the scene's footage, or a folder in which it may lie.
        folders: where it may lie too.
    """
    names, known = sources.split(", "), dict(stamps)
    named = [chosen] if chosen is not None and chosen.name in names else []
    named += [folder / name for folder in folders for name in names if name]
    there = [path for path in named if path.is_file()]
    for path in there:
        if path.name not in known or _stamp(path) == known[path.name]:
            return path
    if stamps:
        places = _places(chosen, folders)
        found = _search(stamps, places, tuple(map(_changed, places)), int(time.monotonic() / _KEPT))
        if found is not None and found.is_file():
            return found
    return there[0] if there else None  # another file of its name: the pass tells so


def _places(chosen: Path | None, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    if chosen is None:
        return folders
    return (chosen, *folders) if chosen.is_dir() else (chosen, *folders, chosen.parent)


@lru_cache(maxsize=32)
def _search(
    stamps: _Stamps, places: tuple[Path, ...], _changed: tuple[int, ...], _now: int
) -> Path | None:
    return find_stamped((stamp for _, stamp in stamps), places)


def _stamp(path: Path) -> str:
    """The file's stamp; "" where it cannot be read."""
    return _stamp_kept(path, _changed(path))


@lru_cache(maxsize=64)
def _stamp_kept(path: Path, _: int) -> str:
    try:
        return stamp_of(path)
    except OSError:
        return ""


def _changed(path: Path) -> int:
    """When a file or folder has changed, for a search that is made again only then."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
