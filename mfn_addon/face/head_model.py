# SPDX-License-Identifier: GPL-3.0-or-later
"""The head model (3DMM): identity and expression weights -> vertices, landmarks, pixels.

A head is `neutral + identity weights @ identity modes + expression weights @ expressions`,
a linear morphable model as in Blanz and Vetter (SIGGRAPH 1999), with one expression mode for
each ARKit name. Built by `training/head_model` from CC0 data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from .names import EXPRESSIONS, IDENTITY_COUNT, LANDMARK_COUNT

MODELS_FOLDER = Path(__file__).resolve().parents[2] / "models"
DEFAULT_PATH = MODELS_FOLDER / "head_model.npz"


@dataclass(frozen=True)
class HeadModel:
    """The parametric head, in the head frame: x to the actor's left, y up, z out of the face,
    metres, origin midway between the eyeballs.

    Attributes:
        neutral: (V, 3) float32, the mean head.
        identity: (40, V, 3) float32, one standard deviation each.
        expression: (52, V, 3) float32, offsets at weight 1, in the order of `EXPRESSIONS`.
        triangles: (T, 3) int32 vertex numbers, counter-clockwise seen from outside.
        uv: (U, 2) float32 texture coordinates, and uv_triangles: (T, 3) int32 into them.
        groups: the part names; triangle_group: (T,) uint8 into them (skin, eyeLeft,
            eyeRight, teethUpper, teethLower, tongue, lashes).
        landmarks: (68,) int32 vertex numbers in iBUG order.
        digest: the first 16 hex digits of the file's SHA-256; a network names the head model
            that it was trained with by it.
    """

    neutral: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    groups: tuple[str, ...]
    triangle_group: np.ndarray
    landmarks: np.ndarray
    digest: str

    def vertices(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """(V, 3) vertices in the head frame, metres, of (40,) and (52,) weights."""
        return (
            self.neutral
            + np.tensordot(identity, self.identity, 1)
            + np.tensordot(expression, self.expression, 1)
        ).astype(np.float32)

    def landmark_points(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """(..., 68, 3) landmarks in the head frame, metres, of (..., 40) and (..., 52) weights;
        cheaper than all the vertices."""
        rest, modes = self._landmark_modes
        weights = np.concatenate([identity, expression], -1, dtype=np.float32)
        return (rest + weights @ modes).reshape(*weights.shape[:-1], len(self.landmarks), 3)

    @cached_property
    def _landmark_modes(self) -> tuple[np.ndarray, np.ndarray]:
        """(204,) the mean head's landmarks and (92, 204) how each weight moves them."""
        at = self.landmarks
        modes = np.concatenate([self.identity[:, at], self.expression[:, at]])
        return self.neutral[at].ravel(), modes.reshape(len(modes), -1)

    def triangles_of(self, *names: str) -> np.ndarray:
        """(n, 3) triangles of the named parts."""
        wanted = [self.groups.index(name) for name in names]
        return self.triangles[np.isin(self.triangle_group, wanted)]


@lru_cache(maxsize=4)
def load_head_model(path: Path = DEFAULT_PATH) -> HeadModel:
    """Read a head model.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no head model of this vocabulary; the message says what differs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"head model not found: {path} (run `make models`)")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {key: data[key] for key in data.files}
    except Exception as error:  # numpy raises many kinds for a damaged archive
        raise ValueError(f"{path} is not a head model: {error}") from error
    names = tuple(str(name) for name in arrays.get("expression_names", ()))
    if names != EXPRESSIONS:
        raise ValueError(f"{path}: its expressions are not ARKit's 52 in the expected order")
    if len(arrays["identity"]) != IDENTITY_COUNT or len(arrays["landmarks"]) != LANDMARK_COUNT:
        raise ValueError(
            f"{path}: {len(arrays['identity'])} identity modes and {len(arrays['landmarks'])} "
            f"landmarks, expected {IDENTITY_COUNT} and {LANDMARK_COUNT}"
        )
    unit = float(arrays["unit"])  # offsets are stored as int16 counts of this many metres
    return HeadModel(
        neutral=arrays["neutral"].astype(np.float32),
        identity=arrays["identity"].astype(np.float32) * unit,
        expression=arrays["expression"].astype(np.float32) * unit,
        triangles=arrays["triangles"].astype(np.int32),
        uv=arrays["uv"].astype(np.float32),
        uv_triangles=arrays["uv_triangles"].astype(np.int32),
        groups=tuple(str(name) for name in arrays["groups"]),
        triangle_group=arrays["triangle_group"],
        landmarks=arrays["landmarks"].astype(np.int32),
        digest=digest,
    )
