# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of takes says of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..take import Take, TakeError

if TYPE_CHECKING:
    from .properties import MFN_TakeItem


def describe_take(item: MFN_TakeItem, path: Path) -> None:
    """Fill a list item from a take's file; an unusable take is listed with its error."""
    item.name, item.path = path.stem, str(path)
    try:
        with Take(path) as take:
            item.duration = take.duration
            item.actors = " ".join(str(actor.id) for actor in take.actors())
            item.date = take.info.get("created", "")[:16].replace("T", " ")
    except TakeError as error:
        item.error = str(error)
