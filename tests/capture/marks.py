# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for faces: coloured discs, and a "network" that finds them. For tests whose point
is not the network."""

from __future__ import annotations

import cv2
import numpy as np

from mfn_addon.face import (
    EXPRESSION_INDEX,
    EXPRESSIONS,
    IDENTITY_COUNT,
    NO_ID,
    Face,
    load_head_model,
)

ACTORS = {"red": (230, 30, 30), "green": (30, 200, 30), "blue": (40, 60, 240)}


def identity_of(actor: str) -> np.ndarray:
    """The identity weights that the disc of this colour has."""
    seed = sorted(ACTORS).index(actor)
    return np.random.default_rng(seed).normal(size=IDENTITY_COUNT).astype(np.float32)


def make_face(
    centre: tuple[float, float] = (100.0, 100.0),
    radius: float = 20.0,
    *,
    actor: str = "red",
    face_id: int = NO_ID,
    score: float = 0.9,
    jaw_open: float = 0.0,
    rotation: np.ndarray | None = None,
) -> Face:
    """A plausible face around a point."""
    x, y = centre
    expression = np.zeros(len(EXPRESSIONS), np.float32)
    expression[EXPRESSION_INDEX["jawOpen"]] = jaw_open
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    landmarks = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    return Face(
        id=face_id,
        score=score,
        box=np.array([x - radius, y - radius, x + radius, y + radius], np.float32),
        rotation=np.eye(3, dtype=np.float32) if rotation is None else rotation,
        translation=np.array([0.0, 0.0, -0.8], np.float32),
        identity=identity_of(actor),
        expression=expression,
        landmarks=landmarks.astype(np.float32),
    )


def draw(
    discs: dict[str, tuple[float, float]], size: tuple[int, int] = (320, 240), radius: int = 20
) -> np.ndarray:
    """A (H, W, 3) RGB picture with a disc of each colour at its place."""
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    for actor, (x, y) in discs.items():
        cv2.circle(image, (round(x), round(y)), radius, ACTORS[actor], -1)
    return image


class DiscNetwork:
    """Finds the discs of a picture, all in one pass, as `FaceNetwork.detect` finds faces."""

    def __init__(
        self,
        path: object = None,
        threads: int = 0,
        least_score: float = 0.5,
        long_side: int = 320,
    ) -> None:
        """As FaceNetwork's, without a file."""
        self.long_side = long_side
        self.head_model = load_head_model()

    def detect(self, image: np.ndarray, long_side: int | None = None) -> list[Face]:
        """The discs, in no particular order."""
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
        faces = []
        for actor, colour in ACTORS.items():
            near = np.abs(image.astype(int) - colour).sum(axis=2) < 120
            ys, xs = np.nonzero(near)
            if len(xs) > 40:
                faces.append(make_face((float(xs.mean()), float(ys.mean())), actor=actor))
        return faces
