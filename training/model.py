# SPDX-License-Identifier: GPL-3.0-or-later
"""MFN: one pass over a picture to the boxes and 3DMM parameters of every face in it.

A trunk of Fire modules (SqueezeNet, Iandola et al. 2016) with squeeze-and-excitation (Hu et al.,
CVPR 2018) feeds a three-level feature pyramid that finds the faces. A fixed number of regions is
then read from the *same* feature maps, so the cost does not depend on how many faces there are:
pose from the global maps, identity from regional ones, expression from local, high-resolution
ones, each joined by what lies above it (Chaudhuri et al., CVPR 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from mfn_addon.face import EXPRESSIONS, IDENTITY_COUNT

MAX_FACES = 16
REGION_MARGIN = 1.25
"""Side of the square region that is read for a face, over its box's longer side."""

HINT_POINTS = 300
"""Surface points (`training.bank.Surface`) that the hint heads mark directly. Hints exist in
training alone: they pull geometry into the features long before the 3DMM losses could."""

MARK_POINTS = (
    *(246, 161, 160, 159, 158, 157, 173, 7, 163, 144, 145, 153, 154, 155),
    *(466, 388, 387, 386, 385, 384, 398, 249, 390, 373, 374, 380, 381, 382),
    *(80, 81, 82, 13, 312, 311, 310, 88, 178, 87, 14, 317, 402, 318, 78, 308),
    *(40, 37, 0, 267, 270, 91, 84, 17, 314, 321, 61, 291),
    *(70, 52, 66, 46, 334, 336, 296, 300, 276, 282),
    *(4, 6, 2, 98, 168, 234, 454, 132, 152, 172, 10, 150, 58, 288),
    *(468, 469),
)
"""Teacher points (469 and 468 being the irises of `training.fit.Points`) that are marked."""
MARKS = len(MARK_POINTS)
RIGHT_EYE, LEFT_EYE = (*range(14), 80), (*range(14, 28), 81)
"""Which marks an eye's patch gives: 14 of the lids, then the iris."""
MOUTH = tuple(range(28, 56))
EYE_PATCH, MOUTH_PATCH = 0.28, 0.46
"""Sides of the patches about an eye and about the mouth, over the region's side."""
EYE_SHAPES = (
    *("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide"),
    *("browDown", "browOuterUp", "cheekSquint"),
)
"""Expressions of one side of the face that its eye's patch tells."""

POSE_SIZE = 9  # 6D rotation, centre (2), log scale
METRE_OF_REGION = 0.2
"""Metres that a region shows, roughly: the log scale that the network gives is relative to it."""


@dataclass(frozen=True)
class Level:
    """One pyramid level: its stride in px, and the face sizes (longer box side, px) it finds."""

    stride: int
    smallest: float
    largest: float


LEVELS = (Level(8, 0, 44), Level(16, 44, 108), Level(32, 108, 1e9))


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Fire(nn.Module):
    """Squeeze to few channels, expand by 1x1 and 3x3, weigh the channels by a global look."""

    def __init__(self, inputs: int, squeeze: int, outputs: int, excite: bool = True) -> None:
        super().__init__()
        self.squeeze = conv(inputs, squeeze)
        self.expand1 = conv(squeeze, outputs // 2)
        self.expand3 = conv(squeeze, outputs // 2, 3)
        self.excite = (
            nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(outputs, outputs // 8, 1),
                nn.ReLU(inplace=True),
                nn.Conv2d(outputs // 8, outputs, 1),
                nn.Sigmoid(),
            )
            if excite
            else None
        )
        self.residual = inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.squeeze(x)
        y = torch.cat([self.expand1(y), self.expand3(y)], 1)
        if self.excite is not None:
            y = y * self.excite(y)
        return x + y if self.residual else y


class Trunk(nn.Module):
    """Feature maps at strides 2, 4, 8, 16 and 32 with 16, 64, 128, 256 and 256 channels."""

    channels = (16, 64, 128, 256, 256)

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 16, 3, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stage4 = nn.Sequential(Fire(16, 8, 64), Fire(64, 8, 64))
        self.stage8 = nn.Sequential(Fire(64, 16, 128), Fire(128, 16, 128))
        self.stage16 = nn.Sequential(
            Fire(128, 24, 192), Fire(192, 24, 192), Fire(192, 32, 256), Fire(256, 32, 256)
        )
        self.stage32 = nn.Sequential(Fire(256, 40, 256), Fire(256, 40, 256))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = [self.stem(x)]
        for stage in (self.stage4, self.stage8, self.stage16, self.stage32):
            maps.append(stage(self.pool(maps[-1])))
        return maps


def mark_grid() -> torch.Tensor:
    """(256, 2) places of the marks' map cells in units of the region's side, from its middle."""
    steps = (torch.arange(16) + 0.5) / 16 - 0.5
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    # Points may lie beyond the region: the grid reaches 20 % further than the cells do.
    return torch.stack([x, y], -1).reshape(256, 2) * 1.2


class Marks(nn.Module):
    """Where the lids, lips, brows, irises and outline are, by soft-argmax over 16 x 16 cells.

    A map for each point, its softmax, and the mean place under it (Luvizon et al., 2019): finding
    a point is the same everywhere in the region, so it is learned far sooner than by regression.
    """

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(fine, 48, 1)
        self.coarse = nn.Conv2d(coarse, 48, 1)
        self.maps = nn.Conv2d(48, MARKS, 1)
        self.register_buffer("grid", mark_grid())

    def forward(
        self, fine: torch.Tensor, joined: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(R, MARKS, 2) places in units of the region's side, from its middle, and the
        (R, MARKS, 256) logits of the maps they are the means of."""
        context = F.interpolate(self.coarse(joined), scale_factor=2.0, mode="nearest")
        maps = self.maps(F.relu(self.fine(fine) + context)).flatten(2).float()
        return torch.softmax(maps, 2) @ self.grid, maps


class Patch(nn.Module):
    """Features of a small square of the finest map, and the marks in it."""

    def __init__(self, cells: int, features: int, marks: int) -> None:
        super().__init__()
        self.cells, self.count = cells, marks
        self.look = nn.Sequential(
            conv(Trunk.channels[0], 32, 3, 2),
            conv(32, 40, 3),
            conv(40, 64, 3, 2),
            nn.Flatten(),
            nn.Linear(64 * (cells // 4) ** 2, features),
            nn.ReLU(inplace=True),
        )
        self.marks = nn.Linear(features, marks * 2)

    def forward(self, squares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(R, 16, cells, cells) -> features, and marks (R, marks, 2) in units of the patch."""
        features = self.look(squares)
        return features, self.marks(features).view(-1, self.count, 2)


class Details(nn.Module):
    """Lids, irises and lips, read at the places where the marks have found them.

    A blink moves a lid by three hundredths of the region. Read about the eye itself, it is the
    same picture in every face; one network sees both eyes, the right one mirrored.
    """

    features = 96 * 2 + 128

    def __init__(self) -> None:
        super().__init__()
        self.eye = Patch(24, 96, len(LEFT_EYE))
        self.mouth = Patch(32, 128, len(MOUTH))
        self.eye_out = nn.Linear(96, len(EYE_SHAPES))
        nn.init.zeros_(self.eye_out.weight)
        nn.init.zeros_(self.eye_out.bias)
        columns = [
            EXPRESSIONS.index(name + side) for side in ("Right", "Left") for name in EYE_SHAPES
        ]
        place = torch.zeros(len(columns), len(EXPRESSIONS))
        place[torch.arange(len(columns)), torch.tensor(columns)] = 1
        self.register_buffer("place", place, persistent=False)

    def forward(
        self, finest: torch.Tensor, marks: torch.Tensor, regions: torch.Tensor, size: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(R, features), the marks with those of the patches in the places of the first guess
        (R, MARKS, 2), and what the eyes add to the expression (R, 52)."""
        guess = marks.detach()
        middles = [guess[:, list(rows)].mean(1) for rows in (RIGHT_EYE, LEFT_EYE, MOUTH)]
        squares = []
        for middle, patch, part in (
            (middles[0], self.eye, EYE_PATCH),
            (middles[1], self.eye, EYE_PATCH),
            (middles[2], self.mouth, MOUTH_PATCH),
        ):
            side = regions[:, 3:4]
            at = torch.cat([regions[:, :1], regions[:, 1:3] + middle * side, part * side], 1)
            squares.append(read_regions(finest, at, size, patch.cells, 1 / 2))
        both = torch.cat([squares[0].flip(3), squares[1]])
        eyes, lids = self.eye(both)
        (right, left), (right_lids, left_lids) = eyes.chunk(2), lids.chunk(2)
        lips_features, lips = self.mouth(squares[2])
        right_lids = torch.stack([-right_lids[..., 0], right_lids[..., 1]], 2)
        finer = torch.cat(
            [  # in the order of MARK_POINTS; brows, nose and outline stay as first guessed
                middles[0][:, None] + right_lids[:, :14] * EYE_PATCH,
                middles[1][:, None] + left_lids[:, :14] * EYE_PATCH,
                middles[2][:, None] + lips * MOUTH_PATCH,
                marks[:, 56:80],
                middles[0][:, None] + right_lids[:, 14:] * EYE_PATCH,
                middles[1][:, None] + left_lids[:, 14:] * EYE_PATCH,
            ],
            1,
        )
        told = torch.cat([self.eye_out(right), self.eye_out(left)], 1) @ self.place
        return torch.cat([right, left, lips_features], 1), finer, told


class Regions(nn.Module):
    """Reads (R) square regions from the trunk's maps and gives each face's parameters."""

    def __init__(self, pyramid: int) -> None:
        super().__init__()
        self.pose = nn.Sequential(
            conv(pyramid, 96, 3, 2), nn.Flatten(), nn.Linear(96 * 16, 128), nn.ReLU(inplace=True)
        )
        self.pose_out = nn.Linear(128 + 96, POSE_SIZE)
        self.regional = conv(Trunk.channels[2], 48)
        self.identity = nn.Sequential(
            conv(48 + pyramid, 64, 3, 2), nn.Flatten(), nn.Linear(64 * 16, 96), nn.ReLU(True)
        )
        self.identity_out = nn.Linear(96, IDENTITY_COUNT)
        self.local2 = conv(Trunk.channels[0], 32, 3, 2)
        self.local4 = Fire(32 + Trunk.channels[1], 40, 64, excite=False)
        self.local8 = conv(64, 96, 3, 2)
        self.joined = Fire(96 + 48 + pyramid, 64, 96, excite=False)
        self.expression = nn.Sequential(
            conv(96, 128, 3, 2),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(128 * 16, 160),
            nn.ReLU(inplace=True),
        )
        self.marks = Marks(64, 96)
        self.geometry = nn.Sequential(
            nn.Linear(MARKS * 2, 128), nn.ReLU(inplace=True), nn.Linear(128, 96), nn.ReLU(True)
        )
        self.details = Details()
        self.expression_out = nn.Linear(160 + 96 + Details.features, len(EXPRESSIONS))
        self.pose_hint = nn.Linear(128, HINT_POINTS * 2)
        self.expression_hint = nn.Linear(160, HINT_POINTS * 2)

    def forward(self, *inputs: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pose, identity and expression of each region; arguments as for `read`."""
        return self.read(*inputs)[:3]

    def read(
        self, maps: list[torch.Tensor], top: torch.Tensor, regions: torch.Tensor, size: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """Parameters of each region.

        Args:
            maps: the trunk's maps of B pictures; top: the pyramid's finest map.
            regions: (R, 4) picture number, centre x, centre y, side, in px of the input.
            size: (2,) width and height of the input, px.

        Returns:
            (R, 9) pose, (R, 40) identity, (R, 52) expression, all unbounded; and the hints,
            (R, HINT_POINTS, 2) places of the surface points in units of the region's side,
            then the marks (R, MARKS, 2), finer from the patches, and the first guess of them
            with its maps' logits (R, MARKS, 256).
        """
        overview = read_regions(top, regions, size, 8, 1 / 8)
        seen = self.pose(overview)
        regional = self.regional(read_regions(maps[2], regions, size, 8, 1 / 8))
        identity = self.identity_out(self.identity(torch.cat([regional, overview], 1)))
        local = self.local2(read_regions(maps[0], regions, size, 32, 1 / 2))
        local = torch.cat([local, read_regions(maps[1], regions, size, 16, 1 / 4)], 1)
        fine = self.local4(local)
        joined = self.joined(torch.cat([self.local8(fine), regional, overview], 1))
        guess, heat = self.marks(fine, joined)
        details, marks, told = self.details(maps[0], guess, regions, size)
        geometry = self.geometry(marks.flatten(1) * 4)
        felt = self.expression(joined)
        hints = [
            head(x).view(-1, HINT_POINTS, 2)
            for head, x in ((self.pose_hint, seen), (self.expression_hint, felt))
        ]
        pose = self.pose_out(torch.cat([seen, geometry], 1))
        expression = self.expression_out(torch.cat([felt, geometry, details], 1)) + told
        return pose, identity, expression, [*hints, marks, guess, heat]


class RoiAlign(torch.autograd.Function):
    """Stands for ONNX's RoiAlign while a graph is traced; it computes nothing."""

    @staticmethod
    def forward(
        _: Any,
        feature: torch.Tensor,
        corners: torch.Tensor,
        picture: torch.Tensor,
        cells: int,
        scale: float,
    ) -> torch.Tensor:
        return feature.new_zeros(corners.shape[0], feature.shape[1], cells, cells)

    @staticmethod
    def symbolic(g: Any, feature: Any, corners: Any, picture: Any, cells: int, scale: float) -> Any:
        return g.op(
            "RoiAlign", feature, corners, picture, mode_s="avg", output_height_i=cells,
            output_width_i=cells, sampling_ratio_i=1, spatial_scale_f=scale,
            coordinate_transformation_mode_s="half_pixel",
        )  # fmt: skip


def read_regions(
    feature: torch.Tensor, regions: torch.Tensor, size: torch.Tensor, cells: int, scale: float
) -> torch.Tensor:
    """(R, C, cells, cells): bilinear samples at the cell centres of each region.

    The regions must be sorted by picture; they are sampled picture by picture. An exported graph
    says the same with ONNX's RoiAlign, which ONNX Runtime computes several times faster than
    GridSample.
    """
    if torch.onnx.is_in_onnx_export():
        half = regions[:, 3:4] / 2
        corners = torch.cat([regions[:, 1:3] - half, regions[:, 1:3] + half], 1)
        return RoiAlign.apply(feature, corners, regions[:, 0].long(), cells, scale)
    steps = (torch.arange(cells, device=feature.device, dtype=torch.float32) + 0.5) / cells - 0.5
    across = (regions[:, 1:2] + steps * regions[:, 3:4]) / size[0] * 2 - 1  # (R, cells)
    down = (regions[:, 2:3] + steps * regions[:, 3:4]) / size[1] * 2 - 1
    grid = torch.stack(
        [
            across[:, None, :].expand(-1, cells, -1),
            down[:, :, None].expand(-1, -1, cells),
        ],
        -1,
    )  # (R, cells, cells, 2)
    if feature.shape[0] == 1:
        return _sample(feature, grid)
    parts = []
    picture = regions[:, 0].long()
    # split, not indexing: the gradient of an index is a zeroed copy of the whole batch
    for number, single in enumerate(feature.split(1)):
        mine = grid[picture == number]
        if len(mine):
            parts.append(_sample(single, mine))
    return torch.cat(parts)


def _sample(feature: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """One picture's (1, C, H, W) map at (R, cells, cells, 2) -> (R, C, cells, cells)."""
    count, cells = grid.shape[0], grid.shape[1]
    flat = grid.reshape(1, count * cells, cells, 2)
    out = F.grid_sample(feature.float(), flat, align_corners=False, padding_mode="border")
    # As RoiAlign has it: up to one cell beyond the map repeats its border, further out is zero.
    extent = flat.new_tensor([feature.shape[3], feature.shape[2]])
    index = (flat + 1) * extent / 2 - 0.5
    inside = ((index >= -1) & (index <= extent)).all(3)
    out = out * inside[:, None]
    return out.reshape(-1, count, cells, cells).transpose(0, 1)


class Mfn(nn.Module):
    """The multi-face network. Input: (B, 3, H, W) RGB 0..255, H and W multiples of 32."""

    def __init__(self, pyramid: int = 64) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.lateral = nn.ModuleList(conv(c, pyramid) for c in Trunk.channels[2:])
        self.smooth = nn.ModuleList(conv(pyramid, pyramid, 3) for _ in LEVELS)
        self.find = nn.ModuleList(nn.Conv2d(pyramid, 5, 1) for _ in LEVELS)
        for head in self.find:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            head.bias.data[0] = -4.0  # faces are rare: start there (Lin et al., ICCV 2017)
        self.regions = Regions(pyramid)

    def features(self, pictures: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The trunk's maps and the pyramid's (strides 8, 16, 32)."""
        maps = self.trunk((pictures - 114.0) / 64.0)
        c8, c16, c32 = (layer(m) for layer, m in zip(self.lateral, maps[2:], strict=True))
        p16 = c16 + F.interpolate(c32, scale_factor=2.0, mode="nearest")
        p8 = c8 + F.interpolate(p16, scale_factor=2.0, mode="nearest")
        return maps, [s(p) for s, p in zip(self.smooth, (p8, p16, c32), strict=True)]

    def candidates(self, pyramid: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, N) score logits and (B, N, 4) boxes in px of the input, over all cells."""
        scores, boxes = [], []
        for level, head, feature in zip(LEVELS, self.find, pyramid, strict=True):
            out = head(feature.float())
            height, width = out.shape[2], out.shape[3]
            y = (torch.arange(height, device=out.device, dtype=torch.float32) + 0.5) * level.stride
            x = (torch.arange(width, device=out.device, dtype=torch.float32) + 0.5) * level.stride
            sides = F.softplus(out[:, 1:]) * (2 * level.stride)
            x, y = x[None, None, :], y[None, :, None]
            left, up, right, down = sides.unbind(1)
            box = torch.stack([x - left, y - up, x + right, y + down], 3)
            scores.append(out[:, 0].flatten(1))
            boxes.append(box.flatten(1, 2))
        return torch.cat(scores, 1), torch.cat(boxes, 1)


def cell_centres(width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 2) px centres of the candidates' cells and (N,) which level each is of."""
    centres, levels = [], []
    for number, level in enumerate(LEVELS):
        y = (torch.arange(height // level.stride) + 0.5) * level.stride
        x = (torch.arange(width // level.stride) + 0.5) * level.stride
        grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1).reshape(-1, 2)
        centres.append(grid)
        levels.append(torch.full((len(grid),), number))
    return torch.cat(centres), torch.cat(levels)


def regions_of(boxes: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """(R, 4) boxes -> (R, 4) regions: picture number, centre, side."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = (boxes[:, 2:] - boxes[:, :2]).amax(1) * REGION_MARGIN
    return torch.cat([pictures[:, None].float(), centre, side[:, None]], 1)


def rotation_from_6d(six: torch.Tensor) -> torch.Tensor:
    """(R, 6) -> (R, 3, 3): the first two columns, orthonormalised (Zhou et al., CVPR 2019).

    The output is relative to looking into the camera, so that zeros mean the identity.
    """
    a = six[:, :3] + six.new_tensor([1.0, 0.0, 0.0])
    b = six[:, 3:6] + six.new_tensor([0.0, 1.0, 0.0])
    a = a / (a.norm(dim=1, keepdim=True) + 1e-6)
    b = b - (a * b).sum(1, keepdim=True) * a
    b = b / (b.norm(dim=1, keepdim=True) + 1e-6)
    c = torch.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        1,
    )
    return torch.stack([a, b, c], 2)


def look_from_pose(
    pose: torch.Tensor, regions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(R, 9) pose outputs -> rotation (R, 3, 3) to the line of sight, centre (R, 2) px, scale (R,)
    px a metre, as `mfn_addon.face.camera` defines them."""
    side = regions[:, 3:4]
    centre = regions[:, 1:3] + pose[:, 6:8] * side
    scale = torch.exp(pose[:, 8].clamp(-2, 2)) * side[:, 0] / METRE_OF_REGION
    return rotation_from_6d(pose), centre, scale
