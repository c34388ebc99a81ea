# SPDX-License-Identifier: GPL-3.0-or-later
"""Videos that cameras recorded beside a take: which files, and where they lie in its time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "video:"


@dataclass(frozen=True)
class Video:
    """One piece of video.

    Attributes:
        name: its file, in the take's folder.
        source: the take's source that it shows.
        start: the take's time at its first picture, seconds; may lie before 0.
        key: what its sender knows it by.
    """

    name: str
    source: str
    start: float
    key: str = ""

    def to_info(self) -> dict[str, str]:
        """The line of a take's metadata that tells of it."""
        facts = {"source": self.source, "start": self.start, "key": self.key}
        return {_PREFIX + self.name: json.dumps(facts)}


def videos_in(info: dict[str, str]) -> list[Video]:
    """The videos that a take's metadata names, by their start; lines that are none are left out."""
    found = []
    for key, value in info.items():
        name = key.removeprefix(_PREFIX)
        if name == key or Path(name).name != name:  # a file beside the take, and nowhere else
            continue
        try:
            facts = json.loads(value)
            found.append(Video(name, str(facts["source"]), float(facts["start"]), facts["key"]))
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda video: (video.start, video.name))
