# SPDX-License-Identifier: GPL-3.0-or-later
"""What the networks are fed: endless batches of composed scenes (MFN) or single faces (SFN)."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import IterableDataset

from training import photos
from training.bank import FaceBank, load_surface, photo_bank
from training.rendered import rendered_bank, rendered_scenes
from training.scenes import Composer, RenderedScenes, Scene
from training.sfn import SIDE as SFN_SIDE
from training.turning.stock import turned_bank

RENDERED_SHARES = {"crops": 0.15, "bystanders": 0.35, "studies": 0.5}
"""Of the rendered faces: how many come from each kind of set that `training.synthetic` makes."""
TURNED, TURNED_SHARE = "turned", 0.2
"""The folder beside the photographs that holds those which `training.turning` has turned aside, and
how many of the photographs shown come from there."""
TWIN_SHARE = 0.25
"""Of the batches: how many show each scene twice, as two cameras would. The second half of such a
batch has the faces of the first, in the same order."""
CLOSEUP_SHARE = 0.5
"""Of the close-ups: how many are photographs; the others are rendered studies, whose labels are
exact."""
CLOSEUP_BANKS = ("photo", "rendered studies")
NEAR_SIZES = ((32, 2), (64, 1), (64, 2), (96, 1), (96, 2), (128, 1), (128, 1), (128, 2), (160, 1),
              (192, 1), (256, 1))  # fmt: skip
"""Px of the regions from which close reading learns alone, as the trunk is shown them, and how many
times finer its patches see them."""
NEAR_CLEAR, NEAR_PHOTOS = 0.85, 0.25
"""How many of those faces are clear ones, as close-ups show; the others are covered, turned aside,
dressed or enlarged, as in scenes. And how many of the clear ones are photographs."""
CROP_CLEAR, CROP_PHOTOS = 0.6, 0.4
"""The same of the crops that SFN is fed."""
LABELS = ("rotation", "centre", "scale", "identity", "expression", "trusted")


class Scenes(IterableDataset):
    """Endless batches of scenes."""

    def __init__(self, arguments: argparse.Namespace, batch: int, start: int) -> None:
        self.arguments, self.batch = arguments, batch
        self.start = start  # steps done before: a resumed run sees other scenes

    def __iter__(self) -> Iterator[dict]:
        seed = own_seed(self.arguments, self.start)
        composer = make_composer(self.arguments, seed)
        smallest = min(self.arguments.size)
        closeups = Closeups(self.arguments, seed) if self.arguments.closeups else None
        while True:
            # Sizes alternate batch by batch, with about the same number of pixels in each.
            composer.size = int(composer.random.choice(self.arguments.size))
            count = max(2, round(self.batch * (smallest / composer.size) ** 2))
            if composer.random.random() < TWIN_SHARE:
                pairs = [composer.twins() for _ in range(count // 2)]
                scenes = [scene for side in zip(*pairs, strict=True) for scene in side]
                batch = collate(scenes, twins=True)
            else:
                batch = collate([composer.scene() for _ in range(count)])
            if closeups:
                batch["closeups"] = closeups.batch()
            yield batch


class Closeups:
    """Batches of single faces, large and mostly clear, that go beside a batch of scenes.

    In scenes most faces are small, covered or noisy, and few are rendered ones with exact weights:
    rare shapes are hardly learned there (docs/decisions/0017).
    """

    def __init__(
        self, arguments: argparse.Namespace, seed: tuple[int, ...], share: float = CLOSEUP_SHARE
    ) -> None:
        own = argparse.Namespace(**{**vars(arguments), "photo_share": share})
        self.count = arguments.closeups
        self.composer = make_composer(own, (*seed, 1))
        self.composer.size = SFN_SIDE
        plain = [bank.name in CLOSEUP_BANKS for bank in self.composer.banks]
        if any(plain):
            shares = self.composer.shares * plain
            self.composer.shares = shares / shares.sum()

    def batch(self) -> dict:
        return collate([scene for _ in range(self.count) for scene in self.composer.closeup()])

    def twins(self, count: int) -> dict:
        """A batch of so many faces, each through two cameras."""
        pairs = [self.composer.closeup(2) for _ in range(count)]
        return collate([scene for side in zip(*pairs, strict=True) for scene in side], twins=True)


class NearFaces(IterableDataset):
    """Endless batches of single faces of many sizes: what close reading alone is fed. Its trunk is
    to see each picture in `finer` times fewer pixels."""

    def __init__(self, arguments: argparse.Namespace, batch: int, start: int) -> None:
        self.arguments, self.batch, self.start = arguments, batch, start

    def __iter__(self) -> Iterator[dict]:
        seed = own_seed(self.arguments, self.start)
        share = self.arguments.clear_photos
        clear = Closeups(self.arguments, seed, NEAR_PHOTOS if share is None else share)
        anyhow = make_composer(self.arguments, seed)
        random = anyhow.random
        while True:
            size, finer = NEAR_SIZES[random.integers(len(NEAR_SIZES))]
            clear.composer.size = anyhow.size = size * finer
            if random.random() < TWIN_SHARE:
                batch = clear.twins(self.batch // 2)
            else:
                batch = collate(mixed(clear.composer, anyhow, self.batch, NEAR_CLEAR))
            yield batch | {"finer": finer}


class Again(Iterable):
    """Batches that each come several times, in any order within a window.

    Composing a face takes as long as learning from it; seen again some steps later, placed
    otherwise, it teaches nearly as much ("data echoing", Choi et al., 2019).

    Args:
        times: how often each comes, on average. window: how many are kept; a batch may be noted
            in what it is, until it leaves.
    """

    def __init__(self, batches: Iterator[dict], times: float, window: int, seed: int) -> None:
        self.batches, self.times, self.window = batches, times, window
        self.random = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[dict]:
        kept: list[dict] = []
        while True:
            if len(kept) < self.window or self.random.random() < 1 / self.times:
                kept = [*kept[-self.window + 1 :], next(self.batches)]
                yield kept[-1]
            else:
                yield kept[self.random.integers(len(kept))]


class Crops(IterableDataset):
    """Endless batches of single faces, each filling its region: what SFN is fed. Clear ones and
    others, as for close reading."""

    def __init__(self, arguments: argparse.Namespace, batch: int, start: int) -> None:
        self.arguments, self.batch, self.start = arguments, batch, start

    def __iter__(self) -> Iterator[dict]:
        seed = own_seed(self.arguments, self.start)
        share = self.arguments.clear_photos
        clear = Closeups(self.arguments, seed, CROP_PHOTOS if share is None else share).composer
        anyhow = make_composer(self.arguments, seed)
        clear.size = anyhow.size = SFN_SIDE
        while True:
            yield collate(mixed(clear, anyhow, self.batch, CROP_CLEAR))


def mixed(clear: Composer, anyhow: Composer, count: int, share: float) -> list[Scene]:
    """So many single faces, about this share of them clear ones."""
    return [
        clear.closeup()[0] if one else anyhow.crop() for one in anyhow.random.random(count) < share
    ]


def own_seed(arguments: argparse.Namespace, start: int) -> tuple[int, ...]:
    """The seed of the loader process that asks, which from now on keeps to one thread.

    Args:
        start: steps done before: a resumed run sees other pictures.
    """
    info = torch.utils.data.get_worker_info()
    torch.set_num_threads(1)
    return arguments.seed, start, info.id if info else 0


def make_composer(arguments: argparse.Namespace, seed: int | tuple[int, ...]) -> Composer:
    surface = load_surface()
    banks: list[FaceBank] = []
    shares: list[float] = []
    if arguments.photos and Path(arguments.photos).is_file():
        banks.append(photo_bank(Path(arguments.photos)))
        shares.append(arguments.photo_share)
        folder = Path(arguments.photos).parent / TURNED
        turned = turned_bank(folder) if (folder / "scale.npy").is_file() else None
        if turned:  # there, and not empty
            banks.append(turned)
            shares = [share * (1 - TURNED_SHARE) for share in shares]
            shares.append(arguments.photo_share * TURNED_SHARE)
    scenes: RenderedScenes | None = None
    away: FaceBank | None = None
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
        if (folder / "away").is_dir():
            away = rendered_bank(folder / "away")
    data = photos.data_folder()
    backgrounds = (
        photos.read_backgrounds(data)
        if data
        else [np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)]
    )
    return Composer(
        banks, shares, backgrounds, surface, min(arguments.size), seed, scenes, away=away
    )


def collate(scenes: list[Scene], twins: bool = False) -> dict:
    """Pictures (B, S, S, 3) uint8 and all faces in one row, with their picture's number; and
    whether the second half shows the first again."""
    counts = [len(scene.box) for scene in scenes]
    batch = {
        "pictures": torch.from_numpy(np.stack([scene.picture for scene in scenes])),
        "picture": torch.repeat_interleave(torch.arange(len(scenes)), torch.tensor(counts)),
        "box": torch.from_numpy(np.concatenate([scene.box for scene in scenes])),
        "ignore": torch.from_numpy(np.concatenate([scene.ignore for scene in scenes])),
        "twins": twins,
    }
    for key in LABELS:
        values = np.concatenate([getattr(scene, key) for scene in scenes])
        batch[key] = torch.from_numpy(values.astype(np.float32))
    return batch


def expression_deviation(composer: Composer) -> np.ndarray:
    """(52,) spread of each expression as faces are drawn from the banks, with a floor."""
    total = np.zeros(52)
    for bank, share in zip(composer.banks, composer.shares, strict=True):
        step = max(1, len(bank) // 5000)
        some, chance = np.asarray(bank.expression[::step], np.float64), bank.chance[::step, None]
        mean = (some * chance).sum(0) / chance.sum()
        total += share * ((some - mean) ** 2 * chance).sum(0) / chance.sum()
    return np.maximum(np.sqrt(total), 0.06).astype(np.float32)
