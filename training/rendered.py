# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered faces and scenes, written by `training.synthetic`, as stock for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.bank import FaceBank, Surface
from training.measures import relative_to_sight
from training.scenes import RenderedScenes


def looks(
    rotation: np.ndarray, translation: np.ndarray, focal: np.ndarray, side: int
) -> dict[str, np.ndarray]:
    """Poses in a true camera's frame by look: rotation to the line of sight, centre px, px a metre.

    The renderer knows the camera (`focal` px, principal point in the middle); a network only sees
    the look, see `mfn_addon.face.camera`.

    Args:
        rotation: (..., 3, 3); translation: (..., 3) metres; focal: (...) px.
        side: px of the square picture.
    """
    depth = -translation[..., 2]
    x, y = translation[..., 0] / depth, translation[..., 1] / depth
    centre = np.stack([side / 2 + focal * x, side / 2 - focal * y], -1)
    return {
        "rotation": relative_to_sight(rotation, translation).astype(np.float32),
        "centre": centre.astype(np.float32),
        "scale": (focal / depth).astype(np.float32),
    }


def read_looks(folder: Path, side: int) -> dict[str, np.ndarray]:
    """A rendered set's labels, its poses as `looks`."""
    rotation = np.load(folder / "rotation.npy").astype(np.float64)
    translation = np.load(folder / "translation.npy").astype(np.float64)
    focal = np.load(folder / "focal.npy").astype(np.float64)
    if focal.ndim < translation.ndim - 1:  # one camera a picture
        focal = focal[:, None]
    return looks(rotation, translation, focal, side) | {
        "identity": np.load(folder / "identity.npy").astype(np.float32),
        "expression": np.load(folder / "expression.npy").astype(np.float32),
    }


def rendered_bank(folder: Path) -> FaceBank:
    """Crops with one face each."""
    crops = np.load(folder / "images.npy", mmap_mode="r")
    labels = read_looks(folder, crops.shape[1])
    for key, value in labels.items():
        if value.ndim > 1 and value.shape[1] == 1:  # one face a picture
            labels[key] = value[:, 0]
    return FaceBank(
        crops=crops, trusted=np.ones(52, np.float32), name=f"rendered {folder.name}", **labels
    )


def rendered_scenes(folder: Path, surface: Surface) -> RenderedScenes:
    pictures = np.load(folder / "images.npy", mmap_mode="r")
    labels = read_looks(folder, pictures.shape[1])
    labels["visible"] = np.load(folder / "visible.npy").astype(np.float32)
    return RenderedScenes(pictures, labels, surface)
