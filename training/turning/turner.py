# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographs as meshes, drawn again as they would look with the head turned."""

from __future__ import annotations

import cv2
import numpy as np

from mfn_addon.face.camera import VIEWING_DISTANCE
from training.turning.drawing import Buffer, paint
from training.turning.head import (
    HAIR_ABOVE,
    HAIR_SIDES,
    PIVOT,
    Look,
    hair_width,
    load_head,
    smooth,
    stay,
)

FINENESS = 2
"""Rendered px a px of the photograph, along a side: silhouettes are smoothed by averaging."""
STEP = 2
"""Px between the photograph's mesh points."""
HAIR_BACK = 0.05
"""Metres by which the hair's outline lies behind the bald head's."""
HAIR_LIFT = 0.004
"""Metres by which hair stands off the head's hidden side."""
REST = 0.075
"""Metres beyond the hair where the picture stays as it is."""
BEHIND = 0.35
"""Metres behind the head's origin that the background is put."""
STREAK = 0.6
"""Mean difference of neighbouring rows, grey levels, below which one is a copy of the other."""
HAIR_NOISE = cv2.GaussianBlur(
    np.random.default_rng(0).normal(0, 4, (512, 512)).astype(np.float32), (0, 0), 3, sigmaY=0.7
)


class Turner:
    """Turns photographs of side x side px."""

    def __init__(self, side: int) -> None:
        self.side, self.head = side, load_head()
        self.small, self.large = Buffer(side), Buffer(side * FINENESS)
        # a ring beyond the picture repeats its rim, where a head is cut off and turned inwards
        at = np.concatenate([[-side / 3], np.arange(0, side, STEP), [side, side * 4 / 3]])
        self.grid = np.stack(np.meshgrid(at, at), -1).reshape(-1, 2).astype(np.float32)
        self.at = np.clip(at, 0, side).astype(int)
        first = (np.arange(len(at) - 1)[:, None] * len(at) + np.arange(len(at) - 1)).ravel()
        a, b, c, d = first, first + 1, first + len(at), first + len(at) + 1
        # front faces run clockwise as seen with y down, see `raster.rasterise`
        self.cells = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(
            np.int32
        )

    def turn(
        self, picture: np.ndarray, look: Look, new: Look, behind: np.ndarray | None = None
    ) -> np.ndarray:
        """(S, S, 3) uint8 as the picture would look with the head at its new look; before another
        background (S, S, 3), if so wished."""
        head = self.head
        shape = head.neutral + (look.weights @ head.modes).reshape(-1, 3)
        old = look.screen(shape)
        self.small.draw(old, head.triangles)
        depth, outside, at = self.depth_map(look)
        picture = self.complete(picture, look, outside < HAIR_ABOVE / 2 * look.scale)
        away = self.at_grid(outside * self.unlike(picture, at)) / look.scale
        grid = self.moved_grid(self.at_grid(depth), away, look, new)
        hidden, places = self.hidden(old, shape, look, at, picture)
        body = new.screen(shape + self.lift_hair(shape))
        body += head.neck[:, None] * (old - body)
        screen = np.concatenate([grid, body]).astype(np.float32)
        screen[:, :2] *= FINENESS
        triangles = np.concatenate([self.cells, hidden + len(grid)]).astype(np.int32)
        places = np.concatenate([self.grid[self.cells], places]).astype(np.float32)
        self.large.draw(screen, triangles, len(self.cells))
        buffer = self.large
        out = np.zeros((*buffer.found.shape, 3), np.uint8)
        paint(
            buffer.found, buffer.weight_b, buffer.weight_c, triangles, places,
            np.ascontiguousarray(picture), out,
        )  # fmt: skip
        out = cv2.resize(out, (self.side, self.side), interpolation=cv2.INTER_AREA)
        if behind is None:
            return out
        mask = self.outline(body, new)[..., None]
        return (behind + mask * (out.astype(np.float32) - behind)).astype(np.uint8)

    def moved_grid(self, depth: np.ndarray, away: np.ndarray, look: Look, new: Look) -> np.ndarray:
        """(G, 3) screen points of the photograph's mesh at the new look.

        Args:
            depth: (G,) metres. away: (G,) metres outside the head's outline.
        """
        height = look.lift(self.grid, depth)[:, 1]
        hair = hair_width(height)
        # hair lies about the head: what stands out further is further back
        depth = depth + HAIR_BACK * smooth(height / 0.05) * np.minimum(away / hair, 1)
        points = look.lift(self.grid, depth)
        # how far a point goes along: not with the shoulders, and less and less beyond the hair
        along = (1 - stay(points[:, 1], points[:, 2])) * (1 - smooth((away - hair) / REST))
        still = np.concatenate([self.grid, 1 / depth[:, None]], 1)
        grid = still + along[:, None] * (new.screen(points) - still)
        back = smooth((away - hair) / 0.02)
        grid[:, 2] = grid[:, 2] * (1 - back) + back / (VIEWING_DISTANCE + BEHIND)
        return grid

    def outline(self, screen: np.ndarray, look: Look) -> np.ndarray:
        """(S, S) 0..1: the head with its hair, from screen points (V, 3)."""
        self.small.draw(screen, self.head.triangles)
        mask = (self.small.found >= 0).astype(np.float32)
        hair = max(2, round(HAIR_SIDES * look.scale))
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * hair + 1, 2 * hair + 1))
        grown = cv2.dilate(mask, around)
        # below the ears there is no hair to be sure of
        ears = int(np.clip(look.centre[1] + 0.01 * look.scale, 0, self.side))
        grown[ears:] = mask[ears:]
        return cv2.GaussianBlur(grown, (0, 0), 1.5)

    def complete(self, picture: np.ndarray, look: Look, head: np.ndarray) -> np.ndarray:
        """Hair, where the photograph ends before the head (S, S) does; else it would be streaks."""
        x0, y0, x1, y1 = content(picture)
        ears = int(look.centre[1])
        missing = head.copy()
        missing[y0:y1, x0:x1] = False
        missing[max(ears, 0) :] = False
        if missing.sum() < 0.02 * head.sum():
            return picture
        top = (slice(y0, y0 + max(4, (y1 - y0) // 12)), slice(x0, x1))
        rim = picture[top][head[top]]
        if not len(rim):
            return picture
        tone = np.percentile(rim.astype(np.float32), 12, axis=0)
        tone *= min(1.0, 110 / max(float(tone.mean()), 1.0))  # a forehead's skin is no hair
        strands = HAIR_NOISE[: self.side, : self.side, None]
        soft = cv2.GaussianBlur(missing.astype(np.float32), (0, 0), 2)[..., None]
        hair = np.clip(tone * (1 + 0.35 * strands), 0, 255)
        return (picture + soft * (hair - picture)).astype(np.uint8)

    def depth_map(self, look: Look) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(S, S) depth in metres, inside the head and around it; (S, S) px outside its outline;
        (S, S, 2) the nearest place inside the outline."""
        inside = self.small.found >= 0
        middle = VIEWING_DISTANCE - PIVOT @ look.rotation[2]
        depth = np.where(inside, 1 / np.maximum(self.small.depth, 0.1), middle)
        core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8))
        outside, label = cv2.distanceTransformWithLabels(
            1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        where = np.zeros((label.max() + 1, 2), np.int64)
        ys, xs = np.nonzero(core)
        where[label[ys, xs]] = np.stack([xs, ys], 1)
        at = where[label]
        # a grazing outline is noisy: its depth is averaged, and leads to that of the head's middle
        borrowed = cv2.blur(depth, (7, 7))[at[..., 1], at[..., 0]]
        fade = smooth(outside / (0.02 * look.scale))
        borrowed = cv2.blur(borrowed + fade * (middle - borrowed), (5, 5))
        depth = np.where(core > 0, cv2.GaussianBlur(depth, (0, 0), 0.7), borrowed)
        return depth.astype(np.float32), np.maximum(outside - 1, 0), at

    def unlike(self, picture: np.ndarray, at: np.ndarray) -> np.ndarray:
        """(S, S) by how much to lengthen the way outside the outline: what looks like the head
        there is likely hair, and what does not is not."""
        blurred = cv2.blur(picture, (5, 5))
        inside = cv2.blur(picture, (9, 9))[at[..., 1], at[..., 0]]
        difference = cv2.absdiff(blurred, inside).max(2).astype(np.float32)
        return cv2.blur(np.clip(0.6 + difference / 50, 0.6, 2), (9, 9))

    def at_grid(self, values: np.ndarray) -> np.ndarray:
        """(S, S) values at pixels' middles -> (G,) at the mesh points."""
        padded = cv2.copyMakeBorder(values.astype(np.float32), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        rows = (padded[self.at] + padded[self.at + 1]) / 2
        return ((rows[:, self.at] + rows[:, self.at + 1]) / 2).ravel()

    def hidden(
        self, old: np.ndarray, shape: np.ndarray, look: Look, at: np.ndarray, picture: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The head's triangles that the photograph does not show, (T, 3), and which of its places
        (T, 3, 2) px they are drawn from."""
        head, side = self.head, self.side
        cell = np.clip(old[:, :2].astype(int), 0, side - 1)
        inside = ((old[:, :2] >= 0) & (old[:, :2] < side)).all(1)
        front = self.small.depth[cell[:, 1], cell[:, 0]]
        # 1 / depth differs by this much over 6 mm
        seen = inside & (old[:, 2] > front - 0.006 / VIEWING_DISTANCE**2)
        triangles = head.triangles[~seen[head.triangles].all(1)]
        edge = self.edges(shape, look, at, picture)
        places = np.where(seen[:, None], old[:, :2], edge)[triangles]
        core = cv2.erode((self.small.found >= 0).astype(np.uint8), np.ones((7, 7), np.uint8))
        clear = seen & (core[cell[:, 1], cell[:, 0]] > 0)  # at the outline hair may hang over
        mirrored = (head.face & clear[head.partner])[triangles].all(1)
        places[mirrored] = old[head.partner, :2][triangles[mirrored]]
        # elsewhere on the face and under the chin the photograph's mesh stretches better
        kept = mirrored | head.back[triangles].all(1)
        return triangles[kept], places[kept]

    def edges(
        self, shape: np.ndarray, look: Look, at: np.ndarray, picture: np.ndarray
    ) -> np.ndarray:
        """(V, 2) px: for each of the head's points the place at the outline that lies the same way
        from the head's middle."""
        middle = look.screen(PIVOT[None])[0, :2]
        # ears are not to go on behind themselves: there, what is above them
        above = 0.05 * smooth((-0.085 - shape[:, 2]) / 0.03) * smooth((shape[:, 1] + 0.07) / 0.04)
        raised = look.screen(shape + above[:, None] * np.float32([0, 1, 0]))[:, :2]
        way = raised - middle
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-3)
        outer = np.clip(middle + way * (0.45 * self.side), 0, self.side - 1).astype(int)
        edge = at[outer[:, 1], outer[:, 0]] + 0.5
        # hair lies within the outline or without; its darker side is likelier no background
        height = shape[:, 1] + above
        hair = way * (hair_width(height) * (height > 0.01) * look.scale)[:, None]
        within, without = edge - 0.2 * hair, edge + 0.3 * hair
        grey = cv2.blur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (5, 5))
        lighter = self.light(grey, without) > self.light(grey, within)
        return np.where(lighter[:, None], within, without)

    def light(self, grey: np.ndarray, places: np.ndarray) -> np.ndarray:
        """(N,) of (S, S) at (N, 2) px."""
        cell = np.clip(places, 0, self.side - 1).astype(int)
        return grey[cell[:, 1], cell[:, 0]]

    def lift_hair(self, shape: np.ndarray) -> np.ndarray:
        """(V, 3) metres by which hair stands off the head's hidden side."""
        away = shape - PIVOT
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        return away * (HAIR_LIFT * self.head.scalp)[:, None]


def content(picture: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 px of a crop's part within its photograph; beyond, it repeats the rim."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.int16)
    bounds = []
    for axis in (1, 0):
        changes = np.abs(np.diff(grey, axis=axis)).mean(1 - axis) > STREAK
        at = np.flatnonzero(changes) + 1
        bounds.append((int(at[0]), int(at[-1])) if len(at) else (0, len(grey)))
    (x0, x1), (y0, y1) = bounds
    return x0, y0, x1, y1
