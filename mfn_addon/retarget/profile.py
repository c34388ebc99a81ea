# SPDX-License-Identifier: GPL-3.0-or-later
"""Naming profiles: what the rigs of the field call their shapes and bones, kept as data in
`profiles/`. docs/profiles.md describes the file for those who write one.

A profile file is JSON:

    name, title, description, source   who it is, in words, and where the names are documented
    minimum                            so many names must match before the profile is taken
    extends                            another profile, whose shapes come first
    shapes                             target name -> {
        terms      ARKit expression -> weight: the target is the weighted sum of these
        limit      [low, high], 0..1 unless given
        aliases    other spellings beyond those that `names.words` sees through
        part       "gaze" or "jaw": dropped where bones do that part already
        unless     targets that, all present, make this one superfluous
    }
    bones                              bone name -> {left, up, front: ARKit expression -> weight}:
                                       where the bone moves to, along the character's own axes
    unit                               two bones whose distance is 1 in `bones`: the eyes
    roles                              head, neck, eyeLeft, eyeRight, jaw -> the bone that plays
                                       it in this convention, "" where none does
    head_follows_neck                  false where the head keeps its own turn as the neck turns
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..face import EXPRESSION_INDEX, EXPRESSIONS

PROFILES_FOLDER = Path(__file__).resolve().parent / "profiles"
PARTS = ("", "gaze", "jaw")
AXES = ("left", "up", "front")
ROLES = ("head", "neck", "eyeLeft", "eyeRight", "jaw")


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
        return _row(self.terms)


@dataclass(frozen=True)
class BoneMove:
    """A bone that the face pulls along the character's axes; see `bones` above."""

    name: str
    terms: dict[str, dict[str, float]]

    def weights(self) -> np.ndarray:
        """(52, 3) of left, up and front, in units of the profile."""
        return np.column_stack([_row(self.terms.get(axis, {})) for axis in AXES])


@dataclass(frozen=True)
class Profile:
    """A naming convention; see the module's description of the file."""

    name: str
    title: str
    description: str
    source: str
    minimum: int
    shapes: tuple[Shape, ...]
    bones: tuple[BoneMove, ...] = ()
    unit: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    extends: str = ""
    head_follows_neck: bool = True

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Profile:
        """Read a profile; `extends` is resolved by `load_profiles`.

        Raises:
            ValueError: a key is missing, or a term is no ARKit name; the message names it.
        """
        named = f"naming profile {data.get('name', '?')!r}"
        try:
            profile = cls(
                name=str(data["name"]),
                title=str(data["title"]),
                description=str(data["description"]),
                source=str(data["source"]),
                minimum=int(data["minimum"]),
                shapes=tuple(_shape(name, shape) for name, shape in data["shapes"].items()),
                bones=tuple(_move(name, axes) for name, axes in data.get("bones", {}).items()),
                unit=tuple(data.get("unit", ())),
                roles=dict(data.get("roles", {})),
                extends=str(data.get("extends", "")),
                head_follows_neck=bool(data.get("head_follows_neck", True)),
            )
        except KeyError as error:
            raise ValueError(f"{named} lacks {error}") from error
        except (TypeError, AttributeError) as error:
            raise ValueError(f"{named} is malformed: {error}") from error
        if profile.bones and len(profile.unit) != 2:
            raise ValueError(f"{named}: `bones` need `unit`, the names of two bones")
        unknown = profile.roles.keys() - set(ROLES)
        if unknown:
            raise ValueError(f"{named}: {', '.join(sorted(unknown))} is none of the roles {ROLES}")
        return profile

    def to_json(self) -> dict[str, Any]:
        """The file's content; what is as usual is left out."""
        head = ("name", "title", "description", "source", "minimum", "extends")
        data: dict[str, Any] = {key: getattr(self, key) for key in head if getattr(self, key) != ""}
        if not self.head_follows_neck:
            data["head_follows_neck"] = False
        if self.unit:
            data["unit"] = list(self.unit)
        if self.roles:
            data["roles"] = dict(self.roles)
        data["shapes"] = {shape.name: _shape_to_json(shape) for shape in self.shapes}
        if self.bones:
            data["bones"] = {move.name: move.terms for move in self.bones}
        return data


def _row(terms: Mapping[str, float]) -> np.ndarray:
    row = np.zeros(len(EXPRESSIONS))
    for expression, weight in terms.items():
        row[EXPRESSION_INDEX[expression]] = weight
    return row


def _terms(owner: str, data: Mapping[str, Any]) -> dict[str, float]:
    unknown = [term for term in data if term not in EXPRESSION_INDEX]
    if unknown:
        raise ValueError(f"{owner}: {', '.join(unknown)} is no ARKit expression")
    return {term: float(weight) for term, weight in data.items()}


def _shape(name: str, data: dict[str, Any]) -> Shape:
    part = data.get("part", "")
    if part not in PARTS:
        raise ValueError(f"shape {name!r}: part {part!r}, expected one of {PARTS}")
    low, high = data.get("limit", (0.0, 1.0))
    return Shape(
        name=name,
        terms=_terms(f"shape {name!r}", data["terms"]),
        limit=(float(low), float(high)),
        aliases=tuple(data.get("aliases", ())),
        part=part,
        unless=tuple(data.get("unless", ())),
    )


def _shape_to_json(shape: Shape) -> dict[str, Any]:
    data: dict[str, Any] = {"terms": shape.terms}
    if shape.limit != (0.0, 1.0):
        data["limit"] = list(shape.limit)
    if shape.aliases:
        data["aliases"] = list(shape.aliases)
    if shape.part:
        data["part"] = shape.part
    if shape.unless:
        data["unless"] = list(shape.unless)
    return data


def _move(name: str, data: Mapping[str, Any]) -> BoneMove:
    unknown = data.keys() - set(AXES)
    if unknown:
        raise ValueError(f"bone {name!r}: {', '.join(sorted(unknown))}, expected left, up, front")
    return BoneMove(name, {axis: _terms(f"bone {name!r}", data[axis]) for axis in data})


def read_profile(path: Path) -> Profile:
    """One profile file.

    Raises:
        ValueError: it is no JSON or no profile; the message names the file and what is wrong.
    """
    try:
        return Profile.from_json(json.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


@lru_cache(maxsize=1)
def load_profiles() -> dict[str, Profile]:
    """All bundled naming profiles by name."""
    profiles = [read_profile(path) for path in sorted(PROFILES_FOLDER.glob("*.json"))]
    return resolve({profile.name: profile for profile in profiles})


def resolve(profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """The same profiles with the shapes of those that they extend, one level deep.

    Raises:
        ValueError: an extended profile does not exist.
    """
    resolved = {}
    for name, profile in profiles.items():
        if profile.extends:
            if profile.extends not in profiles:
                raise ValueError(f"naming profile {name!r} extends {profile.extends!r}: none such")
            own = {shape.name for shape in profile.shapes}
            base = profiles[profile.extends].shapes
            inherited = tuple(shape for shape in base if shape.name not in own)
            profile = replace(profile, shapes=inherited + profile.shapes)
        resolved[name] = profile
    return resolved
