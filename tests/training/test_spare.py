# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings that no face needs are shared among the faces that are there."""

from __future__ import annotations

import pytest
import torch

from training.look import look_from_pose, rotation_from_6d
from training.model import CLOSE_FACES, LIGHT_CLOSE_FACES
from training.spare import MOVES, turns


def shared(faces: int, readings: int = CLOSE_FACES):
    return turns(torch.arange(readings) < faces)


@pytest.mark.parametrize("readings", [CLOSE_FACES, LIGHT_CLOSE_FACES])
@pytest.mark.parametrize("faces", range(9))
def test_every_face_has_its_own_reading_and_as_many_more_as_the_next(faces, readings):
    faces = min(faces, readings)
    found = shared(faces, readings)
    assert found.face[:faces].tolist() == list(range(faces))
    assert not found.moves[: max(faces, 1)].any()
    counts = torch.bincount(found.face, minlength=max(faces, 1))
    assert counts.max() - counts.min() <= 1
    for face in range(max(faces, 1)):  # none twice from the same place, every other in a mirror
        mirrored = found.mirrored[found.face == face].tolist()
        assert mirrored == [number % 2 == 1 for number in range(len(mirrored))]
        moves = found.moves[found.face == face].tolist()
        assert moves == [list(move) for move in MOVES[: len(moves)]] or torch.allclose(
            torch.tensor(moves), torch.tensor(MOVES[: len(moves)])
        )


def test_as_many_faces_as_readings_are_read_as_they_lie():
    found = shared(CLOSE_FACES)
    regions = torch.rand(CLOSE_FACES, 4) * 100
    pose, weights = torch.randn(CLOSE_FACES, 9) * 0.3, torch.randn(CLOSE_FACES, 52)
    assert torch.equal(found.moved(regions[found.face]), regions)
    for was, now in zip((pose, weights), found.averaged(pose, weights), strict=True):
        assert torch.allclose(was, now, atol=1e-6)


def test_where_a_face_is_does_not_depend_on_where_its_readings_lie():
    """Poses that say the same place, size and turn of the picture, each as its region has it."""
    torch.manual_seed(0)
    found = shared(3)
    regions = torch.tensor([[0, 60.0, 70.0, 80.0], [0, 200.0, 90.0, 120.0], [0, 150.0, 20.0, 30.0]])
    wanted = torch.cat([torch.randn(3, 6) * 0.3, torch.randn(3, 3) * 0.1], 1)
    own = regions[found.face]
    _, centre, scale = look_from_pose(wanted[found.face], own)
    moved = found.moved(own)
    side = moved[:, 3:]
    said = torch.cat(
        [wanted[found.face][:, :6], (centre - moved[:, 1:3]) / side,
         wanted[found.face][:, 8:] - found.moves[:, 2:]], 1,
    )  # fmt: skip
    assert torch.allclose(look_from_pose(said, moved)[2], scale, rtol=1e-5)
    averaged = found.averaged(said, found.face[:, None].float())
    assert torch.allclose(averaged[0][:3], wanted, atol=1e-5)
    assert torch.allclose(averaged[1][:3, 0], torch.arange(3.0))
    assert torch.allclose(rotation_from_6d(averaged[0][:3]), rotation_from_6d(wanted), atol=1e-5)


def test_what_is_read_is_the_mean_of_all_readings_of_a_face():
    found = shared(3)
    weights = torch.randn(CLOSE_FACES, 52)
    averaged = found.averaged(torch.zeros(CLOSE_FACES, 9), weights)[1]
    for row in range(CLOSE_FACES):
        mine = weights[found.face == found.face[row]]
        assert torch.allclose(averaged[row], mine.mean(0), atol=1e-6)
