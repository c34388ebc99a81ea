# SPDX-License-Identifier: GPL-3.0-or-later
"""Training pictures with several faces, composed from banks of single ones.

Mosaics (cells of all sizes, each with a face), crowds (heads pasted with soft edges on
face-free photographs, overlapping, small, dark) and rendered scenes. Every face keeps exact
2D and 3D labels through scaling, turning and mirroring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from mfn_addon.face import load_head_model
from mfn_addon.face.mirror import mirror_matrix, mirror_order, mirror_rotation
from training.bank import FaceBank, Surface
from training.camera_faults import degrade
from training.colouring import colour_in, is_grey
from training.distractors import draw_bodies, draw_graphics, skin_tone
from training.sampling import REGION_MARGIN
from training.wearing import dress, take_face_away

MOST_FACES = 16
COVERED, COVERED_TRUST = 0.15, 0.2
"""How many faces have something in front of them, and how far their expression labels count."""
CROWD_COVERED, CROWD_PROFILES = 0.35, 0.35
"""In crowds: how many have something in front of them, and how many look far aside. Half of the
large faces that were missed in real crowds were profiles, a third were covered."""
DRESSED, CROWD_DRESSED = 0.18, 0.5
"""How many wear something, or hold it before their faces."""
COLOURED = 0.7
"""How many grey photographs are shown in a colour made up."""
FACELESS = 0.22
"""Of the heads in crowds: how many have their face taken away, as the back of a head."""
AWAY = 0.55
"""How many of those are heads rendered from behind, if there are any."""
FACELESS_FROM = 26.0
"""Px of a head's face from which it is taken away: of smaller ones nobody could tell."""
SMALL_MOSAICS, SMALLEST = 0.15, 18.0
"""How many mosaics are of small faces, and how small, px: in crowds most of those are covered."""
ENLARGED, SMALLEST_ENLARGED = 0.3, 48
"""How many close-ups are taken small, with the camera's faults, and enlarged; the least px."""
FAULTY, FAULTY_TWINS = 0.25, 0.8
"""How many close-ups have such faults; the same of those that two cameras take."""
BODIES = 0.7
"""How many pictures show parts of people that are no faces."""


@dataclass
class Scene:
    """A picture (S, S, 3) uint8 RGB and its n <= 16 faces' labels, in its pixels."""

    picture: np.ndarray
    rotation: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    trusted: np.ndarray
    box: np.ndarray
    ignore: np.ndarray

    def enlarged(self, size: int) -> Scene:
        """The same with a picture of (size, size)."""
        zoom = size / len(self.picture)
        if zoom == 1:
            return self
        picture = cv2.resize(self.picture, (size, size), interpolation=cv2.INTER_LINEAR)
        moved = {key: getattr(self, key) * np.float32(zoom) for key in ("centre", "scale", "box")}
        return replace(self, picture=picture, **moved)


class Composer:
    """Makes scenes of S x S px at random from banks and backgrounds."""

    def __init__(
        self,
        banks: list[FaceBank],
        shares: list[float],
        backgrounds: list[np.ndarray],
        surface: Surface,
        size: int,
        seed: int | tuple[int, ...],
        rendered: RenderedScenes | None = None,
        rendered_share: float = 0.12,
        away: FaceBank | None = None,
    ) -> None:
        self.banks, self.shares = banks, np.array(shares) / np.sum(shares)
        self.backgrounds, self.surface, self.size = backgrounds, surface, size
        self.random = np.random.default_rng(seed)
        self.rendered, self.rendered_share = rendered, rendered_share if rendered else 0.0
        self.away = away
        self.mirror_identity = mirror_matrix(load_head_model())
        self.mirror_order = mirror_order()
        cv2.setNumThreads(1)

    def scene(self) -> Scene:
        return self.finish(*self.composed())

    def twins(self) -> tuple[Scene, Scene]:
        """The same faces, seen by two cameras: what differs is nothing of theirs."""
        picture, faces = self.composed()
        return self.finish(picture, faces), self.finish(picture, faces)

    def composed(self) -> tuple[np.ndarray, list[dict]]:
        """A picture as it would be without a camera's faults, and its faces."""
        kind = self.random.random()
        # Scenes and crowds shrunk to a small picture would only hold faces too small to read.
        small = self.size < 160
        share = self.rendered_share * (0.15 if small else 1.6)
        if kind < share and self.rendered is not None:
            return self.rendered.pick(self.random, self.size)
        if kind < share + (0.95 if small else 0.62) * (1 - share):
            return self.mosaic()
        return self.crowd()

    def closeup(self, cameras: int = 1) -> list[Scene]:
        """One face that fills the picture as a region does, mostly clear to see, through so many
        cameras (several differ in what they do to it)."""
        random, size = self.random, self.size
        if random.random() < ENLARGED:
            size = max(SMALLEST_ENLARGED, round(size * random.uniform(0.35, 0.9)))
        side = size / REGION_MARGIN * float(np.exp(random.normal(0, 0.06)))
        patch, face = self.face(side, size, size, 0.04, covered=0.02, dressed=0.02)
        faulty = random.random(cameras) < (FAULTY if cameras == 1 else FAULTY_TWINS)
        return [self.finish(patch, [face], one).enlarged(self.size) for one in faulty]

    def crop(self) -> Scene:
        """One face that fills the picture as a region does, seen from near or from far."""
        size, random = self.size, self.random
        side = size / REGION_MARGIN * float(np.exp(random.normal(0, 0.06)))
        patch, face = self.face(side, size, size, 0.04)
        if random.random() < 0.35:  # small faces are enlarged to the same crop
            small = int(np.exp(random.uniform(np.log(0.25), np.log(0.9))) * size)
            patch = cv2.resize(patch, (small, small), interpolation=cv2.INTER_AREA)
            patch = cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR)
        return self.finish(patch, [face])

    # Layouts: each returns the picture and a list of faces

    def mosaic(self) -> tuple[np.ndarray, list[dict]]:
        """A square cut into cells, most with a face that nearly fills it: the whole picture, or
        a part of it with small ones."""
        picture, random = self.peopled(), self.random
        faces = []
        if random.random() < SMALL_MOSAICS:
            side = int(self.size * random.uniform(0.5, 1))
            typical = np.exp(random.uniform(np.log(SMALLEST), np.log(68)))
            count = int(np.clip(np.round((side * 0.66 / typical) ** 2), 1, MOST_FACES))
        else:
            # Every size equally likely on a log scale, down to where expression is unreadable.
            side = self.size
            typical = np.exp(random.uniform(np.log(min(68, 0.55 * side)), np.log(0.9 * side)))
            count = int(np.clip(np.round((side * 0.66 / typical) ** 2), 1, 9))
        left, top = random.integers(0, self.size - side + 1, 2)
        for cell in self.cells(side, count):
            x0, y0, x1, y1 = np.array(cell) + (left, top, left, top)
            if random.random() < (0.05 if self.size < 160 else 0.12):
                continue
            side = min(x1 - x0, y1 - y0)
            face_side = side * random.uniform(0.58, 0.96)
            faceless = self.faceless(face_side, FACELESS / 3)
            patch, face = self.face(face_side, x1 - x0, y1 - y0, 0.12, faceless=faceless)
            picture[y0:y1, x0:x1] = patch
            if faceless:
                continue
            face["centre"] = face["centre"] + (x0, y0)
            face["box"] = face["box"] + (x0, y0, x0, y0)
            faces.append(face)
        return picture, faces

    def cells(self, size: int, wanted: int) -> list[tuple[int, int, int, int]]:
        """A square of `size` px cut into so many cells: x0, y0, x1, y1."""
        random = self.random
        cells = [(0, 0, size, size)]
        while len(cells) < wanted:
            areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in cells]
            x0, y0, x1, y1 = cells.pop(int(np.argmax(areas)))
            cut = random.uniform(0.38, 0.62)
            if x1 - x0 >= y1 - y0:
                middle = int(x0 + (x1 - x0) * cut)
                cells += [(x0, y0, middle, y1), (middle, y0, x1, y1)]
            else:
                middle = int(y0 + (y1 - y0) * cut)
                cells += [(x0, y0, x1, middle), (x0, middle, x1, y1)]
        return cells

    def crowd(self) -> tuple[np.ndarray, list[dict]]:
        """Heads on a face-free photograph; near ones over far ones."""
        picture = self.peopled()
        size, random = self.size, self.random
        count = int(
            random.choice([0, 1, 2, 3, 5, 9, 16], p=[0.08, 0.1, 0.12, 0.15, 0.2, 0.2, 0.15])
        )
        largest = size * (0.75 if count < 3 else 0.4 if count < 6 else 0.26)
        sides = np.sort(np.exp(random.uniform(np.log(11), np.log(largest), count)))
        faces: list[dict] = []
        for side in sides:
            extent = int(side * random.uniform(1.6, 1.85))
            aside = random.random() < CROWD_PROFILES
            faceless = self.faceless(side, FACELESS)
            patch, face = self.face(
                side, extent, extent, 0.03, CROWD_COVERED, aside, CROWD_DRESSED, faceless
            )
            x = int(random.uniform(-0.2 * extent, size - 0.8 * extent))
            y = int(random.uniform(-0.2 * extent, size - 0.8 * extent))
            box = face["box"] + (x, y, x, y)
            covered = [overlap(box, other["box"]) for other in faces]
            if max(covered, default=0.0) > 0.5:
                continue
            for other, share in zip(faces, covered, strict=True):
                other["ignore"] |= share > 0.4
            if side < 60 and random.random() < 0.3:
                patch = cv2.GaussianBlur(
                    patch, (0, 0), float(random.uniform(0.4, 0.025 * side + 0.5))
                )
            if random.random() < 0.15:
                patch = (patch * random.uniform(0.25, 0.6)).astype(np.uint8)
            mask = self.mask(extent, face["box"])
            paste(picture, patch, mask, x, y)
            face["centre"] = face["centre"] + (x, y)
            if faceless:
                continue
            face["box"] = box
            inside = np.clip(box, 0, size)
            area = (inside[2] - inside[0]) * (inside[3] - inside[1])
            face["ignore"] = bool(area < 0.6 * (box[2] - box[0]) * (box[3] - box[1]))
            faces.append(face)
        return picture, faces

    # Ingredients

    def faceless(self, side: float, chance: float) -> bool:
        """Whether a head is to be one without a face, if there are any of that size."""
        there = side >= FACELESS_FROM or self.away is not None
        return there and self.random.random() < chance

    def background(self) -> np.ndarray:
        size, random = self.size, self.random
        source = self.backgrounds[random.integers(len(self.backgrounds))]
        side = int(min(source.shape[:2]) * random.uniform(0.3, 1))
        y = random.integers(0, source.shape[0] - side + 1)
        x = random.integers(0, source.shape[1] - side + 1)
        out = cv2.resize(source[y : y + side, x : x + side], (size, size))
        out = out[:, ::-1].copy() if random.random() < 0.5 else out
        if random.random() < 0.3:
            draw_graphics(out, random)
        return out

    def peopled(self) -> np.ndarray:
        """A background, and mostly parts of people on it that are no faces."""
        picture = self.background()
        if self.random.random() < BODIES:
            draw_bodies(picture, self.random, self.some_crop())
        return picture

    def some_crop(self) -> np.ndarray:
        bank = self.banks[self.random.choice(len(self.banks), p=self.shares)]
        return bank.crops[int(self.random.integers(len(bank)))]

    def face(
        self,
        side: float,
        width: int,
        height: int,
        wander: float,
        covered: float = COVERED,
        profile: bool = False,
        dressed: float = DRESSED,
        faceless: bool = False,
    ) -> tuple[np.ndarray, dict]:
        """One face whose box is about `side` px, in the middle of a (height, width) patch.

        Args:
            wander: how far from the middle at most, in sides.
            covered: the chance that something is in front of it.
            profile: draw one that looks far aside.
            dressed: the chance that it wears something (`training.wearing`).
            faceless: leave the head and take the face away; the labels tell where it was.
        """
        random = self.random
        bank = self.banks[random.choice(len(self.banks), p=self.shares)]
        small = side < FACELESS_FROM
        if faceless and self.away is not None and (small or random.random() < AWAY):
            bank = self.away
        i = bank.draw(random, profile)
        crop = bank.crops[i]
        face = {
            "rotation": bank.rotation[i],
            "identity": bank.identity[i],
            "expression": bank.expression[i],
            "trusted": bank.trust(i),
        }
        centre, scale = bank.centre[i], bank.scale[i]
        turn = np.radians(random.normal(0, 9) if random.random() < 0.9 else random.normal(0, 25))
        # The box of the untransformed face tells how far to zoom, and what to put in the middle.
        points = self.surface.project(
            face["rotation"][None],
            centre[None],
            np.array([scale]),
            face["identity"][None],
            face["expression"][None],
        )[0]
        low, high = points.min(0), points.max(0)
        zoom = side / max((high - low).max(), 1e-3)
        c, s = np.cos(turn) * zoom, np.sin(turn) * zoom
        linear = np.array([[c, -s], [s, c]])
        target = np.array([width, height]) / 2 + random.uniform(-wander, wander, 2) * side
        shift = target - linear @ ((low + high) / 2)
        matrix = np.hstack([linear, shift[:, None]])
        shrink = 1.0
        if zoom < 0.6:  # warpAffine does not average: shrink first
            shrink = 0.5 if zoom >= 0.3 else 0.25
            crop = cv2.resize(crop, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        warp = np.hstack([linear / shrink, shift[:, None]])
        patch = cv2.warpAffine(crop, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
        if random.random() < COLOURED and is_grey(crop):
            patch = colour_in(patch, points @ linear.T + shift, random)
        if random.random() < 0.5:  # else streaks would mark every face
            inside = np.full(crop.shape[:2], 255, np.uint8)
            inside = cv2.warpAffine(inside, warp, (width, height))
            behind = cv2.resize(self.background(), (width, height))
            paste(behind, patch, cv2.blur(inside, (3, 3)).astype(np.float32) / 255, 0, 0)
            patch = behind
        # A turn by +angle in pixels (y down) is one by -angle about the camera's z (y up).
        ct, st = np.cos(-turn), np.sin(-turn)
        face["rotation"] = np.array([[ct, -st, 0], [st, ct, 0], [0, 0, 1]]) @ face["rotation"]
        face["centre"] = matrix[:, :2] @ centre + matrix[:, 2]
        face["scale"] = scale * zoom
        if random.random() < 0.5:
            patch = patch[:, ::-1]
            face["rotation"] = mirror_rotation(face["rotation"])
            face["centre"] = np.array([width - face["centre"][0], face["centre"][1]])
            face["identity"] = self.mirror_identity @ face["identity"]
            face["expression"] = face["expression"][self.mirror_order]
            face["trusted"] = face["trusted"][self.mirror_order]
        face["box"] = box_of(self.surface, face)
        face["ignore"] = False
        worn = random.random() < dressed
        if worn or faceless:
            patch = np.ascontiguousarray(patch)
            points = points_of(self.surface, face)
            if worn:
                face["trusted"] = face["trusted"] * dress(patch, points, random)
            if faceless and bank is not self.away:
                take_face_away(patch, points, random)
        patch = self.tint(patch)
        if random.random() < covered:
            self.cover(patch, face["box"])
            face["trusted"] = face["trusted"] * COVERED_TRUST
        if random.random() < 0.1:
            patch = cv2.GaussianBlur(patch, (0, 0), float(random.uniform(0.01, 0.045) * side + 0.2))
            face["trusted"] = face["trusted"] * 0.5
        return patch, face

    def cover(self, patch: np.ndarray, box: np.ndarray) -> None:
        """Put something in front of a face: a hand's, a sign's, a bottle's or a hat's place."""
        random = self.random
        side = float((box[2:] - box[:2]).max())
        mask = np.zeros(patch.shape[:2], np.float32)
        angle = random.uniform(0, 2 * np.pi)
        middle = (box[:2] + box[2:]) / 2 + side * random.uniform(0.25, 0.5) * np.array(
            [np.cos(angle), np.sin(angle)]
        )
        at = (int(middle[0]), int(middle[1]))
        long, short = side * random.uniform(0.15, 0.6), side * random.uniform(0.08, 0.3)
        if random.random() < 0.5:
            axes = (int(long) + 1, int(short) + 1)
            cv2.ellipse(mask, at, axes, float(random.uniform(0, 180)), 0, 360, 1, -1)
        else:
            size = (float(2 * long), float(2 * short))
            corners = cv2.boxPoints((at, size, float(random.uniform(0, 180))))
            cv2.fillConvexPoly(mask, corners.astype(np.int32), 1)
        if random.random() < 0.6:
            front = cv2.resize(self.background(), patch.shape[1::-1])
        else:
            front = np.empty_like(patch)
            front[:] = skin_tone(random) if random.random() < 0.5 else random.integers(0, 256, 3)
        paste(patch, front, cv2.blur(mask, (3, 3)), 0, 0)

    def tint(self, patch: np.ndarray) -> np.ndarray:
        """Each face its own light: contrast, brightness, colour cast."""
        random = self.random
        gain = random.uniform(0.7, 1.25) * (1 + random.normal(0, 0.05, 3))
        out = (patch.astype(np.float32) - 100) * gain.astype(np.float32)
        out += 100 + float(random.uniform(-28, 25))
        return np.clip(out, 0, 255).astype(np.uint8)

    def mask(self, extent: int, box: np.ndarray) -> np.ndarray:
        """A soft head-and-shoulders shape: an ellipse over the head, a trapezoid under it."""
        random = self.random
        mask = np.zeros((extent, extent), np.float32)
        middle = (box[:2] + box[2:]) / 2
        half = (box[2:] - box[:2]) / 2
        centre = (int(middle[0]), int(middle[1] - 0.12 * half[1]))
        axes = (
            int(half[0] * random.uniform(1.2, 1.5)) + 1,
            int(half[1] * random.uniform(1.3, 1.6)) + 1,
        )
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, -1)
        if random.random() < 0.7:
            neck, shoulder, top = half[0] * 0.8, half[0] * 2.2, middle[1] + half[1] * 0.7
            corners = [
                (middle[0] - neck, top),
                (middle[0] + neck, top),
                (middle[0] + shoulder, extent),
                (middle[0] - shoulder, extent),
            ]
            cv2.fillConvexPoly(mask, np.array(corners, np.int32), 1)
        return cv2.GaussianBlur(mask, (0, 0), max(0.6, extent * random.uniform(0.008, 0.04)))

    def finish(self, picture: np.ndarray, faces: list[dict], faults: bool = True) -> Scene:
        """What the camera does to the whole picture (`faults`), and the labels as arrays."""
        if faults:
            picture = degrade(picture, self.random)
        faces = faces[:MOST_FACES]

        def stack(key: str, *shape: int) -> np.ndarray:
            rows = [np.asarray(face[key], np.float32) for face in faces]
            return np.stack(rows) if rows else np.zeros((0, *shape), np.float32)

        return Scene(
            picture=picture,
            rotation=stack("rotation", 3, 3),
            centre=stack("centre", 2),
            scale=stack("scale"),
            identity=stack("identity", 40),
            expression=stack("expression", 52),
            trusted=stack("trusted", 52),
            box=stack("box", 4),
            ignore=stack("ignore").astype(bool),
        )


class RenderedScenes:
    """Scenes that `training.synthetic` has rendered, with their exact labels."""

    def __init__(
        self, pictures: np.ndarray, labels: dict[str, np.ndarray], surface: Surface
    ) -> None:
        self.pictures, self.labels, self.surface = pictures, labels, surface

    def pick(self, random: np.random.Generator, size: int) -> tuple[np.ndarray, list[dict]]:
        i = int(random.integers(len(self.pictures)))
        picture = np.asarray(self.pictures[i])
        zoom = size / picture.shape[0]
        if zoom != 1:
            picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        faces = []
        for k in range(len(self.labels["scale"][i])):
            if not np.isfinite(self.labels["scale"][i, k]):
                continue
            face = {
                "rotation": self.labels["rotation"][i, k],
                "centre": self.labels["centre"][i, k] * zoom,
                "scale": self.labels["scale"][i, k] * zoom,
                "identity": self.labels["identity"][i, k],
                "expression": self.labels["expression"][i, k],
                "trusted": np.ones(52, np.float32),
                "ignore": self.labels["visible"][i, k] < 0.5,
            }
            face["box"] = box_of(self.surface, face)
            faces.append(face)
        return picture.copy(), faces


def points_of(surface: Surface, face: dict) -> np.ndarray:
    """(P, 2) px of the face's surface points."""
    return surface.project(
        *(np.asarray(face[key])[None] for key in ("rotation", "centre", "scale", "identity",
                                                  "expression"))
    )[0]  # fmt: skip


def box_of(surface: Surface, face: dict) -> np.ndarray:
    """(4,) x0, y0, x1, y1: the extent of the face's surface points."""
    points = points_of(surface, face)
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float32)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over the smaller of two boxes."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    inter = np.prod(np.maximum(high - low, 0))
    return float(inter / max(min(np.prod(a[2:] - a[:2]), np.prod(b[2:] - b[:2])), 1e-6))


def paste(picture: np.ndarray, patch: np.ndarray, mask: np.ndarray, x: int, y: int) -> None:
    """Blend a patch into the picture at x, y (may hang over the border)."""
    height, width = picture.shape[:2]
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + patch.shape[1], width), min(y + patch.shape[0], height)
    if x1 <= x0 or y1 <= y0:
        return
    part = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
    alpha = mask[part][..., None]
    below = picture[y0:y1, x0:x1]
    picture[y0:y1, x0:x1] = (below * (1 - alpha) + patch[part] * alpha).astype(np.uint8)
