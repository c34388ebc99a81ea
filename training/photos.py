# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographs with a teacher's labels: the loader of the development data.

The folder holds three sets (`p1`, `expr`, `frames`), each a tar of pictures beside an npz of
MediaPipe FaceLandmarker labels: 478 landmarks, 52 scores. The set is described by its own
README. A tenth of it, chosen by person, is held back from training (`held_back`).
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.face import EXPRESSIONS
from training.measures import relative_to_sight

SETS = ("p1", "expr", "frames")
CROP_SIZE = 192
CROP_MARGIN = 1.9
"""The stored crop's side over the face box's longer side."""

DOUBTFUL_STABILITY = 0.03
TEACHER_SIGHT_SHARE = 0.25
"""How far the teacher's rotation is from the line of sight towards the camera's frame. It calls its
matrix the camera's; but only turned by this share does its difference from fitted landmarks no
longer depend on where in the picture a face is (docs/decisions/0008)."""
FOREIGN_AGREEMENT = 0.3  # p1 rows above it carry the labels of another person in the frame


def data_folder() -> Path | None:
    """The development data: $MFN_DATA, or ../shared/data beside the repository, if present."""
    named = os.environ.get("MFN_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if (folder / "photos").is_dir() else None


@dataclass
class PhotoSet:
    """One set's usable rows.

    Attributes:
        name: p1, expr or frames.
        members: tar member names. persons: who is seen (expr has only file names to go by).
        landmarks: (N, 478, 2) px of the stored picture.
        scores: (N, 52) teacher scores in the order of `EXPRESSIONS`; tongueOut is NaN.
        held_back: (N,) True for the rows that training never sees.
        emotions: expr only, else ''.
        rotation: (N, 3, 3) the teacher's, relative to the line of sight.
        landmarks68: (N, 68, 2) px, iBUG order, set by people: p1 only, else NaN.
    """

    name: str
    tar: Path
    members: np.ndarray
    persons: np.ndarray
    landmarks: np.ndarray
    scores: np.ndarray
    held_back: np.ndarray
    emotions: np.ndarray
    rotation: np.ndarray
    landmarks68: np.ndarray

    def pictures(self, rows: np.ndarray | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (row, picture uint8 RGB) in the tar's order."""
        rows = np.arange(len(self.members)) if rows is None else rows
        with tarfile.open(self.tar) as tar:
            for row in rows:
                handle = tar.extractfile(str(self.members[row]))
                assert handle is not None
                data = np.frombuffer(handle.read(), np.uint8)
                yield row, cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def picture(self, row: int) -> np.ndarray:
        return next(self.pictures(np.array([row])))[1]


def is_held_back(name: str) -> bool:
    """Whether a person or picture is in the tenth that training never sees, by sha1 of the name."""
    return int(hashlib.sha1(name.lower().encode()).hexdigest()[:8], 16) % 10 == 0


def person_of_file(name: str) -> str:
    """The person in a press photograph's file name: 'First_Last_0003.jpg' -> 'first_last'."""
    stem = Path(name).stem
    return stem.rsplit("_", 1)[0].lower()


def load(name: str, folder: Path) -> PhotoSet:
    """Read one set's usable rows (a face found, stable, the labels its own)."""
    with np.load(folder / "photos" / f"{name}_labels.npz") as data:
        labels = {key: data[key] for key in data.files}
    usable = labels["found"].copy()
    if "stability" in labels:
        usable &= np.nan_to_num(labels["stability"], nan=1) < DOUBTFUL_STABILITY
    if "agree68" in labels:
        usable &= labels["agree68"] < FOREIGN_AGREEMENT
    rows = np.flatnonzero(usable)
    side = np.maximum(labels["width"], labels["height"]).astype(np.float32)[rows]
    landmarks = labels["landmarks"][rows].astype(np.float32) / 8192 * side[:, None, None]
    names = [str(n) for n in labels["blendshape_names"]]
    scores = np.full((len(rows), len(EXPRESSIONS)), np.nan, np.float32)
    for column, expression in enumerate(EXPRESSIONS):
        if expression in names:
            scores[:, column] = labels["blendshapes"][rows, names.index(expression)]
    members = labels["names"][rows]
    persons = (
        labels["person"][rows]
        if "person" in labels
        else np.array([person_of_file(str(m)) for m in members])
    )
    emotions = labels["emotion"][rows] if "emotion" in labels else np.full(len(rows), "")
    return PhotoSet(
        name=name,
        tar=folder / "photos" / f"{name}.tar",
        members=members,
        persons=persons,
        landmarks=landmarks,
        scores=scores,
        held_back=np.array([is_held_back(str(p)) for p in persons]),
        emotions=emotions,
        rotation=teacher_rotation(labels["matrix"][rows]),
        landmarks68=(
            labels["landmarks68"][rows].astype(np.float32)
            if "landmarks68" in labels
            else np.full((len(rows), 68, 2), np.nan, np.float32)
        ),
    )


def teacher_rotation(matrix: np.ndarray) -> np.ndarray:
    """The teacher's (N, 4, 4) transforms -> (N, 3, 3) rotations relative to the line of sight."""
    matrix = matrix.astype(np.float64)
    return relative_to_sight(matrix[:, :3, :3], matrix[:, :3, 3], TEACHER_SIGHT_SHARE)


def crop_matrix(landmarks: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """(2, 3) affine map from the picture to the stored crop around a face's landmarks."""
    low, high = landmarks.min(0), landmarks.max(0)
    centre = (low + high) / 2
    scale = size / ((high - low).max() * CROP_MARGIN)
    return np.hstack([np.eye(2) * scale, (size / 2 - centre * scale)[:, None]]).astype(np.float32)


def crop(picture: np.ndarray, matrix: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """The stored crop; what lies beyond the picture repeats its border."""
    flags = cv2.INTER_AREA if matrix[0, 0] < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(
        picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def read_backgrounds(folder: Path, held_back: bool = False) -> list[np.ndarray]:
    """The face-free photographs, uint8 RGB: those for training, or the tenth kept from it."""
    pictures = []
    with tarfile.open(folder / "backgrounds" / "backgrounds.tar") as tar:
        for member in tar:
            handle = tar.extractfile(member)
            if handle is None or not member.name.lower().endswith((".jpg", ".jpeg", ".png")):
                continue
            if is_held_back(member.name) != held_back:
                continue
            data = np.frombuffer(handle.read(), np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if image is not None:
                pictures.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    return pictures
