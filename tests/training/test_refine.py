# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters are corrected by where the marks were found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.bank import load_surface
from training.look import look_from_pose, rotation_from_6d
from training.marks import MARK_POINTS
from training.refine import CHANGES, Refine

FACES = 24


def turned(degrees: np.ndarray) -> np.ndarray:
    """(N, 3) turns about x, y, z -> (N, 3, 3) rotations."""
    result = np.repeat(np.eye(3)[None], len(degrees), 0)
    for axis in range(3):
        c, s = np.cos(np.radians(degrees[:, axis])), np.sin(np.radians(degrees[:, axis]))
        one = np.repeat(np.eye(3)[None], len(degrees), 0)
        a, b = [k for k in range(3) if k != axis]
        one[:, a, a], one[:, a, b], one[:, b, a], one[:, b, b] = c, -s, s, c
        result = one @ result
    return result


def pose_of(rotation: np.ndarray, centre: np.ndarray, log_scale: np.ndarray) -> torch.Tensor:
    """(N, 9) as the network says it, centre in units of the region's side from its middle."""
    first = rotation[:, :, 0] - [1, 0, 0]
    second = rotation[:, :, 1] - [0, 1, 0]
    return torch.from_numpy(np.concatenate([first, second, centre, log_scale], 1)).float()


@pytest.fixture
def faces() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pose, identity and expression of different faces, turned up to 50 degrees."""
    random = np.random.default_rng(3)
    rotation = turned(random.uniform(-50, 50, (FACES, 3)))
    pose = pose_of(rotation, random.normal(0, 0.05, (FACES, 2)), random.normal(0, 0.1, (FACES, 1)))
    identity = torch.from_numpy(random.normal(0, 1, (FACES, 40))).float()
    expression = torch.from_numpy(random.uniform(0, 0.5, (FACES, 52))).float()
    return pose, identity, expression


def marks_of(refine: Refine, pose, identity, expression) -> torch.Tensor:
    return refine.places(rotation_from_6d(pose), pose, torch.cat([identity, expression], 1))


def test_the_marks_places_are_those_of_the_head_model(faces):
    pose, identity, expression = faces
    regions = torch.tensor([[0.0, 200.0, 150.0, 120.0]]).repeat(FACES, 1)
    rotation, centre, scale = look_from_pose(pose, regions)
    surface = load_surface()
    order = list(surface.numbers)
    seen = surface.project(
        *(part.numpy() for part in (rotation, centre, scale, identity, expression))
    )[:, [order.index(number) for number in MARK_POINTS]]
    said = marks_of(Refine(), pose, identity, expression) * 120 + torch.tensor([200.0, 150.0])
    assert np.allclose(said, seen, atol=0.01)


def test_nothing_is_corrected_before_anything_was_learned(faces):
    refine = Refine()
    marks = marks_of(refine, *faces) + 0.1
    pose, identity, expression = refine(*faces, marks)
    assert torch.equal(identity, faces[1])
    assert torch.equal(expression, faces[2])
    assert torch.allclose(rotation_from_6d(pose), rotation_from_6d(faces[0]), atol=1e-5)
    assert torch.equal(pose[:, 6:], faces[0][:, 6:])


def test_no_weights_hold_a_copy_of_the_head_model():
    assert {name.split(".")[0] for name in Refine().state_dict()} == {"levers", "sense", "out"}


def test_a_rolled_face_is_corrected_alike(faces):
    refine = Refine()
    with torch.no_grad():
        refine.levers.weight.normal_(0, 0.003)
    pose, identity, expression = faces
    rotation = rotation_from_6d(pose).numpy()
    marks = marks_of(refine, *faces) + torch.randn(FACES, len(MARK_POINTS), 2) * 0.02
    # About the middle of the picture: clockwise there, where y runs downwards.
    roll = turned(np.repeat([[0.0, 0.0, 35.0]], FACES, 0))
    flat = torch.from_numpy(roll[:, :2, :2].transpose(0, 2, 1)).float()
    centre = (pose[:, None, 6:8] @ flat.transpose(1, 2))[:, 0]
    rolled = pose_of(roll @ rotation, centre.numpy(), pose[:, 8:].numpy())
    # What the levers hear but yaw and pitch is the same; those turn with the head.
    hear_only_shifts(refine)
    first = refine(pose, identity, expression, marks)
    second = refine(rolled, identity, expression, marks @ flat.transpose(1, 2))
    assert not torch.allclose(first[2], expression, atol=1e-3)
    assert torch.allclose(first[1], second[1], atol=1e-4)
    assert torch.allclose(first[2], second[2], atol=1e-4)
    there = torch.from_numpy(roll).float() @ rotation_from_6d(first[0])
    assert torch.allclose(there, rotation_from_6d(second[0]), atol=1e-4)
    moved = ((first[0][:, None, 6:8]) @ flat.transpose(1, 2))[:, 0]
    assert torch.allclose(moved, second[0][:, 6:8], atol=1e-4)


def hear_only_shifts(refine: Refine) -> None:
    with torch.no_grad():
        weight = refine.levers.weight.view(CHANGES, -1, len(MARK_POINTS) * 2)
        weight[:, 1:6] = 0


def test_it_learns_to_answer_what_the_marks_show(faces):
    torch.manual_seed(0)
    refine = Refine()
    random = np.random.default_rng(8)
    optimiser = torch.optim.Adam(refine.parameters(), 3e-3)

    def guessed(count: int) -> tuple[tuple, tuple]:
        rotation = turned(random.uniform(-25, 25, (count, 3)))
        true = (
            pose_of(rotation, np.zeros((count, 2)), np.zeros((count, 1))),
            torch.randn(count, 40),
            torch.rand(count, 52) * 0.5,
        )
        off = true[0].clone()
        off[:, 6:8] += torch.randn(count, 2) * 0.02
        return true, (off, true[1] + torch.randn(count, 40) * 0.5, torch.rand(count, 52) * 0.5)

    def left(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        true, guess = guessed(count)
        marks = marks_of(refine, *true)
        before = (marks_of(refine, *guess) - marks).norm(dim=2).mean()
        after = (marks_of(refine, *refine(*guess, marks)) - marks).norm(dim=2).mean()
        return before, after

    for _ in range(150):
        optimiser.zero_grad()
        left(64)[1].backward()
        optimiser.step()
    with torch.no_grad():
        before, after = left(200)
    assert after < 0.35 * before
