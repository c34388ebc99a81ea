# SPDX-License-Identifier: GPL-3.0-or-later
"""Average the weights of trainings that began alike, and measure what flows through them anew.

    python -m training.blend FIRST.pt SECOND.pt --shares .5 .5 --output BLEND.pt

Batch normalisation has kept the means and variances of features that an averaged network does not
have: until they are measured on pictures again, it is less sure of faces than either parent
(Izmailov et al., "Averaging weights leads to wider optima", UAI 2018, section 3.2). Unknown
options are told to `training.train`'s data: which pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from training import train
from training.layers import dense
from training.losses import FaceLoss
from training.model import Mfn
from training.running import read_weights
from training.tasks import CLOSE, TASKS

State = dict[str, torch.Tensor]
BATCHES = 70
"""Of scenes, some 4,000 faces: enough for means and variances."""
PARTS = tuple(name for name, task in TASKS.items() if task.learns != ("",))
"""Parts of the network that learn alone."""
UNSEEN = 7_000_000
"""The first of the numbers by which pictures are drawn, beyond those of any training."""


def average(
    states: Sequence[State], shares: Sequence[float], layers: tuple[str, ...] = ("",)
) -> State:
    """The sum of the states by their shares, of the layers whose names begin so; all else, and what
    is counted, is the first one's.

    Raises:
        ValueError: there is not a share for each state, or they do not sum to 1; or a state lacks a
            layer, for it is of another version.
    """
    if len(states) != len(shares) or abs(sum(shares) - 1) > 1e-6:
        raise ValueError("give each of the weights a share, in all 1")
    wanted = {key for key in states[0] if key.startswith(layers)}
    if any(not wanted <= state.keys() for state in states):
        raise ValueError("the weights are of different versions of the network: train from one")
    return {
        key: sum(share * state[key] for state, share in zip(states, shares, strict=True))
        if first.dtype.is_floating_point and key in wanted
        else first
        for key, first in states[0].items()
    }  # type: ignore[misc]


@torch.no_grad()
def normalise_anew(model: Mfn, batches: Iterable[dict], face_loss: FaceLoss) -> None:
    """Set the running statistics of `model` to what these batches of scenes cause in it, but for
    those of close reading: measured on scenes, whose faces are small, they read smiles and brows
    worse (docs/decisions/0020)."""
    layers = {
        name: layer for name, layer in model.named_modules() if isinstance(layer, nn.BatchNorm2d)
    }
    pace = [layer.momentum for layer in layers.values()]
    for name, layer in layers.items():
        if name.startswith(CLOSE):
            layer.momentum = 0.0  # stays as it is
        else:
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over the batches
    model.train()
    for batch in batches:
        TASKS["mfn"].losses(model, batch, face_loss, torch.device("cpu"))
    model.eval()
    for layer, momentum in zip(layers.values(), pace, strict=True):
        layer.momentum = momentum


def measured_anew(state: State, told: argparse.Namespace, count: int) -> State:
    """`normalise_anew` of so many batches of the scenes that training is told to show."""
    model = Mfn(dense)
    model.load_state_dict(state)
    told.closeups = 0
    torch.manual_seed(told.seed)
    scenes = DataLoader(
        TASKS["mfn"].dataset(told, told.batch, UNSEEN), batch_size=None, num_workers=1
    )
    bar = tqdm(islice(scenes, count), total=count, desc="normalising", disable=None)
    normalise_anew(model, bar, train.make_face_loss(told))
    return model.state_dict()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=str(__doc__).splitlines()[0],
        allow_abbrev=False,  # --batch is not --batches
    )
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--shares", type=float, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", choices=PARTS,
                        help="average a part that learns alone, on the first one's other layers; "
                        "statistics are not measured anew")  # fmt: skip
    parser.add_argument("--batches", type=int, default=BATCHES)
    arguments, data = parser.parse_known_args()
    try:
        layers = TASKS[arguments.only].learns if arguments.only else ("",)
        state = average(
            [read_weights(path) for path in arguments.weights], arguments.shares, layers
        )
    except ValueError as error:
        parser.error(str(error))
    if not arguments.only:
        state = measured_anew(state, train.parse(data), arguments.batches)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"average": state, "done": 0}, arguments.output)


if __name__ == "__main__":
    main()
