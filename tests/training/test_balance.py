# SPDX-License-Identifier: GPL-3.0-or-later
"""What rounding changes in every face alike is taken back by the biases."""

from __future__ import annotations

import torch
from torch import nn

from training.balance import balance, rounded


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(300, 40), nn.LeakyReLU(0.1), nn.Linear(40, 7))


def faces(seed: int) -> torch.Tensor:
    """As rectified layers give them: all above 0, and much the same."""
    random = torch.Generator().manual_seed(seed)
    middle = torch.rand(300, generator=torch.Generator().manual_seed(1)) * 8
    return (middle + 0.1 * torch.randn(64, 300, generator=random)).clamp(min=0)


def test_a_rounded_layer_gives_what_it_gave():
    model, plain = network(), network()
    balance(model, lambda: model(faces(2)), rounded_from=1000)
    seen = faces(3)
    with torch.no_grad():
        true = plain[0](seen)
        without = nn.functional.linear(seen, rounded(plain[0].weight), plain[0].bias)
        with_it = nn.functional.linear(seen, rounded(model[0].weight), model[0].bias)
    assert torch.equal(model[0].weight, plain[0].weight)
    assert (without - true).abs().mean() > 5 * (with_it - true).abs().mean()


def test_layers_that_are_not_rounded_and_layers_that_hear_nothing_stay():
    model, plain = network(), network()
    balance(model, lambda: model(faces(2)), rounded_from=1000)
    assert torch.equal(model[2].bias, plain[2].bias)
    balance(model, lambda: None)
    assert not torch.equal(model[0].bias, plain[0].bias)
    again = network()
    balance(again, lambda: None, rounded_from=1)
    assert torch.equal(again[0].bias, plain[0].bias)
    assert not model[0]._forward_pre_hooks
