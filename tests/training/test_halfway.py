# SPDX-License-Identifier: GPL-3.0-or-later
"""What is landed lies between the weights before and after a last stretch."""

from __future__ import annotations

import pytest
import torch

from training import halfway
from training.running import read_weights


def test_weights_lie_on_the_line_and_counts_stay(tmp_path, monkeypatch):
    before = {"w": torch.tensor([0.0, 2.0]), "seen": torch.tensor(3)}
    after = {"w": torch.tensor([1.0, 4.0]), "seen": torch.tensor(8)}
    paths = [tmp_path / name for name in ("before.pt", "after.pt", "new/out.pt")]
    torch.save({"average": before}, paths[0])
    torch.save(after, paths[1])
    words = ["halfway", *map(str, paths[:2]), "--output", str(paths[2])]
    monkeypatch.setattr("sys.argv", words)
    halfway.main()
    made = read_weights(paths[2])
    assert made["w"].tolist() == [0.5, 3.0]
    assert made["seen"] == 8
    monkeypatch.setattr("sys.argv", [*words, "--share", "0.25"])
    halfway.main()
    assert read_weights(paths[2])["w"].tolist() == [0.25, 2.5]


def test_weights_of_other_layers_have_nothing_between_them():
    with pytest.raises(ValueError, match="same layers"):
        halfway.between({"w": torch.zeros(2)}, {"w": torch.zeros(3)})
