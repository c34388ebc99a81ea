# SPDX-License-Identifier: GPL-3.0-or-later
"""Skin: where a face's places are, which faces are lips and mouth, and what colour goes where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from .arrays import Mesh, smooth, vertex_normals
from .makehuman import PartCut

SKIN, LIPS, MOUTH = range(3)
NOSE_TIP, UPPER_LIP, LOWER_LIP = 5134, 5342, 493  # base mesh vertex numbers


@dataclass(frozen=True)
class Face:
    """Places of a face, metres.

    Attributes:
        eyes: (2, 3) eyeball centres, the character's left first; radius: theirs.
        nose, mouth, chin: (3,) on the skin, in the middle.
        mouth_half: from the mouth's middle to its corner.
        skull: (3,) between the ears; skull_radius: (3,) half width, depth, height above it.
    """

    eyes: np.ndarray
    radius: float
    nose: np.ndarray
    mouth: np.ndarray
    mouth_half: float
    chin: np.ndarray
    skull: np.ndarray


def find_face(cut: PartCut, eyes: np.ndarray, radius: float, lips: np.ndarray) -> Face:
    """The places on a person's skin.

    Args:
        lips: (V,) 0..1 how much of a lip each vertex is.
    """
    place = {int(s): i for i, s in enumerate(cut.source)}
    points = cut.mesh.vertices
    nose, upper, lower = (points[place[n]] for n in (NOSE_TIP, UPPER_LIP, LOWER_LIP))
    mouth = (upper + lower) / 2
    lip = points[lips > 0.5]
    middle = points[np.abs(points[:, 0]) < 0.003]
    below = middle[(middle[:, 2] < mouth[2] - 0.02) & (middle[:, 2] > mouth[2] - 0.075)]
    chin = below[np.argmin(below[:, 1])]
    crown = points[:, 2].max()
    top = points[points[:, 2] > eyes[:, 2].mean() + 0.02]
    skull = np.array([0.0, (top[:, 1].min() + top[:, 1].max()) / 2 + 0.004, eyes[:, 2].mean()])
    assert crown > skull[2]
    return Face(eyes, radius, nose, mouth, float(np.abs(lip[:, 0]).max()), chin, skull)


def masks(data: Path, cut: PartCut, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """(V,) 0..1 of MakeHuman's painted masks ("lips", "inside-mouth", "ears", "eyelids", ...)."""
    found = {}
    corner = cut.mesh.faces.ravel()
    uv = cut.mesh.uv.reshape(-1, 2)
    for name in names:
        image = bpy.data.images.load(str(data / "mpfb2" / "textures" / f"mpfb_{name}.jpg"))
        width, height = image.size
        pixels = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
        grey = pixels.reshape(height, width, 4)[..., 0]
        bpy.data.images.remove(image)
        column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
        row = np.clip((uv[:, 1] * height).astype(int), 0, height - 1)
        total = np.bincount(corner, grey[row, column], len(cut.source))
        found[name] = total / np.maximum(np.bincount(corner, minlength=len(cut.source)), 1)
    return found


def slots(mesh: Mesh, mask: dict[str, np.ndarray]) -> np.ndarray:
    """(F,) SKIN, LIPS or MOUTH."""
    lips = mask["lips"][mesh.faces].mean(1) > 0.5
    mouth = mask["inside-mouth"][mesh.faces].mean(1) > 0.5
    return np.where(mouth, MOUTH, np.where(lips, LIPS, SKIN))


@dataclass(frozen=True)
class Tone:
    """Linear RGB of a person's skin.

    Attributes:
        base, blush (cheeks, nose, ears), shade (lids, folds), lips, mouth.
        beard: what shows through where a beard was shaved; beard_amount 0..1.
        scalp, brow: under the hair and the brows.
        blush_amount: 0..1.
    """

    base: tuple[float, float, float]
    blush: tuple[float, float, float]
    shade: tuple[float, float, float]
    lips: tuple[float, float, float]
    mouth: tuple[float, float, float]
    scalp: tuple[float, float, float]
    brow: tuple[float, float, float]
    beard: tuple[float, float, float] = (0.0, 0.0, 0.0)
    beard_amount: float = 0.0
    blush_amount: float = 0.4


def paint(
    mesh: Mesh,
    mask: dict[str, np.ndarray],
    face: Face,
    tone: Tone,
    scalp: np.ndarray,
    brow_lines: tuple[np.ndarray, ...],
    seed: int,
) -> np.ndarray:
    """(V, 3) linear RGB.

    Args:
        scalp: (V,) 0..1 where hair grows.
        brow_lines: (N, 3) each, along the brows.
    """
    points = mesh.vertices
    rng = np.random.default_rng(seed)
    colour = np.tile(np.array(tone.base), (len(points), 1))

    def mix(goal: tuple[float, float, float], amount: np.ndarray) -> None:
        nonlocal colour
        amount = np.clip(amount, 0, 1)[:, None]
        colour = colour * (1 - amount) + np.array(goal) * amount

    def spot(centre: np.ndarray, size: tuple[float, float, float]) -> np.ndarray:
        return np.exp(-(((points - centre) / size) ** 2).sum(1) / 2)

    ahead = points[:, 1] < face.skull[1] - 0.02  # the front half of the head
    for eye, side in zip(face.eyes, (1, -1), strict=True):
        cheek = eye + (0.012 * side, -0.012, -0.042)
        mix(tone.blush, tone.blush_amount * spot(cheek, (0.016, 0.03, 0.014)))
        mix(tone.shade, 0.55 * spot(eye + (0, -0.012, 0.012), (0.016, 0.02, 0.006)))
        mix(tone.shade, 0.35 * spot(eye + (-0.004 * side, -0.012, -0.014), (0.012, 0.02, 0.004)))
    mix(tone.blush, 0.7 * tone.blush_amount * spot(face.nose, (0.012, 0.014, 0.011)))
    mix(tone.blush, 0.4 * tone.blush_amount * spot(face.chin, (0.014, 0.02, 0.011)))
    mix(tone.blush, 0.5 * tone.blush_amount * mask["ears"])
    if tone.beard_amount:
        mix(tone.beard, tone.beard_amount * beard_field(points, face))
    for line in brow_lines:
        gap = np.linalg.norm(points[:, None] - line[None], axis=-1).min(1)
        mix(tone.brow, 0.5 * np.exp(-((gap / 0.0038) ** 2)))
    mix(tone.scalp, 0.9 * scalp)
    normals = vertex_normals(points, mesh.faces)
    dent = ((smooth(points, mesh.faces, 8) - points) * normals).sum(1)
    mix(tone.shade, np.where(ahead, np.clip(dent / 0.0035, 0, 0.6), 0))
    grain = smooth(rng.standard_normal(len(points)), mesh.faces, 2)
    colour *= (1 + 0.05 * np.clip(grain / grain.std(), -2, 2) * (1 - scalp))[:, None]
    lips = smooth(mask["lips"], mesh.faces, 1)
    mix(tone.lips, np.clip(1.25 * lips, 0, 1))
    mix(tone.mouth, (mask["inside-mouth"] > 0.5).astype(float))
    return colour


def beard_field(points: np.ndarray, face: Face) -> np.ndarray:
    """(N,) 0..1 where a beard grows: chin, jaw, upper lip, the upper neck."""
    x, y, z = points.T
    across = np.abs(x)
    edge = face.mouth[2] + 0.004 + np.clip((across - 0.028) / 0.03, 0, 1) * 0.050
    below = 1 / (1 + np.exp((z - edge) / 0.003))
    neck = 1 / (1 + np.exp((face.chin[2] - 0.032 - z) / 0.005))
    front = 1 / (1 + np.exp((y - face.skull[1] - 0.005) / 0.006))
    moustache = np.exp(-(((z - face.mouth[2] - 0.013) / 0.0045) ** 2) / 2)
    moustache *= 1 / (1 + np.exp((across - face.mouth_half - 0.004) / 0.003))
    beside = np.exp(-(((across - face.mouth_half - 0.007) / 0.005) ** 2) / 2) * (z < edge + 0.01)
    return np.clip(np.maximum(below * neck * front, np.maximum(moustache, beside * neck)), 0, 1)
