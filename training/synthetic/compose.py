# SPDX-License-Identifier: GPL-3.0-or-later
# numba takes these kernels' types from their callers; what they take stands in the docstrings.
# ruff: noqa: ANN001
"""What comes after shading: spectacle lenses, and the background where nobody is."""

from __future__ import annotations

import numpy as np
from numba import njit

from .shade import sharp


@njit(fastmath=True, nogil=True, cache=True)
def lens(image, screen, triangles, normal, depth, dark, tint, glare, direction) -> None:
    """Blend spectacle lenses over what stands behind them.

    Args:
        image: (h, w, 3).  screen: (n, 3).  triangles: (t, 3).  normal: (n, 3) camera frame.
        dark: 0 clear .. 1 black.  tint: (3,) colour of the glass.  glare: strength of the
        reflection.  direction: (3,) unit, where the reflected window stands.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1]
        cx, cy = screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        x0 = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        x1 = min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        y0 = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        y1 = min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5 - ax, y + 0.5 - ay
                wb = (px * (cy - ay) - py * (cx - ax)) / area
                wc = (py * (bx - ax) - px * (by - ay)) / area
                wa = 1.0 - wb - wc
                if wa < 0.0 or wb < 0.0 or wc <= 0.0:
                    continue
                z = wa * screen[a, 2] + wb * screen[b, 2] + wc * screen[c, 2]
                if z <= depth[y, x]:
                    continue
                along = 0.0
                for k in range(3):
                    along += direction[k] * (
                        wa * normal[a, k] + wb * normal[b, k] + wc * normal[c, k]
                    )
                reflect = 0.02 + glare * sharp(max(0.0, along), 6)
                for k in range(3):
                    image[y, x, k] = image[y, x, k] * (1.0 - dark * (1.0 - tint[k])) + reflect


@njit(fastmath=True, nogil=True, cache=True)
def downsample(image, owner, background, factor, out) -> None:
    """Average `factor` x `factor` samples; background shows where nobody is (owner 255)."""
    share = 1.0 / (factor * factor)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            r = g = b = 0.0
            empty = 0
            for j in range(factor):
                for i in range(factor):
                    yy, xx = y * factor + j, x * factor + i
                    if owner[yy, xx] == 255:
                        empty += 1
                    else:
                        r += min(image[yy, xx, 0], 3.0)
                        g += min(image[yy, xx, 1], 3.0)
                        b += min(image[yy, xx, 2], 3.0)
            rest = empty * share
            out[y, x, 0] = r * share + rest * background[y, x, 0]
            out[y, x, 1] = g * share + rest * background[y, x, 1]
            out[y, x, 2] = b * share + rest * background[y, x, 2]
