# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source yields: a FaceFrame for each picture, holding a Face for each person in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .names import EXPRESSIONS, IDENTITY_COUNT, LANDMARK_COUNT

NO_ID = -1
"""The id of a face that no tracker has seen yet."""


@dataclass
class Face:
    """One face in one picture.

    Arrays are float32. The camera frame is Blender's: x right in the image, y up, z towards
    the viewer. The head frame: x to the actor's left, y up, z out of the face, origin midway
    between the eyeballs. A head that looks straight into the camera has the identity rotation.

    Attributes:
        id: the actor's number, constant over a source's frames; NO_ID before tracking.
        score: how sure the network is that this is a face, 0..1.
        box: (4,) x0, y0, x1, y1 in px of the picture, origin at its top left corner, y down.
        rotation: (3, 3) head axes as columns, in the camera frame.
        translation: (3,) the head's origin in the camera frame, in metres (z is negative).
        identity: (40,) weights of the head model's identity modes, about N(0, 1).
        expression: (52,) weights 0..1 in the order of `names.EXPRESSIONS`.
        landmarks: (68, 2) px of the picture, iBUG order, y down.
    """

    id: int
    score: float
    box: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    landmarks: np.ndarray

    def with_(self, **changes: Any) -> Face:
        """A copy with some attributes replaced."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The face as `mfn solve` writes it (see docs/architecture.md)."""
        return {
            "id": int(self.id),
            "score": round(float(self.score), 4),
            "box": _rounded(self.box, 2),
            "rotation": _rounded(self.rotation, 5),
            "translation": _rounded(self.translation, 5),
            "identity": _rounded(self.identity, 4),
            "expression": dict(zip(EXPRESSIONS, _rounded(self.expression, 4), strict=True)),
            "landmarks": _rounded(self.landmarks, 2),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Face:
        """The inverse of `to_json`.

        Raises:
            ValueError: a key is missing or an array has another shape; the message names it.
        """
        try:
            expression = [data["expression"][name] for name in EXPRESSIONS]
            return cls(
                id=int(data["id"]),
                score=float(data["score"]),
                box=_array(data, "box", (4,)),
                rotation=_array(data, "rotation", (3, 3)),
                translation=_array(data, "translation", (3,)),
                identity=_array(data, "identity", (IDENTITY_COUNT,)),
                expression=np.asarray(expression, np.float32),
                landmarks=_array(data, "landmarks", (LANDMARK_COUNT, 2)),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a face lacks or mangles {error}") from error


@dataclass
class FaceFrame:
    """All the faces in one picture of one source.

    Attributes:
        time: seconds in the source's clock (footage: presentation time from its first frame).
        source: which source, e.g. a file's name or a camera's name.
        frame: the picture's number in the source, from 0.
        width, height: the picture's size in px, as displayed (rotation flags applied).
        faces: the faces in view, in no particular order.
    """

    time: float
    source: str
    frame: int
    width: int
    height: int
    faces: list[Face] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The frame as one line of `mfn solve`."""
        return {
            "source": self.source,
            "frame": self.frame,
            "time": round(self.time, 6),
            "width": self.width,
            "height": self.height,
            "faces": [face.to_json() for face in self.faces],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FaceFrame:
        """The inverse of `to_json`. Raises ValueError where a key is missing or malformed."""
        try:
            return cls(
                time=float(data["time"]),
                source=str(data["source"]),
                frame=int(data["frame"]),
                width=int(data["width"]),
                height=int(data["height"]),
                faces=[Face.from_json(face) for face in data["faces"]],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a frame lacks or mangles {error}") from error


def _rounded(array: np.ndarray, digits: int) -> list:
    return np.round(np.asarray(array, np.float64), digits).tolist()


def _array(data: dict[str, Any], key: str, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(data[key], np.float32)
    if array.shape != shape:
        raise ValueError(f"a face's {key} has shape {array.shape}, expected {shape}")
    return array
