# SPDX-License-Identifier: GPL-3.0-or-later
"""From faces to one character: a plan made once from its names, then plain arithmetic.

`make_plan` matches a character's shape keys and bones and compiles what it found. `Plan.solve`
turns expression weights and head rotations into shape-key values and bone values, for one frame
or a whole take: live preview and bake share it, so that what was seen is what is baked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from . import skeleton
from .character import Character, Options, Report, RigError
from .names import Matches, match
from .profile import Profile, load_profiles
from .response import MIRROR, ResponseTable
from .tracks import BoneTrack, Driven, ShapeTrack, channel_tracks, role_tracks, shape_tracks


@dataclass(frozen=True)
class Pose:
    """What to write: an array (..., n) for each shape track and each bone track of the plan."""

    shapes: list[np.ndarray]
    bones: list[np.ndarray]


@dataclass(frozen=True)
class Plan:
    """A character's compiled retargeting; made by `make_plan`."""

    shapes: tuple[ShapeTrack, ...]
    bones: tuple[BoneTrack, ...]
    report: Report
    options: Options
    table: ResponseTable

    def solve(self, expression: np.ndarray, rotation: np.ndarray) -> Pose:
        """What the character does.

        Args:
            expression: (..., 52) weights 0..1, `names.EXPRESSIONS` order.
            rotation: (..., 3, 3) head rotation in the camera frame, as `Face.rotation`.
        """
        if self.options.mirror:
            expression = expression[..., MIRROR]
            flip = np.array((-1.0, 1.0, 1.0))
            rotation = rotation * flip[:, None] * flip
        weights = self.table.apply(np.asarray(expression, np.float64))
        return Pose(
            shapes=[np.clip(weights @ t.weights, *t.limits) for t in self.shapes],
            bones=[track.values(weights, rotation) for track in self.bones],
        )


def make_plan(character: Character, options: Options | None = None) -> Plan:
    """Match a character and compile its plan.

    Raises:
        RigError: it has no shape key and no bone that any profile knows.
    """
    options = options or Options()
    profile, matches = _choose_profile(character)
    roles = skeleton.match_roles(character.bones).all
    report = Report(profile.name)
    own = {channel.bone for channel in character.channels}
    for role, bone in list(roles.items()):
        if bone in own:
            report.notes.append(f"{role}: bone {bone!r} follows its own channels")
            del roles[role]

    driven = _driven_shapes(profile, matches)
    driven, by_bone = _divide(character, options, driven, roles, report)
    shapes = shape_tracks(driven)
    bones = [
        *role_tracks(character, options, roles, by_bone, report),
        *channel_tracks(character, report),
    ]
    _fill_report(report, profile, matches, driven)
    if not shapes and not bones:
        raise RigError(
            f"{character.name!r} has no shape key and no bone that a face can drive: "
            "expected ARKit or VRM shape keys, a head, eye or jaw bone, or bone channels"
        )
    table = ResponseTable.of(options.responses)
    return Plan(tuple(shapes), tuple(bones), report, options, table)


def _choose_profile(character: Character) -> tuple[Profile, dict[str, Matches]]:
    """The profile that the character names, or else the one that most of its keys match."""
    profiles = load_profiles()
    if character.profile in profiles:
        profile = profiles[character.profile]
        return profile, _match_all(profile, character)
    best, best_score, best_matches = profiles["bones"], 0.0, {}
    for profile in profiles.values():
        matches = _match_all(profile, character)
        found = {name for m in matches.values() for name in m.found}
        guessed = {name for m in matches.values() for name in m.guessed} - found
        score = len(found) + 0.5 * len(guessed)
        if len(found) + len(guessed) >= profile.minimum and score > best_score:
            best, best_score, best_matches = profile, score, matches
    return best, best_matches


def _match_all(profile: Profile, character: Character) -> dict[str, Matches]:
    wanted = [(shape.name, shape.aliases) for shape in profile.shapes]
    return {mesh: match(wanted, keys) for mesh, keys in character.meshes.items()}


def _driven_shapes(profile: Profile, matches: Mapping[str, Matches]) -> Driven:
    present = {name for m in matches.values() for name in m.all}
    wanted = [s for s in profile.shapes if not (s.unless and present.issuperset(s.unless))]
    driven = {
        mesh: [(shape, m.all[shape.name]) for shape in wanted if shape.name in m.all]
        for mesh, m in matches.items()
    }
    return {mesh: shapes for mesh, shapes in driven.items() if shapes}


def _divide(
    character: Character,
    options: Options,
    driven: Driven,
    roles: Mapping[str, str],
    report: Report,
) -> tuple[Driven, set[str]]:
    """Share eyes and jaw out between shape keys and bones; returns the roles for bones."""
    by_bone: set[str] = set()
    parts = (
        ("gaze", options.eyes, {"eyeLeft": "eyeLook", "eyeRight": "eyeLook"}),
        ("jaw", options.jaw, {"jaw": "jawOpen"}),
    )
    for part, by, members in parts:
        present = {role: stem for role, stem in members.items() if role in roles}
        if by == "BONES" and present:
            by_bone |= present.keys()
            driven = {
                mesh: [(shape, key) for shape, key in shapes if shape.part != part]
                for mesh, shapes in driven.items()
            }
        elif by == "AUTO":
            by_bone |= {
                role
                for role, stem in present.items()
                if not _moved_by_shapes(character, driven, roles[role], stem)
            }
        for role in present.keys() - by_bone:
            report.notes.append(f"{role}: shape keys move it, bone {roles[role]!r} stays at rest")
    return {mesh: shapes for mesh, shapes in driven.items() if shapes}, by_bone


def _moved_by_shapes(character: Character, driven: Driven, bone: str, stem: str) -> bool:
    return any(
        character.moves(mesh, key, bone)
        for mesh, shapes in driven.items()
        for shape, key in shapes
        if any(term.startswith(stem) and weight > 0.1 for term, weight in shape.terms.items())
    )


def _fill_report(
    report: Report, profile: Profile, matches: Mapping[str, Matches], driven: Driven
) -> None:
    used = {(mesh, key) for mesh, shapes in driven.items() for _, key in shapes}
    for mesh, m in matches.items():
        report.found |= {n: key for n, key in m.found.items() if (mesh, key) in used}
        report.guessed |= {n: key for n, key in m.guessed.items() if (mesh, key) in used}
    report.guessed = {n: k for n, k in report.guessed.items() if n not in report.found}
    present = {name for m in matches.values() for name in m.all}
    report.missing[:0] = [shape.name for shape in profile.shapes if shape.name not in present]
