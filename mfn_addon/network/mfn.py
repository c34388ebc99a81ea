# SPDX-License-Identifier: GPL-3.0-or-later
"""The multi-face network at run time: a picture in, every face in it out, in one pass."""

from __future__ import annotations

import ctypes
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..face import EXPRESSIONS, NO_ID, Face, HeadModel, load_head_model, place, project_local
from ..face.head_model import MODELS_FOLDER
from .amplitude import Amplitude
from .crops import PADDING
from .lids import shut_lids

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DEFAULT_PATH = MODELS_FOLDER / "mfn.onnx"
FORMAT_VERSION = "2"
LONG_SIDE = 320
STRIDE = 32
FINER = 2
"""How many times finer than the network's input its patches see a picture that is large enough."""
LEAST_SCORE = 0.5


@dataclass(frozen=True)
class Letterbox:
    """How a picture was fitted into the network's input.

    Attributes:
        scale: input px a picture px.
        width, height: the input's size, multiples of 32; the picture sits at its top left.
    """

    scale: float
    width: int
    height: int


def letterbox(
    image: np.ndarray, long_side: int = LONG_SIDE, stride: int = STRIDE
) -> tuple[np.ndarray, Letterbox]:
    """Shrink or enlarge (H, W, 3) uint8 so that its longer side is `long_side`, pad to `stride`.

    Padding goes to the right and the bottom, so that no offset is needed on the way back.
    """
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    # The exact one is the same on every machine, and in the phone's page.
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR_EXACT
    small = image if (w, h) == (width, height) else cv2.resize(image, (w, h), interpolation=method)
    box = Letterbox(scale, -(-w // stride) * stride, -(-h // stride) * stride)
    padded = np.full((box.height, box.width, 3), PADDING, np.uint8)
    padded[:h, :w] = small
    return padded, box


def fitted(
    image: np.ndarray, long_side: int = LONG_SIDE
) -> tuple[dict[str, np.ndarray], Letterbox]:
    """A picture as the network takes it: "image", in which faces are found, and "finer", from
    which patches of eyes, mouths and brows are cut; both (1, H, W, 3) uint8.

    The second is FINER times as large where the picture has more pixels than the first, so that a
    face far away is still read from what the camera has seen of it.

    Args:
        image: (H, W, 3) uint8 RGB. long_side: px of the longer side of "image".

    Returns:
        Both, by the names of the inputs; and how "image" was fitted.
    """
    if max(image.shape[:2]) <= long_side:
        pixels, box = letterbox(image, long_side)
        return {"image": pixels[None], "finer": pixels[None]}, box
    finer, box = letterbox(image, FINER * long_side, FINER * STRIDE)
    box = Letterbox(box.scale / FINER, box.width // FINER, box.height // FINER)
    pixels = cv2.resize(finer, (box.width, box.height), interpolation=cv2.INTER_AREA)
    return {"image": pixels[None], "finer": finer[None]}, box


class FaceNetwork:
    """MFN on ONNX Runtime.

    Args:
        path: the network, by default `models/mfn.onnx`.
        threads: for ONNX Runtime; 0 lets it take one a core.
        least_score: faces that the network is less sure of are left out, 0..1.
        head_model: by default `models/head_model.npz`.
        long_side: px of the longer side that the network sees.
        as_read: leave expressions as the network reads them, neither lids shut nor rest and gain
            taken back: what training compares.

    Raises:
        FileNotFoundError: the network or the head model is not there.
        ValueError: the file is no network of ours, or belongs to another head model.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        threads: int = 0,
        least_score: float = LEAST_SCORE,
        head_model: HeadModel | None = None,
        long_side: int = LONG_SIDE,
        as_read: bool = False,
    ) -> None:
        self.path = Path(path or DEFAULT_PATH)
        self.least_score = least_score
        self.long_side = long_side
        self.as_read = as_read
        self.head_model = head_model or load_head_model()
        self._session = open_session(self.path, threads)
        facts = self._session.get_modelmeta().custom_metadata_map
        check_metadata(self.path, facts, self.head_model)
        self.amplitude = Amplitude.of(self.path, facts)

    def detect(self, image: np.ndarray, long_side: int | None = None) -> list[Face]:
        """All faces in a picture, at most 32, the surest first, without ids.

        Args:
            image: (H, W, 3) uint8 RGB.
            long_side: px of the longer side that the network is to see, if not its usual one.

        Raises:
            ValueError: the array is of another shape or type.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(
                f"expected an (H, W, 3) uint8 picture, got {image.dtype} {image.shape}"
            )
        inputs, box = fitted(image, long_side or self.long_side)
        outputs = self._session.run(OUTPUTS, inputs)
        return self._faces(dict(zip(OUTPUTS, outputs, strict=True)), image.shape, box.scale)

    def _faces(self, raw: dict, shape: tuple[int, ...], box_scale: float) -> list[Face]:
        # All faces at once: one by one, eight of them took a millisecond.
        rows = np.flatnonzero(raw["score"] >= self.least_score)
        look, identity, expression = (
            raw[name][rows] for name in ("rotation", "identity", "expression")
        )
        box, centre = raw["box"][rows] / box_scale, raw["centre"][rows] / box_scale
        scale = raw["scale"][rows] / box_scale
        rotation, translation = place(look, centre, scale, shape[1], shape[0])
        points = self.head_model.landmark_points(identity, expression)
        landmarks = project_local(points, look, centre, scale)
        if not self.as_read:
            expression = self.amplitude.shown(shut_lids(expression))
        return [
            Face(
                id=NO_ID,
                score=float(raw["score"][row]),
                box=box[i],
                rotation=rotation[i],
                translation=translation[i],
                identity=identity[i],
                expression=expression[i],
                landmarks=landmarks[i],
            )
            for i, row in enumerate(rows)
        ]


OUTPUTS = ("score", "box", "rotation", "centre", "scale", "identity", "expression")


def open_session(path: Path, threads: int) -> InferenceSession:
    """An ONNX Runtime session on the CPU; its threads sleep between frames."""
    import onnxruntime  # here, so that a Blender without its wheels can still show why

    if not path.is_file():
        raise FileNotFoundError(f"network not found: {path}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Planning memory by the input's shape takes 8 MB more, and no less time.
    options.enable_mem_pattern = False
    # Workers spin within a picture: waking them for each of its hundreds of small steps took a
    # quarter of its time. Between pictures they sleep, or they would take a core from Blender.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # Weights of 8 bits are unpacked once, and not anew for every picture.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's own classes differ between versions
        raise ValueError(f"{path} is not a usable network: {error}") from error
    give_back_memory()
    return session


def give_back_memory() -> None:
    """Return what has been freed to the system, where the C library can (glibc).

    Unpacking a network's weights leaves some 10 MB of holes that it would keep.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def check_metadata(path: Path, facts: dict[str, str], head_model: HeadModel) -> None:
    """Refuse a network that would be misread.

    Raises:
        ValueError: another format, other expression names, or another head model.
    """
    if facts.get("mfn_format") != FORMAT_VERSION:
        raise ValueError(
            f"{path}: network format {facts.get('mfn_format', 'missing')}, "
            f"this version reads {FORMAT_VERSION}"
        )
    if json.loads(facts.get("expressions", "[]")) != list(EXPRESSIONS):
        raise ValueError(f"{path}: its expressions are not ARKit's 52 in the expected order")
    if facts.get("head_model") != head_model.digest:
        raise ValueError(
            f"{path} was trained with head model {facts.get('head_model')}, but the one here is "
            f"{head_model.digest}: use the pair that was released together"
        )
