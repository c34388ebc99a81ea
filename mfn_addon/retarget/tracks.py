# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan writes: the driven shape keys of each mesh, the driven properties of each bone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..texts import Text
from . import skeleton, turns
from .character import Character, Options, Report
from .linear import Linear, of_channels, of_move
from .profile import BoneMove, Profile, Shape
from .skeleton import Channel
from .turns import Turn

EYE_DISTANCE = 0.063
"""Metres between the eyes of an average adult (Dodgson, Proc. SPIE 5291, 2004): where a character
has both eye bones, it moves as far in proportion to its own."""
OBJECT_PLACE = "delta_location"
"""What moves an object as the head moves through space: it adds to the object's location, which
stays the animator's, with its keys."""

Driven = dict[str, list[tuple[Shape, str]]]  # mesh -> (target, the mesh's shape key)


@dataclass(frozen=True)
class Drive:
    """What drives a character's bones in a frame, or in many.

    Attributes:
        weights: (..., 52) expressions, as the character answers them.
        turn: the head's turn.
        linear: (..., n) the values of the plan's linear columns.
        offset: (..., 3) metres from where the head rests, camera frame.
    """

    weights: np.ndarray
    turn: Turn
    linear: np.ndarray
    offset: np.ndarray


Turned = Callable[[Drive], Turn]
"""A turn in the head frame."""


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

    def values(self, weights: np.ndarray) -> np.ndarray:
        """(..., n) of (..., 52) weights."""
        low, high = self.limits
        value = weights @ self.weights
        return np.minimum(np.maximum(value, low, out=value), high, out=value)


@dataclass(frozen=True)
class BoneTrack:
    """One driven property of one pose bone: `indices` are the components that are written.

    Where `bone` is "" it is the character's object itself that has the property.
    """

    bone: str
    path: str
    indices: tuple[int, ...]
    values: Callable[[Drive], np.ndarray]


def shape_tracks(driven: Driven) -> list[ShapeTrack]:
    """A track for each mesh."""
    return [
        ShapeTrack(
            mesh=mesh,
            keys=tuple(key for _, key in shapes),
            weights=np.column_stack([shape.weights() for shape, _ in shapes]),
            limits=np.array([shape.limit for shape, _ in shapes]).T,
        )
        for mesh, shapes in driven.items()
    ]


def role_tracks(
    character: Character,
    options: Options,
    roles: Mapping[str, str],
    by_bone: set[str],
    report: Report,
    head_follows_neck: bool = True,
) -> list[BoneTrack]:
    """A track for the head, the neck, and what `by_bone` names of eyes and jaw."""
    axes = skeleton.character_axes(character.bones, roles, character.up)
    turned: dict[str, Turned] = {}
    chain = [role for role in ("neck", "head") if role in roles] if options.head else []
    for role in chain:
        share = 1.0
        if len(chain) == 2:
            share = options.neck_share if role == "neck" else 1 - options.neck_share
        bone = character.bones[roles[role]]
        if role == "head" and not (bone.inherits_rotation and head_follows_neck):
            share = 1.0
        turned[role] = partial(_head_share, share)
    for role in sorted(by_bone - {"jaw"}):
        side = role.removeprefix("eye")
        turned[role] = partial(_eye, side, options.eye_gain, options.eye_limit)
    if "jaw" in by_bone:
        turned["jaw"] = partial(_jaw, options.jaw_gain, options.jaw_limit)

    tracks = []
    for role, turn in turned.items():
        bone = character.bones[roles[role]]
        report.bones[role] = bone.name
        path, size = skeleton.path_in(bone.rotation_mode)
        carry = (bone.axes.T @ axes).tolist()
        values = partial(_turned, turn, carry, bone.rotation_mode)
        tracks.append(BoneTrack(bone.name, path, tuple(range(size)), values))
    return tracks


def position_track(
    character: Character, options: Options, roles: Mapping[str, str], report: Report
) -> BoneTrack | None:
    """A track for what moves with the head's place, where it is wished and there."""
    if not options.moves:
        return None
    by_bone, name, path = options.position == "BONE", "", OBJECT_PLACE
    if by_bone:
        name, path = options.position_bone, "location"
        if name not in character.bones:
            report.notes.append(Text("position: there is no bone {bone!r}", bone=name))
            return None
        report.bones["position"] = name
    carry = character.bones[name].axes.T if by_bone else character.stance
    size = 1.0
    if "eyeLeft" in roles and "eyeRight" in roles:
        left, right = (character.bones[roles[role]].head for role in ("eyeLeft", "eyeRight"))
        size = float(np.linalg.norm(left - right)) / EYE_DISTANCE
    axes = skeleton.character_axes(character.bones, roles, character.up)
    carry = carry @ axes * (size * options.position_gain)
    rest = np.zeros(3) if by_bone else character.delta
    return BoneTrack(name, path, (0, 1, 2), partial(_moved, rest, carry, options.position_limit))


def _moved(rest: np.ndarray, carry: np.ndarray, limit: float, drive: Drive) -> np.ndarray:
    far = np.linalg.norm(drive.offset, axis=-1, keepdims=True)
    return rest + drive.offset * np.minimum(1.0, limit / np.maximum(far, 1e-9)) @ carry.T


def _head_share(share: float, drive: Drive) -> Turn:
    return turns.fraction(drive.turn, share)


def _eye(side: str, gain: float, limit: float, drive: Drive) -> Turn:
    return turns.fraction(skeleton.eye_turn(drive.weights, side), gain, limit)


def _jaw(gain: float, limit: float, drive: Drive) -> Turn:
    return turns.fraction(skeleton.jaw_turn(drive.weights), gain, limit)


def _turned(turn: Turned, carry: list[list[float]], mode: str, drive: Drive) -> np.ndarray:
    return skeleton.in_mode(turns.carried(turn(drive), carry), mode)


def linear_tracks(
    character: Character, profile: Profile, moves: Sequence[BoneMove], report: Report
) -> tuple[Linear, list[BoneTrack]]:
    """The columns of all bones that follow expressions, and a track for each bone property:
    those of the profile's moves, and of the character's own channels."""
    parts: list[Linear] = []
    tracks: list[BoneTrack] = []
    start = 0
    eyes: dict[str, str] = {}
    if moves:
        eyes["eyeLeft"], eyes["eyeRight"] = profile.unit
    axes = skeleton.character_axes(character.bones, eyes, character.up)
    for move in moves:
        parts.append(of_move(move, character.bones, profile.unit, axes))
        values = partial(_columns, slice(start, start + 3))
        tracks.append(BoneTrack(move.name, "location", (0, 1, 2), values))
        report.bones[move.name] = move.name
        start += 3
    for (name, path), channels in _grouped(character, report).items():
        columns = slice(start, start + len(channels))
        parts.append(of_channels(channels))
        tracks.append(_channel_track(name, path, channels, columns, character))
        start = columns.stop
    return Linear.of(parts), tracks


def _grouped(character: Character, report: Report) -> dict[tuple[str, str], list[Channel]]:
    grouped: dict[tuple[str, str], list[Channel]] = {}
    for channel in character.channels:
        if channel.bone not in character.bones:
            report.missing.append(f"bone {channel.bone}")
            continue
        grouped.setdefault((channel.bone, channel.path), []).append(channel)
        report.bones[f"{channel.bone} {channel.path}"] = channel.bone
    return grouped


def _channel_track(
    name: str, path: str, channels: Sequence[Channel], columns: slice, character: Character
) -> BoneTrack:
    indices = tuple(channel.axis for channel in channels)
    mode = character.bones[name].rotation_mode
    if path == "rotation_euler" and mode in ("QUATERNION", "AXIS_ANGLE"):
        values = partial(_eulers_in_mode, columns, indices, mode)
        return BoneTrack(name, skeleton.path_in(mode)[0], (0, 1, 2, 3), values)
    return BoneTrack(name, path, indices, partial(_columns, columns))


def _columns(columns: slice, drive: Drive) -> np.ndarray:
    return drive.linear[..., columns]


def _eulers_in_mode(columns: slice, axes: tuple[int, ...], mode: str, drive: Drive) -> np.ndarray:
    """The channels mean XYZ angles; a bone in another rotation mode takes the same turn."""
    angles = np.zeros((*drive.weights.shape[:-1], 3))
    angles[..., list(axes)] = drive.linear[..., columns]
    parts: Any = angles.tolist() if angles.ndim == 1 else np.moveaxis(angles, -1, 0)
    return skeleton.in_mode(turns.of_eulers(parts, "XYZ"), mode)
