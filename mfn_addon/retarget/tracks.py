# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan writes: the driven shape keys of each mesh, the driven properties of each bone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import rotation as rot
from . import skeleton
from .character import Character, Options, Report
from .profile import Shape
from .skeleton import Channel

Turn = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""turn(weights, rotation): (..., 4) a turn in the head frame, of (..., 52) and (..., 3, 3)."""

STILL = np.array((1.0, 0.0, 0.0, 0.0))

Driven = dict[str, list[tuple[Shape, str]]]  # mesh -> (target, the mesh's shape key)


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
) -> list[BoneTrack]:
    """A track for the head, the neck, and what `by_bone` names of eyes and jaw."""
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


def channel_tracks(character: Character, report: Report) -> list[BoneTrack]:
    """A track for each bone property that the character's own channels drive."""
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
