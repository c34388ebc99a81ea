# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights halfway between those before a last stretch and those after it.

    python -m training.halfway BEFORE.pt AFTER.pt --output OUT.pt

A last stretch on photographs forgets some of what rendered faces had taught. On the straight line
between both, most of what it gained is kept and hardly anything is forgotten ("Robust fine-tuning
of zero-shot models", Wortsman et al., CVPR 2022; docs/decisions/0031).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from training.running import read_weights

SHARE = 0.5


def between(
    before: dict[str, torch.Tensor], after: dict[str, torch.Tensor], share: float = SHARE
) -> dict[str, torch.Tensor]:
    """A state dictionary on the line from one (share 0) to another (share 1) of the same layers;
    what is counted is as it was after.

    Raises:
        ValueError: they are not of the same layers.
    """
    if {k: v.shape for k, v in before.items()} != {k: v.shape for k, v in after.items()}:
        raise ValueError("these weights are not of the same layers: there is nothing between them")
    return {
        key: before[key].lerp(value, share) if value.dtype.is_floating_point else value
        for key, value in after.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("before", type=Path, help="a checkpoint, or weights")
    parser.add_argument("after", type=Path, help="what a last stretch has made of it")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=SHARE, help="of the way")
    arguments = parser.parse_args()
    state = between(*map(read_weights, (arguments.before, arguments.after)), arguments.share)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"average": state}, arguments.output)


if __name__ == "__main__":
    main()
