# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing a textured mesh with a z-buffer."""

from __future__ import annotations

import numpy as np
from numba import njit

from training.synthetic import raster

NO_STRANDS = np.zeros((256, 64), np.uint8)


class Buffer:
    """A z-buffer of S x S px, used again and again."""

    def __init__(self, side: int) -> None:
        self.depth = np.zeros((side, side), np.float32)
        self.found = np.zeros((side, side), np.int32)
        self.weight_b, self.weight_c = np.zeros_like(self.depth), np.zeros_like(self.depth)

    def draw(self, screen: np.ndarray, triangles: np.ndarray, both: int = 0) -> None:
        """Which of the triangles (T, 3) of screen points (N, 3) is nearest, and where on it.

        Only fronts are seen, but for the first `both` triangles.
        """
        self.depth[:], self.found[:] = 0, -1
        material = np.full(len(triangles), raster.SKIN, np.uint8)
        material[:both] = raster.HAT  # what the rasteriser sees from both sides
        raster.rasterise(
            screen, triangles, material, np.zeros((len(screen), 4), np.float32), NO_STRANDS, 1.0,
            self.depth, self.found, self.weight_b, self.weight_c,
        )  # fmt: skip


@njit(fastmath=True, nogil=True, cache=True)
def paint(found, weight_b, weight_c, triangles, places, texture, out) -> None:  # noqa: ANN001
    """Colour the pixels of a z-buffer.

    Args:
        found, weight_b, weight_c: (h, w), see `raster.rasterise`.
        triangles: (t, 3). places: (t, 3, 2) px of the texture at the triangles' corners.
        texture: (s, s, 3) uint8.  out: (h, w, 3) uint8, written where a triangle was found.
    """
    side = texture.shape[0]
    for y in range(found.shape[0]):
        for x in range(found.shape[1]):
            t = found[y, x]
            if t < 0:
                continue
            b, c = weight_b[y, x], weight_c[y, x]
            a = 1.0 - b - c
            u = a * places[t, 0, 0] + b * places[t, 1, 0] + c * places[t, 2, 0] - 0.5
            v = a * places[t, 0, 1] + b * places[t, 1, 1] + c * places[t, 2, 1] - 0.5
            u, v = min(max(u, 0.0), side - 1.001), min(max(v, 0.0), side - 1.001)
            i, j = int(u), int(v)
            p, q = u - i, v - j
            for k in range(3):
                above = texture[j, i, k] * (1 - p) + texture[j, i + 1, k] * p
                below = texture[j + 1, i, k] * (1 - p) + texture[j + 1, i + 1, k] * p
                out[y, x, k] = np.uint8(above * (1 - q) + below * q + 0.5)
