# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings as a mirror shows the face tell what readings of its mirror image would."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mfn_addon.face import EXPRESSION_INDEX
from training.bank import load_surface
from training.look import look_from_pose, project, rotation_from_6d
from training.marks import MARK_POINTS, MARKS
from training.mirroring import Mirror
from training.model import Mfn
from training.refine import Refine
from training.regions import Survey
from training.sampling import read_regions

ALL, NONE = torch.ones(3, dtype=torch.bool), torch.zeros(3, dtype=torch.bool)


@pytest.fixture(scope="module")
def mirror() -> Mirror:
    return Mirror()


def faces(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pose (3, 9), identity (3, 40), expression (3, 52) of three."""
    torch.manual_seed(seed)
    pose = torch.cat([torch.randn(3, 6) * 0.25, torch.randn(3, 2) * 0.05, torch.zeros(3, 1)], 1)
    return pose, torch.randn(3, 40) * 0.7, torch.rand(3, 52) * (torch.rand(3, 52) < 0.2)


def mirrored(
    mirror: Mirror, face: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    pose, identity, expression = face
    return (
        mirror.pose(pose, ALL),
        mirror.identity(identity, ALL),
        mirror.expression(expression, ALL),
    )


def marks_of(pose: torch.Tensor, identity: torch.Tensor, expression: torch.Tensor) -> torch.Tensor:
    """(3, MARKS, 2) where they are seen, in units of the region's side from its middle."""
    surface = load_surface()
    rows = [list(surface.numbers).index(number) for number in MARK_POINTS]
    neutral = torch.from_numpy(surface.neutral[rows]).float()
    basis = torch.from_numpy(surface.basis[:, rows]).float()
    rotation, centre, scale = look_from_pose(pose, torch.tensor([[0.0, 0.0, 0.0, 1.0]] * 3))
    weights = torch.cat([identity, expression], 1)
    return project(neutral, basis, rotation, centre, scale, weights)


def test_a_mirrored_faces_marks_are_those_of_its_mirrored_parameters(mirror):
    face = faces()
    there = mirror.marks(marks_of(*face), ALL)
    off = (there - marks_of(*mirrored(mirror, face))).norm(dim=2)
    assert off.mean() < 0.004  # of the region's side
    assert off.max() < 0.03  # one that has no twin


def test_lips_and_lids_change_sides_and_stay_above_or_below(mirror):
    numbers = list(MARK_POINTS)
    for mark, other in ((82, 312), (87, 317), (13, 13), (14, 14), (159, 386), (145, 374)):
        assert numbers[mirror.order[numbers.index(mark)]] == other


def test_what_is_mirrored_twice_is_as_it_was(mirror):
    pose, identity, expression = mirrored(mirror, faces(1))
    back = mirrored(mirror, (pose, identity, expression))
    assert torch.allclose(back[0], faces(1)[0])
    assert torch.equal(back[2], faces(1)[2])
    # Identities tell a mirrored head nearly.
    assert (back[1] - faces(1)[1]).abs().mean() < 0.1
    smile = expression[:, EXPRESSION_INDEX["mouthSmileLeft"]]
    assert torch.equal(smile, back[2][:, EXPRESSION_INDEX["mouthSmileRight"]])


def test_only_those_that_are_asked_for_are_mirrored(mirror):
    pose, identity, expression = faces(2)
    one = torch.tensor([False, True, False])
    for mirrors, was in (
        (mirror.pose, pose),
        (mirror.identity, identity),
        (mirror.expression, expression),
        (mirror.marks, torch.randn(3, MARKS, 2)),
    ):
        now = mirrors(was, one)
        assert torch.equal(was[~one], now[~one])
        assert not torch.equal(was[one], now[one])


def test_an_identity_that_nothing_changes_stays_exactly_as_it_was(mirror):
    pose, identity, expression = face = faces(4)
    refined = mirror.refined(Refine(), *face, marks_of(*face), ALL)
    assert torch.allclose(refined[1], identity, atol=1e-6)
    assert torch.equal(refined[2], mirror.expression(expression, ALL))
    assert torch.allclose(rotation_from_6d(refined[0]), rotation_from_6d(mirror.pose(pose, ALL)),
                          atol=1e-5)  # fmt: skip


def test_a_region_that_is_wide_the_other_way_is_read_from_right_to_left():
    torch.manual_seed(0)
    feature, size = torch.rand(1, 3, 48, 64), torch.tensor([64.0, 48.0])
    regions = torch.tensor([[0, 30.0, 20.0, 25.0], [0, 50.0, 40.0, 31.0]])  # one leaves it
    plain = read_regions(feature, regions, size, 16, 1.0)
    for sign, wanted in ((1.0, plain), (-1.0, plain.flip(3))):
        signed = torch.cat([regions, sign * regions[:, 3:]], 1)
        assert torch.allclose(read_regions(feature, signed, size, 16, 1.0), wanted, atol=1e-5)


def test_close_reading_in_a_mirror_is_close_reading_of_the_mirrored_picture():
    """But for what the coarse maps say, which is given here."""
    torch.manual_seed(3)
    regions = Mfn().eval().regions
    for parameter in regions.parameters():  # else nothing is heard where learning starts
        if parameter.ndim > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.01)
    for parameter in regions.pose_out.parameters():
        nn.init.zeros_(parameter)
    picture = torch.randn(1, 3, 128, 128)
    places = torch.tensor([[0, 60.0, 64.0, 90.0], [0, 70.0, 60.0, 80.0], [0, 50.0, 66.0, 100.0]])
    others = places * torch.tensor([1.0, -1.0, 1.0, 1.0]) + torch.tensor([0, 128.0, 0, 0])
    identity, guess = torch.randn(3, 40) * 0.3, torch.randn(3, MARKS, 2) * 0.15
    size = torch.tensor([128.0, 128.0])

    def read(maps, at, head, marks, mirrored):
        survey = Survey(
            torch.zeros(3, 64, 8, 8), torch.zeros(3, 48, 8, 8), torch.zeros(3, 128),
            torch.zeros(3, 96), head,
        )  # fmt: skip
        regions.marks.forward = lambda fine, joined: (marks, torch.zeros(1))
        return regions.near(maps, at, size, survey, mirrored)[:3]

    coarse = [torch.zeros(1, c, 128 // s, 128 // s) for c, s in ((16, 2), (64, 4), (128, 8))]
    mirror = regions.mirror
    with torch.no_grad():
        there = read([picture, *coarse], places, identity, guess, ALL)
        plain = read([picture, *coarse], places, identity, guess, NONE)
        image = read([picture.flip(3), *coarse], others, mirror.identity(identity, ALL),
                     mirror.marks(guess, ALL), None)  # fmt: skip
        same = read([picture, *coarse], places, identity, guess, None)
    assert torch.allclose(there[0], mirror.pose(image[0], ALL), atol=1e-4)
    change = image[1] - mirror.identity(identity, ALL)
    assert torch.allclose(there[1], identity + mirror.identity(change, ALL), atol=1e-4)
    assert torch.allclose(there[2], mirror.expression(image[2], ALL), atol=1e-4)
    for got, wanted in zip(plain, same, strict=True):
        assert torch.allclose(got, wanted, atol=1e-5)
    assert (there[2] - plain[2]).abs().max() > 1e-3
