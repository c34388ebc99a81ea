# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks trained alike, so that one difference between them can be judged."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import torch

from training.results import RESULTS


def budget(description: str, steps: int, batch: int) -> argparse.ArgumentParser:
    """A parser of what all networks of a comparison share."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--photos", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--rendered", type=Path, nargs="*",
                        default=[Path("training/runs/rendered")])  # fmt: skip
    parser.add_argument("--work", type=Path, default=Path("training/runs/ablations"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser


def trained(name: str, words: list[str], arguments: argparse.Namespace) -> tuple[Path, float]:
    """Train in a process of its own, seed 0, or take up what an earlier call has trained.

    Args:
        name: of the folder in `arguments.work`; words: what `training.train` is told besides.

    Returns:
        The checkpoint and the minutes that its training took.
    """
    last = arguments.work / f"{name}-{arguments.steps}" / "last.pt"
    if not last.is_file() or torch.load(last, weights_only=True)["done"] < arguments.steps:
        subprocess.run(
            [sys.executable, "-m", "training.train", *words, "--seed", "0",
             "--steps", str(arguments.steps), "--batch", str(arguments.batch),
             "--photos", str(arguments.photos), "--rendered", *map(str, arguments.rendered),
             "--threads", str(arguments.threads), "--processes", str(arguments.processes),
             "--output", str(last.parent)],
            check=True,
        )  # fmt: skip
    return last, torch.load(last, weights_only=True)["spent"] / 60
