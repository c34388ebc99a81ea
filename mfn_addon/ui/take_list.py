# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of takes says of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..take import Take, TakeError

if TYPE_CHECKING:
    from .properties import MFN_TakeItem


@dataclass(frozen=True)
class _Facts:
    duration: float = 0.0
    actors: str = ""
    date: str = ""
    error: str = ""


def describe_take(item: MFN_TakeItem, path: Path) -> None:
    """Fill a list item from a take's file; an unusable take is listed with its error."""
    item.name, item.path = path.stem, str(path)
    told = path.stat() if path.exists() else None
    facts = _facts(path, told.st_mtime_ns if told else 0, told.st_size if told else 0)
    item.duration, item.actors, item.date = facts.duration, facts.actors, facts.date
    item.error = facts.error


@lru_cache(maxsize=1000)
def _facts(path: Path, _modified: int, _size: int) -> _Facts:
    """What a take holds; counting an hour's samples takes a moment, so each file is read once."""
    try:
        with Take(path) as take:
            actors = " ".join(str(actor.id) for actor in take.actors())
            created = take.info.get("created", "")[:16].replace("T", " ")
            return _Facts(take.duration, actors, created)
    except TakeError as error:
        return _Facts(error=str(error))
