# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrices learn in all their directions alike, whatever order their memory is in."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from training.optimiser import Optimiser, orthogonal


def test_orthogonal_is_nearly_what_is_nearest():
    random = torch.Generator().manual_seed(0)
    for shape in ((20, 90), (90, 20)):
        matrix = torch.randn(shape, generator=random)
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        assert torch.linalg.svdvals(orthogonal(matrix)).sub(1).abs().max() < 0.35
        along = (orthogonal(matrix) * (left @ right)).sum() / 20
        assert 0.8 < along < 1.2


def network(memory_format: torch.memory_format = torch.contiguous_format) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(16, 24, 3), nn.BatchNorm2d(24), nn.Conv2d(24, 300, 2), nn.Flatten(),
        nn.Linear(300, 5),
    )  # fmt: skip
    return layers.to(memory_format=memory_format)


def learn(layers: nn.Module, optimiser: Optimiser, steps: int, seed: int = 1) -> list[float]:
    random = torch.Generator().manual_seed(seed)
    seen = []
    for _ in range(steps):
        pictures = torch.randn(8, 16, 4, 4, generator=random)
        loss = (layers(pictures) - pictures[:, :5].mean((2, 3))).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(float(loss.detach()))
    return seen


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_moves_as_far_in_every_direction(order):
    layers = network(order)
    was = layers[0].weight.detach().clone()
    learn(layers, Optimiser(layers, rate=1e-3), 1)
    moved = (layers[0].weight.detach() - was).flatten(1)
    sizes = torch.linalg.svdvals(moved)
    assert sizes[-1] > 0.5 * sizes[0]  # AdamW's differ by twenty and more
    assert float(moved.square().mean().sqrt()) == pytest.approx(2e-4, rel=0.3)


def test_the_order_of_memory_changes_nothing():
    both = []
    for order in (torch.contiguous_format, torch.channels_last):
        layers = network(order)
        learn(layers, Optimiser(layers), 4)
        both.append(layers[0].weight.detach())
    assert torch.allclose(both[0], both[1], atol=1e-4)


def test_it_learns_all_that_learns_and_nothing_else():
    layers = network()
    layers[4].requires_grad_(False)
    was = {name: value.clone() for name, value in layers.named_parameters()}
    seen = learn(layers, Optimiser(layers, rate=1e-2), 60)
    assert sum(seen[-10:]) < 0.8 * sum(seen[:10])
    for name, value in layers.named_parameters():
        assert torch.equal(value, was[name]) == name.startswith("4."), name


def test_a_run_goes_on_as_if_it_had_not_stopped():
    whole, halves = network(), network()
    learn(whole, through := Optimiser(whole), 3)
    learn(halves, first := Optimiser(halves), 3)
    again = Optimiser(halves)
    again.load_state_dict(copy.deepcopy(first.state_dict()))
    for optimiser in (through, again):
        optimiser.set_rate(5e-3)
    assert learn(whole, through, 3, seed=2) == learn(halves, again, 3, seed=2)


def test_a_checkpoint_of_another_optimiser_is_refused():
    layers = network()
    old = torch.optim.AdamW(layers.parameters()).state_dict()
    with pytest.raises(ValueError, match="--restart"):
        Optimiser(layers).load_state_dict(old)


def rectified(features: int) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(96, features), nn.LeakyReLU(0.1), nn.Linear(features, 12),
    )  # fmt: skip


def test_no_feature_moves_alike_in_all_that_is_seen():
    layers = rectified(40)
    pictures = torch.rand(64, 16, 6, 6)
    wanted = torch.randn(64, 12)

    def given() -> torch.Tensor:
        with torch.no_grad():
            return layers[4](layers[3](layers[2](layers[1](layers[0](pictures)))))

    optimiser = Optimiser(layers, rate=1e-2)
    for name in ("0", "4"):  # what they hear stays as it is; biases are for the rest to learn by
        layers.get_submodule(name).bias.requires_grad_(False)
    layers[0].weight.requires_grad_(False)
    before = given()
    for _ in range(5):
        loss = (layers(pictures) - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    moved = given() - before
    # Weights decay: all that a feature is, its mean too, by a thousandth.
    assert moved.mean(0).abs().max() < 0.2 * moved.std(0).mean()


def test_what_a_copy_of_the_network_hears_is_not_noted():
    """As the copies that samples are drawn with during training."""
    layers = rectified(40)
    optimiser = Optimiser(layers)
    learned = {name for name, value in layers.named_parameters() if value.ndim > 1}
    layers(torch.rand(4, 16, 6, 6))
    state = optimiser.state_dict()["muon"]["state"]
    noted = {key: value["heard"].clone() for key, value in state.items()}
    assert len(noted) == len(learned)
    copy.deepcopy(layers).eval()(torch.rand(4, 16, 6, 6) + 5)
    after = optimiser.state_dict()["muon"]["state"]
    assert all(torch.equal(after[key]["heard"], value) for key, value in noted.items())
