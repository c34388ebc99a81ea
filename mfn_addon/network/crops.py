# SPDX-License-Identifier: GPL-3.0-or-later
"""Square pieces of a picture, enlarged or shrunk as a network wants them."""

from __future__ import annotations

import cv2
import numpy as np

PADDING = 114
"""The grey that the networks' normalisation turns into zero: what lies outside a picture."""


def cut(image: np.ndarray, corner: np.ndarray, zoom: float, side: int) -> np.ndarray:
    """(side, side, 3) of a picture from `corner` (2,) px on, enlarged `zoom` times.

    What lies outside the picture is grey.
    """
    step = np.ones(2)
    if zoom < 0.5:  # bilinear sampling would skip pixels: average them first
        low = np.clip(np.floor(corner), 0, image.shape[1::-1]).astype(int)
        high = np.clip(np.ceil(corner + side / zoom), 0, image.shape[1::-1]).astype(int)
        part = image[low[1] : high[1], low[0] : high[0]]
        if part.size:
            size = np.maximum(np.round(np.array(part.shape[1::-1]) * zoom), 1).astype(int)
            step = size / part.shape[1::-1]
            image = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
            corner = corner - low
    # Pixel centres lie at +0.5, for OpenCV at whole numbers.
    linear = zoom / step
    shift = 0.5 * linear - 0.5 - corner * zoom
    matrix = np.array([[linear[0], 0, shift[0]], [0, linear[1], shift[1]]])
    return cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(PADDING,) * 3
    )
