# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a picture file of any common kind as 8-bit RGB."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .errors import InputError

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".jp2"}
)

SMALLEST_SIDE = 8
"""Pictures with a shorter side than this, in px, cannot hold a face; a 1x1 picture is nearly
always a placeholder or a mistake."""


def read_image(path: Path) -> np.ndarray:
    """Read a picture as it is displayed: orientation flags applied, 16 bits brought to 8,
    grey brought to colour, transparency laid over mid grey.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: absent, empty, no picture, or too small to hold a face.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every path on Windows
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not data.size:
        raise InputError(f"{path}: the file is empty")
    picture = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if picture is None:
        raise InputError(f"{path}: not a picture that can be read (damaged, or another format)")
    height, width = picture.shape[:2]
    if min(width, height) < SMALLEST_SIDE:
        raise InputError(
            f"{path}: {width}x{height} px is too small to hold a face "
            f"(at least {SMALLEST_SIDE}x{SMALLEST_SIDE} px)"
        )
    picture = _to_8_bits(picture)
    alpha = _alpha(data, path, (height, width))
    if alpha is not None:
        picture = np.round(picture * alpha + 128.0 * (1 - alpha)).astype(np.uint8)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _decode(data: np.ndarray, flags: int) -> np.ndarray | None:
    try:
        return cv2.imdecode(data, flags)
    except cv2.error:  # some damaged files raise instead of giving None
        return None


def _to_8_bits(picture: np.ndarray) -> np.ndarray:
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype == np.uint16:
        return (picture // 257).astype(np.uint8)
    return np.round(np.clip(np.nan_to_num(picture), 0, 1) * 255).astype(np.uint8)


def _alpha(data: np.ndarray, path: Path, size: tuple[int, int]) -> np.ndarray | None:
    """(H, W, 1) opacity 0..1 of a picture with transparent parts, otherwise None."""
    if path.suffix.lower() in {".jpg", ".jpeg", ".jpe"}:
        return None
    full = _decode(data, cv2.IMREAD_UNCHANGED)
    if full is None or full.ndim != 3 or full.shape[2] != 4 or full.shape[:2] != size:
        return None
    full_scale = np.iinfo(full.dtype).max if full.dtype.kind == "u" else 1.0
    return full[:, :, 3:].astype(np.float32) / full_scale
