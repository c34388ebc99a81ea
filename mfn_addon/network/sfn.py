# SPDX-License-Identifier: GPL-3.0-or-later
"""The single-face network at run time: it reads each face again, from crops of its own.

A face that is far away is a few dozen pixels of what MFN sees. Where time allows, it is cut out of
the picture at full resolution, read at several sizes and in the mirror, and the readings are
averaged: their errors differ, the face does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..face import Face, HeadModel, load_head_model, place, project_local
from ..face.head_model import MODELS_FOLDER
from ..face.mirror import mirror_matrix, mirror_order, mirror_rotation
from .amplitude import Amplitude
from .crops import cut
from .lids import shut_lids
from .mfn import check_metadata, open_session

DEFAULT_PATH = MODELS_FOLDER / "sfn.onnx"
SIDE = 160
REGION_MARGIN = 1.25
"""Side of the square that is read, over the longer side of a face's box."""
OUTPUTS = ("rotation", "centre", "scale", "identity", "expression")


@dataclass(frozen=True)
class View:
    """How a face is cut out: its region so many times as large as REGION_MARGIN has it, and
    whether in the mirror."""

    size: float = 1.0
    mirrored: bool = False


ONE_VIEW = (View(),)
VIEWS = (View(0.94), View(1.06), View(0.94, mirrored=True), View(1.06, mirrored=True))


def crop(
    image: np.ndarray, box: np.ndarray, view: View = View()
) -> tuple[np.ndarray, np.ndarray, float]:
    """A face's region as the network sees it.

    Args:
        image: (H, W, 3) uint8 RGB; box: (4,) px.

    Returns:
        (SIDE, SIDE, 3) uint8, the region's top left corner (2,) in px of the image, and px of
        the crop a px of the image. What lies outside the image is grey.
    """
    side = max(float((box[2:] - box[:2]).max()) * REGION_MARGIN * view.size, 1.0)
    corner, zoom = (box[:2] + box[2:]) / 2 - side / 2, SIDE / side
    part = cut(image, corner, zoom, SIDE)
    return np.ascontiguousarray(part[:, ::-1]) if view.mirrored else part, corner, zoom


class SingleFaceNetwork:
    """SFN on ONNX Runtime.

    Args:
        path: the network, by default `models/sfn.onnx`.
        threads: for ONNX Runtime; 0 lets it take one a core.
        head_model: by default `models/head_model.npz`.
        views: how each face is cut out; the readings are averaged.
        as_read: as in `FaceNetwork`.

    Raises:
        FileNotFoundError: the network or the head model is not there.
        ValueError: the file is no network of ours, or belongs to another head model.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        threads: int = 0,
        head_model: HeadModel | None = None,
        views: tuple[View, ...] = VIEWS,
        as_read: bool = False,
    ) -> None:
        self.path = Path(path or DEFAULT_PATH)
        self.views, self.as_read = views, as_read
        self.head_model = head_model or load_head_model()
        self._session = open_session(self.path, threads)
        facts = self._session.get_modelmeta().custom_metadata_map
        check_metadata(self.path, facts, self.head_model)
        self.amplitude = Amplitude.of(self.path, facts)
        self._order = mirror_order()
        self._identity = mirror_matrix(self.head_model)

    def read(self, image: np.ndarray, faces: list[Face], kept: float = 0.0) -> list[Face]:
        """The same faces (id, score, box) with pose, identity, expression and landmarks anew.

        Args:
            image: (H, W, 3) uint8 RGB in which the faces were found.
            kept: 0..1, how much of the expression that each face came with counts.
        """
        return [self._read(image, face, kept) for face in faces]

    def _read(self, image: np.ndarray, face: Face, kept: float) -> Face:
        crops = [crop(image, face.box, view) for view in self.views]
        pixels = np.stack([part for part, _, _ in crops])
        seen: dict[str, Any] = dict(
            zip(OUTPUTS, self._session.run(OUTPUTS, {"crops": pixels}), strict=True)
        )
        for i, (view, (_, corner, zoom)) in enumerate(zip(self.views, crops, strict=True)):
            if view.mirrored:
                seen["rotation"][i] = mirror_rotation(seen["rotation"][i])
                seen["centre"][i, 0] = SIDE - seen["centre"][i, 0]
                seen["identity"][i] = self._identity @ seen["identity"][i]
                seen["expression"][i] = seen["expression"][i][self._order]
            seen["centre"][i] = seen["centre"][i] / zoom + corner
            seen["scale"][i] /= zoom
        look = _mean_rotation(seen["rotation"])
        centre, scale = seen["centre"].mean(0), float(np.exp(np.log(seen["scale"]).mean()))
        identity, expression = seen["identity"].mean(0), seen["expression"].mean(0)
        height, width = image.shape[:2]
        rotation, translation = place(look, centre, scale, width, height)

        def beside(part: np.ndarray) -> np.ndarray:
            return (1 - kept) * part + kept * face.expression if kept else part

        points = self.head_model.landmark_points(identity, beside(expression))
        shown = expression if self.as_read else self.amplitude.shown(shut_lids(expression))
        return face.with_(
            rotation=rotation,
            translation=translation,
            identity=identity,
            expression=beside(shown),
            landmarks=project_local(points, look, centre, scale),
        )


def _mean_rotation(rotations: np.ndarray) -> np.ndarray:
    """(N, 3, 3) -> (3, 3): the rotation nearest to their mean (orthogonal Procrustes problem)."""
    left, _, right = np.linalg.svd(rotations.mean(0))
    return (left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right).astype(np.float32)
