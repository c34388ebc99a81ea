# SPDX-License-Identifier: GPL-3.0-or-later
"""The bones that a face turns: head, neck, eyes, jaw, and channels of a character's own.

Rotations are worked out in the head frame (x to the actor's left, y up, z out of the face). The
camera sees the actor's face as a viewer in front of the character would, so the camera frame, laid
onto the character's left, up and front, is the frame to turn in. From there a turn is carried into
the axes of the bone at rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..face import EXPRESSION_INDEX
from . import rotation as rot
from . import turns
from .names import Matches, match
from .turns import Turn

SKELETON_PATH = Path(__file__).resolve().parent / "skeleton.json"
PATHS = {"rotation_euler": "deg", "location": "m", "scale": "1"}
_PATHS_IN = {"QUATERNION": ("rotation_quaternion", 4), "AXIS_ANGLE": ("rotation_axis_angle", 4)}
_DEGREE = np.pi / 180

Z_UP = np.array([(1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)])
"""(3, 3) a character's left, up and front as columns: Blender's own habit, facing -Y."""
Y_UP = np.eye(3)
"""The same for armatures that came in with Y up (FBX), facing +Z."""


@dataclass(frozen=True)
class BoneRest:
    """A bone at rest.

    Attributes:
        axes: (3, 3) the bone's axes as columns, in armature space.
        head: (3,) where the bone starts, armature space.
        rotation_mode: "QUATERNION", "AXIS_ANGLE" or an Euler order.
        inherits_rotation: whether it follows its parent's rotation.
    """

    name: str
    axes: np.ndarray = field(default_factory=lambda: np.eye(3))
    head: np.ndarray = field(default_factory=lambda: np.zeros(3))
    rotation_mode: str = "QUATERNION"
    inherits_rotation: bool = True


@dataclass(frozen=True)
class Channel:
    """One number of one bone, driven by a weighted sum of the 52.

    `value = clip(rest + sum(terms), limit)`, in degrees ("rotation_euler"), metres ("location")
    or plain factors ("scale"), about or along the bone's own axis 0, 1 or 2.
    """

    bone: str
    path: str
    axis: int
    rest: float
    terms: dict[str, float]
    limit: tuple[float, float]


def read_channels(data: str | Mapping[str, Any]) -> tuple[Channel, ...]:
    """The channels of a character's `mfn_bones` property or `.bones.json` file.

    Raises:
        ValueError: the text is no such list; the message says what is wrong and where.
    """
    try:
        parsed: Any = json.loads(data) if isinstance(data, str) else data
        return tuple(_channel(entry) for entry in parsed["channels"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"bone channels are malformed: {error}") from error


def _channel(entry: Mapping[str, Any]) -> Channel:
    where = f"bone channel {entry.get('bone', '?')!r}"
    path = entry["path"]
    if path not in PATHS:
        raise ValueError(f"{where}: path {path!r}, expected one of {', '.join(PATHS)}")
    if entry.get("unit", PATHS[path]) != PATHS[path]:
        raise ValueError(f"{where}: {path} is in {PATHS[path]!r}, not {entry['unit']!r}")
    if entry["axis"] not in (0, 1, 2):
        raise ValueError(f"{where}: axis {entry['axis']!r}, expected 0, 1 or 2")
    unknown = [name for name in entry["terms"] if name not in EXPRESSION_INDEX]
    if unknown:
        raise ValueError(f"{where}: {', '.join(unknown)} is no ARKit expression")
    low, high = entry.get("limit", (-np.inf, np.inf))
    return Channel(
        bone=str(entry["bone"]),
        path=path,
        axis=int(entry["axis"]),
        rest=float(entry.get("rest", 1.0 if path == "scale" else 0.0)),
        terms={name: float(weight) for name, weight in entry["terms"].items()},
        limit=(float(low), float(high)),
    )


@lru_cache(maxsize=1)
def _skeleton() -> dict[str, Any]:
    return json.loads(SKELETON_PATH.read_text("utf-8"))


def match_roles(bones: Iterable[str]) -> Matches:
    """Which bone plays head, neck, eyeLeft, eyeRight and jaw."""
    return match(_skeleton()["roles"].items(), list(bones))


def character_axes(bones: Mapping[str, BoneRest], roles: Mapping[str, str], up: str) -> np.ndarray:
    """(3, 3) the character's left, up and front as columns, in armature space.

    Where both eye bones are known, they tell which way the character looks; otherwise it faces
    as Blender's characters do.

    Args:
        up: "Z", or "Y" for an armature that came in lying on its back (FBX).
    """
    axes = Z_UP if up == "Z" else Y_UP
    if "eyeLeft" not in roles or "eyeRight" not in roles:
        return axes
    across = bones[roles["eyeLeft"]].head - bones[roles["eyeRight"]].head
    nearest = int(np.argmax(np.abs(across)))
    if abs(axes[nearest, 1]) > 0.5 or abs(across[nearest]) < 0.9 * np.linalg.norm(across):
        return axes  # the eyes lie above one another or askew: nothing to learn
    left = np.eye(3)[nearest] * np.sign(across[nearest])
    return np.column_stack([left, axes[:, 1], np.cross(left, axes[:, 1])])


def eye_turn(expression: np.ndarray, side: str) -> Turn:
    """An eye's turn against the head, head frame, of (..., 52) weights; side "Left" or "Right"."""
    degrees = _skeleton()["degrees"]

    def angle(direction: str) -> Any:
        weight = _column(expression, f"eyeLook{direction}{side}")
        return weight * (_DEGREE * degrees[f"gaze {direction.lower()}"])

    outward = angle("Out") - angle("In")
    yaw = outward if side == "Left" else -outward
    pitch = angle("Down") - angle("Up")
    return turns.product(turns.about(1, yaw), turns.about(0, pitch))


def jaw_turn(expression: np.ndarray) -> Turn:
    """The jaw's turn against the head, head frame, of (..., 52) weights."""
    degrees = _skeleton()["degrees"]
    opening = _column(expression, "jawOpen") * (_DEGREE * degrees["jaw open"])
    aside = _column(expression, "jawLeft") - _column(expression, "jawRight")
    aside = aside * (_DEGREE * degrees["jaw side"])
    return turns.product(turns.about(1, aside), turns.about(0, opening))


def _column(expression: np.ndarray, name: str) -> Any:
    """(...) one of (..., 52) weights; a float of a single frame."""
    index = EXPRESSION_INDEX[name]
    return expression.item(index) if expression.ndim == 1 else expression[..., index]


def path_in(mode: str) -> tuple[str, int]:
    """A pose bone's property for its rotation mode, and how many numbers it has."""
    return _PATHS_IN.get(mode, ("rotation_euler", 3))


def in_mode(turn: Turn, mode: str) -> np.ndarray:
    """(..., 3 or 4) a turn as the property for a rotation mode has it."""
    if mode == "QUATERNION":
        return turns.joined(turn)
    if mode == "AXIS_ANGLE":
        return rot.axis_angles_of(turns.joined(turn))
    return turns.joined(turns.eulers_of(turns.matrix_of(turn), mode))
