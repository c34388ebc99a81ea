# SPDX-License-Identifier: GPL-3.0-or-later
"""What MFN reads from a face's region: pose from global, identity from regional, expression from
local maps, each joined by what lies above it (Chaudhuri et al., CVPR 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from mfn_addon.face import EXPRESSIONS, IDENTITY_COUNT
from training.layers import Conv3, Fire, Trunk, conv, dense, leaky
from training.look import POSE_SIZE, settled
from training.marks import MARKS, Details, Hints, Marks
from training.mirroring import Mirror
from training.refine import Refine
from training.sampling import REGION_MARGIN, read_regions

HINT_POINTS = 300
"""Surface points (`training.bank.Surface`) that the hint heads mark directly. Hints exist in
training alone: they pull geometry into the features long before the 3DMM losses could."""


@dataclass(frozen=True)
class Survey:
    """What the coarse maps tell of R regions.

    Attributes:
        overview, regional: (R, C, 8, 8) features. seen, traits: (R, C) of pose and of identity.
        identity: (R, 40).
    """

    overview: torch.Tensor
    regional: torch.Tensor
    seen: torch.Tensor
    traits: torch.Tensor
    identity: torch.Tensor

    def of(self, rows: torch.Tensor) -> Survey:
        """The survey of some regions only, by their numbers."""
        return Survey(*(part[rows] for part in vars(self).values()))


class Verify(nn.Module):
    """A second look at what single cells have proposed (as Ren et al., "Faster R-CNN", NeurIPS
    2015): what tells a face's pose and identity also tells whether it is one, and where exactly.

    At 8 px a cell, though, a closed hand 40 px high looks like a face: it also sees finer ones.
    """

    def __init__(self, pyramid: int) -> None:
        super().__init__()
        self.look = nn.Sequential(dense(48 + pyramid, 32, 2), nn.Flatten())
        self.narrow = conv(Trunk.channels[2], 24)
        self.closer = nn.Sequential(dense(24, 32, 2), dense(32, 32, 2), nn.Flatten())
        self.out = nn.Sequential(
            nn.Linear(32 * 16 + 128 + 96 + 32 * 16, 96), nn.ReLU(True), nn.Linear(96, 1 + 4)
        )

    def forward(
        self, maps: list[torch.Tensor], regions: torch.Tensor, size: torch.Tensor, survey: Survey
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(R,) score logits and (R, 4) boxes, px; arguments as for `Regions.near`."""
        look = self.look(torch.cat([survey.regional, survey.overview], 1))
        closer = self.closer(read_regions(self.narrow(maps[2]), regions, size, 16, 1 / 4))
        out = self.out(torch.cat([look, survey.seen, survey.traits, closer], 1)).float()
        # Zeros mean the square that the region was made of.
        sides = out[:, 1:].clamp(-0.8, 0.8) + 0.5 / REGION_MARGIN
        middle, side = regions[:, 1:3], regions[:, 3:4]
        return out[:, 0], torch.cat([middle - sides[:, :2] * side, middle + sides[:, 2:] * side], 1)


class Regions(nn.Module):
    """Reads (R) square regions from the trunk's maps and gives each face's parameters.

    Args:
        pyramid: channels of its finest map. near3: what the 3x3 convolutions of `near` are.
    """

    def __init__(self, pyramid: int, near3: Conv3) -> None:
        super().__init__()
        self.pose = nn.Sequential(
            dense(pyramid, 96, 2), nn.Flatten(), nn.Linear(96 * 16, 128), nn.ReLU(inplace=True)
        )
        self.pose_out = nn.Linear(128 + 96, POSE_SIZE)
        self.regional = conv(Trunk.channels[3], 48)
        self.identity = nn.Sequential(
            dense(48 + pyramid, 64, 2), nn.Flatten(), nn.Linear(64 * 16, 96), nn.ReLU(True)
        )
        self.identity_out = nn.Linear(96, IDENTITY_COUNT)
        self.far_out = nn.Sequential(
            nn.Linear(128 + 96, 128), nn.ReLU(True), nn.Linear(128, POSE_SIZE + len(EXPRESSIONS))
        )
        self.local2 = near3(Trunk.channels[1], 32, 2)
        self.local4 = Fire(32 + Trunk.channels[2], 40, 64, near3, excite=False)
        self.local8 = near3(64, 96, 2)
        self.joined = Fire(96 + 48 + pyramid, 64, 96, near3, excite=False)
        self.marks = Marks(64, 96)
        self.geometry = nn.Sequential(
            nn.Linear(MARKS * 2, 128), leaky(), nn.Linear(128, 96), leaky()
        )
        self.details = Details(near3)
        # What a patch shows means something else in a turned head, or beside what others show.
        told = 96 + Details.features
        self.felt = nn.Sequential(
            nn.Linear(POSE_SIZE + told, 256), leaky(), nn.Linear(256, 160), leaky()
        )
        self.expression_out = nn.Linear(160 + told, len(EXPRESSIONS))
        self.refine = Refine()
        self.mirror = Mirror()
        self.pose_hint = nn.Linear(128, HINT_POINTS * 2)

    def forward(
        self, maps: list[torch.Tensor], top: torch.Tensor, regions: torch.Tensor, size: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(R, 9) pose, (R, 40) identity and (R, 52) expression, all unbounded, read closely;
        arguments as for `survey`."""
        survey = self.survey(maps, top, regions, size)
        return self.near(maps, regions, size, survey)[:3]

    def survey(
        self, maps: list[torch.Tensor], top: torch.Tensor, regions: torch.Tensor, size: torch.Tensor
    ) -> Survey:
        """What the coarse maps tell.

        Args:
            maps: the trunk's maps of B pictures; top: the pyramid's finest map.
            regions: (R, 4) picture number, centre x, centre y, side, in px of the input.
            size: (2,) width and height of the input, px.
        """
        overview = read_regions(top, regions, size, 8, 1 / 8)
        regional = read_regions(self.regional(maps[3]), regions, size, 8, 1 / 8)
        traits = self.identity(torch.cat([regional, overview], 1))
        return Survey(overview, regional, self.pose(overview), traits, self.identity_out(traits))

    def far(self, survey: Survey) -> tuple[torch.Tensor, torch.Tensor]:
        """(R, 9) pose and (R, 52) expression by the survey alone: rougher, and nearly free."""
        out = self.far_out(torch.cat([survey.seen, survey.traits], 1))
        return out[:, :POSE_SIZE], out[:, POSE_SIZE:]

    def near(
        self,
        maps: list[torch.Tensor],
        regions: torch.Tensor,
        size: torch.Tensor,
        survey: Survey,
        mirrored: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, Hints]:
        """(R, 9) pose, (R, 40) identity and (R, 52) expression with the fine maps' help; and the
        hints.

        Args:
            mirrored: (R,) bool, those that are looked at closely as a mirror shows them; what is
                given is of the face itself all the same (but for the hints of the patches).
        """
        local = self.local2(read_regions(maps[1], regions, size, 32, 1 / 2))
        local = torch.cat([local, read_regions(maps[2], regions, size, 16, 1 / 4)], 1)
        fine = self.local4(local)
        joined = self.joined(torch.cat([self.local8(fine), survey.regional, survey.overview], 1))
        guess, heat = self.marks(fine, joined)
        facing = guess if mirrored is None else self.mirror.marks(guess, mirrored)
        details, marks, told, patches = self.details(maps[0], facing, regions, size, mirrored)
        geometry = self.geometry(marks.flatten(1) * 4)
        if mirrored is None:
            pose = self.pose_out(torch.cat([survey.seen, geometry], 1))
            told = self.told(pose, geometry, details) + told
            refined = self.refine(pose, survey.identity, told, marks)
        else:
            # The pose is read by what has been seen unmirrored too.
            upright = self.geometry(self.mirror.marks(marks, mirrored).flatten(1) * 4)
            pose = self.mirror.pose(self.pose_out(torch.cat([survey.seen, upright], 1)), mirrored)
            told = self.told(pose, geometry, details) + told
            refined = self.mirror.refined(self.refine, pose, survey.identity, told, marks, mirrored)
        points = [self.pose_hint(survey.seen).view(-1, HINT_POINTS, 2)]
        return *refined, Hints(points, marks, guess, heat, patches)

    def told(
        self, pose: torch.Tensor, geometry: torch.Tensor, details: torch.Tensor
    ) -> torch.Tensor:
        """(R, 52) expression by what the patches show and where the marks are."""
        seen = torch.cat([geometry, details], 1)
        felt = self.felt(torch.cat([settled(pose), seen], 1))
        return self.expression_out(torch.cat([felt, seen], 1))
