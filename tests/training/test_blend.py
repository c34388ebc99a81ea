# SPDX-License-Identifier: GPL-3.0-or-later
"""Averaged weights, and what flows through them measured anew."""

from __future__ import annotations

import sys

import pytest
import torch

from tests.training.test_learning import composer
from training import blend, feeding
from training.layers import dense
from training.model import Mfn


def test_weights_are_averaged_by_their_shares_and_counters_kept():
    first = {"weight": torch.tensor([1.0, 2.0]), "count": torch.tensor(3)}
    second = {"weight": torch.tensor([3.0, 6.0]), "count": torch.tensor(9)}
    out = blend.average([first, second], [0.75, 0.25])
    assert out["weight"].tolist() == [1.5, 3.0]
    assert out["count"] == 3


def test_weights_of_another_version_are_refused_where_they_would_be_averaged():
    first = {"old": torch.tensor([4.0]), "new": torch.tensor([2.0])}
    earlier = {"old": torch.tensor([2.0])}
    with pytest.raises(ValueError, match="different versions of the network"):
        blend.average([first, earlier], [0.5, 0.5])
    out = blend.average([first, earlier], [0.5, 0.5], ("old",))
    assert out["old"].tolist() == [3.0]
    assert out["new"].tolist() == [2.0]


@pytest.mark.parametrize(("part", "layers"), [("close", blend.CLOSE), ("verify", ("verify.",))])
def test_a_part_alone_can_be_averaged(tmp_path, monkeypatch, part, layers):
    torch.manual_seed(0)
    first, second, output = Mfn(dense).state_dict(), Mfn(dense).state_dict(), tmp_path / "out.pt"
    for name, state in (("first", first), ("second", second)):
        torch.save({"average": state}, tmp_path / f"{name}.pt")
    monkeypatch.setattr(
        sys, "argv",
        ["blend", str(tmp_path / "first.pt"), str(tmp_path / "second.pt"), "--shares", "0.25",
         "0.75", "--only", part, "--output", str(output)],
    )  # fmt: skip
    blend.main()
    blended = torch.load(output, weights_only=True)["average"]
    for key, value in blended.items():
        averaged = value.dtype.is_floating_point and key.startswith(layers)
        wanted = 0.25 * first[key] + 0.75 * second[key] if averaged else first[key]
        assert torch.allclose(value, wanted), key


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.4]])
def test_shares_must_fit(shares):
    state = {"weight": torch.zeros(1)}
    with pytest.raises(ValueError, match="share"):
        blend.average([state, state], shares)


def test_statistics_of_a_blend_are_those_of_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(feeding, "make_composer", lambda _, seed: composer(seed, 64))
    torch.manual_seed(0)
    model = Mfn(dense)
    stem = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))
    stem.running_mean.fill_(7.0)  # as of another network
    given, output = tmp_path / "given.pt", tmp_path / "out" / "blend.pt"
    torch.save({"average": model.state_dict()}, given)
    monkeypatch.setattr(
        sys, "argv",
        ["blend", str(given), str(given), "--shares", "0.5", "0.5", "--output", str(output),
         "--batches", "3", "--photos", "", "--batch", "2", "--size", "64"],
    )  # fmt: skip
    blend.main()
    blended = Mfn(dense)
    blended.load_state_dict(torch.load(output, weights_only=True)["average"])
    measured = next(m for m in blended.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert measured.num_batches_tracked == 3
    assert not (measured.running_mean - 7.0).abs().lt(0.5).any()
    kept = {key for key in model.state_dict() if "running" in key and key.startswith(blend.CLOSE)}
    assert kept
    for key, value in [*model.named_parameters(), *((k, model.state_dict()[k]) for k in kept)]:
        assert torch.allclose(blended.state_dict()[key], value), key
