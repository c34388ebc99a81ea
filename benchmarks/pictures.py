# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and takes with as many faces as a benchmark wants, made of the demo's footage."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.capture.footage import Footage
from mfn_addon.face import IDENTITY_COUNT, LANDMARK_COUNT, Face, FaceFrame
from mfn_addon.network import FaceNetwork
from mfn_addon.take import TakeWriter

CLIP = Path(__file__).resolve().parents[1] / "demo" / "three_people.mp4"
RIGS = [
    Path(__file__).resolve().parents[1] / "sample_rigs" / f"{name}.blend"
    for name in ("human_a", "human_b", "stylised", "creature")
]
SIZE = (1280, 720)
COLUMNS = 4


def group_picture(count: int) -> np.ndarray:
    """(720, 1280, 3) uint8 RGB with `count` people of the clip in it, each in a tile of its own."""
    width, height = SIZE[0] // COLUMNS, SIZE[1] // 2
    picture = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    for k, tile in enumerate(_people()[i % len(_people())] for i in range(count)):
        x, y = k % COLUMNS * width, k // COLUMNS * height
        picture[y : y + height, x : x + width] = cv2.resize(tile, (width, height))
    return picture


@cache
def _people() -> tuple[np.ndarray, ...]:
    """A tile around each face in some frame of the clip, 8:9 as `group_picture` wants it."""
    image = next(iter(Footage(CLIP))).image
    tiles = []
    # Sure ones alone: the lamp behind the people has a score of .5.
    for face in FaceNetwork(least_score=0.9).detect(image):
        x0, y0, x1, y1 = face.box
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        half = 0.9 * max(x1 - x0, y1 - y0)
        size = (round(2 * half * 8 / 9), round(2 * half))
        tiles.append(cv2.getRectSubPix(image, size, (float(middle[0]), float(middle[1]))))
    if not tiles:
        raise RuntimeError(f"{CLIP}: no face was found in its first picture")
    return tuple(tiles)


def lively_face(number: int, time: float) -> Face:
    """A face of which every weight and angle moves: nothing that a bake could leave out."""
    phase = np.arange(52) * 0.37 + number
    expression = 0.5 + 0.5 * np.sin(2.0 * time + phase)
    yaw = 0.4 * np.sin(time + number)
    cos, sin = np.cos(yaw), np.sin(yaw)
    return Face(
        id=number,
        score=1.0,
        box=np.array([100.0 * number, 100, 100.0 * number + 90, 200], np.float32),
        rotation=np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32),
        translation=np.array([0, 0, -1], np.float32),
        identity=np.zeros(IDENTITY_COUNT, np.float32),
        expression=expression.astype(np.float32),
        landmarks=np.zeros((LANDMARK_COUNT, 2), np.float32),
    )


def lively_take(path: Path, seconds: float, rate: float, actors: int) -> Path:
    """Write a take in which `actors` faces never stop moving."""
    with TakeWriter(path, overwrite=True) as take:
        for k in range(round(seconds * rate)):
            faces = [lively_face(number, k / rate) for number in range(1, actors + 1)]
            take.add(FaceFrame(k / rate, "benchmark", k, *SIZE, faces))
    return path
