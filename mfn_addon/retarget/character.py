# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to drive, how it is to be driven, and what was found: plain words and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..texts import TextError
from .response import Response
from .skeleton import BoneRest, Channel

By = Literal["AUTO", "SHAPES", "BONES"]
Place = Literal["BONE", "OBJECT"]


class RigError(TextError):
    """A character that no face can drive; one line says why and what to do."""


@dataclass(frozen=True)
class Options:
    """How a character is driven.

    Attributes:
        profile: the naming profile to use; "" for the character's own, or else the best match.
        fixes: target -> shape key, said by hand; "" leaves the target alone.
        calibration: the actor's `track.Calibration` as text; "" for none.
        mirror: exchange left and right, as in a looking glass.
        neck_share: the part of the head's turn that the neck takes, 0..1.
        eyes, jaw: what moves them. AUTO takes shape keys where these move what the bone
            carries, and bones otherwise: never both.
        head: whether head and neck bones follow at all.
        head_gain, eye_gain, jaw_gain: factors on the turns of these bones.
        head_limit, eye_limit, jaw_limit: degrees that no turn exceeds.
        position: what moves as the head moves through space: `position_bone`, which is "" for
            none, or the character's object itself.
        position_gain: factor on the way that it moves, and position_limit: metres of the actor's
            that it never exceeds.
        responses: expression name -> how strongly the character answers it.
    """

    profile: str = ""
    fixes: Mapping[str, str] = field(default_factory=dict)
    calibration: str = ""
    mirror: bool = False
    neck_share: float = 0.35
    eyes: By = "AUTO"
    jaw: By = "AUTO"
    head: bool = True
    head_gain: float = 1.0
    head_limit: float = 180.0
    eye_gain: float = 1.0
    eye_limit: float = 180.0
    jaw_gain: float = 1.0
    jaw_limit: float = 180.0
    position: Place = "BONE"
    position_bone: str = ""
    position_gain: float = 1.0
    position_limit: float = 0.5
    responses: Mapping[str, Response] = field(default_factory=dict)

    @property
    def moves(self) -> bool:
        """Whether anything moves as the head moves through space."""
        return self.position == "OBJECT" or bool(self.position_bone)


@dataclass(frozen=True)
class Character:
    """What there is to drive, in plain names and numbers.

    Attributes:
        meshes: mesh object's name -> its shape keys' names, without the basis.
        bones: bone's name -> its rest.
        profile: the naming profile that the character asks for; "" to find out.
        channels: its own bone channels.
        up: "Z", or "Y" for an armature that came in lying on its back.
        stance: (3, 3) the object's own axes, scaled, as columns in its parent's space.
        delta: (3,) the object's own delta location, from which the head's place moves it.
        moves: moves(mesh, shape key, bone): whether the shape key moves the vertices that the
            bone carries.
    """

    name: str
    meshes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bones: Mapping[str, BoneRest] = field(default_factory=dict)
    profile: str = ""
    channels: tuple[Channel, ...] = ()
    up: str = "Z"
    stance: np.ndarray = field(default_factory=lambda: np.eye(3))
    delta: np.ndarray = field(default_factory=lambda: np.zeros(3))
    moves: Callable[[str, str, str], bool] = lambda mesh, key, bone: True


@dataclass
class Report:
    """What a character offered, for the animator to read.

    Attributes:
        profile: the naming profile's name, and title: what people call it.
        found, guessed: target -> the character's shape key.
        missing: targets that it lacks.
        bones: role or channel -> bone.
        notes: decisions worth knowing, one line each.
    """

    profile: str
    title: str = ""
    found: dict[str, str] = field(default_factory=dict)
    guessed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    bones: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def summary(self, translate: Callable[[str], str] = str) -> str:
        """One line: `ARKit: 52 shape keys (2 guessed), 2 bones`.

        Args:
            translate: looks up a template in the reader's language.
        """
        shapes = len(self.found) + len(self.guessed)
        parts = [translate("{count} shape keys").format(count=shapes)]
        if self.guessed:
            parts[0] += translate(" ({count} guessed)").format(count=len(self.guessed))
        if self.missing:
            parts.append(translate("{count} missing").format(count=len(self.missing)))
        bones = len(set(self.bones.values()))
        one, many = translate("1 bone"), translate("{count} bones")
        parts.append(one if bones == 1 else many.format(count=bones))
        return f"{translate(self.title or self.profile)}: {', '.join(parts)}"
