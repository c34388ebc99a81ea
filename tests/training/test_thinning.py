# SPDX-License-Identifier: GPL-3.0-or-later
"""A thin network made of a dense one does what the dense one did, as nearly as it can."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training import feeding, thinning
from training.export import load_checkpoint
from training.layers import dense, thin
from training.model import Mfn
from training.running import read_weights, start_from, write_weights
from training.tasks import TASKS
from training.thinning import thinned
from training.train import parse

from .test_learning import composer

INPUTS, OUTPUTS = 64, 96


def network(conv3) -> nn.Sequential:
    return nn.Sequential(conv3(INPUTS, OUTPUTS, 2))


def lowly(inner: int) -> nn.Sequential:
    """A dense one that hears `inner` directions of its inputs and answers in as many."""
    torch.manual_seed(1)
    whole = network(dense)
    conv, norm = whole[0][0], whole[0][1]
    weight = torch.randn(inner, inner, 3, 3)
    weight = torch.einsum("qc,rqij->rcij", torch.randn(inner, INPUTS), weight)
    conv.weight.data = torch.einsum("or,rcij->ocij", torch.randn(OUTPUTS, inner), weight)
    norm.running_mean.data = torch.randn(OUTPUTS) * 3
    norm.running_var.data = conv.weight.data.flatten(1).var(1) * 600
    norm.weight.data = torch.rand(OUTPUTS) + 0.1
    norm.bias.data = torch.randn(OUTPUTS)
    return whole.eval()


def test_what_a_thin_layer_can_do_it_does_exactly():
    whole, slim = lowly(inner=12), network(thin)
    pictures = torch.randn(8, INPUTS, 16, 16) + torch.randn(1, INPUTS, 1, 1)
    with torch.no_grad():
        thinned(whole, slim, lambda: whole(pictures))
        other = torch.randn(4, INPUTS, 16, 16)
        wanted, got = whole(other), slim.eval()(other)
    assert wanted.std() > 0.1
    assert got.numpy() == pytest.approx(wanted.numpy(), abs=0.02)


def test_what_it_cannot_do_it_does_better_than_chance():
    whole, slim = lowly(inner=60), network(thin)
    pictures = torch.randn(8, INPUTS, 16, 16)
    with torch.no_grad():
        thinned(whole, slim, lambda: whole(pictures))
        wanted, got = whole(pictures), slim.eval()(pictures)
    assert ((got - wanted) ** 2).mean() < 0.8 * wanted.var()


def test_a_whole_network_is_thinned_by_what_went_through_it():
    torch.manual_seed(0)
    whole, slim = Mfn(dense), Mfn(thin)
    with pytest.raises(ValueError, match="no picture"):
        thinned(whole, slim, lambda: None)
    regions = torch.tensor([[0, 40.0, 50.0, 60.0], [0, 80.0, 50.0, 50.0]])

    def show(model):
        maps, pyramid = model.features(torch.rand(1, 3, 128, 128) * 255)
        size = torch.tensor([128.0, 128.0])
        return model.regions(maps, pyramid[0], regions, size)

    with torch.no_grad():
        thinned(whole, slim, lambda: show(whole))
        pose, identity, expression = show(slim.eval())
    assert (pose.shape, identity.shape, expression.shape) == ((2, 9), (2, 40), (2, 52))
    assert len(slim.state_dict()) > len(whole.state_dict())
    fresh = Mfn(thin)
    start_from(fresh, slim.state_dict())  # thin weights fit thin networks: none is left out
    assert all(
        torch.equal(value, slim.state_dict()[key]) for key, value in fresh.state_dict().items()
    )


def test_a_light_network_keeps_what_it_learned_and_gets_the_layers_that_it_lacks(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, 96))
    monkeypatch.setattr(thinning, "BATCHES", 2)
    torch.manual_seed(0)
    whole, light, made = tmp_path / "mfn.pt", tmp_path / "light.pt", tmp_path / "start.pt"
    write_weights(Mfn(dense).state_dict(), whole)
    new = "regions.details.glabella."
    known = {k: v for k, v in Mfn(thin).state_dict().items() if not k.startswith(new)}
    known["regions.expression_out.weight"] = known["regions.expression_out.weight"][:, :-48]
    write_weights(known, light)
    words = ["thinning", str(whole), "--output", str(made), "--photos", "", "--near", str(light)]
    monkeypatch.setattr("sys.argv", words)
    thinning.main()
    start, learned, found = (read_weights(path) for path in (made, light, whole))
    assert set(start) == set(Mfn(thin).state_dict())
    assert torch.equal(start["regions.local4.squeeze.0.weight"],
                       learned["regions.local4.squeeze.0.weight"])  # fmt: skip
    assert torch.equal(start["trunk.stem.0.weight"], found["trunk.stem.0.weight"])
    out = start["regions.expression_out.weight"]
    assert torch.equal(out[:, :-48], learned["regions.expression_out.weight"])
    assert not out[:, -48:].any()  # what is new is not heard yet
    assert torch.equal(start[f"{new}felt.1.weight"], found[f"{new}felt.1.weight"])


@pytest.mark.parametrize("conv3", [dense, thin])
def test_a_checkpoint_of_either_kind_is_exported(tmp_path, conv3):
    model = Mfn(conv3)
    torch.save({"average": model.state_dict()}, tmp_path / "last.pt")
    loaded = load_checkpoint(tmp_path / "last.pt")
    assert loaded.state_dict().keys() == model.state_dict().keys()


def test_training_is_told_which_kind():
    for words, kind in (([], dense), (["--thin"], thin)):
        made = TASKS["mfn"].network(parse(words))
        assert made.state_dict().keys() == Mfn(kind).state_dict().keys()
