# SPDX-License-Identifier: GPL-3.0-or-later
"""MFN: one pass over a picture to the boxes and 3DMM parameters of every face in it.

A trunk of Fire modules (SqueezeNet, Iandola et al. 2016) with squeeze-and-excitation (Hu et al.,
CVPR 2018) feeds a three-level feature pyramid that finds the faces. A fixed number of regions is
then read from the *same* feature maps, so the cost does not depend on how many faces there are:
pose from the global maps, identity from regional ones, expression from local, high-resolution
ones, each joined by what lies above it (Chaudhuri et al., CVPR 2019). The largest eight are read
closely; of more faces than that, the smaller ones are read from the coarse maps alone
(docs/decisions/0008).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from training.layers import Conv3, Deeper, Trunk, conv, dense, normalised, thin
from training.regions import Regions, Verify

MAX_FACES, CLOSE_FACES = 32, 8
LIGHT_FACES, LIGHT_CLOSE_FACES = 16, 4
"""How many faces of a picture MFN gives, and how many of them, the largest, it reads closely."""


@dataclass(frozen=True)
class Level:
    """One pyramid level: its stride in px, and the face sizes (longer box side, px) it finds."""

    stride: int
    smallest: float
    largest: float


LEVELS = (Level(8, 0, 44), Level(16, 44, 108), Level(32, 108, 1e9))


class Pyramid(nn.Module):
    """The trunk and a feature pyramid on it (Lin et al., CVPR 2017), its finest levels smoothed.

    Args:
        width: channels of each level.
        smoothed: how many levels are used.
    """

    def __init__(self, width: int = 64, smoothed: int = len(LEVELS)) -> None:
        super().__init__()
        self.width = width
        self.trunk = Trunk()
        if smoothed:
            self.lateral = nn.ModuleList(conv(c, width) for c in Trunk.channels[3:])
            self.smooth = nn.ModuleList(dense(width, width) for _ in range(smoothed))

    def features(
        self, pictures: torch.Tensor, finer: torch.Tensor | None = None
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The trunk's maps and those of the pyramid that are used (strides 8, 16, 32).

        Args:
            finer: the same pictures in more pixels, (B, 3, k H, k W), if there are any: they stand
                in the maps in place of the pictures themselves, for `training.marks.Details`.
        """
        maps = self.trunk(normalised(pictures))
        if finer is not None:
            maps[0] = normalised(finer)
        c8, c16, c32 = (layer(m) for layer, m in zip(self.lateral, maps[3:], strict=True))
        p16 = c16 + F.interpolate(c32, scale_factor=2.0, mode="nearest")
        p8 = c8 + F.interpolate(p16, scale_factor=2.0, mode="nearest")
        return maps, [s(p) for s, p in zip(self.smooth, (p8, p16, c32), strict=False)]


class Mfn(Pyramid):
    """The multi-face network. Input: (B, 3, H, W) RGB 0..255, H and W multiples of 32.

    Args:
        near3: what the 3x3 convolutions of close reading are. With `thin` ones it is the light
            MFN, which finds the same faces, and gives and reads closely fewer of them.

    Attributes:
        faces: how many of the likeliest places of a picture are looked at again, and read.
        close: how many of them, the largest, are read closely.
    """

    def __init__(self, near3: Conv3 = dense) -> None:
        super().__init__()
        self.faces, self.close = MAX_FACES, CLOSE_FACES
        if near3 is not dense:
            self.faces, self.close = LIGHT_FACES, LIGHT_CLOSE_FACES
        # Regions are read from what comes before it: it can learn to find faces alone.
        self.around = nn.ModuleList(
            nn.Sequential(Deeper(self.width, 16), Deeper(self.width, 16)) for _ in LEVELS
        )
        self.find = nn.ModuleList(nn.Conv2d(self.width, 5, 1) for _ in LEVELS)
        for head in self.find:
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            head.bias.data[0] = -4.0  # faces are rare: start there (Lin et al., ICCV 2017)
        self.regions = Regions(self.width, near3)
        self.verify = Verify(self.width)

    def candidates(self, pyramid: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, N) score logits and (B, N, 4) boxes in px of the input, over all cells."""
        given, cells, strides = [], [], []
        layers = zip(LEVELS, self.around, self.find, pyramid, strict=True)
        for level, around, head, feature in layers:
            out = head(around(feature.float()))
            given.append(out.flatten(2))
            here = torch.ones_like(out[0, 0])
            cells.append(here.nonzero())  # (cells, 2) row and column
            strides.append(here.flatten() * level.stride)
        # All levels at once: an exported graph has a third of the nodes so.
        out, stride = torch.cat(given, 2), torch.cat(strides)
        middle = (torch.cat(cells).t().flip(0) + 0.5) * stride
        sides = F.softplus(out[:, 1:]) * (2 * stride)
        box = torch.cat([middle - sides[:, :2], middle + sides[:, 2:]], 1)
        return out[:, 0], box.transpose(1, 2)


def mfn_of(state: dict[str, torch.Tensor]) -> Mfn:
    """An MFN with the layers that some weights are of: the full or the light one."""
    return Mfn(dense if "regions.local8.0.weight" in state else thin)


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
