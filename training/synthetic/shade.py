# SPDX-License-Identifier: GPL-3.0-or-later
# numba takes these kernels' types from their callers; what they take stands in the docstrings.
# ruff: noqa: ANN001, C901
"""The colour of each visible px: skin, eyes, teeth, hair, cloth by ambient light and two lamps.

Colours are linear RGB. `look` is one person's appearance, its numbers named in `traits.py`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from . import traits
from .raster import CLOTH, EYE, FRAME, HAIR, HAND, HAT, LASH, MOUTH, SKIN, TEETH, TONGUE


@njit(fastmath=True, nogil=True, cache=True)
def sharp(x, power_of_two) -> float:
    """x ** (2 ** power_of_two), for highlights."""
    for _ in range(power_of_two):
        x = x * x
    return x


@njit(fastmath=True, nogil=True, cache=True)
def shade(
    image, owner, number, box, found, weight_b, weight_c, depth,
    triangles, material, points, normal, aux, look,
    static, detail, brow, beard, scalp, folds, turn, strands,
    lids, fineness, ambient, lamps, lamp_colours,
    shadow, shadow_axes, shadow_centre, shadow_scale, shadow_bias, block,
) -> None:  # fmt: skip
    """Colour the pixels inside `box` where `found` names a triangle, and clear `found` there.

    Args:
        image: (h, w, 3) linear colour.  owner: (h, w) uint8, gets `number`.
        box: x0, y0, x1, y1 (exclusive), px.
        points, normal: (n, 3) camera frame.  aux: (n, 4): skin and cloth: atlas x, atlas y
            (0..1), occlusion, neutral height; eyes: neutral offset from the eye's middle.
        static, detail: (h, w, 4) uint8 atlas layers; brow, beard, scalp: (h, w) uint8.
        folds: (h, w, 3) slopes of the skin to the actor's left and up, and darkness, see `folds`.
        turn: (3, 3) the head's rotation.
        lids: (2, 10) per eye: middle of the upper lid's edge, the eye's right and up axis in the
            camera frame, and how far the edge drops towards the corners over the squared distance.
        fineness: strands across half a ribbon of hair.
        ambient: (9, 3) irradiance by spherical harmonics, x right, y up, z to the viewer.
        lamps: (2, 3) unit directions; lamp_colours: (2, 3).
        shadow: (s, s) the first lamp's shadow map; shadow_scale 0: none.
        block: samples of one px in each direction; those of one material share one colour.
    """
    rows, columns = static.shape[0], static.shape[1]
    size = shadow.shape[0]
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            t = found[y, x]
            if t < 0:
                continue
            found[y, x] = -1
            owner[y, x] = number
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wb, wc = weight_b[y, x], weight_c[y, x]
            wa = 1.0 - wb - wc
            kind = material[t]
            nx = wa * normal[a, 0] + wb * normal[b, 0] + wc * normal[c, 0]
            ny = wa * normal[a, 1] + wb * normal[b, 1] + wc * normal[c, 1]
            nz = wa * normal[a, 2] + wb * normal[b, 2] + wc * normal[c, 2]
            px = wa * points[a, 0] + wb * points[b, 0] + wc * points[c, 0]
            py = wa * points[a, 1] + wb * points[b, 1] + wc * points[c, 1]
            pz = wa * points[a, 2] + wb * points[b, 2] + wc * points[c, 2]
            u = wa * aux[a, 0] + wb * aux[b, 0] + wc * aux[c, 0]
            v = wa * aux[a, 1] + wb * aux[b, 1] + wc * aux[c, 1]
            s = wa * aux[a, 2] + wb * aux[b, 2] + wc * aux[c, 2]
            q = wa * aux[a, 3] + wb * aux[b, 3] + wc * aux[c, 3]
            scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * scale, ny * scale, nz * scale
            scale = 1.0 / np.sqrt(px * px + py * py + pz * pz)
            vx, vy, vz = -px * scale, -py * scale, -pz * scale
            if kind == SKIN:
                row = min(rows - 1, max(0, int(v * rows)))
                column = min(columns - 1, max(0, int(u * columns)))
                ax, ay = folds[row, column, 0], folds[row, column, 1]
                nx -= turn[0, 0] * ax + turn[0, 1] * ay
                ny -= turn[1, 0] * ax + turn[1, 1] * ay
                nz -= turn[2, 0] * ax + turn[2, 1] * ay
                scale = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
                nx, ny, nz = nx * scale, ny * scale, nz * scale
            facing = nx * vx + ny * vy + nz * vz
            if facing < 0.0 and (kind in (HAIR, LASH, HAT)):
                nx, ny, nz, facing = -nx, -ny, -nz, -facing
            facing = max(facing, 0.0)

            occlusion = 1.0
            wrap_r, wrap_g, wrap_b = 0.0, 0.0, 0.0
            shine, sharpness = 0.0, 4
            rim = 0.0
            red, green, blue = 0.5, 0.5, 0.5
            tint_r, tint_g, tint_b = 1.0, 1.0, 1.0  # of the highlight
            if kind in (SKIN, CLOTH):
                occlusion = s
                # cloth: u is the angle around the body over pi (0 in front), q the neutral height
                neckline = min(-0.158 + 0.16 * u * u, -0.118) - look[traits.NECKLINE]
                neckline -= look[traits.NECKLINE_V] * max(0.0, 1.0 - abs(u) * 5.0)
                is_cloth = kind == CLOTH and q < neckline
                if is_cloth:
                    pattern = 0.0
                    across = u * 0.6 * look[traits.PATTERN_SCALE]
                    down = q * look[traits.PATTERN_SCALE]
                    if look[traits.PATTERN] == 1.0:
                        pattern = 1.0 if int(np.floor(down)) & 1 else 0.0
                    elif look[traits.PATTERN] == 2.0:
                        pattern = 0.5 * (int(np.floor(down)) & 1) + 0.5 * (
                            int(np.floor(across)) & 1
                        )
                    elif look[traits.PATTERN] == 3.0:
                        pattern = strands[int(across * 30.0) & 255, int(down * 9.0) & 63] / 255.0
                    first, second = traits.CLOTH, traits.CLOTH2
                    if look[traits.PATTERN] >= 4.0:
                        # the shirt shows between the lapels and as a collar
                        opening = max(0.0, q + 0.40) * 0.9
                        collar = q > neckline - 0.016
                        if look[traits.PATTERN] == 4.0:
                            shirt = collar or abs(u) < opening * 0.55
                            if shirt and not collar and abs(u) < 0.035:
                                first = traits.HAT  # the tie
                            elif shirt:
                                pattern = 1.0
                            elif abs(u) < opening * 0.55 + 0.015:
                                pattern = -0.6  # the lapel's edge
                        elif collar or abs(u) < 0.02:
                            pattern = -0.3
                    weave = 0.9 + 0.2 * strands[int(q * 9000.0) & 255, int(u * 900.0) & 63] / 255.0
                    fold = np.sin(19.0 * u + 26.0 * q + 2.5 * np.sin(11.0 * u - 14.0 * q))
                    weave *= 1.0 + 0.12 * fold * np.sin(7.0 * u + 3.0)
                    seam = (abs(u) - 0.37 - 0.25 * (q + 0.3)) / 0.010  # arm against chest
                    if q < -0.2:
                        weave *= 1.0 - 0.5 * np.exp(-seam * seam) * min(1.0, (-0.2 - q) / 0.08)
                    edge = min(1.0, (neckline - q) / 0.004)
                    weave *= 0.6 + 0.4 * edge
                    red = weave * (look[first] + pattern * (look[second] - look[first]))
                    red = max(red, 0.004)
                    green = weave * (
                        look[first + 1] + pattern * (look[second + 1] - look[first + 1])
                    )
                    blue = weave * (
                        look[first + 2] + pattern * (look[second + 2] - look[first + 2])
                    )
                else:
                    if kind == CLOTH:  # a bare neck; skin's texel is known from its folds
                        row, column = 0, 0
                    tone = 1.0 + look[traits.DETAIL] * (detail[row, column, 0] - 128.0) / 128.0
                    redness = look[traits.DETAIL] * (detail[row, column, 1] - 128.0) / 128.0
                    freckle = look[traits.FRECKLES] * detail[row, column, 2] / 255.0
                    crease = look[traits.WRINKLES] * detail[row, column, 3] / 255.0
                    blush = look[traits.BLUSH] * static[row, column, 2] / 255.0
                    makeup = look[traits.EYE_MAKEUP] * static[row, column, 1] / 255.0
                    blush += 0.25 * static[row, column, 3] / 255.0
                    tone *= (1.0 - 0.5 * freckle) * (1.0 - crease)
                    if kind == SKIN:
                        tone *= 1.0 - min(0.7, folds[row, column, 2])
                    red = look[traits.SKIN] * tone * (1.0 + 0.25 * redness)
                    green = (
                        look[traits.SKIN + 1]
                        * tone
                        * (1.0 - 0.2 * redness - 0.25 * freckle)
                        * (1.0 - 0.35 * blush)
                    )
                    blue = (
                        look[traits.SKIN + 2]
                        * tone
                        * (1.0 - 0.1 * redness - 0.4 * freckle)
                        * (1.0 - 0.25 * blush)
                    )
                    red *= 1.0 - 0.7 * makeup
                    green *= 1.0 - 0.78 * makeup
                    blue *= 1.0 - 0.72 * makeup
                    lips = look[traits.LIPS_AMOUNT] * static[row, column, 0] / 255.0
                    red += lips * red * (look[traits.LIPS] - 1.0)
                    green += lips * green * (look[traits.LIPS + 1] - 1.0)
                    blue += lips * blue * (look[traits.LIPS + 2] - 1.0)
                    cover = look[traits.BEARD_AMOUNT] * beard[row, column] / 255.0
                    red += cover * (look[traits.BEARD] - red)
                    green += cover * (look[traits.BEARD + 1] - green)
                    blue += cover * (look[traits.BEARD + 2] - blue)
                    cover2 = look[traits.SCALP_AMOUNT] * scalp[row, column] / 255.0
                    red += cover2 * (0.6 * look[traits.HAIR] - red)  # roots lie in the dark
                    green += cover2 * (0.6 * look[traits.HAIR + 1] - green)
                    blue += cover2 * (0.6 * look[traits.HAIR + 2] - blue)
                    fx, fy = u * columns - 0.5, v * rows - 0.5  # bilinear: brows are fine
                    ix = min(columns - 2, max(0, int(fx)))
                    iy = min(rows - 2, max(0, int(fy)))
                    fx, fy = min(1.0, max(0.0, fx - ix)), min(1.0, max(0.0, fy - iy))
                    hairs = (1.0 - fy) * ((1.0 - fx) * brow[iy, ix] + fx * brow[iy, ix + 1])
                    hairs += fy * ((1.0 - fx) * brow[iy + 1, ix] + fx * brow[iy + 1, ix + 1])
                    hairs *= look[traits.BROW_AMOUNT] / 255.0
                    if kind == CLOTH:
                        hairs = 0.0
                    red += hairs * (look[traits.BROW] - red)
                    green += hairs * (look[traits.BROW + 1] - green)
                    blue += hairs * (look[traits.BROW + 2] - blue)
                    matte = 1.0 - max(cover, cover2, hairs)
                    wrap_r, wrap_g, wrap_b = 0.30 * matte, 0.13 * matte, 0.08 * matte
                    zone = 0.5 + static[row, column, 3] / 255.0
                    shine = look[traits.OIL] * zone * (0.25 + 0.75 * matte) * (1.0 + 1.5 * lips)
                    shine *= 0.6 + 0.8 * detail[row, column, 0] / 255.0
                    rim = 0.07 * matte
            elif kind == EYE:
                radius = np.sqrt(u * u + v * v)
                iris = look[traits.IRIS_RADIUS]
                occlusion = 0.9
                red = look[traits.SCLERA]
                green, blue = red * 0.93, red * 0.90
                # veins and the pink towards the corners
                pink = min(1.0, max(0.0, (radius - iris) / iris - 0.2))
                green *= 1.0 - 0.22 * pink
                blue *= 1.0 - 0.25 * pink
                if s > 0.0 and radius < iris * 1.08:
                    ratio = radius / iris
                    angle = np.arctan2(v, u)
                    ray = strands[int(angle * 24.0 + 128.0) & 255, int(ratio * 9.0) & 63] / 255.0
                    tone = (0.55 + 0.9 * ray) * (1.25 - 0.5 * ratio)
                    limbus = min(1.0, max(0.0, (1.08 - ratio) / 0.2))
                    tone *= 0.25 + 0.75 * limbus
                    if ratio < look[traits.PUPIL]:
                        tone = 0.02
                    cover = min(1.0, (1.08 - ratio) / 0.1)
                    red += cover * (look[traits.IRIS] * tone - red)
                    green += cover * (look[traits.IRIS + 1] * tone - green)
                    blue += cover * (look[traits.IRIS + 2] * tone - blue)
                # the upper lid and its lashes shade the eyeball
                k = 0 if aux[a, 3] > 0.0 else 1
                ex, ey, ez = px - lids[k, 0], py - lids[k, 1], pz - lids[k, 2]
                side = ex * lids[k, 3] + ey * lids[k, 4] + ez * lids[k, 5]
                below = -(ex * lids[k, 6] + ey * lids[k, 7] + ez * lids[k, 8])
                below -= lids[k, 9] * side * side
                open_sky = min(1.0, max(0.0, below / 0.0065))
                occlusion = 0.30 + 0.6 * open_sky
                lid_shadow = 0.35 + 0.65 * open_sky
                red, green, blue = red * lid_shadow, green * lid_shadow, blue * lid_shadow
                shine, sharpness = 0.9 * open_sky, 7
                wrap_r = wrap_g = wrap_b = 0.25
                rim = 0.05
            elif kind in (TEETH, TONGUE, MOUTH):
                occlusion = s
                if kind == TEETH:
                    red, green, blue = (
                        look[traits.TEETH],
                        look[traits.TEETH + 1],
                        look[traits.TEETH + 2],
                    )
                    # gums above the crowns; q is the distance from the gum line, metres
                    if q < 0.0:
                        red, green, blue = 0.45, 0.14, 0.14
                    gap = abs(u * 125.0 - np.floor(u * 125.0) - 0.5)
                    if q >= 0.0 and gap > 0.42:
                        red, green, blue = red * 0.7, green * 0.65, blue * 0.6
                    shine, sharpness = 0.25, 5
                elif kind == TONGUE:
                    red, green, blue = 0.42, 0.14, 0.13
                    shine, sharpness = 0.15, 4
                else:
                    red, green, blue = 0.30, 0.06, 0.05
                    shine, sharpness = 0.1, 4
                wrap_r, wrap_g, wrap_b = 0.3, 0.15, 0.15
            elif kind in (HAIR, LASH):
                column = int(u * fineness + aux[a, 2] * 256.0 + 64.0) & 255
                strand = strands[column, int(v * 40.0) & 63] / 255.0
                lock = strands[int(aux[a, 2] * 4096.0) & 255, 7] / 255.0
                tone = 1.0 + look[traits.STRAND_CONTRAST] * (strand - 0.5) * (fineness / 7.0)
                tone *= (0.65 + 0.7 * lock) * (0.75 + 0.4 * v)
                if kind == LASH:
                    red, green, blue = 0.012, 0.009, 0.008
                else:
                    red = look[traits.HAIR] * tone
                    green = look[traits.HAIR + 1] * tone
                    blue = look[traits.HAIR + 2] * tone
                    occlusion = q * (0.7 + 0.3 * strand)
                    shine, sharpness = look[traits.HAIR_SHINE] * (0.5 + strand), 3
                    tint_r = 0.4 + 2.0 * red
                    tint_g = 0.4 + 2.0 * green
                    tint_b = 0.4 + 2.0 * blue
                wrap_r = wrap_g = wrap_b = 0.3
            elif kind == FRAME:
                red, green, blue = (
                    look[traits.FRAME],
                    look[traits.FRAME + 1],
                    look[traits.FRAME + 2],
                )
                shine, sharpness = 0.6, 5
            elif kind == HAT:
                weave = 0.8 + 0.4 * strands[int(u * 700.0) & 255, int(v * 90.0) & 63] / 255.0
                red = look[traits.HAT] * weave
                green = look[traits.HAT + 1] * weave
                blue = look[traits.HAT + 2] * weave
                occlusion = q
            elif kind == HAND:
                red, green, blue = look[traits.SKIN], look[traits.SKIN + 1], look[traits.SKIN + 2]
                wrap_r, wrap_g, wrap_b = 0.25, 0.12, 0.08
                shine = look[traits.OIL]

            lit = 1.0
            if shadow_scale > 0.0:
                sx, sy, sz = px - shadow_centre[0], py - shadow_centre[1], pz - shadow_centre[2]
                mx = size * 0.5 + shadow_scale * (
                    shadow_axes[0, 0] * sx + shadow_axes[0, 1] * sy + shadow_axes[0, 2] * sz
                )
                my = size * 0.5 - shadow_scale * (
                    shadow_axes[1, 0] * sx + shadow_axes[1, 1] * sy + shadow_axes[1, 2] * sz
                )
                height = (
                    shadow_axes[2, 0] * sx + shadow_axes[2, 1] * sy + shadow_axes[2, 2] * sz
                ) + shadow_bias
                if 1.5 < mx < size - 2.5 and 1.5 < my < size - 2.5:
                    # bilinear over a 3 x 3 neighbourhood: soft and free of steps
                    ix, iy = int(mx - 0.5), int(my - 0.5)
                    fx, fy = mx - 0.5 - ix, my - 0.5 - iy
                    total = 0.0
                    for j in range(-1, 3):
                        wy = 1.0
                        if j == -1:
                            wy = 1.0 - fy
                        elif j == 2:
                            wy = fy
                        for i in range(-1, 3):
                            if shadow[iy + j, ix + i] <= height:
                                wx = 1.0
                                if i == -1:
                                    wx = 1.0 - fx
                                elif i == 2:
                                    wx = fx
                                total += wx * wy
                    lit = total / 9.0

            out_r, out_g, out_b = 0.0, 0.0, 0.0
            for k in range(2):
                lx, ly, lz = lamps[k, 0], lamps[k, 1], lamps[k, 2]
                cosine = nx * lx + ny * ly + nz * lz
                seen = lit if k == 0 else 0.5 + 0.5 * occlusion
                hx, hy, hz = lx + vx, ly + vy, lz + vz
                scale = 1.0 / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                half = max(0.0, (nx * hx + ny * hy + nz * hz) * scale)
                gloss = 0.0
                if cosine > 0.0:
                    gloss = shine * sharp(half, sharpness) * seen
                    if kind == SKIN:
                        gloss += 0.35 * shine * sharp(half, 3) * seen
                dr = max(0.0, (cosine + wrap_r) / (1.0 + wrap_r)) * seen
                dg = max(0.0, (cosine + wrap_g) / (1.0 + wrap_g)) * seen
                db = max(0.0, (cosine + wrap_b) / (1.0 + wrap_b)) * seen
                if kind == SKIN and k == 0:  # light that scatters into the edge of a shadow
                    bleed = seen * (1.0 - seen) * max(0.0, cosine)
                    dr += 0.35 * bleed
                    dg += 0.05 * bleed
                out_r += lamp_colours[k, 0] * (red * dr + gloss * tint_r)
                out_g += lamp_colours[k, 1] * (green * dg + gloss * tint_g)
                out_b += lamp_colours[k, 2] * (blue * db + gloss * tint_b)
            edge = 1.0 - facing
            fresnel = rim * edge * edge * edge * edge
            for k in range(3):
                light = (
                    ambient[0, k]
                    + ambient[1, k] * ny
                    + ambient[2, k] * nz
                    + ambient[3, k] * nx
                    + ambient[4, k] * nx * ny
                    + ambient[5, k] * ny * nz
                    + ambient[6, k] * (3.0 * nz * nz - 1.0)
                    + ambient[7, k] * nx * nz
                    + ambient[8, k] * (nx * nx - ny * ny)
                )
                light = max(0.0, light) * occlusion
                if k == 0:
                    out_r += light * (red + fresnel)
                elif k == 1:
                    out_g += light * (green + fresnel)
                else:
                    out_b += light * (blue + fresnel)
            image[y, x, 0] = out_r
            image[y, x, 1] = out_g
            image[y, x, 2] = out_b
            for j in range(y, min(box[3], (y // block + 1) * block)):
                for i in range(x // block * block, min(box[2], (x // block + 1) * block)):
                    other = found[j, i]
                    if other >= 0 and material[other] == kind:
                        found[j, i] = -1
                        owner[j, i] = number
                        image[j, i, 0] = out_r
                        image[j, i, 1] = out_g
                        image[j, i, 2] = out_b
