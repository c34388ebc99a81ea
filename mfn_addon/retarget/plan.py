# SPDX-License-Identifier: GPL-3.0-or-later
"""From faces to one character: a plan made once from its names, then plain arithmetic.

`make_plan` matches a character's shape keys and bones and compiles what it found. `Plan.solve`
turns expression weights and head rotations into shape-key values and bone values, for one frame
or a whole take: live preview and bake share it, so that what was seen is what is baked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np

from . import rotation as rot
from . import skeleton
from .names import Matches, match
from .profile import Profile, Shape, load_profiles
from .response import MIRROR, Response, ResponseTable
from .skeleton import BoneRest, Channel

By = Literal["AUTO", "SHAPES", "BONES"]
Turn = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""turn(weights, rotation): (..., 4) a turn in the head frame, of (..., 52) and (..., 3, 3)."""

STILL = np.array((1.0, 0.0, 0.0, 0.0))


class RigError(ValueError):
    """A character that no face can drive; one line says why and what to do."""


@dataclass(frozen=True)
class Options:
    """How a character is driven.

    Attributes:
        mirror: exchange left and right, as in a looking glass.
        neck_share: the part of the head's turn that the neck takes, 0..1.
        eyes, jaw: what moves them. AUTO takes shape keys where these move what the bone
            carries, and bones otherwise: never both.
        head: whether head and neck bones follow at all.
        responses: expression name -> how strongly the character answers it.
    """

    mirror: bool = False
    neck_share: float = 0.35
    eyes: By = "AUTO"
    jaw: By = "AUTO"
    head: bool = True
    responses: Mapping[str, Response] = field(default_factory=dict)


@dataclass(frozen=True)
class Character:
    """What there is to drive, in plain names and numbers.

    Attributes:
        meshes: mesh object's name -> its shape keys' names, without the basis.
        bones: bone's name -> its rest.
        profile: the naming profile that the character asks for; "" to find out.
        channels: its own bone channels.
        up: "Z", or "Y" for an armature that came in lying on its back.
        moves: moves(mesh, shape key, bone): whether the shape key moves the vertices that the
            bone carries.
    """

    name: str
    meshes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bones: Mapping[str, BoneRest] = field(default_factory=dict)
    profile: str = ""
    channels: tuple[Channel, ...] = ()
    up: str = "Z"
    moves: Callable[[str, str, str], bool] = lambda mesh, key, bone: True


@dataclass
class Report:
    """What a character offered, for the animator to read.

    Attributes:
        profile: the naming profile's name.
        found, guessed: target -> the character's shape key.
        missing: targets that it lacks.
        bones: role or channel -> bone.
        notes: decisions worth knowing, one line each.
    """

    profile: str
    found: dict[str, str] = field(default_factory=dict)
    guessed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    bones: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line: `ARKit: 52 shape keys (2 guessed), bones head, neck`."""
        title = load_profiles()[self.profile].title
        shapes = f"{len(self.found) + len(self.guessed)} shape keys"
        if self.guessed:
            shapes += f" ({len(self.guessed)} guessed)"
        if self.missing:
            shapes += f", {len(self.missing)} missing"
        bones = sorted(set(self.bones.values()))
        return f"{title}: {shapes}, {len(bones)} bone{'' if len(bones) == 1 else 's'}"


@dataclass(frozen=True)
class ShapeTrack:
    """The driven shape keys of one mesh.

    Attributes:
        mesh: the mesh object's name.
        keys: (n,) shape key names.
        weights: (52, n) from expressions to shape keys, and limits: (2, n).
    """

    mesh: str
    keys: tuple[str, ...]
    weights: np.ndarray
    limits: np.ndarray


@dataclass(frozen=True)
class BoneTrack:
    """One driven property of one pose bone: `indices` are the components that are written."""

    bone: str
    path: str
    indices: tuple[int, ...]
    values: Callable[[np.ndarray, np.ndarray], np.ndarray]


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
    shapes = _shape_tracks(driven)
    bones = [
        *_role_tracks(character, options, roles, by_bone, report),
        *_channel_tracks(character, report),
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


Driven = dict[str, list[tuple[Shape, str]]]  # mesh -> (target, the mesh's shape key)


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


def _shape_tracks(driven: Driven) -> list[ShapeTrack]:
    return [
        ShapeTrack(
            mesh=mesh,
            keys=tuple(key for _, key in shapes),
            weights=np.column_stack([shape.weights() for shape, _ in shapes]),
            limits=np.array([shape.limit for shape, _ in shapes]).T,
        )
        for mesh, shapes in driven.items()
    ]


def _role_tracks(
    character: Character,
    options: Options,
    roles: Mapping[str, str],
    by_bone: set[str],
    report: Report,
) -> list[BoneTrack]:
    axes = skeleton.character_axes(character.bones, roles, character.up)
    turns: dict[str, Turn] = {}
    chain = [role for role in ("neck", "head") if role in roles] if options.head else []
    for role in chain:
        share = 1.0
        if len(chain) == 2:
            share = options.neck_share if role == "neck" else 1 - options.neck_share
        if role == "head" and not character.bones[roles[role]].inherits_rotation:
            share = 1.0
        turns[role] = partial(_head_share, share)
    for role in sorted(by_bone - {"jaw"}):
        turns[role] = partial(_eye, role.removeprefix("eye"))
    if "jaw" in by_bone:
        turns["jaw"] = _jaw

    tracks = []
    for role, turn in turns.items():
        bone = character.bones[roles[role]]
        report.bones[role] = bone.name
        path, still = skeleton.in_mode(STILL, bone.rotation_mode)
        indices = tuple(range(len(still)))
        carry = bone.axes.T @ axes
        values = partial(_turned, turn, carry, bone.rotation_mode)
        tracks.append(BoneTrack(bone.name, path, indices, values))
    return tracks


def _head_share(share: float, _: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    return rot.fraction(rot.quaternions_of(rotation), share)


def _eye(side: str, weights: np.ndarray, _: np.ndarray) -> np.ndarray:
    return skeleton.eye_turn(weights, side)


def _jaw(weights: np.ndarray, _: np.ndarray) -> np.ndarray:
    return skeleton.jaw_turn(weights)


def _turned(
    turn: Turn, carry: np.ndarray, mode: str, weights: np.ndarray, rotation: np.ndarray
) -> np.ndarray:
    return skeleton.in_mode(rot.carried(turn(weights, rotation), carry), mode)[1]


def _channel_tracks(character: Character, report: Report) -> list[BoneTrack]:
    grouped: dict[tuple[str, str], list[Channel]] = {}
    for channel in character.channels:
        if channel.bone not in character.bones:
            report.missing.append(f"bone {channel.bone}")
            continue
        grouped.setdefault((channel.bone, channel.path), []).append(channel)
        report.bones[f"{channel.bone} {channel.path}"] = channel.bone

    tracks = []
    for (name, path), channels in grouped.items():
        bank = skeleton.ChannelBank.of(channels)
        indices = tuple(channel.axis for channel in channels)
        mode = character.bones[name].rotation_mode
        if path == "rotation_euler" and mode in ("QUATERNION", "AXIS_ANGLE"):
            path = skeleton.in_mode(STILL, mode)[0]
            values = partial(_eulers_in_mode, bank, indices, mode)
            tracks.append(BoneTrack(name, path, (0, 1, 2, 3), values))
        else:
            tracks.append(BoneTrack(name, path, indices, partial(_plain, bank)))
    return tracks


def _plain(bank: skeleton.ChannelBank, weights: np.ndarray, _: np.ndarray) -> np.ndarray:
    return bank.values(weights)


def _eulers_in_mode(
    bank: skeleton.ChannelBank,
    axes: tuple[int, ...],
    mode: str,
    weights: np.ndarray,
    _: np.ndarray,
) -> np.ndarray:
    """The channels mean XYZ angles; a bone in another rotation mode takes the same turn."""
    angles = np.zeros((*weights.shape[:-1], 3))
    angles[..., list(axes)] = bank.values(weights)
    return skeleton.in_mode(rot.quaternions_of_eulers(angles, "XYZ"), mode)[1]


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
