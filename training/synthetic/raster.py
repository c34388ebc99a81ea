# SPDX-License-Identifier: GPL-3.0-or-later
# numba takes these kernels' types from their callers; what they take stands in the docstrings.
# ruff: noqa: ANN001, ANN201, C901
"""Triangles to pixels: projection, normals, a z-buffer with alpha-tested hair, a shadow map.

All kernels are plain loops for numba: float32 in, float32 out, no allocation, no Python objects,
so that any number of worker processes can run them. Screen points are (x px, y px, 1 / depth).
"""

from __future__ import annotations

import numpy as np
from numba import njit

SKIN, MOUTH, EYE, TEETH, TONGUE, LASH, HAIR, CLOTH, FRAME, HAT, HAND = range(11)
"""Materials, one number a triangle."""


@njit(fastmath=True, nogil=True, cache=True)
def blend_weights(base, modes, weights, out) -> None:
    """out (n,) = base (n,) + weights (k,) @ modes (k, n), skipping weights of zero."""
    for i in range(base.shape[0]):
        out[i] = base[i]
    for k in range(weights.shape[0]):
        w = weights[k]
        if w == 0.0:
            continue
        for i in range(base.shape[0]):
            out[i] += w * modes[k, i]


@njit(fastmath=True, nogil=True, cache=True)
def normals(points, triangles, out) -> None:
    """out (n, 3): unit vertex normals, area weighted."""
    out[:] = 0.0
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux = points[b, 0] - points[a, 0]
        uy = points[b, 1] - points[a, 1]
        uz = points[b, 2] - points[a, 2]
        vx = points[c, 0] - points[a, 0]
        vy = points[c, 1] - points[a, 1]
        vz = points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            out[k, 0] += nx
            out[k, 1] += ny
            out[k, 2] += nz
    for i in range(out.shape[0]):
        s = 1.0 / (np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2) + 1e-12)
        out[i, 0] *= s
        out[i, 1] *= s
        out[i, 2] *= s


@njit(fastmath=True, nogil=True, cache=True)
def turn(points, rotation, translation, out) -> None:
    """out = points @ rotation.T + translation."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for k in range(3):
            out[i, k] = (
                rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z + translation[k]
            )


@njit(fastmath=True, nogil=True, cache=True)
def bend_neck(points, neck, rotation, pivot) -> None:
    """Turn each point about the pivot by `rotation`, as far as its neck weight (0..1) says."""
    for i in range(points.shape[0]):
        w = neck[i]
        if w <= 0.0:
            continue
        x, y, z = points[i, 0] - pivot[0], points[i, 1] - pivot[1], points[i, 2] - pivot[2]
        for k in range(3):
            moved = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2] * z + pivot[k]
            points[i, k] += w * (moved - points[i, k])


@njit(fastmath=True, nogil=True, cache=True)
def project(camera_points, focal, cx, cy, out):
    """Camera frame (z negative in front) to (x px, y px, 1 / depth); returns x0, y0, x1, y1."""
    x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
    for i in range(camera_points.shape[0]):
        inverse = 1.0 / max(-camera_points[i, 2], 0.02)
        out[i, 0] = cx + focal * camera_points[i, 0] * inverse
        out[i, 1] = cy - focal * camera_points[i, 1] * inverse
        out[i, 2] = inverse
        x0, x1 = min(x0, out[i, 0]), max(x1, out[i, 0])
        y0, y1 = min(y0, out[i, 1]), max(y1, out[i, 1])
    return x0, y0, x1, y1


@njit(fastmath=True, nogil=True, cache=True)
def rasterise(
    screen, triangles, material, aux, strands, fineness, depth, found, weight_b, weight_c
) -> None:
    """Fill the z-buffer.

    Args:
        screen: (n, 3) x px, y px, 1 / depth.  triangles: (t, 3).  material: (t,).
        aux: (n, 4); hair: across (-1..1), along (0..1), seed; lashes: across, along (0..1);
            hats: in the third place how far inside the hat's edge.
        strands: (256, 64) uint8 noise that cuts hair and lashes into strands.
        fineness: strands across half a ribbon of hair; few for small faces.
        depth: (h, w) 1 / depth so far, larger is nearer; shared by all people in the picture.
        found: (h, w) int32, set to the triangle's number where it is the nearest.
        weight_b, weight_c: (h, w) perspective-correct barycentric weights.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = screen[a, 0], screen[a, 1], screen[a, 2]
        bx, by, bz = screen[b, 0], screen[b, 1], screen[b, 2]
        cx, cy, cz = screen[c, 0], screen[c, 1], screen[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        kind = material[t]
        two_sided = kind in (HAIR, LASH, HAT)
        if area == 0.0 or (area > 0.0 and not two_sided):  # y points down: front is clockwise
            continue
        if az > 40.0 or bz > 40.0 or cz > 40.0:
            continue
        x0 = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        x1 = min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        y0 = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        y1 = min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        if x0 > x1 or y0 > y1:
            continue
        inverse = 1.0 / area
        b_dx, b_dy = (cy - ay) * inverse, -(cx - ax) * inverse
        c_dx, c_dy = -(by - ay) * inverse, (bx - ax) * inverse
        a_dx = -(b_dx + c_dx)
        wide = x1 - x0 > 5
        for y in range(y0, y1 + 1):
            py = y + 0.5 - ay
            # the span of this row where all three weights are positive, to within a px
            b_row, c_row = py * b_dy, py * c_dy
            a_row = 1.0 - b_row - c_row
            low, high = x0 + 0.5 - ax, x1 + 0.5 - ax
            if wide:
                if b_dx > 0.0:
                    low = max(low, -b_row / b_dx)
                elif b_dx < 0.0:
                    high = min(high, -b_row / b_dx)
                if c_dx > 0.0:
                    low = max(low, -c_row / c_dx)
                elif c_dx < 0.0:
                    high = min(high, -c_row / c_dx)
                if a_dx > 0.0:
                    low = max(low, -a_row / a_dx)
                elif a_dx < 0.0:
                    high = min(high, -a_row / a_dx)
                if high < low:
                    continue
            for x in range(max(x0, int(low + ax - 0.5)), min(x1, int(high + ax + 0.5)) + 1):
                px = x + 0.5 - ax
                wb = px * b_dx + b_row
                wc = px * c_dx + c_row
                wa = 1.0 - wb - wc
                if wa < 0.0 or wb < 0.0 or wc < 0.0:
                    continue
                z = wa * az + wb * bz + wc * cz
                if z <= depth[y, x]:
                    continue
                wb *= bz / z
                wc *= cz / z
                if kind == HAIR:
                    wa = 1.0 - wb - wc
                    u = wa * aux[a, 0] + wb * aux[b, 0] + wc * aux[c, 0]
                    v = wa * aux[a, 1] + wb * aux[b, 1] + wc * aux[c, 1]
                    column = int(u * fineness + aux[a, 2] * 256.0 + 64.0) & 255
                    edge = max(u * u * u * u, v * v * v * v * v * v)
                    if strands[column, int(v * 40.0) & 63] < 240.0 * edge:
                        continue
                elif kind == LASH:
                    wa = 1.0 - wb - wc
                    u = wa * aux[a, 0] + wb * aux[b, 0] + wc * aux[c, 0]
                    v = wa * aux[a, 1] + wb * aux[b, 1] + wc * aux[c, 1]
                    if strands[int(u + 4096.0) & 255, 0] < 30.0 + 230.0 * v + aux[a, 2]:
                        continue
                elif kind == HAT:
                    wa = 1.0 - wb - wc
                    if wa * aux[a, 2] + wb * aux[b, 2] + wc * aux[c, 2] < 0.0:
                        continue
                depth[y, x] = z
                found[y, x] = t
                weight_b[y, x] = wb
                weight_c[y, x] = wc


@njit(fastmath=True, nogil=True, cache=True)
def shadow_map(points, triangles, material, axes, centre, scale, out) -> None:
    """Depth seen from a light, orthographic.

    Args:
        points: (n, 3) camera frame.  axes: (3, 3) rows right, up, towards the light.
        centre: (3,) what the map is centred on.  scale: px per metre.
        out: (s, s), set to the height towards the light, -1e9 where nothing is.
    """
    size = out.shape[0]
    out[:] = -1e9
    half = size * 0.5
    for t in range(triangles.shape[0]):
        kind = material[t]
        if kind in (EYE, LASH, MOUTH, TEETH, TONGUE):
            continue
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x, y, z = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        ax = half + scale * (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z)
        ay = half - scale * (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z)
        az = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z
        x, y, z = points[j, 0] - centre[0], points[j, 1] - centre[1], points[j, 2] - centre[2]
        bx = half + scale * (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z)
        by = half - scale * (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z)
        bz = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z
        x, y, z = points[k, 0] - centre[0], points[k, 1] - centre[1], points[k, 2] - centre[2]
        cx = half + scale * (axes[0, 0] * x + axes[0, 1] * y + axes[0, 2] * z)
        cy = half - scale * (axes[1, 0] * x + axes[1, 1] * y + axes[1, 2] * z)
        cz = axes[2, 0] * x + axes[2, 1] * y + axes[2, 2] * z
        x0 = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        x1 = min(size - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        y0 = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        y1 = min(size - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if x0 > x1 or y0 > y1 or area == 0.0:
            continue
        inverse = 1.0 / area
        for row in range(y0, y1 + 1):
            for column in range(x0, x1 + 1):
                px, py = column + 0.5 - ax, row + 0.5 - ay
                wb = (px * (cy - ay) - py * (cx - ax)) * inverse
                wc = (py * (bx - ax) - px * (by - ay)) * inverse
                if wb < 0.0 or wc < 0.0 or wb + wc > 1.0:
                    continue
                z = az + wb * (bz - az) + wc * (cz - az)
                if z > out[row, column]:
                    out[row, column] = z


@njit(fastmath=True, nogil=True, cache=True)
def nearest(points, among, out) -> None:
    """out (n,) = which of `among` (m, 3) lies nearest to each of `points` (n, 3)."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        best, at = 1e30, 0
        for k in range(among.shape[0]):
            dx, dy, dz = among[k, 0] - x, among[k, 1] - y, among[k, 2] - z
            d = dx * dx + dy * dy + dz * dz
            if d < best:
                best, at = d, k
        out[i] = at
