# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces read as a mirror shows them, for a second opinion that errs otherwise.

Only what is looked at closely is mirrored: squares of the picture are cut from right to left, and
the marks, the pose and the expression are those of the mirrored face until it has been read. What
the coarse maps tell stays as it is (docs/decisions/0031).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from mfn_addon.face import load_head_model
from mfn_addon.face.mirror import mirror_matrix, mirror_order
from training.bank import load_surface
from training.marks import MARK_POINTS
from training.refine import Refine

TWIN = 0.002  # metres: a mark that lies so near to another's mirror image is its twin
NEIGHBOURS, STIFFNESS = 16, 0.03
"""Of how many others the place of a mark without a twin is made, and how large their shares may
be."""
POSE_SIGNS = (1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0)
"""What a mirror makes of a pose (`training.look.look_from_pose`): x changes its sign, in what is
turned and in where it is turned to."""


class Mirror(nn.Module):
    """Mirrors the rows of a batch that are to be, and leaves the others as they are."""

    def __init__(self) -> None:
        super().__init__()
        order, shares = twins()
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        self.register_buffer("shares", torch.from_numpy(shares), persistent=False)
        matrix = torch.from_numpy(mirror_matrix(load_head_model()))
        self.register_buffer("heads", matrix.T.contiguous(), persistent=False)
        self.register_buffer("shapes", torch.from_numpy(mirror_order()), persistent=False)
        self.register_buffer("signs", torch.tensor(POSE_SIGNS), persistent=False)

    def marks(self, places: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        """(R, MARKS, 2) places in units of the region's side from its middle.

        Args:
            which: (R,) bool, those that are mirrored; so below.
        """
        others = torch.cat([places, self.shares @ places], 1)[:, self.order]
        others = others * places.new_tensor([-1.0, 1.0])
        return torch.where(which[:, None, None], others, places)

    def pose(self, pose: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        """(R, 9) as `training.look.look_from_pose` takes them."""
        return torch.where(which[:, None], pose * self.signs, pose)

    def identity(self, weights: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        """(R, 40) weights."""
        return torch.where(which[:, None], weights @ self.heads, weights)

    def expression(self, weights: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
        """(R, 52) weights."""
        return torch.where(which[:, None], weights[:, self.shapes], weights)

    def refined(
        self,
        refine: Refine,
        pose: torch.Tensor,
        identity: torch.Tensor,
        expression: torch.Tensor,
        marks: torch.Tensor,
        which: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What `refine` makes of faces some of which are mirrored, of the faces themselves.

        Args:
            pose, expression, marks: as mirrored. identity: of the faces themselves: the head
                model's identities tell a mirrored head only nearly, so its changes alone are
                mirrored back.
        """
        shown = self.identity(identity, which)
        pose, changed, expression = refine(pose, shown, expression, marks)
        identity = identity + self.identity(changed - shown, which)
        return self.pose(pose, which), identity, self.expression(expression, which)


def twins() -> tuple[np.ndarray, np.ndarray]:
    """Where each mark of a mirrored face comes from.

    Returns:
        (MARKS,) the number of the mark whose mirror image it is, those without a twin being
        numbered after all others; and for those (N, MARKS) what each mark's place is of theirs.
    """
    surface = load_surface()
    rows = [list(surface.numbers).index(number) for number in MARK_POINTS]
    flip = np.array([-1.0, 1.0, 1.0])
    neutral = surface.neutral[rows].astype(np.float64)
    moved = surface.basis[-52:, rows].astype(np.float64)
    far = np.linalg.norm(neutral[None] * flip - neutral[:, None], axis=2)
    # Closed lips touch: what tells the upper from the lower is how they move.
    parted = np.linalg.norm(moved[mirror_order(), None] * flip - moved[:, :, None], axis=3)
    far += parted.max(0)
    order, shares = far.argmin(1), []
    lonely = (far.min(1) > TWIN) | (order[order] != np.arange(len(rows)))
    for mark in np.flatnonzero(lonely):
        near = far[mark].argsort()[:NEIGHBOURS]
        # Where its image lies in the neutral face, and how it moves with every expression.
        image = np.concatenate([neutral[mark], moved[mirror_order(), mark].ravel()])
        image = image * np.tile(flip, 53)
        known = np.concatenate(
            [neutral[near].T, moved[:, near].transpose(0, 2, 1).reshape(-1, NEIGHBOURS)]
        )
        sums, stiff = np.ones((1, NEIGHBOURS)), STIFFNESS * neutral.std() * np.eye(NEIGHBOURS)
        left = np.concatenate([known, sums, stiff])
        right = np.concatenate([image, [1.0], np.zeros(NEIGHBOURS)])
        share = np.zeros(len(rows))
        share[near] = np.linalg.lstsq(left, right, rcond=None)[0]
        order[mark] = len(rows) + len(shares)
        shares.append(share / share.sum())
    return order, np.array(shares, np.float32)
