# SPDX-License-Identifier: GPL-3.0-or-later
"""SFN: the 3DMM parameters of one face from a crop around it.

It teaches MFN and is the offline pass, so it is larger than MFN can afford to be. Multi-scale as
MFN is (Chaudhuri et al., CVPR 2019): pose from the whole face, identity from regions of it,
expression from fine local maps joined by the coarse one. `multi_scale=False` reads all three from
the coarsest map alone, as the published comparison does.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from mfn_addon.face import EXPRESSIONS, IDENTITY_COUNT
from training.layers import Fire, conv
from training.look import POSE_SIZE
from training.marks import MARKS, Marks
from training.regions import HINT_POINTS

SIDE = 128
"""Side of the crop, px; it shows a face's region (`training.sampling.REGION_MARGIN`)."""


class Sfn(nn.Module):
    """The single-face network. Input: (B, 3, SIDE, SIDE) RGB 0..255."""

    def __init__(self, multi_scale: bool = True) -> None:
        super().__init__()
        self.multi_scale = multi_scale
        self.stem = conv(3, 32, 3, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stage4 = nn.Sequential(Fire(32, 16, 96), Fire(96, 16, 96))
        self.stage8 = nn.Sequential(Fire(96, 32, 192), Fire(192, 32, 192))
        self.stage16 = nn.Sequential(Fire(192, 48, 256), Fire(256, 48, 256), Fire(256, 48, 256))
        local, regional = 0, 0
        if multi_scale:
            self.local2 = nn.Sequential(conv(32, 48, 3, 2), conv(48, 64, 3, 2))
            self.local4 = conv(96, 96, 3, 2)
            self.local8 = conv(64 + 96, 128, 3, 2)
            self.regional = conv(192, 96, 3, 2)
            local, regional = 128, 96
        self.pose = nn.Sequential(
            conv(256, 128, 3, 2), nn.Flatten(), nn.Linear(128 * 16, 160), nn.ReLU(True)
        )
        self.identity = nn.Sequential(
            conv(256 + regional, 96, 3, 2), nn.Flatten(), nn.Linear(96 * 16, 128), nn.ReLU(True)
        )
        self.joined = conv(256 + local, 192)
        self.expression = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.15), nn.Linear(192 * 64, 256), nn.ReLU(True)
        )
        self.marks = Marks(64 + 96 if multi_scale else 256, 192)
        self.geometry = nn.Sequential(
            nn.Linear(MARKS * 2, 160), nn.ReLU(True), nn.Linear(160, 128), nn.ReLU(True)
        )
        self.pose_out = nn.Linear(160 + 128, POSE_SIZE)
        self.identity_out = nn.Linear(128, IDENTITY_COUNT)
        self.expression_out = nn.Linear(256 + 128, len(EXPRESSIONS))
        self.pose_hint = nn.Linear(160, HINT_POINTS * 2)
        self.expression_hint = nn.Linear(256, HINT_POINTS * 2)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(B, 9) pose, (B, 40) identity, (B, 52) expression, all unbounded."""
        return self.read(pictures)[:3]

    def read(
        self, pictures: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """The parameters, and what `training.losses.FaceLoss` takes as hints.

        The marks stand in the hints twice, where MFN has a finer guess and a first one.
        """
        map2 = self.stem((pictures - 114.0) / 64.0)
        map4 = self.stage4(self.pool(map2))
        map8 = self.stage8(self.pool(map4))
        whole = self.stage16(self.pool(map8))
        if self.multi_scale:
            fine = torch.cat([self.local2(map2), self.local4(map4)], 1)
            near, parts = self.local8(fine), self.regional(map8)
            joined = self.joined(torch.cat([whole, near], 1))
            identity = self.identity(torch.cat([whole, parts], 1))
        else:
            fine = F.interpolate(whole, scale_factor=2.0, mode="nearest")
            joined, identity = self.joined(whole), self.identity(whole)
        seen, felt = self.pose(whole), self.expression(joined)
        marks, heat = self.marks(fine, joined)
        geometry = self.geometry(marks.flatten(1) * 4)
        hints = [
            head(x).view(-1, HINT_POINTS, 2)
            for head, x in ((self.pose_hint, seen), (self.expression_hint, felt))
        ]
        return (
            self.pose_out(torch.cat([seen, geometry], 1)),
            self.identity_out(identity),
            self.expression_out(torch.cat([felt, geometry], 1)),
            [*hints, marks, marks, heat],
        )
