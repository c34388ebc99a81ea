# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw a person onto a canvas and say exactly what was drawn.

Camera frame and head frame as in `mfn_addon.face`. A picture is drawn with several samples a px
in each direction; people share one z-buffer, so that who is nearer covers who is farther.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mfn_addon.face import IDENTITY_COUNT

from . import compose, raster, shade
from .accessories import Glasses
from .folds import fold
from .head import HeadMesh
from .people import Person, Wardrobe
from .photo import Light

SAMPLES = 2
NOBODY = 255
OCCLUDER = 254
SHADOW_SIZE = 112
SHADOW_SPAN = 0.5  # metres across the shadow map
FACE_WIDTH = 0.15  # metres, to choose levels of detail by


@dataclass
class Pose:
    """Where a person is: rotation (3, 3) and translation (3,) of the head, and the torso's
    rotation (3, 3), all in the camera frame."""

    rotation: np.ndarray
    translation: np.ndarray
    torso: np.ndarray


@dataclass
class Truth:
    """The labels of one face, units as in `training/synthetic/making.py`; and the face's 468
    surface points `region` (468, 3) with their normals `facing` (468, 3), head frame; and who
    it is."""

    box: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    landmarks: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    region: np.ndarray
    facing: np.ndarray
    person: Person
    visible: float = 1.0


class Canvas:
    """Buffers of one picture size, used again for each picture.

    Args:
        width, height: px of the finished picture.
        samples: samples a px in each direction.
        block: samples in each direction that share one colour where their material is one;
            `samples` is quick, 1 is fine.
        shadow_size: px of the shadow map.
    """

    def __init__(
        self,
        width: int,
        height: int,
        samples: int = SAMPLES,
        block: int | None = None,
        shadow_size: int = SHADOW_SIZE,
    ) -> None:
        self.width, self.height, self.samples = width, height, samples
        self.block = samples if block is None else block
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

    def middle(self) -> tuple[float, float]:
        """The principal point, samples."""
        return self.width * self.samples / 2, self.height * self.samples / 2


def to_picture(
    points: np.ndarray, pose: Pose | Truth, focal: float, canvas: Canvas
) -> tuple[np.ndarray, np.ndarray]:
    """Head-frame points (n, 3) to px (n, 2), and the points in the camera frame (n, 3)."""
    camera = points @ pose.rotation.T + pose.translation
    flat = camera[:, :2] * [1, -1] * focal / -camera[:, 2:3]
    return flat + np.array([canvas.width / 2, canvas.height / 2]), camera


@dataclass
class Assembly:
    """The meshes that one person is put together from."""

    points: list[np.ndarray] = field(default_factory=list)
    normal: list[np.ndarray] = field(default_factory=list)
    triangles: list[np.ndarray] = field(default_factory=list)
    material: list[np.ndarray] = field(default_factory=list)
    aux: list[np.ndarray] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        points: np.ndarray,
        normal: np.ndarray,
        triangles: np.ndarray,
        aux: np.ndarray,
        material: np.ndarray | int,
    ) -> None:
        if isinstance(material, int):
            material = np.full(len(triangles), material, np.uint8)
        self.points.append(points)
        self.normal.append(normal)
        self.triangles.append(triangles + self.count if self.count else triangles)
        self.material.append(material)
        self.aux.append(aux)
        self.count += len(points)


class Painter:
    """Draws people from one wardrobe."""

    def __init__(self, wardrobe: Wardrobe) -> None:
        self.wardrobe = wardrobe
        mesh = wardrobe.mesh
        self.base = np.ascontiguousarray(mesh.neutral.ravel())
        self.smooth_triangles = mesh.smooth[mesh.triangles].astype(np.int32)
        self.normal = np.empty_like(mesh.neutral)
        self.folds = [
            np.zeros((*layer.shape[:2], 3), np.float32) for layer in wardrobe.atlas.static
        ]

    def shape(self, identity: np.ndarray, expression: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, 3) head and bust in the head frame before the neck bends: at rest, and expressing."""
        modes = self.wardrobe.mesh.modes
        rest = np.empty_like(self.base)
        raster.blend_weights(self.base, modes[:IDENTITY_COUNT], identity, rest)
        moved = np.empty_like(self.base)
        raster.blend_weights(rest, modes[IDENTITY_COUNT:], expression, moved)
        return rest.reshape(-1, 3), moved.reshape(-1, 3)

    def paint(
        self,
        canvas: Canvas,
        person: Person,
        expression: np.ndarray,
        pose: Pose,
        focal: float,
        light: Light,
        number: int,
    ) -> Truth:
        """Draw one person; what is nearer in the picture already stays.

        Args:
            expression: (52,) float32.
            focal: px of the finished picture; the principal point is its middle.
            number: what to write into the canvas' owner buffer, 0..253.
        """
        mesh = self.wardrobe.mesh
        rest, points = self.shape(person.identity, expression)
        region = np.einsum("ijk,ij->ik", points[mesh.region], mesh.region_weights)
        landmarks = points[mesh.landmarks]
        torso = (pose.rotation.T @ pose.torso).astype(np.float32)
        raster.bend_neck(points, mesh.neck, torso, mesh.pivot)
        raster.normals(points, self.smooth_triangles, self.normal)
        normal = self.normal[mesh.smooth]
        # samples a face is wide, to choose levels of detail by
        size = focal * FACE_WIDTH / -pose.translation[2] * canvas.samples
        parts = self.dress(person, points, normal, rest - mesh.neutral, torso, pose, size)
        glasses = self.wardrobe.glasses[person.glasses] if person.glasses >= 0 else None
        fit = (np.ones(3), np.zeros(3))
        if glasses is not None:
            fit = fit_glasses(mesh, rest)
            frame = (glasses.frame * fit[0] + fit[1]).astype(np.float32)
            frame_normal = np.empty_like(frame)
            once = glasses.frame_triangles[: len(glasses.frame_triangles) // 2]
            raster.normals(frame, once, frame_normal)
            aux = np.ones((len(frame), 4), np.float32)
            parts.add(frame, frame_normal, glasses.frame_triangles, aux, raster.FRAME)
        self._draw(
            canvas, person, expression, parts, pose, focal, light, number, size,
            upper_lids(landmarks, pose),
        )  # fmt: skip
        if glasses is not None:
            draw_lenses(canvas, person, glasses, fit, pose, focal, light)
        area, _ = to_picture(region, pose, focal, canvas)
        return Truth(
            box=np.concatenate([area.min(0), area.max(0)]).astype(np.float32),
            rotation=pose.rotation,
            translation=pose.translation.astype(np.float32),
            landmarks=to_picture(landmarks, pose, focal, canvas)[0].astype(np.float32),
            identity=person.identity,
            expression=expression,
            region=region,
            facing=normal[mesh.region[:, 0]],
            person=person,
        )

    def dress(
        self,
        person: Person,
        points: np.ndarray,
        normal: np.ndarray,
        moved: np.ndarray,
        torso: np.ndarray,
        pose: Pose,
        size: float,
    ) -> Assembly:
        """Head and bust with hair and hat, head frame. `moved` (n, 3) is what identity did."""
        mesh, wardrobe = self.wardrobe.mesh, self.wardrobe
        hat = wardrobe.hats[person.hat] if person.hat >= 0 else None
        scarf = hat is not None and wardrobe.hat_kinds[person.hat] == "scarf"
        parts = Assembly()
        if hat is None:
            parts.add(points, normal, mesh.triangles, mesh.aux, mesh.material)
        else:
            bare = ~hat.covers
            parts.add(points, normal, mesh.triangles[bare], mesh.aux, mesh.material[bare])
        if person.hair >= 0 and not scarf:
            hair = (wardrobe.hair if size > 260 else wardrobe.hair_far)[person.hair]
            extra = hair.points + moved[hair.bind]
            raster.bend_neck(extra, hair.torso, torso, mesh.pivot)
            view = pose.rotation.T @ (-pose.translation / np.linalg.norm(pose.translation))
            seen = hair.triangles[hair.outward @ view.astype(np.float32) > -0.3]
            if hat is not None:  # the hat presses what is under it; drop it
                under = hair.points[:, 1] > 0.038
                seen = seen[~under[seen].any(1)]
            parts.add(extra, hair.normal, seen, hair.aux, raster.HAIR)
        if hat is not None:
            extra = hat.points + moved[hat.bind]
            follow = np.where(hat.points[:, 1] < -0.03, mesh.neck[hat.bind], 0).astype(np.float32)
            raster.bend_neck(extra, follow, torso, mesh.pivot)
            extra_normal = np.empty_like(extra)
            raster.normals(extra, hat.triangles, extra_normal)
            parts.add(extra, extra_normal, hat.triangles, hat.aux, raster.HAT)
        return parts

    def _draw(
        self,
        canvas: Canvas,
        person: Person,
        expression: np.ndarray,
        parts: Assembly,
        pose: Pose,
        focal: float,
        light: Light,
        number: int,
        size: float,
        lids: np.ndarray,
    ) -> None:
        """Project, fill the z-buffer, cast shadows, shade."""
        points, normal = np.concatenate(parts.points), np.concatenate(parts.normal)
        triangles, aux = np.concatenate(parts.triangles), np.concatenate(parts.aux)
        material = np.concatenate(parts.material)
        camera, screen, turned = (np.empty_like(points) for _ in range(3))
        raster.turn(points, pose.rotation, pose.translation, camera)
        raster.turn(normal, pose.rotation, np.zeros(3, np.float32), turned)
        pixels = np.float32(focal * canvas.samples)
        x0, y0, x1, y1 = raster.project(camera, pixels, *canvas.middle(), screen)
        rows, columns = canvas.depth.shape
        box = np.array(
            [max(0, int(x0)), max(0, int(y0)), min(columns, int(x1) + 2), min(rows, int(y1) + 2)]
        )
        fineness = np.float32(14 if size > 350 else 7 if size > 120 else 3.5)
        wardrobe, atlas = self.wardrobe, self.wardrobe.atlas
        raster.rasterise(
            screen, triangles, material, aux, wardrobe.strands, fineness,
            canvas.depth, canvas.found, canvas.weight_b, canvas.weight_c,
        )  # fmt: skip
        scale = np.float32(0)  # no shadows
        centre = pose.rotation @ np.array([0, -0.03, -0.05], np.float32) + pose.translation
        centre = centre.astype(np.float32)
        if size > 40 and light.colours[0].max() > 0.1:
            scale = np.float32(len(canvas.shadow) / SHADOW_SPAN)
            raster.shadow_map(camera, triangles, material, light.axes, centre, scale, canvas.shadow)
        level = 0 if size > 150 else 1 if size > 70 else 2
        folds = self.folds[level]
        own = (person.detail, person.brow, person.beard)
        fold(folds, atlas.folds[level], expression, person.look, own)
        shade.shade(
            canvas.image, canvas.owner, np.uint8(number), box, canvas.found,
            canvas.weight_b, canvas.weight_c, canvas.depth,
            triangles, material, camera, turned, aux, person.look,
            atlas.static[level], atlas.detail[level][person.detail],
            atlas.brow[level][person.brow], atlas.beard[level][person.beard],
            atlas.scalp[level][person.hairline], folds, pose.rotation,
            wardrobe.strands, lids, fineness,
            light.ambient, light.lamps, light.colours,
            canvas.shadow, light.axes, centre, scale, np.float32(0.006), canvas.block,
        )  # fmt: skip


def fit_glasses(mesh: HeadMesh, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stretch (3,) and offset (3,) that seat glasses on somebody's nose and temples."""
    bridge, temples = mesh.landmarks[27], mesh.landmarks[[0, 16]]
    wide = np.ptp(rest[temples, 0]) / np.ptp(mesh.neutral[temples, 0])
    moved = rest[bridge] - mesh.neutral[bridge]
    return np.array([wide, 1, 1]), np.array([0, 0.3 * moved[1], moved[2]])


def draw_lenses(
    canvas: Canvas,
    person: Person,
    glasses: Glasses,
    fit: tuple[np.ndarray, np.ndarray],
    pose: Pose,
    focal: float,
    light: Light,
) -> None:
    """Tint what lies behind the lenses and let the first lamp glare in them."""
    camera, normal, screen = (np.empty_like(glasses.lens) for _ in range(3))
    points = (glasses.lens * fit[0] + fit[1]).astype(np.float32)
    raster.turn(points, pose.rotation, pose.translation, camera)
    raster.turn(glasses.lens_normal, pose.rotation, np.zeros(3, np.float32), normal)
    raster.project(camera, np.float32(focal * canvas.samples), *canvas.middle(), screen)
    window = light.lamps[0] + [0, 0, 1.0]
    compose.lens(
        canvas.image, screen, glasses.lens_triangles, normal, canvas.depth,
        np.float32(person.lens_dark), person.lens_tint,
        np.float32(person.lens_glare * light.colours[0].mean()),
        (window / np.linalg.norm(window)).astype(np.float32),
    )  # fmt: skip


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


def visible_share(canvas: Canvas, truth: Truth, focal: float, number: int) -> float:
    """Share of the face's camera-facing surface points that are in the picture and uncovered."""
    px, camera = to_picture(truth.region, truth, focal, canvas)
    seen = np.einsum("ij,ij->i", truth.facing @ truth.rotation.T, camera) < 0
    at = np.floor(px[seen] * canvas.samples).astype(int)
    inside = (at >= 0).all(1) & (at < [canvas.owner.shape[1], canvas.owner.shape[0]]).all(1)
    mine = np.zeros(len(at), bool)
    mine[inside] = canvas.owner[at[inside, 1], at[inside, 0]] == number
    return float(mine.mean()) if len(mine) else 0.0
