# SPDX-License-Identifier: GPL-3.0-or-later
"""What patches are cut from, and what they give of it."""

from __future__ import annotations

import torch

from mfn_addon.face.mirror import mirror_order
from training.layers import dense
from training.marks import LEFT_EYE, MARKS, RIGHT_EYE, Details, cell_grid


def test_the_eyes_of_a_mirrored_picture_change_places():
    torch.manual_seed(0)
    details = Details(dense).eval()
    torch.nn.init.normal_(details.eye_out.weight)
    # The face as a whole is not seen mirrored: here it adds nothing to the guess.
    for weights in details.face.maps.parameters():
        torch.nn.init.zeros_(weights)
    picture = torch.rand(1, 3, 128, 128)
    region, size = torch.tensor([[0.0, 64, 64, 100]]), torch.tensor([128.0, 128.0])
    places = torch.rand(1, MARKS, 2) - 0.5
    mirrored = places * torch.tensor([-1.0, 1.0])
    order = torch.arange(MARKS)
    order[list(RIGHT_EYE)], order[list(LEFT_EYE)] = torch.tensor(LEFT_EYE), torch.tensor(RIGHT_EYE)
    with torch.no_grad():
        features, marks, told, maps = details(picture, places, region, size)
        others, seen, said, _ = details(picture.flip(3), mirrored[:, order], region, size)
    assert torch.allclose(features[:, :96], others[:, 96:192], atol=1e-4)
    back = seen[:, order] * torch.tensor([-1.0, 1.0])
    eyes = [*RIGHT_EYE, *LEFT_EYE]
    assert torch.allclose(marks[:, eyes], back[:, eyes], atol=1e-4)
    assert torch.allclose(told, said[:, torch.from_numpy(mirror_order())], atol=1e-4)
    assert told.abs().max() > 0.01
    face, *parts = maps
    for patch in maps:  # the marks are the means of the maps, those of the face where no part is
        means = torch.softmax(patch.logits, 2) @ cell_grid(round(patch.logits.shape[2] ** 0.5))
        own = details.elsewhere if patch is face else slice(None)
        assert torch.allclose(patch.within(marks)[:, own], means[:, own], atol=1e-4)
    rows = sorted([*details.elsewhere, *(row for patch in parts for row in patch.rows)])
    assert rows == list(range(MARKS))


def test_a_finer_picture_is_looked_at_in_the_same_places():
    """Slopes, which are the same however many pixels show them."""
    torch.manual_seed(0)
    details = Details(dense).eval()
    y, x = torch.meshgrid(torch.arange(192) + 0.5, torch.arange(192) + 0.5, indexing="ij")
    finest = torch.stack([x, y, x - y])[None] / 50
    regions = torch.tensor([[0.0, 30, 31, 40], [0, 33, 29, 36]])
    places, mirrored = torch.rand(2, MARKS, 2) * 0.5 - 0.25, torch.tensor([False, True])
    with torch.no_grad():
        said = [
            details(
                torch.nn.functional.avg_pool2d(finest, coarser),
                places,
                regions,
                torch.tensor([64.0, 64.0]),
                mirrored,
            )
            for coarser in (3, 2, 1)
        ]
    for features, marks, told, _ in said[1:]:
        assert torch.allclose(features, said[0][0], atol=1e-4)
        assert torch.allclose(marks, said[0][1], atol=1e-5)
        assert torch.allclose(told, said[0][2], atol=1e-4)
    with torch.no_grad():
        blank = details(torch.zeros(1, 3, 64, 64), places, regions, torch.tensor([64.0, 64.0]))
    assert not torch.allclose(blank[0], said[0][0], atol=1e-2)
