# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of takes: what it says of each, and the facts that people edit there.

Files are read when the list is, each once as long as it does not change; drawing reads none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

from ..take import Take, TakeError, write_info
from ..take.library import slate_of, take_files
from ..take.stamps import stamps_in
from .notice import say
from .translation import told

MOST_STARS = 5


@dataclass(frozen=True)
class TakeFacts:
    """What the list says of a take's file.

    Attributes:
        created: seconds since 1970.
        stamps: (source, stamp) of the footage that the take says it was made from.
    """

    created: float
    slate: str = ""
    number: int = 0
    duration: float = 0.0
    actors: tuple[int, ...] = ()
    sources: str = ""
    stamps: tuple[tuple[str, str], ...] = ()
    rating: int = 0
    note: str = ""
    along: bool = False
    error: str = ""


class _Filling:
    """While an item is filled by code, its updates are no edits."""

    now = False


def _edited(item: Any, _: bpy.types.Context) -> None:
    """Keep an edit in the take."""
    if _Filling.now or item.error:
        return
    facts = {
        "slate": item.slate, "note": item.note,
        "take_number": str(item.number) if item.number else "",
        "rating": str(item.rating) if item.rating else "",
    }  # fmt: skip
    try:
        write_info(item.path, facts)
    except TakeError as error:
        say(told(error), "ERROR")


class MFN_TakeItem(bpy.types.PropertyGroup):
    """One take on disk; `name` is its file's."""

    path: StringProperty(name="File", description="The take's file", subtype="FILE_PATH")
    slate: StringProperty(name="Slate", description="The scene or shot it is of", update=_edited)
    number: IntProperty(
        name="Take", description="Which take of its slate; 0 for none", min=0, update=_edited
    )
    rating: IntProperty(
        name="Rating", description="Stars; 0 for not rated", min=0, max=MOST_STARS, update=_edited
    )
    note: StringProperty(name="Note", description="What to remember of it", update=_edited)
    duration: FloatProperty(name="Duration", description="Seconds", subtype="TIME_ABSOLUTE")
    actors: StringProperty(name="Actors", description="The numbers of the actors in it")
    sources: StringProperty(name="Sources", description="The cameras and footage it is from")
    date: StringProperty(name="Recorded", description="When it was recorded")
    along: BoolProperty(
        name="Along Timeline", description="It knows where on the timeline it was recorded"
    )
    error: StringProperty(name="Error", description="Why it cannot be used")

    def actor_ids(self) -> list[int]:
        """The ids of the actors in the take."""
        return [int(word) for word in self.actors.split()]

    def matches(self, search: str) -> bool:
        """Whether each word of a search is somewhere in what the list knows of the take."""
        known = (
            f"{self.name} {self.slate} {self.number or ''} {self.date} {self.sources} "
            f"{self.note} {' '.join(f'actor {actor}' for actor in self.actors.split())}"
        ).lower()
        return all(word in known for word in search.lower().split())


def takes_in(folder: Path) -> list[Path]:
    """The takes in a folder, the newest recording first."""
    dated = [(facts_of(path).created, path.name, path) for path in take_files(folder)]
    return [path for _, _, path in sorted(dated, reverse=True)]


def describe_take(item: Any, path: Path) -> None:
    """Fill a list item from a take's file; an unusable take is listed with its error."""
    facts = facts_of(path)
    _Filling.now = True
    try:
        item.name, item.path = path.stem, str(path)
        item.slate, item.number = facts.slate, facts.number
        item.rating, item.note = facts.rating, facts.note
        item.duration, item.sources = facts.duration, facts.sources
        item.actors = " ".join(map(str, facts.actors))
        item.date = f"{datetime.fromtimestamp(facts.created, UTC).astimezone():%Y-%m-%d %H:%M}"
        item.along, item.error = facts.along, facts.error
    finally:
        _Filling.now = False


def facts_of(path: Path) -> TakeFacts:
    """What a take's file says, read again only where it has changed."""
    told = path.stat() if path.exists() else None
    return _facts(path, told.st_mtime if told else 0.0, told.st_size if told else 0)


@lru_cache(maxsize=1000)
def _facts(path: Path, modified: float, _size: int) -> TakeFacts:
    try:
        with Take(path) as take:
            slate, number = slate_of(path)
            info = take.info
            return TakeFacts(
                created=_seconds(info.get("created", ""), modified),
                slate=info.get("slate", slate),
                number=_whole(info.get("take_number", ""), number),
                duration=take.duration,
                actors=tuple(take.actor_names()),
                sources=", ".join(take.sources),
                stamps=tuple(stamps_in(info).items()),
                rating=min(_whole(info.get("rating", ""), 0), MOST_STARS),
                note=info.get("note", ""),
                along=take.timeline is not None,
            )
    except TakeError as error:
        return TakeFacts(created=modified, error=told(error))


def _seconds(created: str, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(created).timestamp()
    except ValueError:
        return otherwise


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() else otherwise
