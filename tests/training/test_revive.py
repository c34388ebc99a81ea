# SPDX-License-Identifier: GPL-3.0-or-later
"""Features that have fallen silent get new weights, and what is read stays as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training import feeding, revive
from training.layers import dense, thin
from training.model import Mfn
from training.revive import computing, layers, noting, silent
from training.running import read_weights, write_weights
from training.sfn import Sfn

from .test_learning import composer

MUTE = 7  # of each layer's features


def hush(model: Mfn | Sfn) -> None:
    """Silence the first features of each layer, as training does by and by."""
    for layer in layers():
        part = model.regions.get_submodule(layer.name)
        last = part[1] if isinstance(part, nn.Sequential) else part
        last.weight.data[:MUTE] = 0
        last.bias.data[:MUTE] = -1e-7


def rectify(model: Mfn | Sfn) -> None:
    """Fully, as networks once were: what is silent says nothing at all."""
    for part in model.modules():
        if isinstance(part, nn.LeakyReLU):
            part.negative_slope = 0.0


def faces(model: Mfn | Sfn) -> tuple[torch.Tensor, ...]:
    """What is read of six of them."""
    torch.manual_seed(5)
    pictures = torch.rand(6, 3, 160, 160) * 255
    with torch.no_grad():
        if isinstance(model, Sfn):
            return model(pictures)
        maps, pyramid = model.features(pictures)
        regions = torch.tensor([[n, 80.0, 80.0, 120.0 + 5 * n] for n in range(6)])
        return model.regions(maps, pyramid[0], regions, torch.tensor([160.0, 160.0]))


def new(kind: str) -> Mfn | Sfn:
    torch.manual_seed(1)
    model = Sfn() if kind == "sfn" else Mfn(thin if kind == "light" else dense)
    for parameter in model.regions.parameters():  # else nothing is heard where learning starts
        if parameter.ndim > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.01)
    return model.eval()


@pytest.mark.parametrize("kind", ["mfn", "light", "sfn"])
def test_silent_features_speak_again_and_nobody_listens_yet(kind):
    model = new(kind)
    rectify(model)
    hush(model)
    before = faces(model)
    found = revive.revive(model.regions, lambda: faces(model))
    assert found.keys() == {layer.name for layer in layers()}
    for name, (count, all_) in found.items():
        own = computing(model.regions.get_submodule(name))
        assert MUTE <= count < all_ == len(own.weight)
    for was, now in zip(before, faces(model), strict=True):
        assert torch.allclose(was, now, atol=1e-4)
    with noting(model.regions, layers()) as noted:
        faces(model)
    for layer in layers():
        assert silent(torch.cat(noted[layer.name].given))[:MUTE].sum() < MUTE / 2, layer.name


def test_a_layer_that_is_silent_as_a_whole_is_heard_again_by_those_after_it():
    model = new("light")
    rectify(model)
    wide, felt = (model.regions.get_submodule(f"details.face.{name}") for name in ("wide", "felt"))
    wide[1].weight.data[:], wide[1].bias.data[:] = 0, -1
    felt[1].bias.data[:] = -1
    before = faces(model)
    found = revive.revive(model.regions, lambda: faces(model))
    assert found["details.face.wide"] == (len(wide[1].weight),) * 2
    assert found["details.face.felt.1"] == (len(felt[1].weight),) * 2
    for was, now in zip(before, faces(model), strict=True):
        assert torch.allclose(was, now, atol=1e-4)
    felt_layer = next(layer for layer in layers() if layer.name == "details.face.felt.1")
    with noting(model.regions, [felt_layer]) as noted:
        faces(model)
    given = torch.cat(noted["details.face.felt.1"].given)
    assert (given.std(0) > 0.05).all()
    assert given.abs().max() < 20


def test_who_listens_to_a_feature_is_known():
    """A change of any feature is heard by the columns that are told of, and by no others."""
    model = new("mfn")
    for layer in layers():
        part = model.regions.get_submodule(layer.name)
        last = part[1] if isinstance(part, nn.Sequential) else part
        kept = last.bias.data.clone()
        before = faces(model)
        last.bias.data[MUTE] += 3
        assert any(
            not torch.equal(was, now) for was, now in zip(before, faces(model), strict=True)
        ), layer.name
        for name, first in layer.listeners:
            listener = model.regions.get_submodule(name)
            revive.columns(listener, first, layer, MUTE + 1).data[:, MUTE] = 0
        last.bias.data.copy_(kept)
        before = faces(model)
        last.bias.data[MUTE] += 3
        for was, now in zip(before, faces(model), strict=True):
            assert torch.equal(was, now), layer.name
        last.bias.data.copy_(kept)


@pytest.mark.parametrize("kind", ["light", "sfn"])
def test_a_network_that_was_landed_is_revived(tmp_path, monkeypatch, capsys, kind):
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, 96))
    monkeypatch.setattr(feeding, "NEAR_SIZES", ((96, 1),))
    monkeypatch.setattr(revive, "BATCH", 3)
    model, source, output = new(kind), tmp_path / "landed.pt", tmp_path / "last.pt"
    hush(model)
    write_weights(model.state_dict(), source)
    words = ["revive", str(source), "--output", str(output), "--photos", "", "--batches", "2"]
    monkeypatch.setattr("sys.argv", words)
    revive.main()
    assert "geometry.0: " in capsys.readouterr().out
    before, after = read_weights(source), read_weights(output)
    assert before.keys() == after.keys()
    assert not before["regions.geometry.0.weight"][:MUTE].any()
    assert after["regions.geometry.0.weight"][:MUTE].any()
    assert torch.equal(before["trunk.stem.0.weight"], after["trunk.stem.0.weight"])
