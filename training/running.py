# SPDX-License-Identifier: GPL-3.0-or-later
"""What every training run needs: schedule, optimiser, running average, checkpoints, curves."""

from __future__ import annotations

import argparse
import csv
import math
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.distributed as distributed
from torch import nn

from training.optimiser import Optimiser


def fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is quicker here: on accelerators, and on CPUs that have it in hardware.

    Elsewhere PyTorch falls back to convolutions some twenty times slower.
    """
    if device.type != "cpu":
        return True
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def learning_rate(progress: float, top: float) -> float:
    """Short warm-up, then half a cosine."""
    warm = min(1.0, progress / 0.02 + 0.02)
    return top * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(progress, 1.0))))


def end_with(parent: int, every: float = 1.0) -> None:
    """End this process soon after its parent, however that ends: one that goes on learning alone
    would take half of the processor, and write over what a new run has written.

    Args:
        parent: its number, as it was when this process was asked for. every: seconds.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(every)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def share(model: nn.Module, spent: float) -> float:
    """Average the gradients, and the time spent, over all processes of the run.

    Plain all-reduce: two processes of one thread use two cores better than one process of two
    threads, whose many small operations wait for each other.
    """
    count = distributed.get_world_size()
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([*(g.flatten() for g in gradients), torch.tensor([spent])])
    distributed.all_reduce(flat)
    flat /= count
    at = 0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        part = flat[at : at + gradient.numel()].view(gradient.shape)
        parameter.grad = torch.empty_like(parameter).copy_(part)
        at += gradient.numel()
    return float(flat[-1])


def take_up(
    arguments: argparse.Namespace,
    model: nn.Module,
    optimisers: list[Optimiser],
    device: torch.device,
) -> tuple[dict[str, torch.Tensor], int, float]:
    """Start from a checkpoint or from landed weights, as asked.

    Returns:
        The running average of the weights, steps done and seconds spent.
    """
    done, spent = 0, 0.0
    if arguments.resume:
        saved = torch.load(arguments.resume, map_location=device, weights_only=True)
        if not arguments.restart:
            model.load_state_dict(saved["model"])
            for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
                optimiser.load_state_dict(state)
            return saved["average"], saved["done"], saved["spent"]
        start_from(model, saved["average"])  # other layers may have come since
    elif arguments.init and Path(arguments.init).is_file():
        start_from(model, read_weights(Path(arguments.init)))
    return {key: value.clone() for key, value in model.state_dict().items()}, done, spent


def follow(average: dict[str, torch.Tensor], model: nn.Module, done: int) -> None:
    """Move the running average of the weights a little towards the model's."""
    hold = min(0.998, 1 - 1 / (1 + done / 4))
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                average[key].lerp_(value, 1 - hold)
            else:
                average[key].copy_(value)


def widened(old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """An old weight inside a layer that has grown: new outputs as initialised, new inputs unheard.

    So a network computes what it did, and has room to learn more (Net2Net, Chen et al., 2016).
    Returns `old` itself where the layer has not grown or has shrunk.
    """
    grown = old.ndim == new.ndim and all(n >= o for n, o in zip(new.shape, old.shape, strict=True))
    if old.shape == new.shape or not grown or old.ndim == 0:
        return old
    out = new.clone()
    if old.ndim > 1:
        out[: old.shape[0], old.shape[1] :] = 0
        out[: old.shape[0], : old.shape[1]] = old
    else:
        out[: old.shape[0]] = old
    return out


def start_from(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Take over the weights that still fit; say which are new."""
    own = model.state_dict()
    state = {key: widened(value, own[key]) for key, value in state.items() if key in own}
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    fresh = sorted({key.rsplit(".", 1)[0] for key in own.keys() - fitting.keys()})
    if fresh:
        print("starting anew:", ", ".join(fresh))
    model.load_state_dict(fitting, strict=False)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """A state dictionary that `write_weights` has written, in float32; or the running average in a
    checkpoint that `save` has."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("average", state)
    return {k: v.float() if v.dtype == torch.float16 else v for k, v in state.items()}


def write_weights(state: dict[str, torch.Tensor], path: Path) -> None:
    """A state dictionary in float16: what is landed, and what the next training starts from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({k: v.half() if v.dtype == torch.float32 else v for k, v in state.items()}, path)


def save(
    path: Path,
    model: nn.Module,
    average: dict,
    optimisers: Sequence[Optimiser],
    done: int,
    spent: float,
) -> None:
    """Written beside, then moved into place: a checkpoint is never half a file."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(),
            "average": average,
            "optimisers": [optimiser.state_dict() for optimiser in optimisers],
            "done": done,
            "spent": spent,
        },
        part,
    )
    part.replace(path)


class Log:
    """Running means of the losses, as csv and as a picture of curves."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recent: dict[str, list[float]] = {}

    def add(self, values: dict[str, float]) -> None:
        for key, value in values.items():
            self.recent.setdefault(key, []).append(value)

    def summary(self) -> str:
        return " ".join(f"{k} {np.mean(v[-50:]):.3f}" for k, v in self.recent.items())

    def write(self, done: int, spent: float) -> None:
        if not self.recent:
            return
        row = {"step": done, "minutes": round(spent / 60, 2)}
        row |= {key: round(float(np.mean(value)), 5) for key, value in self.recent.items()}
        new = not self.path.is_file()
        with self.path.open("a", newline="") as handle:
            writer = csv.DictWriter(handle, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
        self.recent.clear()
        self.draw()

    def draw(self) -> None:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt

        with self.path.open() as handle:
            rows = list(csv.DictReader(handle))
        keys = [key for key in rows[0] if key not in ("step", "minutes")]
        figure, axes = plt.subplots(2, (len(keys) + 1) // 2, figsize=(14, 6))
        for key, axis in zip(keys, axes.flat, strict=False):
            axis.plot([float(r["step"]) for r in rows], [float(r[key]) for r in rows])
            axis.set_title(key)
            axis.set_yscale("log")
        figure.tight_layout()
        figure.savefig(self.path.with_suffix(".png"))
        plt.close(figure)
