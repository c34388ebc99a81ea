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

from ..texts import Text
from ..track import Calibration
from . import rotation as rot
from . import turns
from .character import Character, Options, Report, RigError
from .linear import Linear
from .matching import Found, find_profile
from .profile import Profile, load_profiles
from .response import MIRROR, ResponseTable
from .tracks import (
    BoneTrack,
    Drive,
    Driven,
    ShapeTrack,
    linear_tracks,
    position_track,
    role_tracks,
    shape_tracks,
)

_FLIP = np.array((-1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Pose:
    """What to write: an array (..., n) for each shape track and each bone track of the plan."""

    shapes: list[np.ndarray]
    bones: list[np.ndarray]


@dataclass(frozen=True)
class Plan:
    """A character's compiled retargeting; made by `make_plan`.

    Attributes:
        place: of `bones` the one that moves with the head's place, if any does.
    """

    shapes: tuple[ShapeTrack, ...]
    bones: tuple[BoneTrack, ...]
    linear: Linear
    report: Report
    options: Options
    table: ResponseTable
    calibration: Calibration | None = None
    place: BoneTrack | None = None

    def answered(self, expression: np.ndarray) -> np.ndarray:
        """(..., 52) weights as the character takes them: calibrated, mirrored, each through its
        response."""
        if self.calibration is not None:
            expression = self.calibration.weights(expression)
        if self.options.mirror:
            expression = expression[..., MIRROR]
        return self.table.apply(np.asarray(expression, np.float64))

    def solve(
        self, expression: np.ndarray, rotation: np.ndarray, offset: np.ndarray | None = None
    ) -> Pose:
        """What the character does.

        Args:
            expression: (..., 52) weights 0..1, `names.EXPRESSIONS` order.
            rotation: (..., 3, 3) head rotation in the camera frame, as `Face.rotation`.
            offset: (..., 3) metres from where the head rests, camera frame: see `Rest`. None for
                no way at all.
        """
        weights = self.answered(expression)
        if not self.bones:
            return Pose([track.values(weights) for track in self.shapes], [])
        if self.calibration is not None:
            rotation = self.calibration.turns(rotation)
        if self.options.mirror:
            rotation = rotation * _FLIP[:, None] * _FLIP
            offset = None if offset is None else offset * _FLIP
        turn = turns.fraction(
            rot.turn_of_matrices(rotation), self.options.head_gain, self.options.head_limit
        )
        if offset is None:
            offset = np.zeros((*weights.shape[:-1], 3))
        drive = Drive(weights, turn, self.linear.values(weights), offset)
        return Pose(
            shapes=[track.values(weights) for track in self.shapes],
            bones=[track.values(drive) for track in self.bones],
        )


class Rest:
    """Where an actor's head rests: as calibrated, or else where it was seen first."""

    def __init__(self, plan: Plan) -> None:
        self._place = plan.calibration.position if plan.calibration is not None else None

    def offset(self, translation: np.ndarray) -> np.ndarray:
        """(..., 3) metres from there, of (..., 3) translations in the camera frame."""
        if self._place is None:
            self._place = np.array(translation, np.float64).reshape(-1, 3)[0]
        return translation - self._place


def make_plan(
    character: Character,
    options: Options | None = None,
    profiles: Mapping[str, Profile] | None = None,
) -> Plan:
    """Match a character and compile its plan.

    Args:
        profiles: the naming profiles to choose from; the bundled ones unless given.

    Raises:
        RigError: it has no shape key and no bone that any profile knows.
        ValueError: the calibration is none.
    """
    options = options or Options()
    found = find_profile(character, options, profiles or load_profiles())
    report = Report(found.profile.name, found.profile.title)
    roles = dict(found.roles)
    own = {channel.bone for channel in character.channels} | {move.name for move in found.moves}
    for role, bone in list(roles.items()):
        if bone in own:
            text = Text("{part}: bone {bone!r} follows its own channels", part=role, bone=bone)
            report.notes.append(text)
            del roles[role]

    driven, by_bone = _divide(character, options, found, roles, report)
    shapes = shape_tracks(driven)
    linear, linear_bones = linear_tracks(character, found.profile, found.moves, report)
    follows = found.profile.head_follows_neck
    taken = {track.bone for track in linear_bones if track.path == "location"}
    bones = [*role_tracks(character, options, roles, by_bone, report, follows), *linear_bones]
    place = None
    if options.position == "BONE" and options.position_bone in taken:
        bone = options.position_bone
        text = Text("{part}: bone {bone!r} follows its own channels", part="position", bone=bone)
        report.notes.append(text)
    elif (place := position_track(character, options, roles, report)) is not None:
        bones.append(place)
    found.tell(report, driven)
    if not shapes and not bones:
        raise RigError(
            "{character!r} has no shape key and no bone that a face can drive: expected ARKit "
            "or VRM shape keys, a head, eye or jaw bone, or bone channels",
            character=character.name,
        )
    table = ResponseTable.of(options.responses)
    calibration = Calibration.from_text(options.calibration) if options.calibration else None
    return Plan(tuple(shapes), tuple(bones), linear, report, options, table, calibration, place)


def _divide(
    character: Character,
    options: Options,
    found: Found,
    roles: Mapping[str, str],
    report: Report,
) -> tuple[Driven, set[str]]:
    """Share eyes and jaw out between shape keys and bones; returns the roles for bones."""
    driven = found.driven()
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
            report.notes.append(
                Text(
                    "{part}: shape keys move it, bone {bone!r} stays at rest",
                    part=role,
                    bone=roles[role],
                )
            )
    return {mesh: shapes for mesh, shapes in driven.items() if shapes}, by_bone


def _moved_by_shapes(character: Character, driven: Driven, bone: str, stem: str) -> bool:
    return any(
        character.moves(mesh, key, bone)
        for mesh, shapes in driven.items()
        for shape, key in shapes
        if any(term.startswith(stem) and weight > 0.1 for term, weight in shape.terms.items())
    )
