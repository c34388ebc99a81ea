# SPDX-License-Identifier: GPL-3.0-or-later
"""Naming profiles: what the rigs of the field call their shapes, kept as data in `profiles/`.

A profile file is JSON:

    name, title, description, source   who it is, in words, and where the names are documented
    minimum                            so many shapes must match before the profile is taken
    shapes                             target name -> {
        terms      ARKit expression -> weight: the target is the weighted sum of these
        limit      [low, high], 0..1 unless given
        aliases    other spellings beyond those that `names.words` sees through
        part       "gaze" or "jaw": dropped where bones do that part already
        unless     targets that, all present, make this one superfluous
    }
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS

PROFILES_FOLDER = Path(__file__).resolve().parent / "profiles"
PARTS = ("", "gaze", "jaw")


@dataclass(frozen=True)
class Shape:
    """One target shape key of a profile; see the module's description of `shapes`."""

    name: str
    terms: dict[str, float]
    limit: tuple[float, float] = (0.0, 1.0)
    aliases: tuple[str, ...] = ()
    part: str = ""
    unless: tuple[str, ...] = ()

    def weights(self) -> np.ndarray:
        """(52,) the target as a weighted sum of the 52 expressions."""
        row = np.zeros(len(EXPRESSIONS))
        for expression, weight in self.terms.items():
            row[EXPRESSION_INDEX[expression]] = weight
        return row


@dataclass(frozen=True)
class Profile:
    """A naming convention; see the module's description of the file."""

    name: str
    title: str
    description: str
    source: str
    minimum: int
    shapes: tuple[Shape, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Profile:
        """Read a profile.

        Raises:
            ValueError: a key is missing, or a term is no ARKit name; the message names it.
        """
        try:
            return cls(
                name=str(data["name"]),
                title=str(data["title"]),
                description=str(data["description"]),
                source=str(data["source"]),
                minimum=int(data["minimum"]),
                shapes=tuple(_shape(name, shape) for name, shape in data["shapes"].items()),
            )
        except KeyError as error:
            raise ValueError(f"naming profile {data.get('name', '?')!r} lacks {error}") from error


def _shape(name: str, data: dict[str, Any]) -> Shape:
    unknown = [term for term in data["terms"] if term not in EXPRESSION_INDEX]
    if unknown:
        raise ValueError(f"shape {name!r}: {', '.join(unknown)} is no ARKit expression")
    part = data.get("part", "")
    if part not in PARTS:
        raise ValueError(f"shape {name!r}: part {part!r}, expected one of {PARTS}")
    low, high = data.get("limit", (0.0, 1.0))
    return Shape(
        name=name,
        terms={term: float(weight) for term, weight in data["terms"].items()},
        limit=(float(low), float(high)),
        aliases=tuple(data.get("aliases", ())),
        part=part,
        unless=tuple(data.get("unless", ())),
    )


@lru_cache(maxsize=1)
def load_profiles() -> dict[str, Profile]:
    """All bundled naming profiles by name."""
    profiles = [
        Profile.from_json(json.loads(path.read_text("utf-8")))
        for path in sorted(PROFILES_FOLDER.glob("*.json"))
    ]
    return {profile.name: profile for profile in profiles}
