# SPDX-License-Identifier: GPL-3.0-or-later
"""The single-face network at run time: it reads each face again, from a crop of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..face import Face, HeadModel, load_head_model, place, project_local
from ..face.head_model import MODELS_FOLDER
from .crops import cut
from .mfn import check_metadata, open_session

DEFAULT_PATH = MODELS_FOLDER / "sfn.onnx"
SIDE = 128
REGION_MARGIN = 1.25
"""Side of the square that is read, over the longer side of a face's box."""
OUTPUTS = ("rotation", "centre", "scale", "identity", "expression")


def crop(image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A face's region as the network sees it.

    Args:
        image: (H, W, 3) uint8 RGB; box: (4,) px.

    Returns:
        (SIDE, SIDE, 3) uint8, the region's top left corner (2,) in px of the image, and px of
        the crop a px of the image. What lies outside the image is grey.
    """
    side = max(float((box[2:] - box[:2]).max()) * REGION_MARGIN, 1.0)
    corner, zoom = (box[:2] + box[2:]) / 2 - side / 2, SIDE / side
    return cut(image, corner, zoom, SIDE), corner, zoom


class SingleFaceNetwork:
    """SFN on ONNX Runtime.

    Args:
        path: the network, by default `models/sfn.onnx`.
        threads: for ONNX Runtime; 0 lets it take one a core.
        head_model: by default `models/head_model.npz`.

    Raises:
        FileNotFoundError: the network or the head model is not there.
        ValueError: the file is no network of ours, or belongs to another head model.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        threads: int = 0,
        head_model: HeadModel | None = None,
    ) -> None:
        self.path = Path(path or DEFAULT_PATH)
        self.head_model = head_model or load_head_model()
        self._session = open_session(self.path, threads)
        check_metadata(
            self.path, self._session.get_modelmeta().custom_metadata_map, self.head_model
        )

    def read(self, image: np.ndarray, faces: list[Face]) -> list[Face]:
        """The same faces (id, score, box) with pose, identity, expression and landmarks anew.

        Args:
            image: (H, W, 3) uint8 RGB in which the faces were found.
        """
        if not faces:
            return []
        height, width = image.shape[:2]
        crops = [crop(image, face.box) for face in faces]
        pixels = np.stack([part for part, _, _ in crops])
        outputs: dict[str, Any] = dict(
            zip(OUTPUTS, self._session.run(OUTPUTS, {"crops": pixels}), strict=True)
        )
        read = []
        for i, (face, (_, corner, zoom)) in enumerate(zip(faces, crops, strict=True)):
            look, identity = outputs["rotation"][i], outputs["identity"][i]
            centre, scale = outputs["centre"][i] / zoom + corner, float(outputs["scale"][i]) / zoom
            rotation, translation = place(look, centre, scale, width, height)
            points = self.head_model.landmark_points(identity, outputs["expression"][i])
            read.append(
                replace(
                    face,
                    rotation=rotation,
                    translation=translation,
                    identity=identity,
                    expression=outputs["expression"][i],
                    landmarks=project_local(points, look, centre, scale),
                )
            )
        return read
