# SPDX-License-Identifier: GPL-3.0-or-later
"""A detector that takes its time: MFN finds the faces, SFN reads each of them."""

from __future__ import annotations

import numpy as np

from ..face import Face
from .mfn import FaceNetwork
from .sfn import SingleFaceNetwork

KEPT = 0.4
"""How much the expression that MFN has read counts beside SFN's. Two networks err in different
ways: the mouth is nearer and rests more calmly so (docs/decisions/0013)."""


class CloseUps:
    """`detect` as of the network that finds the faces, each face then read at full resolution.

    Args:
        network: finds the faces. reader: reads them; by default `models/sfn.onnx`.

    Raises:
        FileNotFoundError, ValueError: the reader cannot be loaded.
    """

    def __init__(
        self, network: FaceNetwork, reader: SingleFaceNetwork | None = None, threads: int = 0
    ) -> None:
        self.network = network
        self.reader = reader or SingleFaceNetwork(threads=threads, head_model=network.head_model)

    def detect(self, image: np.ndarray) -> list[Face]:
        """All faces in a (H, W, 3) uint8 RGB picture; ids, scores and boxes are the network's.

        Raises:
            ValueError: the array is of another shape or type.
        """
        return self.reader.read(image, self.network.detect(image), KEPT)
