# SPDX-License-Identifier: GPL-3.0-or-later
"""What cameras do to a picture: composed ones are too clean."""

from __future__ import annotations

import cv2
import numpy as np


def degrade(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cameras: light, grey, blur, motion, small sensors, noise, JPEG."""
    size = picture.shape[0]
    if random.random() < 0.12:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        picture = cv2.merge([grey, grey, grey])
    if random.random() < 0.25:
        small = int(size * random.uniform(0.5, 0.9))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    if random.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.2))
    if random.random() < 0.08:
        length = int(random.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        if random.random() < 0.6:
            kernel[length // 2] = 1 / length
        else:
            kernel[:, length // 2] = 1 / length
        picture = cv2.filter2D(picture, -1, kernel)
    if random.random() < 0.6:
        gamma = float(np.exp(random.normal(0, 0.25)))
        gain = random.uniform(0.7, 1.2) if random.random() < 0.92 else random.uniform(0.3, 0.6)
        levels = np.arange(256, dtype=np.float32) / 255
        table = np.clip(levels**gamma * gain * 255, 0, 255).astype(np.uint8)
        picture = cv2.LUT(picture, table)
    if random.random() < 0.5:
        noise = np.empty(picture.shape, np.int16)
        deviation = float(random.uniform(0.5, 7))
        cv2.randn(noise, 0, deviation)
        picture = cv2.add(picture, noise, dtype=cv2.CV_8U)
    if random.random() < 0.35:
        quality = int(random.integers(35, 95))
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(picture)
