# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a light network of a trained one, to be trained on with `training.train --thin`.

    python -m training.thinning training/weights/mfn.pt --output LIGHT.pt --photos PHOTOS.npz

It finds faces as the other does, with the same layers; those of close reading are made thin, or
taken from a light network that has learned (`--near`), as far as that one has them.

What a 3x3 convolution takes from real pictures, and what it makes of it, lies nearly in spaces of
few dimensions. The principal directions of its inputs, as far as its weights hear them, become a
1x1 convolution in front (Kim et al., "Compression of Deep Convolutional Neural Networks for Fast
and Low Power Mobile Applications", ICLR 2016); reduced-rank regression of its outputs, scaled as
the normalisation after it scales them, gives the 3x3 and the 1x1 behind (Zhang et al., PAMI 2016).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from training import train
from training.feeding import Scenes
from training.layers import dense, thin
from training.model import Mfn
from training.running import read_weights, start_from, write_weights
from training.sampling import regions_of
from training.tasks import CLOSE, jittered, mfn_read, pixels

BATCHES = 12
PLACES = 1000  # of each layer that are looked at in each batch


class Looks:
    """What a 3x3 convolution saw, and made of it, at some places of some pictures."""

    def __init__(self) -> None:
        self.seen: list[torch.Tensor] = []
        self.given: list[torch.Tensor] = []

    def __call__(self, conv: nn.Conv2d, inputs: tuple[torch.Tensor], outputs: torch.Tensor) -> None:
        """Note the squares (N, C, 9) and the outputs (N, O) of some places: a forward hook."""
        (maps,) = inputs
        squares = F.unfold(maps, 3, padding=1, stride=conv.stride)
        squares = squares.view(len(maps), maps.shape[1], 9, -1).permute(0, 3, 1, 2).flatten(0, 1)
        given = outputs.flatten(2).permute(0, 2, 1).flatten(0, 1)
        some = torch.randperm(len(given))[:PLACES]
        self.seen.append(squares[some])
        self.given.append(given[some])

    def all(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, 9) and (N, O) float64; raises ValueError if there are none."""
        if not self.seen:
            raise ValueError("no picture went through the network: nothing to thin it by")
        return torch.cat(self.seen).double(), torch.cat(self.given).double()


@torch.no_grad()
def thinned(whole: nn.Module, slim: nn.Module, show: Callable[[], object]) -> None:
    """Give `slim` the weights that do nearly what `whole` does.

    Args:
        whole, slim: of one architecture, of `layers.dense` and of `layers.thin`.
        show: sends pictures through `whole`.
    """
    own = slim.state_dict()
    convs = {
        name: module
        for name, module in whole.named_modules()
        if isinstance(module, nn.Conv2d) and f"{name}.1.weight" in own
    }
    looks = {name: Looks() for name in convs}
    hooks = [module.register_forward_hook(looks[name]) for name, module in convs.items()]
    whole.eval()
    show()
    for hook in hooks:
        hook.remove()
    state = whole.state_dict()
    for name, module in convs.items():
        norm = name.removesuffix("0") + "1"
        deviation = torch.sqrt(state[f"{norm}.running_var"].double() + 1e-5)
        gain = (state[f"{norm}.weight"].double().abs() / deviation).clamp(min=1e-4)
        weight = module.weight.double() * gain[:, None, None, None]
        squares, given = looks[name].all()
        before, rank = own.get(f"{name}.0.weight"), own[f"{name}.1.weight"].shape[0]
        if before is not None:
            squeeze = heard(squares, weight, before.shape[0])
            state[f"{name}.0.weight"] = squeeze[:, :, None, None].float()
            squares = torch.einsum("qc,nck->nqk", squeeze, squares)
        inner, outer, offset = regression(squares.flatten(1), given * gain, rank)
        state[f"{name}.1.weight"] = inner.T.reshape(rank, -1, 3, 3).float()
        state[f"{name}.2.weight"] = (outer / gain[:, None])[:, :, None, None].float()
        # There is no bias: the regression's goes into the normalisation's mean.
        state[f"{norm}.running_mean"] -= (offset / gain).float()
        del state[f"{name}.weight"]
    slim.load_state_dict(state)


def heard(squares: torch.Tensor, weight: torch.Tensor, count: int) -> torch.Tensor:
    """(count, C) directions of the inputs that matter most for what the weights make of them.

    Args:
        squares: (N, C, 9). weight: (O, C, 3, 3).
    """
    seen = torch.einsum("nck,ndk->cd", squares, squares)
    listened = torch.einsum("ocij,odij->cd", weight, weight)
    tiny = torch.eye(len(listened)).double() * 1e-9 * listened.diagonal().mean()
    root = torch.linalg.cholesky(listened + tiny)
    return (root @ torch.linalg.eigh(root.T @ seen @ root)[1][:, -count:]).T


def regression(
    seen: torch.Tensor, given: torch.Tensor, rank: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The best prediction of (N, O) by (N, F) through `rank` numbers: (F, rank) in, (O, rank) out,
    and (O,) that is added."""
    mean_seen, mean_given = seen.mean(0), given.mean(0)
    seen, given = seen - mean_seen, given - mean_given
    square = seen.T @ seen
    square += torch.eye(len(square)).double() * 1e-6 * square.diagonal().mean()
    full = torch.linalg.solve(square, seen.T @ given)
    outer = torch.linalg.eigh(full.T @ square @ full)[1][:, -rank:]
    inner = full @ outer
    return inner, outer, mean_given - outer @ (inner.T @ mean_seen)


def scenes_through(model: Mfn, batches: Iterable[dict]) -> None:
    """Read closely the faces of some batches of scenes."""
    for batch in batches:
        pictures = pixels(batch, torch.device("cpu"))
        keep = ~batch["ignore"]
        mfn_read(model, pictures, jittered(regions_of(batch["box"][keep], batch["picture"][keep])))


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("weights", type=Path, help="of MFN, as training lands them")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--near", type=Path, help="weights of the light MFN, if there are any")
    parser.add_argument("--photos", default="training/runs/photos.npz")
    parser.add_argument("--rendered", nargs="*", default=[])
    arguments = parser.parse_args()
    fed = train.parse(
        ["--closeups", "0", "--photos", arguments.photos, "--rendered", *arguments.rendered]
    )
    whole, slim = Mfn(dense), Mfn(thin)
    start_from(whole, read_weights(arguments.weights))
    batches = iter(Scenes(fed, fed.batch, 0))
    thinned(whole, slim, lambda: scenes_through(whole, (next(batches) for _ in range(BATCHES))))
    if arguments.near:  # but for layers that it did not have yet
        near = read_weights(arguments.near)
        kept = {key: value for key, value in near.items() if key.startswith(CLOSE)}
        start_from(slim, slim.state_dict() | kept)
    write_weights(slim.state_dict(), arguments.output)
    count, before = (sum(p.numel() for p in model.parameters()) for model in (slim, whole))
    print(f"{arguments.output}: {count / 1e6:.2f} of {before / 1e6:.2f} M weights")


if __name__ == "__main__":
    main()
