# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole training pictures: who stands where, what is in the way, what the camera makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.face import IDENTITY_COUNT, LANDMARK_COUNT

from . import compose
from .expressions import COUNT, ExpressionSampler
from .painter import OCCLUDER, Canvas, Painter, Pose, Truth, visible_share
from .people import dressed, load_wardrobe, random_person
from .photo import Light, develop, load_backgrounds, random_background, random_light

MAX_FACES = 6
FACE_COUNTS = (0.05, 0.33, 0.24, 0.16, 0.10, 0.07, 0.05)
"""How often a scene has 0, 1, .. MAX_FACES faces."""

BOX_WIDTH = 0.152
"""Metres, about, of the longer side of a face's box."""

Picture = tuple[np.ndarray, float, list[Truth]]
"""An image (h, w, 3) uint8 RGB, the camera's focal length in px, and the faces' truths."""


def euler(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation roll @ pitch @ yaw, radians: yaw to the actor's left, pitch down, roll clockwise."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (tilt @ nod @ turn).astype(np.float32)


class Studio:
    """Makes pictures of one size with their labels.

    Args:
        width, height: px.
        backgrounds: a tar file of photographs without faces, or None.
        samples: an array file of real faces' expression scores, or None.
    """

    def __init__(
        self,
        width: int,
        height: int,
        backgrounds: Path | None = None,
        samples: Path | None = None,
    ) -> None:
        self.wardrobe = load_wardrobe()
        self.painter = Painter(self.wardrobe)
        self.canvas = Canvas(width, height)
        self.backgrounds = load_backgrounds(backgrounds)
        self.expressions = ExpressionSampler(samples)
        cv2.setNumThreads(1)

    def scene(self, rng: np.random.Generator) -> Picture:
        """A picture of 0 to MAX_FACES people of all sizes."""
        canvas = self.canvas
        width, height = canvas.width, canvas.height
        longer, shorter = max(width, height), min(width, height)
        sizes = random_sizes(shorter, rng)
        focal = longer * np.exp(rng.uniform(np.log(0.7), np.log(3)))
        if len(sizes):  # nobody's nose is nearer than 0.3 m
            focal = max(focal, 0.32 / BOX_WIDTH * sizes.max())
        light = random_light(rng)
        placed: list[tuple[np.ndarray, float]] = []
        truths: list[Truth] = []
        canvas.clear()
        for px in sorted(sizes, reverse=True):
            at = find_place(px, placed, width, height, rng)
            if at is None:
                continue
            placed.append((at, px))
            person = random_person(self.wardrobe, rng)
            expression = self.expressions(rng)
            pose = random_pose(at, px, focal, 27, rng)
            truths.append(
                self.painter.paint(canvas, person, expression, pose, focal, light, len(truths))
            )
        return self.finish(truths, focal, light, rng, 0.1)

    def crop(self, rng: np.random.Generator) -> Picture:
        """A picture of one face that fills 58 to 77 % of it."""
        canvas = self.canvas
        px = rng.uniform(0.58, 0.77) * min(canvas.width, canvas.height)
        distance = np.exp(rng.normal(np.log(0.9), 0.55)).clip(0.3, 5)
        focal = px * distance / BOX_WIDTH
        light = random_light(rng)
        canvas.clear()
        person = random_person(self.wardrobe, rng)
        expression = self.expressions(rng)
        at = rng.normal(0, 0.03 * canvas.width, 2)
        pose = random_pose(at, px, focal, 24, rng)
        truth = self.painter.paint(canvas, person, expression, pose, focal, light, 0)
        return self.finish([truth], focal, light, rng, 0.12)

    def bystander(self, rng: np.random.Generator) -> Picture:
        """A picture of one face that pays the camera no attention: aside, down or up."""
        return self.passer(inattentive_pose, 0.12, rng)

    def away(self, rng: np.random.Generator) -> Picture:
        """A picture of one head from behind; its labels tell where the face is that nobody sees."""
        return self.passer(averted_pose, 0.05, rng)

    def passer(
        self, pose_of: Callable[..., Pose], occluders: float, rng: np.random.Generator
    ) -> Picture:
        """A picture of somebody dressed for the street, who fills about 60 % of it."""
        canvas = self.canvas
        px = rng.uniform(0.5, 0.68) * min(canvas.width, canvas.height)
        focal = px * np.exp(rng.normal(np.log(2), 0.5)).clip(0.5, 8) / BOX_WIDTH
        light = random_light(rng)
        canvas.clear()
        person = dressed(random_person(self.wardrobe, rng), self.wardrobe, rng)
        pose = pose_of(rng.normal(0, 0.03 * canvas.width, 2), px, focal, rng)
        truth = self.painter.paint(canvas, person, self.expressions(rng), pose, focal, light, 0)
        return self.finish([truth], focal, light, rng, occluders)

    def study(self, rng: np.random.Generator) -> Picture:
        """A clear picture of one face that shows a few shapes well, or one alone.

        What crops teach is to read faces in bad pictures; what each shape looks like is learned
        from good ones.
        """
        canvas = self.canvas
        px = rng.uniform(0.62, 0.8) * min(canvas.width, canvas.height)
        focal = px * np.exp(rng.normal(np.log(0.9), 0.4)).clip(0.4, 3) / BOX_WIDTH
        light = random_light(rng)
        canvas.clear()
        person = random_person(self.wardrobe, rng)
        pose = random_pose(rng.normal(0, 0.02 * canvas.width, 2), px, focal, 14, rng)
        truth = self.painter.paint(
            canvas, person, self.expressions.study(rng), pose, focal, light, 0
        )
        return self.finish([truth], focal, light, rng, 0, plain=True)

    def series(self, rng: np.random.Generator, count: int, vary: str) -> list[Picture]:
        """Clear pictures of one expression, in which only one thing changes.

        Args:
            vary: "pose", "identity" or "crop" (where the face is in the picture, and how large).
        """
        canvas, light = self.canvas, random_light(rng)
        person, expression = random_person(self.wardrobe, rng), self.expressions.study(rng)
        turn = [rng.normal(0, spread) for spread in (0.15, 0.08, 0.06)]
        pictures = []
        for number in range(count):
            at, share = np.zeros(2), 0.7
            if vary == "pose":
                turn = [rng.normal(0, spread) for spread in (0.4, 0.2, 0.2)]
            elif vary == "identity":
                identity = rng.normal(0, 1, IDENTITY_COUNT).astype(np.float32)
                person = replace(person, identity=identity)
            elif vary == "crop":
                at, share = rng.normal(0, 0.05 * canvas.width, 2), rng.uniform(0.6, 0.8)
            else:
                raise ValueError(f"vary is {vary!r}, expected pose, identity or crop")
            px = share * min(canvas.width, canvas.height)
            focal = px * 0.9 / BOX_WIDTH
            canvas.clear()
            pose = pose_at(at, px, focal, euler(*turn), np.eye(3, dtype=np.float32))
            truth = self.painter.paint(canvas, person, expression, pose, focal, light, 0)
            same = np.random.default_rng(number if vary == "crop" else 0)
            pictures.append(self.finish([truth], focal, light, same, 0, plain=True))
        return pictures

    def finish(
        self,
        truths: list[Truth],
        focal: float,
        light: Light,
        rng: np.random.Generator,
        occluders: float,
        plain: bool = False,
    ) -> Picture:
        """Occluders (with that chance), background, camera; how much of each face is visible."""
        canvas = self.canvas
        if rng.random() < occluders:
            add_occluder(canvas, truths, light, rng)
        for number, truth in enumerate(truths):
            truth.visible = visible_share(canvas, truth, focal, number)
        background = random_background(self.backgrounds, canvas.width, canvas.height, rng)
        background = background * np.float32(light.ambient[0].mean() * 1.6 + 0.25)
        compose.downsample(canvas.image, canvas.owner, background, canvas.samples, canvas.out)
        return develop(canvas.out, rng, plain), float(focal), truths


def random_sizes(shorter: float, rng: np.random.Generator) -> np.ndarray:
    """How many px each face of a scene is wide; from 6 px to 0.9 of the picture."""
    count = int(rng.choice(MAX_FACES + 1, p=FACE_COUNTS))
    largest = {0: 1, 1: 0.9, 2: 0.6, 3: 0.48, 4: 0.42}.get(count, 0.34)
    kind = rng.random()
    if kind < 0.45:  # a group at about one distance
        share = rng.uniform(0.12, largest) * np.exp(rng.normal(0, 0.15, count))
    elif kind < 0.67:
        share = rng.uniform(0.25, largest, count)
    else:
        share = np.exp(rng.uniform(np.log(6 / shorter), np.log(largest), count))
    return share * shorter


def find_place(
    px: float,
    placed: list[tuple[np.ndarray, float]],
    width: int,
    height: int,
    rng: np.random.Generator,
) -> np.ndarray | None:
    """Where a face's middle may stand, px from the picture's middle; None: it found no room."""
    half = np.array([width / 2, height / 2])
    for _ in range(12):
        margin = px * (0.35 if rng.random() < 0.85 else -0.05)
        if 2 * abs(margin) > min(width, height):
            at = rng.normal(0, 0.04 * min(width, height), 2)
        else:
            at = rng.uniform(margin - half, half - margin + 1e-3)
        if is_free(at, px, placed, 0.5 if rng.random() < 0.1 else 0.95):
            return at
    return None


def is_free(
    at: np.ndarray, px: float, placed: list[tuple[np.ndarray, float]], clear: float
) -> bool:
    """Whether a face of `px` at `at` keeps clear of nearer faces and of their shoulders."""
    for other, size in placed:
        offset = at - other
        if np.abs(offset).max() < clear * (px + size) / 2:
            return False
        if abs(offset[0]) < clear * 1.35 * size and 0 < offset[1] < clear * 4 * size:
            return False
    return True


def random_pose(
    at: np.ndarray, px: float, focal: float, spread: float, rng: np.random.Generator
) -> Pose:
    """A head turned at random whose face is `px` wide, its middle `at` px from the picture's.

    `spread` is the yaw's standard deviation in degrees; one in seven is turned up to 80 degrees.
    """
    yaw = rng.normal(0, spread) if rng.random() < 0.85 else rng.uniform(-80, 80)
    pitch = rng.normal(2, 12)
    roll = rng.normal(0, 10) if rng.random() < 0.9 else rng.normal(0, 28)
    yaw, pitch, roll = np.radians(np.clip([yaw, pitch, roll], [-82, -45, -80], [82, 45, 80]))
    rotation = euler(yaw, pitch, roll)
    torso = euler(yaw * rng.uniform(0.1, 0.9), rng.normal(0, 0.06), roll * rng.uniform(0, 0.4))
    return pose_at(at, px, focal, rotation, torso)


def inattentive_pose(at: np.ndarray, px: float, focal: float, rng: np.random.Generator) -> Pose:
    """As `random_pose`, of somebody who looks elsewhere: at a neighbour, a telephone, the sky."""
    yaw, pitch = rng.uniform(-92, 92), rng.normal(4, 13)
    if rng.random() < 0.4:
        yaw = rng.normal(0, 35)
        pitch = rng.uniform(15, 58) if rng.random() < 0.75 else rng.uniform(-45, -15)
    turn = np.radians([np.clip(yaw, -92, 92), np.clip(pitch, -45, 58), rng.normal(0, 13)])
    torso = euler(turn[0] * rng.uniform(0, 1), rng.normal(0, 0.08), turn[2] * rng.uniform(0, 0.4))
    return pose_at(at, px, focal, euler(*turn), torso)


def averted_pose(at: np.ndarray, px: float, focal: float, rng: np.random.Generator) -> Pose:
    """As `random_pose`, of somebody seen from behind."""
    turn = np.radians([rng.uniform(132, 228), rng.normal(0, 12), rng.normal(0, 10)])
    torso = euler(turn[0] + rng.normal(0, 0.5), rng.normal(0, 0.08), 0)
    return pose_at(at, px, focal, euler(*turn), torso)


def pose_at(
    at: np.ndarray, px: float, focal: float, rotation: np.ndarray, torso: np.ndarray
) -> Pose:
    """A head of known rotation whose face is `px` wide, its middle `at` px from the picture's."""
    depth = focal * BOX_WIDTH / px
    middle = rotation @ np.array([0, -0.03, 0.0], np.float32)
    offset = np.array([at[0], -at[1], 0]) * depth / focal
    translation = offset - middle + [0, 0, -depth]
    return Pose(rotation, translation.astype(np.float32), torso)


def add_occluder(
    canvas: Canvas, truths: list[Truth], light: Light, rng: np.random.Generator
) -> None:
    """A hand-like blob, a microphone, or a bar, mostly in front of a face."""
    rows, columns = canvas.owner.shape
    mask = np.zeros((rows, columns), np.uint8)
    if truths and rng.random() < 0.85:
        box = truths[rng.integers(len(truths))].box * canvas.samples
    else:
        box = np.array([0, 0, columns, rows]) * rng.uniform(0.2, 0.8)
    size = float(box[2] - box[0])
    centre = rng.uniform(box[:2], box[2:]) + np.array([0, 0.3 * size])

    def line(start: np.ndarray, end: np.ndarray, thick: float) -> None:
        ends = [(int(p[0]), int(p[1])) for p in (start, end)]
        cv2.line(mask, ends[0], ends[1], (1,), max(1, int(thick)))

    def ball(middle: np.ndarray, radius: float) -> None:
        cv2.circle(mask, (int(middle[0]), int(middle[1])), max(1, int(radius)), (1,), -1)

    kind = rng.integers(3)
    if kind == 0:  # a hand
        angle = rng.uniform(0, np.pi)
        for k in range(rng.integers(2, 5)):
            start = centre + size * 0.11 * k * np.array([np.cos(angle), np.sin(angle)])
            way = size * rng.uniform(0.25, 0.5) * np.array([np.sin(angle), -np.cos(angle)])
            line(start, start + way, size * 0.1)
        ball(centre + size * 0.15, size * 0.2)
        albedo = np.array([0.5, 0.3, 0.22]) * rng.uniform(0.15, 1.2)
    elif kind == 1:  # a microphone
        ball(centre, size * rng.uniform(0.08, 0.16))
        line(centre, centre + np.array([rng.normal(0, 0.4) * size, size]), size * 0.09)
        albedo = np.full(3, rng.uniform(0.01, 0.2))
    else:
        way = rng.normal(0, 1, 2)
        way *= 2 * size / np.linalg.norm(way)
        line(centre - way, centre + way, size * rng.uniform(0.04, 0.3))
        albedo = rng.uniform(0.02, 0.7, 3)
    hit = mask > 0
    canvas.owner[hit] = OCCLUDER
    # round it: brighter on the side that is turned to the lamp
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.6, 0.03 * size))
    gy, gx = np.gradient(soft)
    steep = np.clip((-gx * light.lamps[0, 0] + gy * light.lamps[0, 1]) * 0.06 * size + 0.5, 0, 1.5)
    level = light.ambient[0] * 0.8 + light.colours[0] * steep[hit][:, None]
    canvas.image[hit] = (albedo * level).astype(np.float32)


def pack(truths: list[Truth], focal: float, faces: int) -> dict[str, np.ndarray]:
    """The labels of one picture as float32 arrays padded with NaN to `faces` rows."""
    shapes: dict[str, tuple[int, ...]] = {
        "box": (4,),
        "rotation": (3, 3),
        "translation": (3,),
        "landmarks": (LANDMARK_COUNT, 2),
        "identity": (IDENTITY_COUNT,),
        "expression": (COUNT,),
        "visible": (),
    }
    out = {key: np.full((faces, *shape), np.nan, np.float32) for key, shape in shapes.items()}
    out["focal"] = np.full(faces, np.nan, np.float32)
    for k, truth in enumerate(truths[:faces]):
        for key in shapes:
            out[key][k] = getattr(truth, key)
        out["focal"][k] = focal
    return out
