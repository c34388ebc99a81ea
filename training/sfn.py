# SPDX-License-Identifier: GPL-3.0-or-later
"""SFN: the 3DMM parameters of one face from a crop around it.

It is the offline pass, and what MFN is measured against. It has MFN's trunk and reads its crop as
MFN reads a region (Chaudhuri et al., CVPR 2019), so that each can start from what the other has
learned; all that it can do goes into one face, seen large. `multi_scale=False` reads pose,
identity and expression from one coarse map, as the published comparison does.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from mfn_addon.face import EXPRESSIONS, IDENTITY_COUNT
from training.layers import Trunk, conv, dense, leaky, normalised
from training.look import POSE_SIZE
from training.marks import MARKS, Hints, Marks
from training.model import Pyramid
from training.refine import Refine
from training.regions import HINT_POINTS, Regions

SIDE = 160
"""Side of the crop, px; it shows a face's region (`training.sampling.REGION_MARGIN`)."""
Reading = tuple[torch.Tensor, torch.Tensor, torch.Tensor, Hints]


class Sfn(Pyramid):
    """The single-face network. Input: (B, 3, SIDE, SIDE) RGB 0..255."""

    def __init__(self, multi_scale: bool = True) -> None:
        super().__init__(smoothed=1 if multi_scale else 0)
        self.multi_scale = multi_scale
        if multi_scale:
            self.regions = Regions(self.width, dense)
        else:
            self.whole = SingleScale()

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B, 9) pose, (B, 40) identity, (B, 52) expression, all unbounded."""
        return self.read(pictures)[:3]

    def read(self, pictures: torch.Tensor) -> Reading:
        """The parameters, and what `training.losses.FaceLoss` takes as hints."""
        if not self.multi_scale:
            return self.whole(self.trunk(normalised(pictures))[4])
        maps, pyramid = self.features(pictures)
        side = float(SIDE)
        # `shape`, not `len`: an exported graph takes any number of crops
        numbers = torch.arange(pictures.shape[0], device=pictures.device)[:, None].float()
        place = pictures.new_tensor([[side / 2, side / 2, side]])
        regions = torch.cat([numbers, place.expand(pictures.shape[0], -1)], 1)
        size = pictures.new_tensor([side, side])
        survey = self.regions.survey(maps, pyramid[0], regions, size)
        return self.regions.near(maps, regions, size, survey)


class SingleScale(nn.Module):
    """All parameters from the map of stride 16 alone, with layers as wide as `Regions` has."""

    def __init__(self) -> None:
        super().__init__()
        channels = Trunk.channels[4]
        self.pose = tail(channels, 96, 128)
        self.identity = tail(channels, 64, 96)
        self.joined = conv(channels, 96)
        self.expression = nn.Sequential(*tail(96, 128, 160), nn.Dropout(0.1))
        self.marks = Marks(channels, 96)
        self.geometry = nn.Sequential(
            nn.Linear(MARKS * 2, 128), leaky(), nn.Linear(128, 96), leaky()
        )
        self.pose_out = nn.Linear(128 + 96, POSE_SIZE)
        self.identity_out = nn.Linear(96, IDENTITY_COUNT)
        self.expression_out = nn.Linear(160 + 96, len(EXPRESSIONS))
        self.pose_hint = nn.Linear(128, HINT_POINTS * 2)
        self.expression_hint = nn.Linear(160, HINT_POINTS * 2)
        self.refine = Refine()

    def forward(self, whole: torch.Tensor) -> Reading:
        """The parameters and hints by the trunk's (B, C, SIDE / 16, SIDE / 16) map.

        The marks stand in the hints twice, where the multi-scale network has a finer guess too.
        """
        whole = F.interpolate(whole, size=(8, 8), mode="bilinear", align_corners=False)
        joined = self.joined(whole)
        seen, felt = self.pose(whole), self.expression(joined)
        marks, heat = self.marks(F.interpolate(whole, scale_factor=2.0), joined)
        geometry = self.geometry(marks.flatten(1) * 4)
        points = [
            head(x).view(-1, HINT_POINTS, 2)
            for head, x in ((self.pose_hint, seen), (self.expression_hint, felt))
        ]
        pose = self.pose_out(torch.cat([seen, geometry], 1))
        identity = self.identity_out(self.identity(whole))
        expression = self.expression_out(torch.cat([felt, geometry], 1))
        refined = self.refine(pose, identity, expression, marks)
        return *refined, Hints(points, marks, marks, heat, [])


def tail(inputs: int, channels: int, features: int) -> nn.Sequential:
    """(B, inputs, 8, 8) -> (B, features)."""
    return nn.Sequential(
        dense(inputs, channels, 2),
        nn.Flatten(),
        nn.Linear(channels * 16, features),
        leaky(),
    )
