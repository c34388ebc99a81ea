# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of people: pose them, draw them, note the truth.

`Camera frame` and `head frame` as in `mfn_addon.face`. Pictures are drawn with `SAMPLES` samples
a px in each direction and averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.face import IDENTITY_COUNT, LANDMARK_COUNT

from . import raster, shade
from .expressions import COUNT, ExpressionSampler
from .people import Person, Wardrobe, load_wardrobe, random_person
from .photo import Light, develop, load_backgrounds, random_background, random_light

SAMPLES = 2
MAX_FACES = 6
NOBODY = 255
OCCLUDER = 254
SHADOW_SIZE = 112
SHADOW_SPAN = 0.5  # metres across the shadow map


@dataclass
class Pose:
    """Where a person is: rotation (3, 3) and translation (3,) of the head, torso's rotation."""

    rotation: np.ndarray
    translation: np.ndarray
    torso: np.ndarray


@dataclass
class Truth:
    """The labels of one face; see `training/synthetic/__main__.py` for units."""

    box: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    landmarks: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    region: np.ndarray
    """(468, 3) the face's surface points and `facing` (468, 3) their normals, head frame."""
    facing: np.ndarray
    visible: float = 1.0


class Canvas:
    """Buffers of one picture size, used again for each picture."""

    def __init__(
        self, width: int, height: int, samples: int = SAMPLES, block: int | None = None,
        shadow_size: int = SHADOW_SIZE,
    ):  # fmt: skip
        self.width, self.height, self.samples = width, height, samples
        self.block = samples if block is None else block  # samples that share one colour
        shape = (height * samples, width * samples)
        self.image = np.zeros((*shape, 3), np.float32)
        self.owner = np.empty(shape, np.uint8)
        self.depth = np.empty(shape, np.float32)
        self.found = np.full(shape, -1, np.int32)
        self.weight_b = np.empty(shape, np.float32)
        self.weight_c = np.empty(shape, np.float32)
        self.shadow = np.empty((shadow_size, shadow_size), np.float32)
        self.out = np.empty((height, width, 3), np.float32)

    def clear(self) -> None:
        self.owner[:] = NOBODY
        self.depth[:] = 0


def euler(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation roll @ pitch @ yaw, radians: yaw to the actor's left, pitch down, roll clockwise."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (tilt @ nod @ turn).astype(np.float32)


class Painter:
    """Draws people onto a canvas."""

    def __init__(self, wardrobe: Wardrobe):
        self.wardrobe = wardrobe
        mesh = wardrobe.mesh
        self.base = np.ascontiguousarray(mesh.neutral.ravel())
        self.smooth_triangles = mesh.smooth[mesh.triangles].astype(np.int32)
        self.normal = np.empty_like(mesh.neutral)

    def shape(self, identity: np.ndarray, expression: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) head and bust in the head frame before the neck bends: at rest, and expressing."""
        modes = self.wardrobe.mesh.modes
        rest = np.empty_like(self.base)
        raster.blend_weights(self.base, modes[:IDENTITY_COUNT], identity, rest)
        moved = np.empty_like(self.base)
        raster.blend_weights(rest, modes[IDENTITY_COUNT:], expression, moved)
        return rest.reshape(-1, 3), moved.reshape(-1, 3)

    def paint(
        self, canvas: Canvas, person: Person, expression: np.ndarray, pose: Pose,
        focal: float, light: Light, number: int,
    ) -> Truth:  # fmt: skip
        """Draw one person; what is nearer in the picture already stays.

        Args:
            focal: px of the final picture, principal point in its middle.
            number: the face's number, written to the canvas' owner buffer.
        """
        mesh, wardrobe, samples = self.wardrobe.mesh, self.wardrobe, canvas.samples
        size = focal * 0.15 / -pose.translation[2] * samples  # samples a face is wide
        plain, points = self.shape(person.identity, expression)
        region = np.einsum("ijk,ij->ik", points[mesh.region], mesh.region_weights)
        landmarks = points[mesh.landmarks]
        torso = (pose.rotation.T @ pose.torso).astype(np.float32)
        pivot = mesh.pivot
        raster.bend_neck(points, mesh.neck, torso, pivot)
        raster.normals(points, self.smooth_triangles, self.normal)
        normal = self.normal[mesh.smooth]
        facing = normal[mesh.region[:, 0]]

        all_points, all_normals = [points], [normal]
        triangles, material, aux = [mesh.triangles], [mesh.material], [mesh.aux]
        count = len(points)
        moved = plain - mesh.neutral

        def add(extra, extra_normal, extra_triangles, extra_aux, kind):
            nonlocal count
            all_points.append(extra)
            all_normals.append(extra_normal)
            triangles.append(extra_triangles + count)
            material.append(np.full(len(extra_triangles), kind, np.uint8))
            aux.append(extra_aux)
            count += len(extra)

        hat = wardrobe.hats[person.hat] if person.hat >= 0 else None
        hidden = hat is not None and wardrobe.hat_kinds[person.hat] == "scarf"
        if hat is not None:
            triangles[0], material[0] = mesh.triangles[~hat.covers], mesh.material[~hat.covers]
        if person.hair >= 0 and not hidden:
            hair = (wardrobe.hair if size > 260 else wardrobe.hair_far)[person.hair]
            extra = hair.points + moved[hair.bind]
            raster.bend_neck(extra, hair.torso, torso, pivot)
            view = pose.rotation.T @ (-pose.translation / np.linalg.norm(pose.translation))
            hair_triangles = hair.triangles[hair.outward @ view.astype(np.float32) > -0.3]
            if hat is not None:  # the hat presses what is under it; drop it
                under = hair.points[:, 1] > 0.038
                hair_triangles = hair_triangles[~under[hair_triangles].any(1)]
            add(extra, hair.normal, hair_triangles, hair.aux, raster.HAIR)
        if hat is not None:
            extra = hat.points + moved[hat.bind]
            weight = np.where(hat.points[:, 1] < -0.03, mesh.neck[hat.bind], 0).astype(np.float32)
            raster.bend_neck(extra, weight, torso, pivot)
            extra_normal = np.empty_like(extra)
            raster.normals(extra, hat.triangles, extra_normal)
            add(extra, extra_normal, hat.triangles, hat.aux, raster.HAT)
        glasses = wardrobe.glasses[person.glasses] if person.glasses >= 0 else None
        if glasses is not None:
            bridge = mesh.landmarks[27]
            temples = mesh.landmarks[[0, 16]]
            wide = np.ptp(plain[temples, 0]) / np.ptp(mesh.neutral[temples, 0])
            stretch = np.array([wide, 1, 1], np.float32)
            offset = np.array([0, 0.3 * moved[bridge, 1], moved[bridge, 2]], np.float32)
            extra = glasses.frame * stretch + offset
            extra_normal = np.empty_like(extra)
            raster.normals(extra, glasses.frame_triangles[: len(glasses.frame_triangles) // 2],
                           extra_normal)  # fmt: skip
            add(extra, extra_normal, glasses.frame_triangles,
                np.ones((len(extra), 4), np.float32), raster.FRAME)  # fmt: skip
        points = np.concatenate(all_points)
        normal = np.concatenate(all_normals)
        triangles = np.concatenate(triangles)
        material = np.concatenate(material)
        aux = np.concatenate(aux)

        camera = np.empty_like(points)
        raster.turn(points, pose.rotation, pose.translation, camera)
        turned = np.empty_like(normal)
        raster.turn(normal, pose.rotation, np.zeros(3, np.float32), turned)
        screen = np.empty_like(points)
        cx, cy = canvas.width * samples / 2, canvas.height * samples / 2
        x0, y0, x1, y1 = raster.project(camera, np.float32(focal * samples), cx, cy, screen)
        rows, columns = canvas.depth.shape
        box = np.array([max(0, int(x0)), max(0, int(y0)),
                        min(columns, int(x1) + 2), min(rows, int(y1) + 2)])  # fmt: skip
        fineness = np.float32(14 if size > 350 else 7 if size > 120 else 3.5)
        raster.rasterise(
            screen, triangles, material, aux, wardrobe.strands, fineness,
            canvas.depth, canvas.found, canvas.weight_b, canvas.weight_c,
        )  # fmt: skip
        scale = 0.0
        centre = pose.rotation @ np.array([0, -0.03, -0.05], np.float32) + pose.translation
        if size > 40 and light.colours[0].max() > 0.1:
            scale = len(canvas.shadow) / SHADOW_SPAN
            raster.shadow_map(camera, triangles, material, light.axes, centre,
                              np.float32(scale), canvas.shadow)  # fmt: skip
        level = 0 if size > 150 else 1 if size > 70 else 2
        atlas = wardrobe.atlas
        shade.shade(
            canvas.image, canvas.owner, np.uint8(number), box, canvas.found,
            canvas.weight_b, canvas.weight_c, canvas.depth,
            triangles, material, camera, turned, aux, person.look,
            atlas.static[level], atlas.detail[level][person.detail], atlas.brow[level][person.brow],
            atlas.beard[level][person.beard], atlas.scalp[level][person.hairline],
            wardrobe.strands, upper_lids(landmarks, pose), fineness, light.ambient, light.lamps, light.colours,
            canvas.shadow, light.axes, centre.astype(np.float32), np.float32(scale),
            np.float32(0.006), canvas.block,
        )  # fmt: skip
        if glasses is not None:
            self._lenses(canvas, person, glasses, stretch, offset, pose, focal, light)
        return self._truth(canvas, person, expression, pose, focal, region, facing, landmarks)

    def _lenses(self, canvas, person, glasses, stretch, offset, pose, focal, light) -> None:
        camera = np.empty_like(glasses.lens)
        raster.turn(glasses.lens * stretch + offset, pose.rotation, pose.translation, camera)
        normal = np.empty_like(glasses.lens_normal)
        raster.turn(glasses.lens_normal, pose.rotation, np.zeros(3, np.float32), normal)
        screen = np.empty_like(camera)
        samples = canvas.samples
        raster.project(camera, np.float32(focal * samples), canvas.width * samples / 2,
                       canvas.height * samples / 2, screen)  # fmt: skip
        window = light.lamps[0] + [0, 0, 1.0]
        window = (window / np.linalg.norm(window)).astype(np.float32)
        shade.lens(
            canvas.image, screen, glasses.lens_triangles, normal, canvas.depth,
            np.float32(person.lens_dark), person.lens_tint,
            np.float32(person.lens_glare * light.colours[0].mean()), window,
        )  # fmt: skip

    def _truth(self, canvas, person, expression, pose, focal, region, facing, landmarks) -> Truth:
        middle = np.array([canvas.width / 2, canvas.height / 2])

        def to_px(p: np.ndarray) -> np.ndarray:
            c = p @ pose.rotation.T + pose.translation
            return c[:, :2] * [1, -1] * focal / -c[:, 2:3] + middle

        area = to_px(region)
        box = np.concatenate([area.min(0), area.max(0)])
        return Truth(
            box.astype(np.float32), pose.rotation, pose.translation.astype(np.float32),
            to_px(landmarks).astype(np.float32), person.identity, expression, region, facing,
        )  # fmt: skip


def visible_share(canvas: Canvas, truth: Truth, focal: float, number: int) -> float:
    """Share of the face's camera-facing surface points that are in the picture and uncovered."""
    camera = truth.region @ truth.rotation.T + truth.translation
    seen = np.einsum("ij,ij->i", truth.facing @ truth.rotation.T, camera) < 0
    px = camera[:, :2] * [1, -1] * focal / -camera[:, 2:3] + [canvas.width / 2, canvas.height / 2]
    at = np.floor(px[seen] * canvas.samples).astype(int)
    inside = (at >= 0).all(1) & (at < [canvas.owner.shape[1], canvas.owner.shape[0]]).all(1)
    mine = np.zeros(len(at), bool)
    mine[inside] = canvas.owner[at[inside, 1], at[inside, 0]] == number
    return float(mine.mean()) if len(mine) else 0.0


class Studio:
    """Makes whole pictures with their labels.

    Args:
        width, height: px.
        backgrounds: a tar file of photographs without faces, or None.
        samples: an array file of real expressions, or None.
    """

    def __init__(self, width: int, height: int, backgrounds: Path | None = None,
                 samples: Path | None = None):  # fmt: skip
        self.wardrobe = load_wardrobe()
        self.painter = Painter(self.wardrobe)
        self.canvas = Canvas(width, height)
        self.backgrounds = load_backgrounds(backgrounds)
        self.expressions = ExpressionSampler(samples)
        self.face_width = 0.135
        cv2.setNumThreads(1)

    def scene(self, rng: np.random.Generator) -> tuple[np.ndarray, float, list[Truth]]:
        """A picture of 0 to 6 people: image (h, w, 3) uint8, focal px, the faces' truths."""
        canvas = self.canvas
        width, height = canvas.width, canvas.height
        longer, shorter = max(width, height), min(width, height)
        count = int(rng.choice(MAX_FACES + 1, p=[0.05, 0.33, 0.24, 0.16, 0.1, 0.07, 0.05]))
        largest = {0: 1, 1: 0.9, 2: 0.6, 3: 0.48, 4: 0.42}.get(count, 0.34)
        smallest = 6 / shorter
        sizes = np.exp(rng.uniform(np.log(smallest), np.log(largest), count))
        if count and rng.random() < 0.45:  # a group at about one distance
            sizes = rng.uniform(0.12, largest) * np.exp(rng.normal(0, 0.15, count))
        elif count and rng.random() < 0.4:
            sizes = rng.uniform(0.25, largest, count)
        focal = longer * np.exp(rng.uniform(np.log(0.7), np.log(3)))
        if count:  # nobody's nose is nearer than 0.3 m
            focal = max(focal, 0.32 / self.face_width * sizes.max() * shorter)
        light = random_light(rng)
        placed, truths = [], []
        canvas.clear()
        for size in sorted(sizes, reverse=True):
            px = size * shorter
            for _ in range(12):
                margin = px * (0.35 if rng.random() < 0.85 else -0.05)
                at = rng.uniform([margin - width / 2, margin - height / 2],
                                 [width / 2 - margin + 1e-3, height / 2 - margin + 1e-3])  # fmt: skip
                if abs(margin * 2) > shorter:
                    at = rng.normal(0, 0.04 * shorter, 2)
                if free(at, px, placed, 0.5 if rng.random() < 0.1 else 0.95):
                    break
            else:
                continue
            placed.append((at, px))
            person = random_person(self.wardrobe, rng)
            expression = self.expressions(rng)
            pose = self.pose(at, px, focal, rng, wide=False)
            truths.append(
                self.painter.paint(canvas, person, expression, pose, focal, light, len(truths))
            )
        return self.finish(truths, focal, light, rng)

    def crop(self, rng: np.random.Generator) -> tuple[np.ndarray, float, list[Truth]]:
        """A picture of one face, 60 to 75 % of the picture: as `scene`."""
        canvas = self.canvas
        share = rng.uniform(0.58, 0.77)
        px = share * min(canvas.width, canvas.height)
        distance = np.exp(rng.normal(np.log(0.9), 0.55)).clip(0.3, 5)
        focal = px * distance / self.face_width
        light = random_light(rng)
        canvas.clear()
        person = random_person(self.wardrobe, rng)
        expression = self.expressions(rng)
        at = rng.normal(0, 0.03 * canvas.width, 2)
        pose = self.pose(at, px, focal, rng, wide=True)
        truth = self.painter.paint(canvas, person, expression, pose, focal, light, 0)
        return self.finish([truth], focal, light, rng, occluders=0.12)

    def pose(self, at, px, focal, rng, wide: bool) -> Pose:
        """A head turned at random whose face's middle is at `at` px from the picture's middle."""
        spread = 24 if wide else 27
        yaw = rng.normal(0, spread) if rng.random() < 0.85 else rng.uniform(-80, 80)
        yaw = np.radians(np.clip(yaw, -82, 82))
        pitch = np.radians(np.clip(rng.normal(2, 12), -45, 45))
        roll = np.radians(np.clip(rng.normal(0, 10) if rng.random() < 0.9 else
                                  rng.normal(0, 28), -80, 80))  # fmt: skip
        rotation = euler(yaw, pitch, roll)
        share = rng.uniform(0.1, 0.9)
        torso = euler(yaw * share, rng.normal(0, 0.06), roll * rng.uniform(0, 0.4))
        depth = focal * self.face_width / px
        middle = rotation @ np.array([0, -0.03, 0.0], np.float32)
        offset = np.array([at[0], -at[1], 0]) * depth / focal
        translation = offset - middle + [0, 0, -depth]
        return Pose(rotation, translation.astype(np.float32), torso)

    def finish(self, truths, focal, light, rng, occluders: float = 0.1):
        """Occluders, background, camera; fills in how much of each face is visible."""
        canvas = self.canvas
        if rng.random() < occluders:
            add_occluder(canvas, truths, light, rng)
        for number, truth in enumerate(truths):
            truth.visible = visible_share(canvas, truth, focal, number)
        background = random_background(self.backgrounds, canvas.width, canvas.height, rng)
        background = background * np.float32(light.ambient[0].mean() * 1.6 + 0.25)
        shade.downsample(canvas.image, canvas.owner, background, canvas.samples, canvas.out)
        return develop(canvas.out, rng), float(focal), truths


def upper_lids(landmarks: np.ndarray, pose: Pose) -> np.ndarray:
    """(2, 10) where the upper lids' edges lie, left eye first; see `shade.shade`."""
    out = np.empty((2, 10), np.float32)
    for row, (corner_a, corner_b, top_a, top_b) in enumerate(((42, 45, 43, 44), (36, 39, 37, 38))):
        top = (landmarks[top_a] + landmarks[top_b]) / 2
        corners = (landmarks[corner_a] + landmarks[corner_b]) / 2
        half = abs(landmarks[corner_a, 0] - landmarks[corner_b, 0]) / 2
        out[row, :3] = pose.rotation @ top + pose.translation
        out[row, 3:6], out[row, 6:9] = pose.rotation[:, 0], pose.rotation[:, 1]
        out[row, 9] = max(top[1] - corners[1], 0) / half**2
    return out


def free(at: np.ndarray, px: float, placed: list, clear: float) -> bool:
    """Whether a face of `px` at `at` keeps clear of nearer faces and of their shoulders."""
    for other, size in placed:
        offset = at - other
        if np.abs(offset).max() < clear * (px + size) / 2:
            return False
        if abs(offset[0]) < clear * 1.35 * size and 0 < offset[1] < clear * 4 * size:
            return False
    return True


def add_occluder(canvas: Canvas, truths: list[Truth], light: Light, rng) -> None:
    """A hand-like blob, a microphone, or a bar in front of a face or somewhere."""
    rows, columns = canvas.owner.shape
    mask = np.zeros((rows, columns), np.uint8)
    if truths and rng.random() < 0.85:
        box = truths[rng.integers(len(truths))].box * canvas.samples
    else:
        box = np.array([0, 0, columns, rows]) * rng.uniform(0.2, 0.8)
    size = box[2] - box[0]
    centre = rng.uniform(box[:2], box[2:]) + [0, 0.3 * size]
    kind = rng.integers(3)
    if kind == 0:  # fingers
        angle = rng.uniform(0, np.pi)
        for k in range(rng.integers(2, 5)):
            start = centre + size * 0.11 * k * np.array([np.cos(angle), np.sin(angle)])
            way = size * rng.uniform(0.25, 0.5) * np.array([np.sin(angle), -np.cos(angle)])
            cv2.line(mask, _px(start), _px(start + way), 1, max(1, int(size * 0.1)), cv2.LINE_8)
        cv2.circle(mask, _px(centre + size * 0.15), max(1, int(size * 0.2)), 1, -1)
        albedo = np.array([0.5, 0.3, 0.22]) * rng.uniform(0.15, 1.2)
    elif kind == 1:  # microphone
        cv2.circle(mask, _px(centre), max(1, int(size * rng.uniform(0.08, 0.16))), 1, -1)
        end = centre + [rng.normal(0, 0.4) * size, size]
        cv2.line(mask, _px(centre), _px(end), 1, max(1, int(size * 0.09)))
        albedo = np.full(3, rng.uniform(0.01, 0.2))
    else:
        way = rng.normal(0, 1, 2)
        way *= 2 * size / np.linalg.norm(way)
        cv2.line(mask, _px(centre - way), _px(centre + way), 1, max(1, int(size * rng.uniform(0.04, 0.3))))
        albedo = rng.uniform(0.02, 0.7, 3)
    hit = mask > 0
    canvas.owner[hit] = OCCLUDER
    # round it: brighter where the mask is thick on the lamp's side
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.6, 0.03 * float(size)))
    gx, gy = np.gradient(soft)[::-1]
    steep = np.clip((-gx * light.lamps[0, 0] + gy * light.lamps[0, 1]) * 0.06 * size + 0.5, 0, 1.5)
    level = light.ambient[0] * 0.8 + light.colours[0] * steep[hit][:, None]
    canvas.image[hit] = (albedo * level).astype(np.float32)


def _px(point: np.ndarray) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def pack(truths: list[Truth], focal: float, faces: int) -> dict[str, np.ndarray]:
    """The labels of one picture as arrays padded with NaN to `faces` rows."""
    shapes = {
        "box": (4,), "rotation": (3, 3), "translation": (3,), "landmarks": (LANDMARK_COUNT, 2),
        "identity": (IDENTITY_COUNT,), "expression": (COUNT,),
    }  # fmt: skip
    out = {key: np.full((faces, *shape), np.nan, np.float32) for key, shape in shapes.items()}
    out["visible"] = np.full(faces, np.nan, np.float32)
    out["focal"] = np.full(faces, np.nan, np.float32)
    for k, truth in enumerate(truths[:faces]):
        for key in shapes:
            out[key][k] = getattr(truth, key)
        out["visible"][k] = truth.visible
        out["focal"][k] = focal
    return out
