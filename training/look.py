# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a network says of a region to how a face is seen."""

from __future__ import annotations

import torch

from mfn_addon.face.camera import VIEWING_DISTANCE

POSE_SIZE = 9  # 6D rotation, centre (2), log scale
METRE_OF_REGION = 0.2
"""Metres that a region shows, roughly: the log scale that the network gives is relative to it."""


def rotation_from_6d(six: torch.Tensor) -> torch.Tensor:
    """(R, 6) -> (R, 3, 3): the first two columns, orthonormalised (Zhou et al., CVPR 2019).

    The output is relative to looking into the camera, so that zeros mean the identity.
    """
    a = six[:, :3] + six.new_tensor([1.0, 0.0, 0.0])
    b = six[:, 3:6] + six.new_tensor([0.0, 1.0, 0.0])
    a = a / (a.norm(dim=1, keepdim=True) + 1e-6)
    b = b - (a * b).sum(1, keepdim=True) * a
    b = b / (b.norm(dim=1, keepdim=True) + 1e-6)
    # The cross product, and nine numbers by rows: a few nodes of an exported graph.
    after, before = [1, 2, 0], [2, 0, 1]
    c = a[:, after] * b[:, before] - a[:, before] * b[:, after]
    return torch.cat([a, b, c], 1).view(-1, 3, 3).transpose(1, 2)


def settled(pose: torch.Tensor) -> torch.Tensor:
    """(R, 9) the same pose, with the two columns of its rotation as they are taken: of many ways
    to say it, one."""
    turn = rotation_from_6d(pose)[:, :, :2].transpose(1, 2).flatten(1)
    turn = turn - pose.new_tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    return torch.cat([turn, pose[:, 6:]], 1)


def look_from_pose(
    pose: torch.Tensor, regions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(R, 9) pose outputs -> rotation (R, 3, 3) to the line of sight, centre (R, 2) px, scale (R,)
    px a metre, as `mfn_addon.face.camera` defines them."""
    side = regions[:, 3:4]
    centre = regions[:, 1:3] + pose[:, 6:8] * side
    scale = torch.exp(pose[:, 8].clamp(-2, 2)) * side[:, 0] / METRE_OF_REGION
    return rotation_from_6d(pose), centre, scale


def project(
    neutral: torch.Tensor,
    basis: torch.Tensor,
    rotation: torch.Tensor,
    centre: torch.Tensor,
    scale: torch.Tensor,
    weights: torch.Tensor,
) -> torch.Tensor:
    """(R, P, 2) where points of R faces are seen, as `mfn_addon.face.camera.project_local` has it.

    Args:
        neutral: (P, 3), basis: (K, P, 3), metres. rotation: (R, 3, 3); centre: (R, 2) and scale:
            (R,) a metre, in the unit of the result; weights: (R, K).
    """
    shape = (neutral.flatten() + weights @ basis.flatten(1)).view(-1, len(neutral), 3)
    # Pictures have y downwards.
    turned = shape @ (rotation * rotation.new_tensor([[1.0], [-1.0], [1.0]])).transpose(1, 2)
    near = (VIEWING_DISTANCE * scale)[:, None, None] / (VIEWING_DISTANCE - turned[..., 2:])
    return centre[:, None] + turned[..., :2] * near
