# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparisons train what they say, once, and no more than they say."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
import torch

from training import alike
from training.bank import load_surface
from training.feeding import collate
from training.losses import FaceLoss
from training.tasks import TASKS

from .test_learning import composer


@pytest.mark.parametrize(("name", "reads"), [("mfn", True), ("detector", False)])
def test_a_detector_learns_boxes_and_nothing_else(name, reads):
    surface, maker = load_surface(), composer(3)
    batch = collate([maker.scene() for _ in range(3)])
    face_loss = FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers,
                         np.ones(52, np.float32))  # fmt: skip
    network = TASKS[name].network(argparse.Namespace(thin=False))
    losses = TASKS[name].losses(network, batch, face_loss, torch.device("cpu"))
    assert {"find", "box"} <= set(losses)
    assert ("expression" in losses) == reads
    sum(losses.values()).backward()
    read = any(value.grad is not None for value in network.regions.parameters())
    assert read == reads


def test_what_is_trained_is_taken_up_and_what_is_half_done_is_not(tmp_path, monkeypatch):
    asked = []
    parser = alike.budget("A comparison.", steps=4, batch=2)
    arguments = parser.parse_args(["--work", str(tmp_path)])

    def run(words, check):
        asked.append(words)
        done = {"done": 4, "spent": 120.0}
        (tmp_path / "mfn-4").mkdir(exist_ok=True)
        torch.save(done, tmp_path / "mfn-4" / "last.pt")

    monkeypatch.setattr(alike.subprocess, "run", run)
    for _ in range(2):
        path, minutes = alike.trained("mfn", ["--network", "mfn"], arguments)
        assert path == tmp_path / "mfn-4" / "last.pt"
        assert minutes == 2
    assert len(asked) == 1
    torch.save({"done": 3, "spent": 90.0}, path)
    alike.trained("mfn", ["--network", "mfn"], arguments)
    assert len(asked) == 2
    assert "--steps" in asked[1]
