# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the head model to be checked by eye: landmarks with numbers, identities, expressions.

python -m training.show_head --output build/head_model.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, HeadModel, load_head_model, project
from training.correspondence import load_teacher_points

COLOURS = {
    "skin": (150, 175, 215), "eyeLeft": (250, 250, 250), "eyeRight": (250, 250, 250),
    "teethUpper": (225, 240, 245), "teethLower": (225, 240, 245), "tongue": (110, 110, 200),
    "lashes": (30, 30, 30),
}  # fmt: skip


def draw_head(model: HeadModel, vertices: np.ndarray, yaw: float, size: int) -> tuple:
    """A shaded head seen from `yaw` degrees: (size, size, 3) uint8 BGR and (V, 2) px."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    pixels = project(vertices, rotation, np.array([0, 0.02, -0.45]), size, size)
    camera = vertices @ rotation.T
    corners = camera[model.triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    light = np.clip(normal @ np.array([0.3, 0.4, 0.86]), 0, 1) * 0.8 + 0.2
    image = np.full((size, size, 3), 40, np.uint8)
    for t in np.argsort(corners[:, :, 2].mean(1)):
        if normal[t, 2] > 0:
            colour = np.array(COLOURS[model.groups[model.triangle_group[t]]]) * light[t]
            polygon = np.round(pixels[model.triangles[t]] * 16).astype(np.int32)
            cv2.fillConvexPoly(image, polygon, colour.tolist(), cv2.LINE_AA, 4)
    return image, pixels


def contact_sheet(model: HeadModel, size: int = 320) -> np.ndarray:
    """Neutral with both sets of landmarks, random identities, and each expression at 1."""
    none, rest = np.zeros(len(model.identity)), np.zeros(len(EXPRESSIONS))
    corners, weights = load_teacher_points(np.load("models/head_model.npz")["source_vertex"])
    large = []
    for yaw in (0, -50):
        vertices = model.vertices(none, rest)
        image, pixels = draw_head(model, vertices, yaw, size * 3)
        for point in (pixels[corners] * weights[..., None]).sum(1):
            cv2.circle(image, tuple(np.round(point * 16).astype(int)), 24, (60, 160, 60), -1, 8, 4)
        for number, vertex in enumerate(model.landmarks):
            at = tuple(np.round(pixels[vertex]).astype(int))
            cv2.circle(image, at, 3, (0, 0, 255), -1, cv2.LINE_AA)
            cv2.putText(image, str(number), (at[0] + 3, at[1] - 3), 0, 0.4, (255, 0, 0), 1)
        large.append(image)
    random = np.random.default_rng(3)
    heads = [model.vertices(random.standard_normal(len(none)), rest) for _ in range(8)]
    titles = ["identity"] * 8
    for name in EXPRESSIONS:
        weight = rest.copy()
        weight[EXPRESSION_INDEX[name]] = 1
        if name == "mouthClose":  # by definition it closes the lips of an open jaw
            weight[EXPRESSION_INDEX["jawOpen"]] = 1
        heads.append(model.vertices(none, weight))
        titles.append(name)
    small = []
    for vertices, title in zip(heads, titles, strict=True):
        image = draw_head(model, vertices, 15, size)[0]
        cv2.putText(image, title, (6, 20), 0, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        small.append(image)
    columns = 10
    rows = [
        np.concatenate(small[i : i + columns], 1)
        for i in range(0, len(small) - columns + 1, columns)
    ]
    top = np.zeros((size * 3, size * columns, 3), np.uint8)
    top[:, : size * 6] = np.concatenate(large, 1)
    return np.concatenate([top, *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("build/head_model.png"))
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(output), contact_sheet(load_head_model()))


if __name__ == "__main__":
    main()
