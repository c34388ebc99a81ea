# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trained network can be given later does nothing at first, and learns."""

from __future__ import annotations

import torch

from training.layers import Deeper


def test_deeper_layers_begin_as_nothing_and_learn():
    torch.manual_seed(0)
    layer, maps = Deeper(8, 4), torch.randn(2, 8, 5, 5)
    assert torch.equal(layer(maps), maps)
    layer(maps).square().sum().backward()
    assert layer.expand.weight.grad is not None
    assert layer.expand.weight.grad.abs().max() > 0


def test_deeper_layers_look_at_the_cells_around():
    torch.manual_seed(0)
    layer = Deeper(8, 4)
    torch.nn.init.normal_(layer.expand.weight)
    maps = torch.randn(1, 8, 7, 7)
    moved = maps.clone()
    moved[:, :, 3, 3] += 1
    changed = (layer(moved) - layer(maps)).abs().amax((0, 1)) > 1e-6
    assert changed[2:5, 2:5].all()
    assert changed.sum() == 9
