# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photographs are turned and how far, and the set that they are written to."""

from __future__ import annotations

import multiprocessing
import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mfn_addon.face import EXPRESSIONS
from training import photos
from training.bank import FaceBank, Rows
from training.colouring import is_grey
from training.fit import UNSEEN_BY_TEACHER
from training.turning.head import Look, turned_look
from training.turning.turner import Turner, content

CHUNK = 50
WORST_FIT = 0.011
"""Rms residual of the fit over the face's side. Turned aside, an error in depth shows."""
COLOUR_CHANCE = 4.0
"""How much more often a colour photograph is turned than a grey one: there are fewer."""
YAW, MOST_YAW = (15.0, 60.0), 78.0
"""Degrees: how far a face is turned, and how far it looks aside in all at most."""
PITCH = (15.0, 25.0)
NODDING = 0.4
"""How many also nod by `PITCH`; the others by a little."""
RIMLESS = 0.93
"""How many heads that fill their photograph are put before another background."""
HIDDEN_TRUST = 0.35
"""How far shapes of a face's far side are trusted in a full profile: who looks at one cannot see
them, but the near side's tell a little."""
KEYS = {"rotation": (3, 3), "centre": (2,), "scale": (), "identity": (40,), "expression": (52,)}


def draw_turn(rotation: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """How far to turn a head to the right and upwards, radians: on, where it looks aside already,
    so that the side that was seen stays in sight."""
    now = np.degrees(np.arcsin(np.clip(rotation[0, 2], -1, 1)))
    way = np.sign(now) if abs(now) > 6 else random.choice([-1.0, 1.0])
    yaw = min(random.uniform(*YAW), MOST_YAW - abs(now)) * way
    if random.random() < NODDING:
        pitch = random.uniform(*PITCH) * random.choice([-1.0, 1.0])
    else:
        pitch = random.normal(0, 5)
    nod = np.degrees(np.arcsin(np.clip(rotation[1, 2], -1, 1)))
    if abs(nod + pitch) > 35:
        pitch = -pitch
    return float(np.radians(yaw)), float(np.radians(pitch))


def streaked(picture: np.ndarray) -> bool:
    """Whether much of a crop lies beyond its photograph."""
    x0, y0, x1, y1 = content(picture)
    return (x1 - x0) * (y1 - y0) < 0.8 * picture.shape[0] ** 2


def cut(pictures: list[np.ndarray], side: int, random: np.random.Generator) -> np.ndarray:
    """(side, side, 3): a part of one of the pictures."""
    picture = pictures[random.integers(len(pictures))]
    size = int(min(picture.shape[:2]) * random.uniform(0.4, 1))
    y = random.integers(0, picture.shape[0] - size + 1)
    x = random.integers(0, picture.shape[1] - size + 1)
    return cv2.resize(picture[y : y + size, x : x + size], (side, side))


def look_of(labels: dict[str, np.ndarray], row: int) -> Look:
    weights = np.concatenate([labels["identity"][row], labels["expression"][row]])
    return Look(
        labels["rotation"][row].astype(np.float64),
        labels["centre"][row],
        float(labels["scale"][row]),
        weights.astype(np.float32),
    )


def choose(path: Path, count: int, seed: int) -> np.ndarray:
    """(count,) which photographs to turn: none that is held back, rarely a grey one."""
    crops = np.load(path.with_suffix(".crops.npy"), mmap_mode="r")
    with np.load(path) as data:
        rows = np.flatnonzero(~data["held_back"] & (data["error"] < WORST_FIT))
    chance = np.array([1.0 if is_grey(crops[row]) else COLOUR_CHANCE for row in rows])
    return np.random.default_rng(seed).choice(rows, count, p=chance / chance.sum())


@lru_cache(maxsize=1)
def backgrounds() -> list[np.ndarray]:
    data = photos.data_folder()
    return photos.read_backgrounds(data) if data else []


def work(job: tuple[Path, Path, int, int, int]) -> int:
    """Make the rows start..stop that are not there yet."""
    photographs, folder, seed, start, stop = job
    cv2.setNumThreads(1)
    crops = np.load(photographs.with_suffix(".crops.npy"), mmap_mode="r")
    with np.load(photographs) as data:
        labels = {key: data[key] for key in KEYS}
    source = np.load(folder / "source.npy")
    files = {key: np.load(folder / f"{key}.npy", mmap_mode="r+") for key in ("images", *KEYS)}
    turner = Turner(crops.shape[1])
    for i in range(start, stop):
        if np.isfinite(files["scale"][i]):
            continue
        random = np.random.default_rng([seed, i])
        row = int(source[i])
        look = look_of(labels, row)
        new = turned_look(look, *draw_turn(look.rotation, random))
        picture, behind = crops[row], None
        if random.random() < RIMLESS and streaked(picture) and backgrounds():
            behind = cut(backgrounds(), turner.side, random)
            behind = cv2.cvtColor(behind, cv2.COLOR_RGB2GRAY) if is_grey(picture) else behind
            behind = behind if behind.ndim == 3 else cv2.merge([behind] * 3)
        files["images"][i] = turner.turn(picture, look, new, behind)
        files["rotation"][i], files["centre"][i] = new.rotation, new.centre
        files["identity"][i] = labels["identity"][row]
        files["expression"][i] = labels["expression"][row]
        files["scale"][i] = new.scale  # last: it says that the row is there
    return stop - start


def generate(photographs: Path, output: Path, count: int, seed: int = 0, workers: int = 2) -> None:
    """Make a set, or go on with one; see the module's text for what is written."""
    output.mkdir(parents=True, exist_ok=True)
    side = np.load(photographs.with_suffix(".crops.npy"), mmap_mode="r").shape[1]
    shapes = {"images": ((count, side, side, 3), np.uint8)}
    shapes |= {key: ((count, *shape), np.float32) for key, shape in KEYS.items()}
    for key, (shape, kind) in shapes.items():
        path = output / f"{key}.npy"
        if not path.is_file() or np.load(path, mmap_mode="r").shape != shape:
            array = np.lib.format.open_memmap(path, "w+", kind, shape)
            if key == "scale":
                array[:] = np.nan
            array.flush()
    if not (output / "source.npy").is_file():
        np.save(output / "source.npy", choose(photographs, count, seed))
    # there are workers enough: their matrix products are not to start threads of their own
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    jobs = [(photographs, output, seed, i, min(i + CHUNK, count)) for i in range(0, count, CHUNK)]
    with tqdm(total=count, unit="picture", desc="turning", smoothing=0.05) as bar:
        if workers <= 1:
            for job in jobs:
                bar.update(work(job))
            return
        # Not forked: a fork takes over the locks of OpenCV's threads, and waits for ever.
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for done in pool.imap_unordered(work, jobs):
                bar.update(done)


def turned_bank(folder: Path) -> FaceBank:
    """The turned photographs that are there so far."""
    labels = {key: np.load(folder / f"{key}.npy") for key in KEYS}
    rows = np.flatnonzero(np.isfinite(labels["scale"]))
    trusted = np.array([0.08 if name in UNSEEN_BY_TEACHER else 1.0 for name in EXPRESSIONS])
    return FaceBank(
        crops=Rows(np.load(folder / "images.npy", mmap_mode="r"), rows),
        trusted=trusted.astype(np.float32),
        name="turned",
        hidden_trust=HIDDEN_TRUST,
        **{key: value[rows] for key, value in labels.items()},
    )
