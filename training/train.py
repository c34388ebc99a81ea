# SPDX-License-Identifier: GPL-3.0-or-later
"""Train MFN.

    python -m training.train --minutes 90 --output training/runs/run1 [--resume CHECKPOINT]

Scenes are composed in loader processes while the network learns. Every few minutes a checkpoint
is written (weights, their running average, optimiser), a line is added to log.csv and the curves
are drawn; a run can be stopped at any moment and resumed.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as distributed
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from training import photos
from training.bank import FaceBank, load_surface, photo_bank
from training.losses import FaceLoss, Weights, assign, box_loss, find_loss
from training.model import Mfn, cell_centres, regions_of
from training.rendered import rendered_bank, rendered_scenes
from training.scenes import Composer, RenderedScenes, Scene

RENDERED_SHARES = {"crops": 0.35, "studies": 0.65}
"""Of the rendered faces: how many come from each kind of set that `training.synthetic` makes."""
LABELS = ("rotation", "centre", "scale", "identity", "expression", "trusted")


class Scenes(IterableDataset):
    """Endless batches of scenes."""

    def __init__(self, arguments: argparse.Namespace, batch: int, start: int) -> None:
        self.arguments, self.batch = arguments, batch
        self.start = start  # steps done before: a resumed run sees other scenes

    def __iter__(self) -> Iterator[dict]:
        info = torch.utils.data.get_worker_info()
        torch.set_num_threads(1)
        seed = (self.arguments.seed, self.start, info.id if info else 0)
        composer = make_composer(self.arguments, seed)
        smallest = min(self.arguments.size)
        while True:
            # Sizes alternate batch by batch, with about the same number of pixels in each.
            composer.size = int(composer.random.choice(self.arguments.size))
            count = max(2, round(self.batch * (smallest / composer.size) ** 2))
            yield collate([composer.scene() for _ in range(count)])


def make_composer(arguments: argparse.Namespace, seed: int | tuple[int, ...]) -> Composer:
    surface = load_surface()
    banks: list[FaceBank] = []
    shares: list[float] = []
    if arguments.photos and Path(arguments.photos).is_file():
        banks.append(photo_bank(Path(arguments.photos)))
        shares.append(arguments.photo_share)
    scenes: RenderedScenes | None = None
    rendered = [Path(folder) for folder in arguments.rendered]
    present = {
        kind: [folder / kind for folder in rendered if (folder / kind).is_dir()]
        for kind in RENDERED_SHARES
    }
    for kind, folders in present.items():
        for folder in folders:
            banks.append(rendered_bank(folder))
            shares.append((1 - arguments.photo_share) * RENDERED_SHARES[kind] / len(folders))
    for folder in rendered:
        if (folder / "scenes").is_dir():
            scenes = rendered_scenes(folder / "scenes", surface)
    data = photos.data_folder()
    backgrounds = (
        photos.read_backgrounds(data)
        if data
        else [np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)]
    )
    return Composer(banks, shares, backgrounds, surface, min(arguments.size), seed, scenes)


def collate(scenes: list[Scene]) -> dict[str, torch.Tensor]:
    """Pictures (B, S, S, 3) uint8 and all faces in one row, with their picture's number."""
    counts = [len(scene.box) for scene in scenes]
    batch = {
        "pictures": torch.from_numpy(np.stack([scene.picture for scene in scenes])),
        "picture": torch.repeat_interleave(torch.arange(len(scenes)), torch.tensor(counts)),
        "box": torch.from_numpy(np.concatenate([scene.box for scene in scenes])),
        "ignore": torch.from_numpy(np.concatenate([scene.ignore for scene in scenes])),
    }
    for key in LABELS:
        values = np.concatenate([getattr(scene, key) for scene in scenes])
        batch[key] = torch.from_numpy(values.astype(np.float32))
    return batch


def jittered(regions: torch.Tensor) -> torch.Tensor:
    """Regions as an imperfect detector would place them."""
    out = regions.clone()
    out[:, 1:3] += torch.randn(len(out), 2) * 0.035 * regions[:, 3:4]
    out[:, 3] *= torch.exp(torch.randn(len(out)) * 0.06)
    return out


def step_losses(model: Mfn, batch: dict, face_loss: FaceLoss, device: torch.device) -> dict:
    """All losses of one batch."""
    pictures = batch["pictures"].to(device).permute(0, 3, 1, 2).float()
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    size = torch.tensor([float(pictures.shape[3]), float(pictures.shape[2])], device=device)
    with torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)):
        maps, pyramid = model.features(pictures)
    logits, boxes = model.candidates(pyramid)
    centres, levels = cell_centres(pictures.shape[3], pictures.shape[2])
    answers, left_out, wanted, given = [], [], [], []
    for i in range(len(pictures)):
        mine = batch["picture"] == i
        answer, out, _ = assign(centres, levels, batch["box"][mine], batch["ignore"][mine])
        answers.append(answer)
        left_out.append(out)
        cells = torch.nonzero(answer >= 0)[:, 0]
        given.append(boxes[i, cells.to(device)])
        wanted.append(batch["box"][mine][answer[cells]])
    losses = {
        "find": find_loss(logits, torch.stack(answers).to(device), torch.stack(left_out).to(device))
    }
    given_boxes, wanted_boxes = torch.cat(given), torch.cat(wanted).to(device)
    losses["box"] = box_loss(given_boxes, wanted_boxes) if len(given_boxes) else logits.sum() * 0
    keep = ~batch["ignore"]
    if keep.sum() > 1:
        regions = jittered(regions_of(batch["box"][keep], batch["picture"][keep])).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)):
            pose, identity, expression, hints = model.regions.read(maps, pyramid[0], regions, size)
        truth = {key: batch[key][keep].to(device) for key in LABELS}
        hints = [hint.float() for hint in hints]
        losses |= face_loss(
            pose.float(), identity.float(), expression.float(), regions, truth, hints
        )
    return losses


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


def expression_deviation(composer: Composer) -> np.ndarray:
    """(52,) spread of each expression as faces are drawn from the banks, with a floor."""
    total = np.zeros(52)
    for bank, share in zip(composer.banks, composer.shares, strict=True):
        step = max(1, len(bank) // 5000)
        some, chance = np.asarray(bank.expression[::step], np.float64), bank.chance[::step, None]
        mean = (some * chance).sum(0) / chance.sum()
        total += share * ((some - mean) ** 2 * chance).sum(0) / chance.sum()
    return np.maximum(np.sqrt(total), 0.06).astype(np.float32)


def share(model: Mfn, spent: float) -> float:
    """Average the gradients, and the time spent, over all processes of the run.

    Plain all-reduce: two processes of one thread use two cores better than one process of two
    threads, whose many small operations wait for each other.
    """
    count = distributed.get_world_size()
    parameters = list(model.parameters())
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


def train_together(arguments: argparse.Namespace) -> None:
    """Start the run's processes and wait for them."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{folder}/meeting"
        torch.multiprocessing.spawn(
            join, (arguments, meeting), nprocs=arguments.processes, join=True
        )


def join(rank: int, arguments: argparse.Namespace, meeting: str) -> None:
    """One of the run's processes; the first one reports and saves."""
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=arguments.processes
    )
    train(arguments, rank)


def make_optimiser(model: Mfn) -> torch.optim.AdamW:
    """AdamW; biases and normalisation are not decayed."""
    decay, plain = [], []
    for parameter in model.parameters():
        (decay if parameter.ndim > 1 else plain).append(parameter)
    return torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}],
        lr=1e-3,
        fused=True,
    )


def take_up(
    arguments: argparse.Namespace,
    model: Mfn,
    optimiser: torch.optim.AdamW,
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
            optimiser.load_state_dict(saved["optimiser"])
            return saved["average"], saved["done"], saved["spent"]
        start_from(model, saved["average"])  # other layers may have come since
    elif arguments.init and Path(arguments.init).is_file():
        start_from(model, read_weights(Path(arguments.init)))
    return {key: value.clone() for key, value in model.state_dict().items()}, done, spent


def follow(average: dict[str, torch.Tensor], model: Mfn, done: int) -> None:
    """Move the running average of the weights a little towards the model's."""
    hold = min(0.998, 1 - 1 / (1 + done / 4))
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                average[key].lerp_(value, 1 - hold)
            else:
                average[key].copy_(value)


def train(arguments: argparse.Namespace, rank: int = 0) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    output = Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    model = Mfn().to(device, memory_format=torch.channels_last)
    surface = load_surface()
    deviation = expression_deviation(make_composer(arguments, 0))
    face_loss = FaceLoss(
        surface.neutral, surface.basis, surface.weight, surface.numbers, deviation
    ).to(device)
    optimiser = make_optimiser(model)
    average, done, spent = take_up(arguments, model, optimiser, device)
    weights = asdict(Weights())
    loader = iter(
        DataLoader(
            Scenes(arguments, arguments.batch, done + 500_000 * rank),
            batch_size=None,
            num_workers=arguments.workers,
            prefetch_factor=3 if arguments.workers else None,
        )
    )
    log = Log(output / "log.csv")
    total_seconds = arguments.minutes * 60
    last_save = time.time()
    bar = tqdm(desc="training", unit="step", initial=done, disable=rank > 0)
    clock = time.time()
    while spent < total_seconds and (arguments.steps is None or done < arguments.steps):
        progress = spent / total_seconds if arguments.steps is None else done / arguments.steps
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(progress, arguments.rate)
        model.train()
        losses = step_losses(model, next(loader), face_loss, device)
        total = sum(weights[key] * value for key, value in losses.items())
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        if arguments.processes > 1:
            spent = share(model, spent)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        done += 1
        follow(average, model, done)
        spent += time.time() - clock
        clock = time.time()
        log.add({key: float(value.detach()) for key, value in losses.items()})
        bar.update()
        if done % 20 == 0:
            bar.set_postfix_str(log.summary())
        if rank == 0 and time.time() - last_save > arguments.save_minutes * 60:
            save(output / "last.pt", model, average, optimiser, done, spent)
            log.write(done, spent)
            last_save = time.time()
    if rank == 0:
        save(output / "last.pt", model, average, optimiser, done, spent)
        log.write(done, spent)


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


def start_from(model: Mfn, state: dict[str, torch.Tensor]) -> None:
    """Take over the weights that still fit; say which are new."""
    own = model.state_dict()
    state = {key: widened(value, own[key]) for key, value in state.items() if key in own}
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    fresh = sorted({key.rsplit(".", 1)[0] for key in own.keys() - fitting.keys()})
    if fresh:
        print("starting anew:", ", ".join(fresh))
    model.load_state_dict(fitting, strict=False)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """A state dictionary that `write_weights` has written, in float32."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {k: v.float() if v.dtype == torch.float16 else v for k, v in state.items()}


def write_weights(state: dict[str, torch.Tensor], path: Path) -> None:
    """A state dictionary in float16: what is landed, and what the next training starts from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({k: v.half() if v.dtype == torch.float32 else v for k, v in state.items()}, path)


def save(
    path: Path, model: Mfn, average: dict, optimiser: torch.optim.Optimizer, done: int, spent: float
) -> None:
    """Written beside, then moved into place: a checkpoint is never half a file."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(),
            "average": average,
            "optimiser": optimiser.state_dict(),
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


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train MFN.")
    parser.add_argument("--photos", default="training/runs/photos.npz")
    parser.add_argument(
        "--rendered", nargs="*", default=[], help="folders with crops/, studies/, scenes/"
    )
    parser.add_argument("--photo-share", type=float, default=0.5)
    parser.add_argument("--size", type=int, nargs="+", default=[128, 128, 192, 320],
                        help="px of a scene's side; one is drawn for each batch")  # fmt: skip
    parser.add_argument("--batch", type=int, default=30)
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
