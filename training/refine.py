# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of a face corrected by where its marks were found.

The head model with the parameters as read puts each mark somewhere; the maps of the marks have
found it somewhere else. Both err, in different ways, so what lies between them tells by how much
the parameters are off: error feedback (Carreira et al., CVPR 2016), once, with the projection of
the head model as the feedback.
"""

from __future__ import annotations

import torch
from torch import nn

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, IDENTITY_COUNT
from training.bank import load_surface
from training.layers import leaky
from training.look import METRE_OF_REGION, POSE_SIZE, project, rotation_from_6d
from training.marks import MARK_POINTS, MARKS

POSE_CHANGES = 3 + 2 + 1  # a turn, a shift, a log scale
CHANGES = POSE_CHANGES + IDENTITY_COUNT + len(EXPRESSIONS)
STEPS = (*[0.1] * POSE_CHANGES, *[1.0] * IDENTITY_COUNT, *[0.3] * len(EXPRESSIONS))
"""What an output of one means."""
LEVERS = ([0, 0, 0, 1, 2, 1, 0], [0, 1, 2, 1, 2, 2, 3])
"""Products of two of: one, the sines of yaw and pitch, jawOpen."""
UPRIGHT = [[0.0, 1.0, -1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]
"""Where down is in the picture, to the (2, 2) by which rows are turned so that it is (0, 1)."""
SPIN = [[0.0, 0, 0, 0, 0, 1], [0, 0, 0, 0, -1, 0], [0, -1, 1, 0, 0, 0]]
"""Turns about x, y and z to a (3, 2): by how much the first two axes move, in the head's axes."""
AXES = [1.0, 0, 0, 1, 0, 0]
SHIFT_UNIT, LEVER_UNIT = 0.05, 0.1  # of the region's side: shifts as the layers are given them


class Refine(nn.Module):
    """Corrects (R) faces' pose, identity and expression by their marks; does nothing at first."""

    def __init__(self) -> None:
        super().__init__()
        surface = load_surface()
        order = list(surface.numbers)
        rows = [order.index(number) for number in MARK_POINTS]
        # They are the head model's own, so that no weights keep a copy of them.
        neutral = torch.from_numpy(surface.neutral[rows]).float()
        basis = torch.from_numpy(surface.basis[:, rows]).float()
        self.register_buffer("neutral", neutral, persistent=False)
        self.register_buffer("basis", basis, persistent=False)
        self.register_buffer("steps", torch.tensor(STEPS), persistent=False)
        seen = MARKS * 2 + POSE_SIZE + IDENTITY_COUNT + len(EXPRESSIONS)
        self.levers = nn.Linear(MARKS * 2 * len(LEVERS[0]), CHANGES)
        self.sense = nn.Sequential(nn.Linear(seen, 256), leaky(), nn.Linear(256, 160), leaky())
        self.out = nn.Linear(160, CHANGES)
        for layer in (self.levers, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def places(
        self, rotation: torch.Tensor, pose: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """(R, MARKS, 2) of the marks on the head model, in units of the region's side from its
        middle.

        Args:
            rotation: (R, 3, 3) of `pose` (R, 9). weights: (R, 92) identity and expression.
        """
        scale = torch.exp(pose[:, 8].clamp(-2, 2)) / METRE_OF_REGION
        return project(self.neutral, self.basis, rotation, pose[:, 6:8], scale, weights)

    def forward(self, *read: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `corrected`, of what was read in any precision."""
        # In full precision: what the marks are off by is a hundredth of where they are.
        with torch.autocast(read[0].device.type, enabled=False):
            return self.corrected(*(part.float() for part in read))

    def corrected(
        self,
        pose: torch.Tensor,
        identity: torch.Tensor,
        expression: torch.Tensor,
        marks: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(R, 9), (R, 40), (R, 52) as read and corrected, float32.

        Args:
            marks: (R, MARKS, 2) where they were found, in units of the region's side.
        """
        rotation = rotation_from_6d(pose)
        weights = torch.cat([identity, expression], 1)
        apart = marks - self.places(rotation, pose, weights)
        # As an upright head would show it, by where its y axis points: that is seen in profile too.
        down = rotation[:, :2, 1] * rotation.new_tensor([-1.0, 1.0])
        down = down / (down.norm(dim=1, keepdim=True) + 1e-6)
        upright = (down @ down.new_tensor(UPRIGHT)).view(-1, 2, 2)
        apart = (apart @ upright).flatten(1)
        # How a shift is to be answered depends, first of all, on how the head is turned.
        jaw = expression[:, EXPRESSION_INDEX["jawOpen"], None]
        turn = torch.cat([torch.ones_like(jaw), rotation[:, :2, 2], jaw], 1)
        turn = turn[:, LEVERS[0]] * turn[:, LEVERS[1]]
        levers = (turn[:, :, None] * (apart / LEVER_UNIT)[:, None]).flatten(1)
        seen = torch.cat([apart / SHIFT_UNIT, rotation.flatten(1), weights], 1)
        change = (self.levers(levers) + self.out(self.sense(seen))) * self.steps
        spun, shift, log_scale, weights_off = change.split([3, 2, 1, weights.shape[1]], 1)
        # A small turn about the head's own axes: its first two, and by how much they move along
        # them. Whoever takes the pose makes it a rotation again.
        axes = rotation @ (spun @ spun.new_tensor(SPIN) + spun.new_tensor(AXES)).view(-1, 3, 2)
        axes = axes.transpose(1, 2).flatten(1) - spun.new_tensor([1.0, 0, 0, 0, 1.0, 0])
        shift = (upright @ shift[:, :, None])[:, :, 0]
        pose = torch.cat([axes, pose[:, 6:] + torch.cat([shift, log_scale], 1)], 1)
        weights = weights + weights_off
        return pose, weights[:, :IDENTITY_COUNT], weights[:, IDENTITY_COUNT:]
