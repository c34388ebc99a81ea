# SPDX-License-Identifier: GPL-3.0-or-later
"""Square regions of a picture, and what the feature maps hold there."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

REGION_MARGIN = 1.25
"""Side of the square region that is read for a face, over its box's longer side."""


CORNERS = torch.tensor(
    [[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [-0.5, -0.5, 0.5, 0.5]]
)
"""(4, 4): picture number, centre, side @ CORNERS = left, top, right, bottom."""
SIGNED_CORNERS = torch.tensor([*CORNERS[:3].tolist(), [0.0, -0.5, 0.0, 0.5], [-0.5, 0.0, 0.5, 0.0]])
"""(5, 4): the same of picture number, centre, height and width."""


def regions_of(boxes: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
    """(R, 4) boxes -> (R, 4) regions: picture number, centre, side."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = (boxes[:, 2:] - boxes[:, :2]).amax(1) * REGION_MARGIN
    return torch.cat([pictures[:, None].float(), centre, side[:, None]], 1)


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

    Regions (R, 5) have their height and their width in place of the side; one whose width is below
    zero is read from right to left.

    The regions must be sorted by picture; they are sampled picture by picture. An exported graph
    says the same with ONNX's RoiAlign, which ONNX Runtime computes several times faster than
    GridSample.
    """
    if torch.onnx.is_in_onnx_export():
        # A product with constants is one small node where sums and slices are ten.
        one = feature.shape[0] == 1
        picture = torch.zeros(regions.shape[0]).long() if one else regions[:, 0].long()
        corners = CORNERS if regions.shape[1] == len(CORNERS) else SIGNED_CORNERS
        return RoiAlign.apply(feature, regions @ corners, picture, cells, scale)
    steps = (torch.arange(cells, device=feature.device, dtype=torch.float32) + 0.5) / cells - 0.5
    across = (regions[:, 1:2] + steps * regions[:, -1:]) / size[0] * 2 - 1  # (R, cells)
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
