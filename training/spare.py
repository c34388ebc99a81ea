# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings that no face needs are given to the faces that are there.

A picture is read closely in as many places as MFN has readings, whatever is seen, so that its time
stays the same. Where there are fewer faces, each is read several times, each time from a region
that lies a little elsewhere, and what is read is averaged: what a network makes of how a region
happens to lie is nothing of the face (docs/decisions/0030).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.look import POSE_SIZE

ACROSS, NEARER = 0.02, 0.05
MOVES = (
    (0.0, 0.0, 0.0),
    *((ACROSS, ACROSS, NEARER), (-ACROSS, -ACROSS, -NEARER)),
    *((ACROSS, -ACROSS, -NEARER), (-ACROSS, ACROSS, NEARER)),
    *((1.4 * ACROSS, 0.0, NEARER / 2), (-1.4 * ACROSS, 0.0, -NEARER / 2)),
    (0.0, 1.4 * ACROSS, 0.0),
)
"""How the n-th reading of a face lies: x and y over the region's side, log side. About as far as
regions are moved in training (`training.tasks.jittered`), for what is looked at closely alone: the
survey stays the face's own, whose 8 x 8 cells hardly tell. Three readings bring most of the gain.
"""


@dataclass(frozen=True)
class Turns:
    """Which face each of R readings is of.

    Attributes:
        face: (R,) its number among the readings; faces come first. moves: (R, 3), as in MOVES.
        mirrored: (R,) bool, every other reading of a face (`training.mirroring`).
    """

    face: torch.Tensor
    moves: torch.Tensor
    mirrored: torch.Tensor

    def moved(self, own: torch.Tensor) -> torch.Tensor:
        """The readings' regions, by the (R, 4) ones of their faces."""
        middle = own[:, 1:3] + self.moves[:, :2] * own[:, 3:]
        return torch.cat([own[:, :1], middle, own[:, 3:] * self.moves[:, 2:].exp()], 1)

    def averaged(self, pose: torch.Tensor, *others: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Means of what was read of each face, in all its rows.

        Args:
            pose: (R, 9), relative to the moved regions (`training.look.look_from_pose`); others:
                (R, n).

        Returns:
            As given; the pose is relative to the faces' own regions.
        """
        place = self.moves[:, :2] + pose[:, 6:8] * self.moves[:, 2:].exp()
        size = self.moves[:, 2:] + pose[:, 8:].clamp(-2, 2)
        all_ = torch.cat([pose[:, :6], place, size, *others], 1)
        same = (self.face[:, None] == self.face[None]).float()
        all_ = (same / same.sum(1, keepdim=True)) @ all_
        return all_.split([POSE_SIZE, *(other.shape[1] for other in others)], 1)


def turns(there: torch.Tensor) -> Turns:
    """Share out R readings, of which the first ones are of faces that are there.

    Args:
        there: (R,) bool, True for the first ones.
    """
    count = there.sum().clamp(min=1)
    rank = torch.arange(len(there))
    face = rank % count
    turn = (rank - face) // count
    return Turns(face, torch.tensor(MOVES)[turn], turn % 2 == 1)
