# SPDX-License-Identifier: GPL-3.0-or-later
"""Which naming profile a character follows, and which of its names are which targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import skeleton
from .character import Character, Options, Report
from .names import Matches, match
from .profile import BoneMove, Profile
from .tracks import Driven


@dataclass(frozen=True)
class Found:
    """What a profile found on a character.

    Attributes:
        matches: mesh -> its shape keys by target.
        moves: the profile's bones that the character has.
        roles: role -> bone.
    """

    profile: Profile
    matches: Mapping[str, Matches]
    moves: tuple[BoneMove, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)

    def score(self) -> float:
        """How well the profile fits: names found, half for each guessed."""
        found, guessed = self._names()
        return len(found) + len(self.moves) + 0.5 * len(guessed)

    def suffices(self) -> bool:
        """Whether enough matches for the profile to be meant."""
        found, guessed = self._names()
        return len(found) + len(guessed) + len(self.moves) >= self.profile.minimum

    def driven(self) -> Driven:
        """mesh -> (target, shape key) of all targets that are not superfluous here."""
        present = {name for m in self.matches.values() for name in m.all}
        wanted = [s for s in self.profile.shapes if not (s.unless and present.issuperset(s.unless))]
        driven = {
            mesh: [(shape, m.all[shape.name]) for shape in wanted if shape.name in m.all]
            for mesh, m in self.matches.items()
        }
        return {mesh: shapes for mesh, shapes in driven.items() if shapes}

    def tell(self, report: Report, driven: Driven) -> None:
        """Fill the report's names: found, guessed, missing."""
        used = {(mesh, key) for mesh, shapes in driven.items() for _, key in shapes}
        for mesh, m in self.matches.items():
            report.found |= {n: key for n, key in m.found.items() if (mesh, key) in used}
            report.guessed |= {n: key for n, key in m.guessed.items() if (mesh, key) in used}
        report.guessed = {n: k for n, k in report.guessed.items() if n not in report.found}
        present = {name for m in self.matches.values() for name in m.all}
        lacking = [
            shape.name
            for shape in self.profile.shapes
            if shape.name not in present and not shape.unless
        ]
        moved = {move.name for move in self.moves}
        lacking += [f"bone {move.name}" for move in self.profile.bones if move.name not in moved]
        report.missing[:0] = lacking

    def _names(self) -> tuple[set[str], set[str]]:
        found = {name for m in self.matches.values() for name in m.found}
        return found, {name for m in self.matches.values() for name in m.guessed} - found


def find_profile(character: Character, options: Options, profiles: Mapping[str, Profile]) -> Found:
    """The profile that the options or the character name, or else the one that matches most.

    Of two that match equally well, the one whose own names are fewer is meant: it is the
    convention that the other extends.
    """
    for named in (options.profile, character.profile):
        if named in profiles:
            return _look(profiles[named], character, options)
    looks = [_look(profile, character, options) for profile in profiles.values()]
    fitting = [look for look in looks if look.suffices() and look.score() > 0]
    none = Found(profiles["bones"], {}, (), skeleton.match_roles(character.bones).all)
    return max(fitting, key=lambda look: (look.score(), not look.profile.extends), default=none)


def _look(profile: Profile, character: Character, options: Options) -> Found:
    return Found(
        profile,
        {mesh: _matches(profile, keys, options.fixes) for mesh, keys in character.meshes.items()},
        _moves(profile, character),
        _roles(profile, character),
    )


def _matches(profile: Profile, keys: tuple[str, ...], fixes: Mapping[str, str]) -> Matches:
    """As the names tell, but for what was said by hand."""
    wanted = [(s.name, s.aliases) for s in profile.shapes if s.name not in fixes]
    taken = set(fixes.values())
    matches = match(wanted, [key for key in keys if key not in taken])
    for shape in profile.shapes:
        key = fixes.get(shape.name)
        if key in keys:
            matches.found[shape.name] = str(key)
        elif key is not None:
            matches.missing.append(shape.name)
    return matches


def _moves(profile: Profile, character: Character) -> tuple[BoneMove, ...]:
    if not all(bone in character.bones for bone in profile.unit):
        return ()
    own = {channel.bone for channel in character.channels}
    return tuple(m for m in profile.bones if m.name in character.bones and m.name not in own)


def _roles(profile: Profile, character: Character) -> dict[str, str]:
    """The profile's bones for the roles that it names, and the usual ones for the others."""
    usual = skeleton.match_roles(character.bones).all
    said = {role: bone for role, bone in profile.roles.items() if bone in character.bones}
    return {role: bone for role, bone in usual.items() if role not in profile.roles} | said
