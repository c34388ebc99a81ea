# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs share batches, end with who started them, and learn places from maps."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import torch

from training.feeding import Again
from training.losses import map_loss
from training.marks import cell_grid

CHILD = """
import os, subprocess, sys, time
sleeper = "import os, time; from training.running import end_with; "
sleeper += "end_with(os.getppid(), 0.05); print(os.getpid(), flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", sleeper])
time.sleep(600)
"""


def test_batches_come_as_often_as_asked_and_stay_within_a_window():
    again = Again(({"number": n} for n in itertools.count()), 2.5, 8, seed=1)
    numbers = [batch["number"] for batch in itertools.islice(again, 4000)]
    assert numbers[:8] == list(range(8)), "nothing comes twice before there is a choice"
    counts = Counter(numbers)
    assert len(numbers) / len(counts) == pytest.approx(2.5, rel=0.06)
    newest = list(itertools.accumulate(numbers, max))
    assert all(new - number < 8 for new, number in zip(newest, numbers, strict=True))
    other = Again(({"number": n} for n in itertools.count()), 2.5, 8, seed=2)
    assert [batch["number"] for batch in itertools.islice(other, 4000)] != numbers


def test_batches_that_come_again_are_the_same_ones():
    again = Again(({"number": n} for n in itertools.count()), 3, 4, seed=1)
    for batch in itertools.islice(again, 200):
        assert batch.get("noted", batch["number"]) == batch["number"]
        batch["noted"] = batch["number"]


def test_a_map_learns_a_narrow_gaussian_about_its_mark():
    grid, spread = cell_grid(16), 0.05
    places = torch.tensor([[[0.1, -0.2], [0.31, 0.02]]])
    squares = (grid[None, None] - places[:, :, None]).square().sum(3)
    wanted = torch.softmax(-squares / (2 * spread**2), 2)
    entropy = -(wanted * wanted.clamp(1e-30).log()).sum(2).mean()
    best = map_loss(wanted.clamp(1e-30).log(), places, grid, spread)
    assert best.item() == pytest.approx(entropy.item(), abs=1e-4)
    flat = map_loss(torch.zeros(1, 2, 256), places, grid, spread)
    assert flat.item() == pytest.approx(torch.log(torch.tensor(256.0)).item(), abs=1e-4)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_process_ends_with_the_one_that_started_it():
    starter = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    assert running(child)
    starter.kill()
    starter.wait()
    for _ in range(600):
        if not running(child):
            break
        time.sleep(0.1)
    assert not running(child)


def running(number: int) -> bool:
    """Whether there is such a process; one that has ended and is not asked for yet is none."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
