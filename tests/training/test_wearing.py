# SPDX-License-Identifier: GPL-3.0-or-later
"""What people wear lies where it is worn, and a face that is taken away is gone."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX
from training import wearing
from training.bank import load_surface
from training.distractors import colour

SIDE = 160
GREY = 120


def looking(yaw: float = 0.0) -> np.ndarray:
    """(P, 2) px of a neutral face in the middle of a picture."""
    angle = np.radians(yaw)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    centre = np.array([[SIDE / 2, SIDE / 2]])
    return load_surface().project(
        turn[None], centre, np.array([560.0]), np.zeros((1, 40)), np.zeros((1, 52))
    )[0]


def plain() -> np.ndarray:
    return np.full((SIDE, SIDE, 3), GREY, np.uint8)


def changed(patch: np.ndarray) -> np.ndarray:
    return (np.abs(patch.astype(int) - GREY).max(2) > 12).astype(float)


def middle(mask: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(mask)
    return np.array([x.mean(), y.mean()])


@pytest.mark.parametrize("yaw", [-50, 0, 50])
def test_sunglasses_lie_on_the_eyes_however_the_head_is_turned(yaw):
    points = looking(yaw)
    eyes = np.mean(wearing.head(points).eyes, axis=0)
    for seed in range(6):
        patch = plain()
        unseen = wearing.glasses(patch, wearing.head(points), np.random.default_rng(seed))
        assert np.linalg.norm(middle(changed(patch)) - eyes) < 0.1 * SIDE
        assert not unseen[EXPRESSION_INDEX["jawOpen"]]


@pytest.mark.parametrize(
    ("wear", "covers", "leaves"),
    [(wearing.beard, 152, 10), (wearing.cloth_mask, 152, 10), (wearing.hat, 10, 152)],
)
def test_each_covers_its_part_of_the_face(wear, covers, leaves):
    points = looking()
    named = wearing.head(points).points
    seen = np.zeros((SIDE, SIDE))
    for seed in range(12):
        patch = plain()
        wear(patch, wearing.head(points), np.random.default_rng(seed))
        seen += changed(patch)

    def near(number: int) -> float:
        x, y = np.clip(named[number].astype(int), 6, SIDE - 7)
        return seen[y - 6 : y + 6, x - 6 : x + 6].mean()

    assert near(covers) > 3
    assert near(leaves) < near(covers) / 2


def test_labels_of_what_is_covered_count_less():
    random = np.random.default_rng(0)
    trusts = [wearing.dress(plain(), looking(), random) for _ in range(40)]
    assert min(t.min() for t in trusts) == pytest.approx(wearing.UNSEEN_TRUST)
    assert max(t.max() for t in trusts) == 1
    mouths = [t[EXPRESSION_INDEX["jawOpen"]] for t in trusts]
    eyes = [t[EXPRESSION_INDEX["eyeBlinkLeft"]] for t in trusts]
    assert set(mouths) != {1.0}
    assert set(eyes) != {1.0}


def test_a_face_taken_away_leaves_what_is_around_it():
    points = looking()
    box = np.concatenate([points.min(0), points.max(0)]).astype(int)
    for seed in range(8):
        random = np.random.default_rng(seed)
        patch = random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        before = patch.copy()
        wearing.take_face_away(patch, points, random)
        inside = np.s_[box[1] + 15 : box[3] - 15, box[0] + 15 : box[2] - 15]
        assert np.abs(patch[inside].astype(int) - before[inside]).mean() > 20
        assert (patch[:10] == before[:10]).all()


def test_a_picture_that_cannot_be_drawn_on_is_refused():
    with pytest.raises(ValueError, match="contiguous"):
        wearing.dress(plain()[:, ::-1], looking(), np.random.default_rng(0))


def test_tones_are_colours():
    random = np.random.default_rng(1)
    hair = np.array([wearing.hair_tone(random) for _ in range(200)])
    cloth = np.array([colour(random) for _ in range(200)])
    for tones in (hair, cloth):
        assert tones.shape == (200, 3)
        assert tones.min() >= 0
        assert tones.max() <= 255
    # hair is brown at most: never greener or bluer than it is red, but for noise
    assert (hair[:, 0] >= hair[:, 2] - 12).mean() > 0.9
    assert cloth.std(0).min() > 30
