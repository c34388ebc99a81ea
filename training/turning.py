# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographs of faces, turned aside: real skin and hair where photographers wait for the front.

    python -m training.turning --photos training/runs/photos.npz --output training/runs/turned \
        --count 15000

The idea is face profiling (Zhu et al., "Face Alignment Across Large Poses", CVPR 2016). The head
model fitted to a photograph gives its pixels a depth; the head's outline lends its own to the hair
around it. The photograph, as a fine mesh, is turned about the head's middle, bending at the neck,
and drawn again with a z-buffer; the picture's rim stays where it is. What the photograph does not
show of the head is drawn from the head model: with the mirrored side's skin on the face, with what
lies at the outline elsewhere. Identity and expression stay, the pose follows exactly.

PATH is a folder of .npy arrays; rows not made yet have a scale of NaN, so a stopped run goes on:

    images     (n, s, s, 3) uint8 RGB
    rotation   (n, 3, 3) relative to the line of sight
    centre     (n, 2) px, scale (n,) px a metre
    identity   (n, 40), expression (n, 52) weights
    source     (n,) rows of the photographs
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numba import njit
from tqdm import tqdm

from mfn_addon.face import EXPRESSIONS, load_head_model
from mfn_addon.face.camera import VIEWING_DISTANCE, project_local
from mfn_addon.face.mirror import mirror_partners
from training import photos
from training.bank import FaceBank, Rows
from training.colouring import is_grey
from training.fit import UNSEEN_BY_TEACHER
from training.synthetic import raster

CHUNK = 50
WORST_FIT = 0.011
"""Rms residual of the fit over the face's side. Turned aside, an error in depth shows."""
COLOUR_CHANCE = 4.0
"""How much more often a colour photograph is turned than a grey one: there are fewer."""
YAW, MOST_YAW = (15.0, 60.0), 78.0
"""Degrees: how far a face is turned, and how far it looks aside in all at most."""
PITCH = (15.0, 25.0)
NODDING = 0.4
"""How many also nod by `PITCH`; the others by a little."""
FINENESS = 2
"""Rendered px a px of the photograph, along a side: silhouettes are smoothed by averaging."""
STEP = 2
"""Px between the photograph's mesh points."""
PIVOT = np.array([0.0, -0.02, -0.085], np.float32)
"""Head frame, metres: the head's middle, which stays at its place in the picture."""
HAIR_SIDES, HAIR_ABOVE = 0.012, 0.03
"""Metres outside the bald head's outline that are taken for hair, beside and above it."""
HAIR_BACK = 0.05
"""Metres by which the hair's outline lies behind the bald head's."""
HAIR_LIFT = 0.004
"""Metres by which hair stands off the head's hidden side."""
REST = 0.075
"""Metres beyond the hair where the picture stays as it is."""
BEHIND = 0.35
"""Metres behind the head's origin that the background is put."""
RIMLESS = 0.93
"""How many heads that fill their photograph are put before another background."""
STREAK = 0.6
"""Mean difference of neighbouring rows, grey levels, below which one is a copy of the other."""
HIDDEN_TRUST = 0.35
"""How far shapes of a face's far side are trusted in a full profile: who looks at one cannot see
them, but the near side's tell a little."""
KEYS = {"rotation": (3, 3), "centre": (2,), "scale": (), "identity": (40,), "expression": (52,)}


@dataclass(frozen=True)
class Head:
    """The head model's surface, for drawing.

    Attributes:
        neutral: (V, 3); modes: (92, V * 3) metres.
        triangles: (T, 3) without lashes. partner: (V,) each point's mirror image.
        face: (V,) whether a point belongs to the face, where a mirrored side is better than none.
        back: (V,) whether it belongs to the back of the head, ears apart.
        scalp: (V,) 0..1, how far hair lifts what is drawn of the head's hidden side.
        neck: (V,) 0..1, how far a point stays with the shoulders.
    """

    neutral: np.ndarray
    modes: np.ndarray
    triangles: np.ndarray
    partner: np.ndarray
    face: np.ndarray
    back: np.ndarray
    scalp: np.ndarray
    neck: np.ndarray


@lru_cache(maxsize=1)
def load_head() -> Head:
    model = load_head_model()
    neutral = np.asarray(model.neutral, np.float32)
    modes = np.concatenate([model.identity, model.expression]).reshape(-1, neutral.size)
    lashes = model.groups.index("lashes")
    x, y, z = neutral.T
    ears = (np.abs(x) > 0.071) & (y < 0.03)
    return Head(
        neutral=neutral,
        modes=np.ascontiguousarray(modes, np.float32),
        triangles=np.ascontiguousarray(model.triangles[model.triangle_group != lashes], np.int32),
        partner=mirror_partners(neutral),
        face=(z > -0.06) & (y < 0.05) & (y > -0.12),
        back=(y > -0.05) & (z < -0.04) & ~ears,
        scalp=smooth((y + 0.03) / 0.06) * smooth((-0.03 - z) / 0.05),
        neck=stay(y, z).astype(np.float32),
    )


def smooth(t: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def hair_width(y: np.ndarray) -> np.ndarray:
    """Metres by which hair stands out at height y of the head frame."""
    return np.interp(y, [-0.03, 0.02, 0.08], [0.004, HAIR_SIDES, HAIR_ABOVE])


def stay(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How far points at height y, depth z of the head frame stay with the shoulders, 0..1."""
    chin = np.interp(z, [-0.12, -0.05, 0.0], [-0.06, -0.09, -0.125])
    return smooth((chin - y) / 0.1)


@dataclass(frozen=True)
class Look:
    """What `project_local` takes, and the weights (92,): identity, then expression."""

    rotation: np.ndarray
    centre: np.ndarray
    scale: float
    weights: np.ndarray

    def screen(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) head-frame points -> (N, 3) x px, y px, 1 / depth."""
        flat = project_local(points, self.rotation, self.centre, self.scale)
        depth = VIEWING_DISTANCE - points @ self.rotation[2]
        return np.concatenate([flat, 1 / np.maximum(depth, 0.1)[:, None]], 1).astype(np.float32)

    def lift(self, places: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """The inverse: (N, 2) px at (N,) depths -> (N, 3) head-frame points."""
        flat = (places - self.centre) * np.array([1, -1]) / self.scale
        flat = flat * (depth / VIEWING_DISTANCE)[:, None]
        seen = np.concatenate([flat, (VIEWING_DISTANCE - depth)[:, None]], 1)
        return (seen @ self.rotation).astype(np.float32)


def turned_look(look: Look, yaw: float, pitch: float) -> Look:
    """The look of a head turned by yaw to the picture's right and by pitch upwards, radians.

    The axes are the picture's, rolled as the head is; the head's middle stays at its place.
    """
    roll = np.arctan2(look.rotation[1, 0], look.rotation[0, 0])
    turn = about(2, roll) @ about(1, yaw) @ about(0, -pitch) @ about(2, -roll)
    rotation = turn @ look.rotation
    before = project_local(PIVOT[None], look.rotation, look.centre, look.scale)[0]
    after = project_local(PIVOT[None], rotation, look.centre, look.scale)[0]
    return Look(rotation, look.centre + before - after, look.scale, look.weights)


def about(axis: int, angle: float) -> np.ndarray:
    """(3, 3) rotation about a coordinate axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[i, i] = out[j, j] = np.cos(angle)
    out[i, j], out[j, i] = -np.sin(angle), np.sin(angle)
    return out


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


HAIR_NOISE = cv2.GaussianBlur(
    np.random.default_rng(0).normal(0, 4, (512, 512)).astype(np.float32), (0, 0), 3, sigmaY=0.7
)
NO_STRANDS = np.zeros((256, 64), np.uint8)


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


def draw_turn(rotation: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """How far to turn a head to the right and upwards, radians: on, where it looks aside already,
    so that the side that was seen stays in sight."""
    now = np.degrees(np.arcsin(np.clip(rotation[0, 2], -1, 1)))
    way = np.sign(now) if abs(now) > 6 else random.choice([-1.0, 1.0])
    yaw = min(random.uniform(*YAW), MOST_YAW - abs(now)) * way
    if random.random() < NODDING:
        pitch = random.uniform(*PITCH) * random.choice([-1.0, 1.0])
    else:
        pitch = random.normal(0, 5)
    nod = np.degrees(np.arcsin(np.clip(rotation[1, 2], -1, 1)))
    if abs(nod + pitch) > 35:
        pitch = -pitch
    return float(np.radians(yaw)), float(np.radians(pitch))


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


def streaked(picture: np.ndarray) -> bool:
    """Whether much of a crop lies beyond its photograph."""
    x0, y0, x1, y1 = content(picture)
    return (x1 - x0) * (y1 - y0) < 0.8 * picture.shape[0] ** 2


def cut(pictures: list[np.ndarray], side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3): a part of one of the pictures."""
    picture = pictures[random.integers(len(pictures))]
    size = int(min(picture.shape[:2]) * random.uniform(0.4, 1))
    y = random.integers(0, picture.shape[0] - size + 1)
    x = random.integers(0, picture.shape[1] - size + 1)
    return cv2.resize(picture[y : y + size, x : x + size], (side, side))


def look_of(labels: dict[str, np.ndarray], row: int) -> Look:
    weights = np.concatenate([labels["identity"][row], labels["expression"][row]])
    return Look(
        labels["rotation"][row].astype(np.float64),
        labels["centre"][row],
        float(labels["scale"][row]),
        weights.astype(np.float32),
    )


def choose(path: Path, count: int, seed: int) -> np.ndarray:
    """(count,) which photographs to turn: none that is held back, rarely a grey one."""
    crops = np.load(path.with_suffix(".crops.npy"), mmap_mode="r")
    with np.load(path) as data:
        rows = np.flatnonzero(~data["held_back"] & (data["error"] < WORST_FIT))
    chance = np.array([1.0 if is_grey(crops[row]) else COLOUR_CHANCE for row in rows])
    return np.random.default_rng(seed).choice(rows, count, p=chance / chance.sum())


@lru_cache(maxsize=1)
def backgrounds() -> list[np.ndarray]:
    data = photos.data_folder()
    return photos.read_backgrounds(data) if data else []


def work(job: tuple[Path, Path, int, int, int]) -> int:
    """Make the rows start..stop that are not there yet."""
    photographs, folder, seed, start, stop = job
    cv2.setNumThreads(1)
    crops = np.load(photographs.with_suffix(".crops.npy"), mmap_mode="r")
    with np.load(photographs) as data:
        labels = {key: data[key] for key in KEYS}
    source = np.load(folder / "source.npy")
    files = {key: np.load(folder / f"{key}.npy", mmap_mode="r+") for key in ("images", *KEYS)}
    turner = Turner(crops.shape[1])
    for i in range(start, stop):
        if np.isfinite(files["scale"][i]):
            continue
        random = np.random.default_rng([seed, i])
        row = int(source[i])
        look = look_of(labels, row)
        new = turned_look(look, *draw_turn(look.rotation, random))
        picture, behind = crops[row], None
        if random.random() < RIMLESS and streaked(picture) and backgrounds():
            behind = cut(backgrounds(), turner.side, random)
            behind = cv2.cvtColor(behind, cv2.COLOR_RGB2GRAY) if is_grey(picture) else behind
            behind = behind if behind.ndim == 3 else cv2.merge([behind] * 3)
        files["images"][i] = turner.turn(picture, look, new, behind)
        files["rotation"][i], files["centre"][i] = new.rotation, new.centre
        files["identity"][i] = labels["identity"][row]
        files["expression"][i] = labels["expression"][row]
        files["scale"][i] = new.scale  # last: it says that the row is there
    return stop - start


def generate(photographs: Path, output: Path, count: int, seed: int = 0, workers: int = 2) -> None:
    """Make a set, or go on with one; see the module's text for what is written."""
    output.mkdir(parents=True, exist_ok=True)
    side = np.load(photographs.with_suffix(".crops.npy"), mmap_mode="r").shape[1]
    shapes = {"images": ((count, side, side, 3), np.uint8)}
    shapes |= {key: ((count, *shape), np.float32) for key, shape in KEYS.items()}
    for key, (shape, kind) in shapes.items():
        path = output / f"{key}.npy"
        if not path.is_file() or np.load(path, mmap_mode="r").shape != shape:
            array = np.lib.format.open_memmap(path, "w+", kind, shape)
            if key == "scale":
                array[:] = np.nan
            array.flush()
    if not (output / "source.npy").is_file():
        np.save(output / "source.npy", choose(photographs, count, seed))
    # there are workers enough: their matrix products are not to start threads of their own
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    jobs = [(photographs, output, seed, i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    with tqdm(total=count, unit="picture", desc="turning", smoothing=0.05) as bar:
        if workers <= 1:
            for job in jobs:
                bar.update(work(job))
            return
        # Not forked: a fork takes over the locks of OpenCV's threads, and waits for ever.
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for done in pool.imap_unordered(work, jobs):
                bar.update(done)


def turned_bank(folder: Path) -> FaceBank:
    """The turned photographs that are there so far."""
    labels = {key: np.load(folder / f"{key}.npy") for key in KEYS}
    rows = np.flatnonzero(np.isfinite(labels["scale"]))
    trusted = np.array([0.08 if name in UNSEEN_BY_TEACHER else 1.0 for name in EXPRESSIONS])
    return FaceBank(
        crops=Rows(np.load(folder / "images.npy", mmap_mode="r"), rows),
        trusted=trusted.astype(np.float32),
        name="turned",
        hidden_trust=HIDDEN_TRUST,
        **{key: value[rows] for key, value in labels.items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--output", type=Path, default=Path("training/runs/turned"))
    parser.add_argument("--count", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    generate(arguments.photos, arguments.output, arguments.count, arguments.seed, arguments.workers)


if __name__ == "__main__":
    main()
