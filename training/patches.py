# SPDX-License-Identifier: GPL-3.0-or-later
"""Teach the patches of faces, eyes, mouths and brows alone, on squares cut out of faces beforehand.

    python -m training.patches CHECKPOINT --output OUT.pt --rendered ... --photos ... --minutes 22

All that a patch is given is a square of the picture and where its marks have been guessed, so a
network reads many faces once (`collect`), and the squares are shown again and again, each time
placed by another guess (`learn`): a dozen times as many faces a second as close reading as a whole
sees (docs/decisions/0024). A run that is stopped goes on with the patch that it was at. Close
reading has to go on afterwards, for it hears the patches.
"""

from __future__ import annotations

import argparse
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.format import open_memmap
from torch import nn
from tqdm import tqdm

from mfn_addon.face import EXPRESSIONS
from training import train
from training.feeding import LABELS, NearFaces
from training.layers import CONTRAST, GREY, normalised
from training.look import project
from training.losses import CLOSE_LOSSES, PATCH_SPREAD, map_loss
from training.marks import (
    EYE_CELLS,
    EYE_SHAPES,
    FACE_CELLS,
    FACE_SAMPLES,
    GLABELLA,
    GLABELLA_CELLS,
    GLABELLA_SAMPLES,
    LEFT_EYE,
    MARKS,
    MOUTH,
    MOUTH_CELLS,
    PATCH_SAMPLES,
    RIGHT_EYE,
    Patch,
)
from training.model import Mfn
from training.optimiser import Optimiser
from training.running import (
    fast_bf16,
    follow,
    learning_rate,
    read_weights,
    save,
    start_from,
)
from training.sampling import read_regions
from training.tasks import pixels, whole

REACH = 7
"""Samples that a kept square has more than a patch on each side: guesses err by so much."""
EXPRESSION_SHARE = 10.0
OWN_GUESS = 0.5
"""How often a square is placed by the guess of its own face, and not by another's."""


@dataclass(frozen=True)
class Part:
    """A kind of square: which marks it has, the patch's cells and how many of them a region has,
    which shapes it tells, and whether it is shown mirrored."""

    name: str
    rows: tuple[int, ...]
    cells: int
    samples: int
    shapes: tuple[int, ...]
    mirrored: bool = False


def eye(side: str) -> tuple[int, ...]:
    return tuple(EXPRESSIONS.index(name + side) for name in EYE_SHAPES)


EVERY = tuple(range(len(EXPRESSIONS)))
FOLDING = tuple(
    number
    for number, name in enumerate(EXPRESSIONS)
    if name.startswith(("brow", "noseSneer", "eyeSquint", "eyeWide", "cheekSquint"))
)
"""What moves the skin between the brows, above and below."""
PARTS = (
    Part("face", tuple(range(MARKS)), FACE_CELLS, FACE_SAMPLES, EVERY),
    Part("right", RIGHT_EYE, EYE_CELLS, PATCH_SAMPLES, eye("Right"), mirrored=True),
    Part("left", LEFT_EYE, EYE_CELLS, PATCH_SAMPLES, eye("Left")),
    Part("mouth", MOUTH, MOUTH_CELLS, PATCH_SAMPLES, EVERY),
    Part("glabella", GLABELLA, GLABELLA_CELLS, GLABELLA_SAMPLES, FOLDING),
)
LEARN_BY = {"face": (0,), "eye": (1, 2), "mouth": (3,), "glabella": (4,)}
"""The patches of `training.marks.Details`, and by which of PARTS each learns; the face's comes
first, for it places the others."""


@dataclass(frozen=True)
class Squares:
    """One part of N faces; places in units of the region's side, from its middle.

    Attributes:
        pictures: (N, S, S, 3) uint8, S = the patch's cells + 2 REACH. middle: (N, 2) of them.
        truth, guess: (N, marks, 2). expression: (N, shapes); trusted: how far it is to be believed.
    """

    part: Part
    pictures: np.ndarray
    middle: np.ndarray
    truth: np.ndarray
    guess: np.ndarray
    expression: np.ndarray
    trusted: np.ndarray

    def shown(
        self, rows: np.ndarray, guessed_as: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Squares (R, 3, cells, cells) as a patch is given them, the marks' true places and the
        guessed ones, both (R, marks, 2) in units of the patch.

        Args:
            rows: which faces. guessed_as: whose guess places each: it errs as that one does.
        """
        cells, samples = self.part.cells, self.part.samples
        truth = self.truth[rows]
        guess = truth + self.guess[guessed_as] - self.truth[guessed_as]
        away = np.round((guess.mean(1) - self.middle[rows]) * samples)
        corner = np.clip(away + REACH, 0, 2 * REACH).astype(int)
        pictures = np.stack([
            self.pictures[i, y : y + cells, x : x + cells]
            for i, (x, y) in zip(rows, corner, strict=True)
        ])  # fmt: skip
        middle = (self.middle[rows] + (corner - REACH) / samples)[:, None]
        truth, guess = ((places - middle) * (samples / cells) for places in (truth, guess))
        if self.part.mirrored:
            pictures = pictures[:, :, ::-1]
            truth, guess = truth * [-1, 1], guess * [-1, 1]
        seen = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()
        return (
            normalised(seen).contiguous(memory_format=torch.channels_last),
            torch.from_numpy(truth.astype(np.float32)),
            torch.from_numpy(guess.astype(np.float32)),
        )


def opened(folder: Path, faces: int = 0) -> list[Squares]:
    """The squares of PARTS in files of a folder, with room for so many faces, or as they are."""

    def array(name: str, *shape: int, kind: type = np.float32) -> np.ndarray:
        path = folder / f"{name}.npy"
        return open_memmap(path, "w+", kind, (faces, *shape)) if faces else open_memmap(path, "r+")

    kept = []
    for part in PARTS:
        side, count = part.cells + 2 * REACH, len(part.rows)
        sizes = {"middle": (2,), "truth": (count, 2), "guess": (count, 2)}
        sizes |= {"expression": (len(part.shapes),), "trusted": (len(part.shapes),)}
        kept.append(Squares(
            part, array(f"{part.name} pictures", side, side, 3, kind=np.uint8),
            **{key: array(f"{part.name} {key}", *shape) for key, shape in sizes.items()},
        ))  # fmt: skip
    return kept


@torch.no_grad()
def collect(model: Mfn, arguments: argparse.Namespace, faces: int, folder: Path) -> list[Squares]:
    """The squares of so many faces, as close reading is fed them, kept in files of the folder.

    Args:
        arguments: of `training.train`: which faces, and how many at once.
    """
    kept = opened(folder, faces)
    model.eval()
    on_head = model.regions.refine  # where the marks lie there
    done = 0
    bar = tqdm(desc="cutting squares", total=faces, unit="face", disable=None)
    for batch in NearFaces(arguments, arguments.batch, 0):
        pictures = pixels(batch, torch.device("cpu"))
        regions = whole(pictures, 1.0)
        size = torch.tensor([float(pictures.shape[3])] * 2)
        maps, pyramid = model.features(pictures)
        survey = model.regions.survey(maps, pyramid[0], regions, size)
        guess = model.regions.near(maps, regions, size, survey)[3].guess
        rotation, centre, scale, identity, expression, trusted = (batch[key] for key in LABELS)
        weights = torch.cat([identity, expression], 1)
        truth = project(on_head.neutral, on_head.basis, rotation, centre, scale, weights)
        truth = (truth - regions[:, None, 1:3]) / regions[:, None, 3:]
        some = min(len(pictures), faces - done)
        for squares in kept:
            part, side = squares.part, squares.pictures.shape[1]
            middle = truth[:, list(part.rows)].mean(1)
            at = torch.cat(
                [regions[:, :1], regions[:, 1:3] + middle * regions[:, 3:],
                 regions[:, 3:] * (side / part.samples)], 1,
            )  # fmt: skip
            cut = read_regions(maps[0], at, size, side, 1.0) * CONTRAST + GREY
            new = {
                "pictures": cut.round().clamp(0, 255).byte().permute(0, 2, 3, 1),
                "middle": middle,
                "truth": truth[:, list(part.rows)],
                "guess": guess[:, list(part.rows)],
                "expression": expression[:, list(part.shapes)],
                "trusted": trusted[:, list(part.shapes)],
            }
            for key, values in new.items():
                getattr(squares, key)[done : done + some] = values[:some].numpy()
        done += some
        bar.update(some)
        if done >= faces:
            return kept
    raise AssertionError  # there is no end of faces


@torch.no_grad()
def placed_by(patch: Patch, faces: Squares, others: list[Squares], batch: int = 256) -> None:
    """Let other squares be guessed as the patch of the face marks them: it looks before they do."""
    patch.eval()
    samples = faces.part.samples
    for begin in tqdm(range(0, len(faces.truth), batch), desc="placing", disable=None):
        rows = np.arange(begin, min(begin + batch, len(faces.truth)))
        pictures, truth, guess = faces.shown(rows, rows)
        places = patch(pictures, guess)[1]
        off = (places - truth).numpy() * (faces.part.cells / samples)
        for squares in others:
            own = list(squares.part.rows)
            squares.guess[rows] = faces.truth[rows][:, own] + off[:, own]


def learn(
    patch: Patch,
    kept: list[Squares],
    minutes: float,
    batch: int,
    rate: float,
    *,
    steps: int | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """Teach a patch; it ends as the running average of its weights.

    Args:
        kept: all that it sees, eyes of both sides for instance. steps: instead of minutes.

    Returns:
        Means of the last hundred steps: "marks", the places' error over the region's side, and
        "expression", in deviations.
    """
    random = np.random.default_rng(seed)
    shapes = len(kept[0].part.shapes)
    # It is not kept: with it, the features are of use to what hears them from the start.
    tells = nn.Linear(patch.features, shapes)
    both = nn.ModuleList([patch, tells]).train()
    deviation = np.maximum(np.concatenate([s.expression for s in kept]).std(0), 0.06)
    optimiser = Optimiser(both)
    average = {key: value.clone() for key, value in both.state_dict().items()}
    recent: list[tuple[float, float]] = []
    begun, done = time.time(), 0
    bar = tqdm(desc="learning", unit="step", disable=None)
    while (progress := done / steps if steps else (time.time() - begun) / 60 / minutes) < 1:
        optimiser.set_rate(learning_rate(progress, rate))
        squares = kept[random.integers(len(kept))]
        rows = random.choice(len(squares.truth), batch)
        other = random.choice(len(squares.truth), batch)
        own = random.random() < OWN_GUESS
        pictures, truth, guess = squares.shown(rows, rows if own else other)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast_bf16(torch.device("cpu"))):
            felt, places, maps = patch(pictures, guess)
            told = tells(felt)
        side = squares.part.cells / squares.part.samples
        off = (places.float() - truth).abs().sum(2).mean() * side
        wanted = torch.from_numpy(squares.expression[rows] / deviation).float()
        trusted = torch.from_numpy(squares.trusted[rows])
        wrong = F.smooth_l1_loss(told.float(), wanted, reduction="none", beta=5.0)
        wrong = (wrong * trusted).sum() / trusted.sum()
        heat = map_loss(maps.float(), truth, patch.grid, PATCH_SPREAD).mean()
        loss = CLOSE_LOSSES["finer"] * off + CLOSE_LOSSES["maps"] * heat + EXPRESSION_SHARE * wrong
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 10.0)
        optimiser.step()
        done += 1
        follow(average, both, done)
        recent = [*recent[-99:], (float(off.detach()), float(wrong.detach()))]
        bar.update()
        if done % 50 == 0:
            bar.set_postfix_str(str(np.mean(recent, 0).round(4)))
    both.load_state_dict(average)
    both.eval()
    return dict(zip(("marks", "expression"), np.mean(recent, 0).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="or weights: of the network that guesses")
    parser.add_argument("--output", type=Path, required=True, help="a checkpoint to go on from")
    parser.add_argument("--photos", default="training/runs/photos.npz")
    parser.add_argument("--rendered", nargs="*", default=[])
    parser.add_argument("--photo-share", type=float, default=0.65)
    parser.add_argument("--faces", type=int, default=100_000, help="70 kB each while it runs")
    parser.add_argument("--only", nargs="+", choices=tuple(LEARN_BY), default=tuple(LEARN_BY),
                        help="the patches that learn")  # fmt: skip
    parser.add_argument("--minutes", type=float, default=22, help="of each patch")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    fed = train.parse(
        ["--photos", arguments.photos, "--photo-share", str(arguments.photo_share), "--batch", "24",
         "--seed", str(arguments.seed), "--rendered", *arguments.rendered]
    )  # fmt: skip
    torch.manual_seed(arguments.seed)
    model = Mfn()
    start_from(model, read_weights(arguments.checkpoint))
    details = model.regions.details
    # What is there already of a run that was stopped is taken as it is.
    folder = arguments.output.with_suffix(".squares")
    if (folder / "done").is_file():
        kept = opened(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        kept = collect(model, fed, arguments.faces, folder)
        (folder / "done").touch()
    for name, parts in LEARN_BY.items():
        patch = details.get_submodule(name).to(memory_format=torch.channels_last)
        learned = folder / f"{name}.pt"
        if learned.is_file():
            patch.load_state_dict(torch.load(learned, weights_only=True))
        elif name in arguments.only:
            seen = [kept[part] for part in parts]
            ends = learn(patch, seen, arguments.minutes, arguments.batch, arguments.rate)
            print(name, ", ".join(f"{key} {value:.4f}" for key, value in ends.items()))
            part = learned.with_suffix(".part")
            torch.save(patch.state_dict(), part)
            part.replace(learned)
        if name == "face":
            placed_by(patch, kept[0], kept[1:])
    save(arguments.output, model, model.state_dict(), [], 0, 0.0)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
