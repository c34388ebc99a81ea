# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing faces over a picture: boxes, ids and the shaded head mesh."""

from __future__ import annotations

import cv2
import numpy as np

from ..face import LANDMARK_PARTS, NO_ID, Face, FaceFrame, HeadModel, project

COLOURS: tuple[tuple[int, int, int], ...] = (
    (255, 176, 59), (79, 195, 247), (174, 213, 84), (240, 98, 146),
    (186, 137, 255), (255, 241, 118), (77, 208, 174), (255, 138, 101),
)  # fmt: skip
"""RGB of the actors by id, told apart also by most colour-blind people."""

_SUBPIXEL = 4  # bits: OpenCV's fixed-point coordinates
_LIGHT = np.array([-0.35, 0.55, 0.76])  # from the upper left, beside the viewer
_COARSE_BELOW = 130
"""px of a box's height below which a coarser mesh looks the same and draws four times as fast."""
_COARSE_CELL = 0.007  # metres
_CLOSED_PARTS = {"eyeRight", "eyeLeft", "lipsOuter", "lipsInner"}


def colour_of(face_id: int) -> tuple[int, int, int]:
    """RGB 0..255 of an actor; grey for a face without an id."""
    return (200, 200, 200) if face_id == NO_ID else COLOURS[(face_id - 1) % len(COLOURS)]


def draw_overlay(
    image: np.ndarray,
    frame: FaceFrame,
    model: HeadModel | None = None,
    *,
    boxes: bool = True,
    landmarks: bool = True,
) -> np.ndarray:
    """Draw a frame's faces over its picture, the farthest first.

    Args:
        image: (H, W, 3) uint8 RGB; it is not changed. Another size than the frame's is fine.
        frame: the faces, in px of the frame's own size.
        model: the head model; None draws no mesh.
        boxes: draw the boxes with ids. landmarks: draw the landmarks' outlines.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    picture = image.copy()
    scale = image.shape[1] / max(frame.width, 1)
    for face in sorted(frame.faces, key=lambda face: face.translation[2]):
        if model is not None:
            _draw_mesh(picture, face, frame, model, scale)
        if landmarks:
            _draw_outlines(picture, face, scale)
    for face in frame.faces if boxes else ():
        _draw_box(picture, face, scale)
    return picture


def _draw_mesh(
    picture: np.ndarray, face: Face, frame: FaceFrame, model: HeadModel, scale: float
) -> None:
    """Blend the triangles that face the viewer over the picture, the farthest first."""
    small = float(face.box[3] - face.box[1]) * scale < _COARSE_BELOW
    mask = _mask_of(model, _COARSE_CELL if small else 0.0)
    vertices = model.vertices(face.identity, face.expression)[mask.vertices]
    flat = scale * project(vertices, face.rotation, face.translation, frame.width, frame.height)
    corners = flat[mask.triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    height, width = picture.shape[:2]
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    shown = edge1[:, 0] * edge2[:, 1] < edge1[:, 1] * edge2[:, 0]  # towards us, as y is down
    shown &= (high > 0).all(axis=1) & (low < (width, height)).all(axis=1)
    order = np.flatnonzero(shown)
    if not len(order):
        return
    seen = vertices @ face.rotation.T
    order = order[np.argsort(seen[mask.triangles[order], 2].sum(axis=1))]
    paints = _paints(seen, mask, order, face.rotation, colour_of(face.id))
    x0, y0 = np.maximum(np.floor(low[order].min(axis=0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(high[order].max(axis=0)).astype(int) + 2, (width, height))
    layer = np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
    points = np.round((corners[order] - (x0, y0)) * (1 << _SUBPIXEL)).astype(np.int32)
    for triangle, paint in zip(points, paints, strict=True):
        cv2.fillConvexPoly(layer, triangle, paint, cv2.LINE_8, _SUBPIXEL)
    region = picture[y0:y1, x0:x1]
    opacity = cv2.blur(layer[:, :, 3], (3, 3))[:, :, None] / np.float32(255)
    region[:] = np.round(region + opacity * (layer[:, :, :3] - region.astype(np.float32)))


def _paints(
    seen: np.ndarray,
    mask: _Mask,
    order: np.ndarray,
    face_rotation: np.ndarray,
    colour: tuple[int, int, int],
) -> list[tuple[int, ...]]:
    """RGBA of each triangle: a soft light, smooth over the surface, clearer at the middle of
    the face than at its rim, where the mask fades out."""
    if mask.normals is None:
        normal = _normals(seen, mask.triangles)
    else:
        normal = mask.normals @ face_rotation.T
    smooth = normal[mask.triangles[order]].mean(axis=1)
    light = 0.25 + 0.8 * np.clip(smooth @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    rim = 1 - np.clip(smooth[:, 2], 0, 1)
    gleam = np.clip(smooth @ np.array([-0.2, 0.35, 0.91]), 0, 1) ** 24
    tint = np.where(mask.is_eye[order, None], (245, 245, 245), colour)
    rgb = light[:, None] * tint + 70 * gleam[:, None]
    alpha = 255 * mask.fade[order] * (0.52 + 0.3 * rim)
    return list(map(tuple, np.clip(np.column_stack([rgb, alpha]), 0, 255).astype(int).tolist()))


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, smooth over the surface."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    facing = np.cross(b - a, c - a)
    normal = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normal, triangles[:, corner], facing)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)


def _draw_outlines(picture: np.ndarray, face: Face, scale: float) -> None:
    """Brows, eyes, nose and lips as thin lines through the landmarks."""
    size = float(face.box[3] - face.box[1]) * scale
    thick = max(round(size / 180), 1)
    light = tuple(int(0.35 * value + 0.65 * 255) for value in colour_of(face.id))
    points = np.round(face.landmarks * scale * (1 << _SUBPIXEL)).astype(np.int32)
    for name, part in LANDMARK_PARTS.items():
        if name != "jaw":
            line = [points[list(part)]]
            cv2.polylines(
                picture, line, name in _CLOSED_PARTS, light, thick, cv2.LINE_AA, _SUBPIXEL
            )


def _draw_box(picture: np.ndarray, face: Face, scale: float) -> None:
    """A thin box with marked corners and a label."""
    colour = colour_of(face.id)
    x0, y0, x1, y1 = (int(v) for v in np.round(np.asarray(face.box) * scale))
    thick = max(round(min(picture.shape[:2]) / 400), 1)
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA)
    arm = max(min(x1 - x0, y1 - y0) // 7, 1)
    for x, y, dx, dy in ((x0, y0, 1, 1), (x1, y0, -1, 1), (x0, y1, 1, -1), (x1, y1, -1, -1)):
        corner = np.array([(x + dx * arm, y), (x, y), (x, y + dy * arm)], np.int32)
        cv2.polylines(picture, [corner], False, colour, 3 * thick, cv2.LINE_AA)
    label = f"{face.score:.0%}" if face.id == NO_ID else f"{face.id}  {face.score:.0%}"
    _draw_label(picture, label, x0, y0, colour)


def _draw_label(
    picture: np.ndarray, text: str, x: int, y: int, colour: tuple[int, int, int]
) -> None:
    font, height = cv2.FONT_HERSHEY_DUPLEX, min(max(picture.shape[0] / 45, 9), 26)
    size, pad = height / 24, round(height * 0.35)
    (wide, tall), _ = cv2.getTextSize(text, font, size, 1)
    top = y - tall - 2 * pad
    top = top if top >= 0 else y  # inside the box where there is no room above
    x = min(max(x, 0), max(picture.shape[1] - wide - 2 * pad, 0))
    cv2.rectangle(picture, (x, top), (x + wide + 2 * pad, top + tall + 2 * pad), colour, -1)
    place = (x + pad, top + tall + pad)
    cv2.putText(picture, text, place, font, size, (20, 20, 20), 1, cv2.LINE_AA)


class _Mask:
    """The part of the head that is drawn: the face from ear to ear and brow to chin, the eyes.

    Attributes:
        vertices: (n,) vertex numbers of the head model.
        triangles: (m, 3) into them. is_eye: (m,). fade: (m,) 1 within the face, 0 at its rim.
        normals: (n, 3) of the neutral head, for a coarse mask, whose own would show its facets.
    """

    def __init__(self, model: HeadModel, cell: float) -> None:
        """`cell`: metres; vertices that share a cube of this size become one. 0 keeps all."""
        points = model.neutral[model.landmarks]
        chin, brow = points[8, 1], points[17:27, 1].max()
        half_width = np.abs(points[0:17, 0]).max()
        middle = np.array([0.0, (chin + brow + 0.03) / 2])
        radii = np.array([1.12 * half_width, (brow + 0.03 - chin) / 2 + 0.006])
        skin, eyes = model.triangles_of("skin"), model.triangles_of("eyeLeft", "eyeRight")
        centre = model.neutral[skin].mean(axis=1)
        outside = np.linalg.norm((centre[:, :2] - middle) / radii, axis=1)
        behind = (points[[0, 16], 2].mean() - centre[:, 2]) / 0.03
        fade = np.clip(np.minimum((1.0 - outside) / 0.14, 1.0 - behind), 0, 1)
        keep = fade > 0
        triangles = np.concatenate([skin[keep], eyes])
        self.vertices, renumbered = np.unique(triangles, return_inverse=True)
        self.triangles = renumbered.reshape(-1, 3)
        self.is_eye = np.arange(len(triangles)) >= keep.sum()
        self.fade = np.concatenate([fade[keep], np.ones(len(eyes))])
        self.normals: np.ndarray | None = None
        if cell:
            self._coarsen(model, cell)

    def _coarsen(self, model: HeadModel, cell: float) -> None:
        points = model.neutral[self.vertices]
        outermost_first = np.argsort(-points[:, 2])  # not the inside of a nostril
        cube = np.round(points[outermost_first] / cell).astype(int)
        _, first, shared = np.unique(cube, axis=0, return_index=True, return_inverse=True)
        renumbered = np.empty(len(points), int)
        renumbered[outermost_first] = shared.reshape(-1)
        corners = renumbered[self.triangles]
        whole = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
        kept = outermost_first[first]
        self.normals = _normals(points, self.triangles)[kept]
        self.vertices, self.triangles = self.vertices[kept], corners[whole]
        self.is_eye, self.fade = self.is_eye[whole], self.fade[whole]


_masks: dict[tuple[str, float], _Mask] = {}


def _mask_of(model: HeadModel, cell: float) -> _Mask:
    key = (model.digest, cell)
    if key not in _masks:
        _masks[key] = _Mask(model, cell)
    return _masks[key]
