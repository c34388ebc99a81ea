# SPDX-License-Identifier: GPL-3.0-or-later
"""The points of a face that are found as places in the picture, and what lies about them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from mfn_addon.face import EXPRESSIONS
from training.layers import Conv3, Deeper, Trunk, leaky
from training.sampling import read_regions

FEATURE_POINTS = (
    *(246, 161, 160, 159, 158, 157, 173, 7, 163, 144, 145, 153, 154, 155),
    *(466, 388, 387, 386, 385, 384, 398, 249, 390, 373, 374, 380, 381, 382),
    *(80, 81, 82, 13, 312, 311, 310, 88, 178, 87, 14, 317, 402, 318, 78, 308),
    *(40, 37, 0, 267, 270, 91, 84, 17, 314, 321, 61, 291),
    *(70, 52, 66, 46, 334, 336, 296, 300, 276, 282),
    *(4, 6, 2, 98, 168, 234, 454, 132, 152, 172, 10, 150, 58, 288),
    *(468, 469),
)
"""Teacher points (469 and 468 being the irises of `training.fit.Points`) on lids, lips, brows, nose
and outline: what landmark errors are measured over."""
SKIN_POINTS = (
    *(56, 286, 108, 8, 48, 278, 64, 294),
    *(50, 280, 36, 266, 116, 352, 216, 436, 212, 432),
    *(186, 410, 164, 92, 322, 204, 424, 18, 200, 32, 262),
)
"""Inner brows, wings of the nose, cheeks, and what moves about the mouth: where lips and lids look
alike, these tell shapes apart (docs/decisions/0025)."""
# With other marks the inputs of `training.refine.Refine` move: `start_from` would misplace weights.
MARK_POINTS = FEATURE_POINTS + SKIN_POINTS
FEATURES, MARKS = len(FEATURE_POINTS), len(MARK_POINTS)
RIGHT_EYE = (*range(14), 80, 56, 57, 58, 59, MARK_POINTS.index(56))
LEFT_EYE = (*range(14, 28), 81, 63, 65, 62, 64, MARK_POINTS.index(286))
"""Which marks an eye's patch gives: 14 of the lids, the iris, five of the brow."""
MOUTH = (*range(28, 56), *(MARK_POINTS.index(point) for point in SKIN_POINTS[18:27]))
"""Which marks the mouth's patch gives: 28 of the lips, nine of the skin about them."""
GLABELLA = (MARK_POINTS.index(8), MARK_POINTS.index(168))
"""Which marks the patch between the brows gives, and is placed about."""
FACE_CELLS, EYE_CELLS, MOUTH_CELLS, GLABELLA_CELLS = 64, 48, 64, 48
"""Samples along the side of a patch of the whole face, of an eye with its brow, of the mouth, of
what is between the brows, above them to the forehead and below to the nose."""
FACE_SAMPLES, PATCH_SAMPLES, GLABELLA_SAMPLES = 60, 140, 120
"""Samples along a region, if patches covered it: in a face of 120 px there are two pixels and a
half to a sample of the whole face, about one to the others."""
FACE_PATCH = FACE_CELLS / FACE_SAMPLES
EYE_PATCH, MOUTH_PATCH = EYE_CELLS / PATCH_SAMPLES, MOUTH_CELLS / PATCH_SAMPLES
GLABELLA_PATCH = GLABELLA_CELLS / GLABELLA_SAMPLES
"""Sides of the patches over the side of the region."""
GUESS_SPREAD = 0.12
"""How far from its guess a mark is looked for at first, over the patch's side; it is learned."""
EYE_SHAPES = (
    *("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide"),
    *("browDown", "browOuterUp", "cheekSquint"),
)
"""Expressions of one side of the face that its eye's patch tells."""


MARK_GRID_REACH = 1.2
"""Points may lie beyond the region: the marks' grid reaches further than the cells do."""


def cell_grid(cells: int) -> torch.Tensor:
    """(cells * cells, 2) places of a map's cells in units of its square's side, from its middle."""
    steps = (torch.arange(cells) + 0.5) / cells - 0.5
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y], -1).reshape(cells * cells, 2)


def mark_grid() -> torch.Tensor:
    """(256, 2) places of the marks' map cells in units of the region's side, from its middle."""
    return cell_grid(16) * MARK_GRID_REACH


@dataclass(frozen=True)
class PatchMaps:
    """Where a patch saw its marks.

    Attributes:
        rows: which marks. middle: (R, 2) of the patch, in units of the region's side from its
            middle; side: of the patch, in the same unit. mirrored: its x axis runs to the left.
        logits: (R, marks, cells * cells) of the maps, on `cell_grid` of the patch.
    """

    rows: tuple[int, ...]
    middle: torch.Tensor
    side: float
    mirrored: bool
    logits: torch.Tensor

    def within(self, places: torch.Tensor) -> torch.Tensor:
        """(R, marks, 2) of all marks' (R, MARKS, 2) places, in units of the patch."""
        own = (places[:, list(self.rows)] - self.middle[:, None]) / self.side
        return own * own.new_tensor([-1.0, 1.0]) if self.mirrored else own


@dataclass(frozen=True)
class Hints:
    """What training alone looks at beside the parameters.

    Attributes:
        points: (R, HINT_POINTS, 2) each, places of surface points in units of the region's side.
        marks: (R, MARKS, 2), finer from the patches; guess: the same as first guessed, with the
            logits (R, FEATURES, 256) of its maps, `heat`. patches: the finer marks' maps.
    """

    points: list[torch.Tensor]
    marks: torch.Tensor
    guess: torch.Tensor
    heat: torch.Tensor
    patches: list[PatchMaps]

    def float(self) -> Hints:
        """In float32."""
        return Hints(
            [p.float() for p in self.points], self.marks.float(), self.guess.float(),
            self.heat.float(), [replace(p, logits=p.logits.float()) for p in self.patches],
        )  # fmt: skip


class Marks(nn.Module):
    """Where the lids, lips, brows, irises and outline are, by soft-argmax over 16 x 16 cells.

    A map for each point, its softmax, and the mean place under it (Luvizon et al., 2019): finding
    a point is the same everywhere in the region, so it is learned far sooner than by regression.
    """

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(fine, 48, 1)
        self.coarse = nn.Conv2d(coarse, 48, 1)
        self.deeper = Deeper(48, 16)
        self.maps = nn.Conv2d(48, FEATURES, 1)
        self.skin = nn.Linear(2 * FEATURES, 2 * len(SKIN_POINTS))
        self.register_buffer("grid", mark_grid())

    def forward(
        self, fine: torch.Tensor, joined: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(R, MARKS, 2) places in units of the region's side, from its middle, and the
        (R, FEATURES, 256) logits of the maps that those of the features are the means of.

        Where the skin is follows, nearly, from where the features are: a linear map is as exact.
        """
        context = F.interpolate(self.coarse(joined), scale_factor=2.0, mode="nearest")
        maps = self.maps(self.deeper(F.relu(self.fine(fine) + context))).flatten(2).float()
        places = torch.softmax(maps, 2) @ self.grid
        skin = self.skin(places.detach().flatten(1)).view(-1, len(SKIN_POINTS), 2)
        return torch.cat([places, skin], 1), maps


class Patch(nn.Module):
    """Features of a square of the picture, and the marks in it.

    The marks are found as `Marks` finds them, about where it has guessed them, and then shifted by
    what the features say. A patch is of the same size in every face and needs nothing from the
    trunk: it can learn from squares alone, a dozen times as many in the same time
    (`training.patches`).

    Args:
        cells: along its side. features, marks: how many it gives. widths: channels of its maps.
    """

    def __init__(
        self,
        cells: int,
        features: int,
        marks: int,
        conv3: Conv3,
        widths: tuple[int, int, int] = (32, 48, 64),
    ) -> None:
        super().__init__()
        first, fine, wide = widths
        self.cells, self.features = cells, features
        self.near = nn.Sequential(
            conv3(Trunk.channels[0], 16, 2),
            conv3(16, first, 2),
            conv3(first, fine),
            Deeper(fine, 16),
            Deeper(fine, 16),
        )
        self.wide = conv3(fine, wide, 2)
        self.felt = nn.Sequential(
            nn.Flatten(), nn.Linear(wide * (cells // 8) ** 2, features), leaky()
        )
        self.fine = nn.Conv2d(fine, fine, 1)
        self.coarse = nn.Conv2d(wide, fine, 1)
        self.maps = nn.Conv2d(fine, marks, 1)
        self.shift = nn.Linear(features + 2 * marks, 2 * marks)
        nn.init.zeros_(self.shift.weight)
        nn.init.zeros_(self.shift.bias)
        self.trust = nn.Parameter(torch.tensor(math.log(0.5 / GUESS_SPREAD**2)))
        self.register_buffer("grid", cell_grid(cells // 4), persistent=False)

    def forward(
        self, squares: torch.Tensor, guess: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What is seen in (R, 3, cells, cells) squares.

        Args:
            guess: (R, marks, 2) where the marks have been guessed, in units of the patch.

        Returns:
            Features; marks (R, marks, 2) in units of the patch; and the (R, marks, cells * cells /
            16) logits of the maps whose means they are, but for the shift.
        """
        fine = self.near(squares)
        coarse = self.wide(fine)
        context = F.interpolate(self.coarse(coarse), scale_factor=2.0, mode="nearest")
        maps = self.maps(F.relu(self.fine(fine) + context)).flatten(2).float()
        # A Gaussian about the guess, but for what is the same in all cells of a map.
        near = 2 * guess @ self.grid.T - self.grid.square().sum(1)
        maps = maps + self.trust.exp() * near
        places, felt = torch.softmax(maps, 2) @ self.grid, self.felt(coarse)
        shift = self.shift(torch.cat([felt, places.flatten(1) * 4], 1)) * 0.1
        return felt, places + shift.view(places.shape), maps


class Details(nn.Module):
    """The face, then lids, irises, brows and lips, read where the marks have found them.

    A blink moves a lid by three hundredths of the region. Read about the eye itself, it is the
    same picture in every face; one network sees both eyes, the right one mirrored. A patch of the
    whole face comes before them: it finds nose, cheeks and outline, which they do not see, and
    places them nearer than the trunk's maps could (docs/decisions/0025). What folds between the
    brows and beside the nose is too fine for that one and outside the others: it has a patch of its
    own (docs/decisions/0029).
    """

    features = 96 * 2 + 128 + 64 + 48

    def __init__(self, conv3: Conv3) -> None:
        super().__init__()
        self.face = Patch(FACE_CELLS, 64, MARKS, conv3, (24, 32, 48))
        self.eye = Patch(EYE_CELLS, 96, len(LEFT_EYE), conv3)
        self.mouth = Patch(MOUTH_CELLS, 128, len(MOUTH), conv3)
        self.glabella = Patch(GLABELLA_CELLS, 48, len(GLABELLA), conv3, (24, 32, 48))
        self.eye_out = nn.Linear(96, len(EYE_SHAPES))
        nn.init.zeros_(self.eye_out.weight)
        nn.init.zeros_(self.eye_out.bias)
        columns = [
            EXPRESSIONS.index(name + side) for side in ("Right", "Left") for name in EYE_SHAPES
        ]
        place = torch.zeros(len(columns), len(EXPRESSIONS))
        place[torch.arange(len(columns)), torch.tensor(columns)] = 1
        self.register_buffer("place", place, persistent=False)
        given = [*RIGHT_EYE, *LEFT_EYE, *MOUTH, *GLABELLA]
        self.elsewhere = [mark for mark in range(MARKS) if mark not in given]
        order = torch.argsort(torch.tensor([*given, *self.elsewhere]))
        self.register_buffer("order", order, persistent=False)

    def forward(
        self,
        picture: torch.Tensor,
        marks: torch.Tensor,
        regions: torch.Tensor,
        size: torch.Tensor,
        mirrored: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[PatchMaps]]:
        """(R, features), the marks with those of the patches in the places of the first guess
        (R, MARKS, 2), what the eyes add to the expression (R, 52), and the patches' maps.

        Args:
            picture: (B, 3, k H, k W) of an input of H x W px. marks: (R, MARKS, 2) as guessed.
            regions, size: as for `training.regions.Regions.near`, in px of the input.
            mirrored: (R,) bool, those that are seen as a mirror shows them; their marks are so too.
        """
        finer = picture.shape[3] / size[0]
        regions = torch.cat([regions[:, :1], regions[:, 1:] * finer], 1)
        size = size * finer  # px of the picture from here on
        way = None if mirrored is None else 1.0 - 2.0 * mirrored[:, None].float()

        def cut(about: torch.Tensor, patch: Patch, part: float) -> tuple[torch.Tensor, ...]:
            """The square about some guessed marks, its middle, and the marks in units of it."""
            side, middle = regions[:, 3:4], about.mean(1)
            if way is None:
                at = [regions[:, 1:3] + middle * side, part * side]
            else:
                across, down = middle.split(1, 1)
                at = [regions[:, 1:2] + across * way * side, regions[:, 2:3] + down * side,
                      part * side, part * way * side]  # fmt: skip
            squares = read_regions(
                picture, torch.cat([regions[:, :1], *at], 1), size, patch.cells, 1.0
            )
            return squares, middle, (about - middle[:, None]) / part

        square, middle, guess = cut(marks.detach(), self.face, FACE_PATCH)
        face, places, heat = self.face(square, guess)
        nearer = middle[:, None] + places * FACE_PATCH
        seen = [PatchMaps(tuple(range(MARKS)), middle, FACE_PATCH, False, heat)]

        guess = nearer.detach()
        squares, middles, guesses = zip(
            *(
                cut(guess[:, list(rows)], patch, part)
                for rows, patch, part in (
                    (RIGHT_EYE, self.eye, EYE_PATCH),
                    (LEFT_EYE, self.eye, EYE_PATCH),
                    (MOUTH, self.mouth, MOUTH_PATCH),
                    (GLABELLA, self.glabella, GLABELLA_PATCH),
                )
            ),
            strict=True,
        )
        both = torch.cat([squares[0].flip(3), squares[1]])
        eyes, lids, lid_maps = self.eye(both, torch.cat([flipped(guesses[0]), guesses[1]]))
        (right, left), (right_lids, left_lids) = eyes.chunk(2), lids.chunk(2)
        mouth, lips, lip_maps = self.mouth(squares[2], guesses[2])
        between, bridge, bridge_maps = self.glabella(squares[3], guesses[3])
        finer = torch.cat(
            [
                middles[0][:, None] + flipped(right_lids) * EYE_PATCH,
                middles[1][:, None] + left_lids * EYE_PATCH,
                middles[2][:, None] + lips * MOUTH_PATCH,
                middles[3][:, None] + bridge * GLABELLA_PATCH,
                nearer[:, self.elsewhere],
            ],
            1,
        )[:, self.order]
        told = torch.cat([self.eye_out(right), self.eye_out(left)], 1) @ self.place
        right_maps, left_maps = lid_maps.chunk(2)
        seen += [
            PatchMaps(RIGHT_EYE, middles[0], EYE_PATCH, True, right_maps),
            PatchMaps(LEFT_EYE, middles[1], EYE_PATCH, False, left_maps),
            PatchMaps(MOUTH, middles[2], MOUTH_PATCH, False, lip_maps),
            PatchMaps(GLABELLA, middles[3], GLABELLA_PATCH, False, bridge_maps),
        ]
        return torch.cat([right, left, mouth, face, between], 1), finer, told, seen


def flipped(places: torch.Tensor) -> torch.Tensor:
    """(..., 2) in a square whose x axis runs to the other side."""
    return torch.stack([-places[..., 0], places[..., 1]], -1)
