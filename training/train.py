# SPDX-License-Identifier: GPL-3.0-or-later
"""Train MFN, or SFN.

    python -m training.train --minutes 90 --output training/runs/run1 [--resume CHECKPOINT]

Pictures are composed in loader processes while the network learns. Every few minutes a checkpoint
is written (weights, their running average, optimiser), a line is added to log.csv, the curves are
drawn, and so is the head model over held-back faces; a run can be stopped at any moment and
resumed.
"""

from __future__ import annotations

import argparse
import copy
import os
import tempfile
import time
from pathlib import Path

import torch
import torch.distributed as distributed
from torch.utils.data import DataLoader
from tqdm import tqdm

from training import feeding, photos
from training.bank import load_surface, photo_bank
from training.losses import FaceLoss, Weights
from training.optimiser import Optimiser
from training.running import (
    Log,
    end_with,
    follow,
    learning_rate,
    read_weights,
    save,
    share,
    take_up,
)
from training.samples import Samples
from training.tasks import PATCHES, TASKS, Task

WINDOW = 24
"""How many batches are kept where each is learned from several times."""


def train_together(arguments: argparse.Namespace) -> None:
    """Start the run's processes and wait for them."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        torch.multiprocessing.spawn(
            join, (arguments, meeting, os.getpid()), nprocs=arguments.processes, join=True
        )


def join(rank: int, arguments: argparse.Namespace, meeting: str, starter: int) -> None:
    """One of the run's processes; the first one reports and saves."""
    end_with(starter)
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=arguments.processes
    )
    train(arguments, rank)


def train(arguments: argparse.Namespace, rank: int = 0) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    output = Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    task = TASKS[arguments.network]
    model = task.network(arguments).to(device, memory_format=torch.channels_last)
    kept = choose_what_learns(model, task, bool(arguments.patches))
    face_loss = make_face_loss(arguments).to(device)
    if not task.closeup_losses:
        arguments.closeups = 0  # nobody would look at them
    # Two: what close-ups ask for would drown in what scenes do (docs/decisions/0017).
    optimisers = [Optimiser(model) for _ in range(2 if task.closeup_losses else 1)]
    average, done, spent = take_up(arguments, model, optimisers, device)
    if arguments.patches:
        take_patches(model, average, read_weights(Path(arguments.patches)))
    weights = Weights().all()
    loader = iter(
        DataLoader(
            task.dataset(arguments, arguments.batch, done + 500_000 * rank),
            batch_size=None,
            num_workers=arguments.workers,
            prefetch_factor=3 if arguments.workers else None,
        )
    )
    if arguments.times > 1:
        seed = arguments.seed + done + 500_000 * rank
        loader = iter(feeding.Again(loader, arguments.times, WINDOW, seed))
    log = Log(output / "log.csv")
    samples = held_back_samples(arguments) if rank == 0 else None

    def keep() -> None:
        save(output / "last.pt", model, average, optimisers, done, spent)
        log.write(done, spent)
        if samples is not None:
            shown = copy.deepcopy(model)
            shown.load_state_dict(average)
            samples.write(task, shown, output)

    total_seconds = arguments.minutes * 60
    last_save = time.time()
    bar = tqdm(desc="training", unit="step", initial=done, disable=rank > 0)
    clock = time.time()
    while spent < total_seconds and (arguments.steps is None or done < arguments.steps):
        progress = spent / total_seconds if arguments.steps is None else done / arguments.steps
        for each in optimisers:
            each.set_rate(learning_rate(progress, arguments.rate))
        model.train()
        kept.eval()
        batch = next(loader)
        losses = task.losses(model, batch, face_loss, device)
        spent = step(model, optimisers[0], losses, weights, arguments, spent)
        if task.closeup_losses and arguments.closeups:
            near = task.closeup_losses(model, batch["closeups"], face_loss, device)
            spent = step(model, optimisers[1], near, weights, arguments, spent)
            losses |= near
        done += 1
        follow(average, model, done)
        spent += time.time() - clock
        clock = time.time()
        log.add({key: float(value.detach()) for key, value in losses.items()})
        bar.update()
        if done % 20 == 0:
            bar.set_postfix_str(log.summary())
        if rank == 0 and time.time() - last_save > arguments.save_minutes * 60:
            keep()
            last_save = time.time()
    if rank == 0:
        keep()


def choose_what_learns(
    model: torch.nn.Module, task: Task, patches_stay: bool
) -> torch.nn.ModuleList:
    """Let gradients reach what a task is about; returns the patches, if they are to stay."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(task.learns))
    names = PATCHES if patches_stay else ()
    return torch.nn.ModuleList(model.get_submodule(name) for name in names).requires_grad_(False)


def take_patches(
    model: torch.nn.Module, average: dict[str, torch.Tensor], state: dict[str, torch.Tensor]
) -> None:
    """Put the patches of another network's weights into a model, and into the running average."""
    for name in PATCHES:
        own = {
            key.removeprefix(f"{name}."): value
            for key, value in state.items()
            if key.startswith(f"{name}.")
        }
        model.get_submodule(name).load_state_dict(own)
        average.update({f"{name}.{key}": value.clone() for key, value in own.items()})


def make_face_loss(arguments: argparse.Namespace) -> FaceLoss:
    """Expression counts by its spread among the faces that these arguments draw."""
    surface = load_surface()
    deviation = feeding.expression_deviation(feeding.make_composer(arguments, 0))
    return FaceLoss(surface.neutral, surface.basis, surface.weight, surface.numbers, deviation)


def step(
    model: torch.nn.Module,
    optimiser: Optimiser,
    losses: dict[str, torch.Tensor],
    weights: dict[str, float],
    arguments: argparse.Namespace,
    spent: float,
) -> float:
    """Learn from some losses; returns the time spent, averaged over the run's processes."""
    total = sum(weights[key] * value for key, value in losses.items())
    optimiser.zero_grad()
    total.backward()  # type: ignore[union-attr]
    if arguments.processes > 1:
        spent = share(model, spent)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    optimiser.step()
    return spent


def held_back_samples(arguments: argparse.Namespace) -> Samples | None:
    """What to draw at each checkpoint, where there are photographs."""
    data = photos.data_folder()
    if not arguments.photos or not Path(arguments.photos).is_file() or data is None:
        return None
    bank = photo_bank(Path(arguments.photos), held_back=True)
    return Samples(bank, photos.read_backgrounds(data, held_back=True), load_surface())


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train MFN, or SFN.")
    parser.add_argument("--network", choices=tuple(TASKS), default="mfn")
    parser.add_argument("--single-scale", dest="multi_scale", action="store_false",
                        help="SFN: read everything from the coarsest map")  # fmt: skip
    parser.add_argument("--thin", action="store_true",
                        help="the light MFN: see training.thinning")  # fmt: skip
    parser.add_argument("--photos", default="training/runs/photos.npz")
    parser.add_argument(
        "--rendered",
        nargs="*",
        default=[],
        help="folders with crops/, bystanders/, away/, studies/ or scenes/",
    )
    parser.add_argument("--photo-share", type=float, default=0.5)
    parser.add_argument("--clear-photos", type=float, help="close reading alone, and SFN: how "
                        "many of the clear faces are photographs, if not as usual")  # fmt: skip
    parser.add_argument("--size", type=int, nargs="+", default=[128, 128, 192, 320],
                        help="px of a scene's side; one is drawn for each batch")  # fmt: skip
    parser.add_argument("--batch", type=int, default=30)
    parser.add_argument("--times", type=float, default=1,
                        help="how often each batch is learned from, now and later")  # fmt: skip
    parser.add_argument("--closeups", type=int, default=12,
                        help="MFN: large, clear faces beside each batch of scenes")  # fmt: skip
    parser.add_argument("--patches", help="a checkpoint or weights with patches that have learned "
                        "alone: they are taken over and stay as they are")  # fmt: skip
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--steps", type=int, help="instead of minutes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=1, help="that share each step")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", default="training/runs/run")
    parser.add_argument("--resume", help="a checkpoint to go on from")
    parser.add_argument("--init", help="weights to start from, if nothing is resumed")
    parser.add_argument("--restart", action="store_true", help="with --resume: a new schedule")
    return parser.parse_args(words)


if __name__ == "__main__":
    parsed = parse()
    if parsed.processes > 1:
        train_together(parsed)
    else:
        train(parsed)
