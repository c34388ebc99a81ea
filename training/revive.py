# SPDX-License-Identifier: GPL-3.0-or-later
"""Give new weights to features of close reading that no face brings above zero any more.

    python -m training.revive CHECKPOINT --output OUT.pt --photos ... --rendered ...

A rectified feature that has fallen silent is never taught again, and the network is smaller by it
(docs/decisions/0029). It gets random weights, so that about half of the faces bring it above zero,
and nobody listens to it at first: what is read stays as it was, but for what `layers.LEAK` had let
through ("recycling dormant neurons", Sokar et al., ICML 2023).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from training import train
from training.feeding import Crops, NearFaces
from training.look import POSE_SIZE
from training.marks import EYE_CELLS, FACE_CELLS, GLABELLA_CELLS, MOUTH_CELLS
from training.model import Mfn, mfn_of
from training.regions import Regions
from training.running import read_weights, start_from
from training.sfn import Sfn
from training.tasks import mfn_read, pixels, sfn_read, whole

HEARD = 0.004
"""Of the faces: a feature that fewer bring above zero is silent, if nothing else is asked for."""
BATCHES, BATCH = 36, 40


@dataclass(frozen=True)
class Layer:
    """A layer and who listens to it, by their names in `Regions`.

    Attributes:
        name: of a linear layer, or of one that `layers.conv` or `layers.thin` has made.
        listeners: each with the column where the layer's features begin. cells: columns a feature,
            where a linear layer listens to a map.
    """

    name: str
    listeners: tuple[tuple[str, int], ...]
    cells: int = 1


# by the patches of `Details`
PATCH_CELLS = {"eye": EYE_CELLS, "mouth": MOUTH_CELLS, "face": FACE_CELLS,
               "glabella": GLABELLA_CELLS}  # fmt: skip
FELT, GEOMETRY = 160, 96
"""What `Regions.expression_out` hears before `Details`: see `Regions.near`."""
PATCHES = {"eye": (0, 96), "mouth": (192,), "face": (320,), "glabella": (384,)}
"""Where the features of each patch are in those of `Details`."""


def layers() -> list[Layer]:
    """Those of close reading whose features can fall silent."""
    out = "expression_out"
    found = [
        Layer("local8", (("joined.squeeze", 0),)),
        Layer("joined.expand3", (("marks.coarse", 48),)),
        Layer("geometry.0", (("geometry.2", 0),)),
        Layer("geometry.2", (("pose_out", 128), ("felt.0", POSE_SIZE), (out, FELT))),
        Layer("refine.sense.0", (("refine.sense.2", 0),)),
        Layer("refine.sense.2", (("refine.out", 0),)),
    ]
    last = [Layer("felt.0", (("felt.2", 0),)), Layer("felt.2", ((out, 0),))]
    for patch, places in PATCHES.items():
        heard = [(out, FELT + GEOMETRY + place) for place in places]
        heard += [("felt.0", POSE_SIZE + GEOMETRY + place) for place in places]
        heard.append((f"details.{patch}.shift", 0))
        if patch == "eye":
            heard.append(("details.eye_out", 0))
        about = f"details.{patch}"
        cells = (PATCH_CELLS[patch] // 8) ** 2
        found += [
            Layer(f"{about}.wide", ((f"{about}.felt", 0), (f"{about}.coarse", 0)), cells=cells),
            Layer(f"{about}.felt.1", tuple(heard)),
        ]
    return found + last


@dataclass
class Noted:
    """What went into a layer and came out of it, of some faces."""

    seen: list[torch.Tensor] = field(default_factory=list)
    given: list[torch.Tensor] = field(default_factory=list)

    def note_seen(self, _: nn.Module, inputs: tuple[torch.Tensor], __: torch.Tensor) -> None:
        """A forward hook of the layer."""
        self.seen.append(inputs[0].detach().clone())

    def note_given(self, _: nn.Module, __: tuple[torch.Tensor], output: torch.Tensor) -> None:
        """A forward hook of what comes last before features are rectified, in place."""
        self.given.append(output.detach().clone())


def computing(part: nn.Module) -> nn.Linear | nn.Conv2d:
    """The layer whose rows are the features: the last one before normalisation."""
    while isinstance(part, nn.Sequential):
        part = part[-1] if not isinstance(part[-1], nn.ReLU) else part[0]
    assert isinstance(part, nn.Linear | nn.Conv2d)
    return part


def hearing(part: nn.Module) -> nn.Linear | nn.Conv2d:
    """The layer whose columns are what it hears: the first one."""
    while isinstance(part, nn.Sequential):
        part = part[1] if isinstance(part[0], nn.Flatten | nn.Identity) else part[0]
    assert isinstance(part, nn.Linear | nn.Conv2d)
    return part


def columns(listener: nn.Module, first: int, layer: Layer, count: int) -> torch.Tensor:
    """(outputs, count, ...) of a listener's weight: what it makes of each of a layer's features."""
    heard = hearing(listener)
    cells = layer.cells if isinstance(heard, nn.Linear) else 1
    own = heard.weight[:, first : first + count * cells]
    return own.unflatten(1, (count, cells))


@contextmanager
def noting(regions: Regions, layers: list[Layer]) -> Iterator[dict[str, Noted]]:
    """Note what goes through some layers within, normalisation included."""
    noted = {layer.name: Noted() for layer in layers}
    hooks = []
    for name, notes in noted.items():
        part = regions.get_submodule(name)
        if isinstance(part, nn.Sequential):
            hooks.append(computing(part).register_forward_hook(notes.note_seen))
            hooks.append(part[1].register_forward_hook(notes.note_given))
        else:
            hooks.append(part.register_forward_hook(notes.note_seen))
            hooks.append(part.register_forward_hook(notes.note_given))
    try:
        yield noted
    finally:
        for hook in hooks:
            hook.remove()


def silent(given: torch.Tensor, heard: float = HEARD) -> torch.Tensor:
    """(F,) which features hardly a face brings above zero; given (N, F) of N faces before they are
    rectified, or (N, F, H, W), of which each place counts."""
    return (given > 0).float().reshape(*given.shape[:2], -1).mean((0, 2)) < heard


@torch.no_grad()
def revive(
    regions: Regions, show: Callable[[], object], heard: float = HEARD
) -> dict[str, tuple[int, int]]:
    """Give the silent features new weights; `show` sends the same faces through the network, each
    time that it is asked to.

    Returns:
        By layer, how many were silent, and how many features it has.
    """
    with noting(regions, layers()) as noted:
        show()
    mute = {name: silent(torch.cat(notes.given), heard) for name, notes in noted.items()}
    new = {computing(regions.get_submodule(name)): features for name, features in mute.items()}
    for layer in layers():
        features = mute[layer.name]
        for name, first in layer.listeners:
            listener = regions.get_submodule(name)
            heard_by = columns(listener, first, layer, len(features))
            # What is new itself may hear what is new.
            old = ~new.get(hearing(listener), torch.zeros(len(heard_by), dtype=torch.bool))
            heard_by[old[:, None] & features] = 0
    for layer in layers():  # each hears what those before it have become
        if mute[layer.name].any():
            with noting(regions, [layer]) as noted:
                show()
            part = regions.get_submodule(layer.name)
            speak(part, noted[layer.name], mute[layer.name])
    return {name: (int(features.sum()), len(features)) for name, features in mute.items()}


def speak(part: nn.Module, notes: Noted, mute: torch.Tensor) -> None:
    """Give features (F,) of a layer weights by which about half of what was noted raises them."""
    count = int(mute.sum())
    own, seen = computing(part), torch.cat(notes.seen)
    rows = torch.randn(count, *own.weight.shape[1:])
    if isinstance(part, nn.Sequential):
        own.weight[mute] = rows / math.sqrt(rows[0].numel())
        given, norm = own(seen)[:, mute], part[1]
        norm.weight[mute], norm.bias[mute] = 1.0, 0.0
        norm.running_mean[mute] = given.mean((0, 2, 3))
        norm.running_var[mute] = given.var((0, 2, 3))
        return
    middle = seen.mean(0)
    rows /= ((seen - middle) @ rows.T).std(0)[:, None] + 1e-9
    heard = torch.cat(notes.given)[:, ~mute]
    spread = (heard.std(0).median() if heard.numel() else rows.new_tensor(1.0)).clamp(0.3)
    own.weight[mute] = rows * spread
    assert own.bias is not None
    own.bias[mute] = torch.randn(count) * 0.5 * spread - own.weight[mute] @ middle


def shown(model: Mfn | Sfn, batches: list[dict]) -> None:
    """Send batches of single faces (`training.feeding`) through the network."""
    read = sfn_read if isinstance(model, Sfn) else mfn_read
    for batch in batches:
        pictures = pixels(batch, torch.device("cpu"))
        read(model, pictures, whole(pictures, 1.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="or landed weights, of any of the networks")
    parser.add_argument("--output", type=Path, required=True, help="a checkpoint to go on from")
    parser.add_argument("--photos", default="training/runs/photos.npz")
    parser.add_argument("--rendered", nargs="*", default=[])
    parser.add_argument("--batches", type=int, default=BATCHES, help=f"of {BATCH} faces")
    parser.add_argument("--heard", type=float, default=HEARD,
                        help="a feature that fewer of the faces raise is silent")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    state = read_weights(arguments.checkpoint)
    if any(key.startswith("verify.") for key in state):
        model, feed = mfn_of(state), NearFaces
    else:
        model, feed = Sfn(), Crops
    start_from(model, state)
    fed = train.parse(
        ["--photos", arguments.photos, "--seed", str(arguments.seed), "--rendered",
         *arguments.rendered]
    )  # fmt: skip
    batches = list(islice(feed(fed, BATCH, 0), arguments.batches))
    found = revive(model.eval().regions, lambda: shown(model, batches), arguments.heard)
    for name, (count, all_) in found.items():
        print(f"{name}: {count} of {all_} features were silent")
    torch.save({"average": model.state_dict()}, arguments.output)


if __name__ == "__main__":
    main()
