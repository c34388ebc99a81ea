# SPDX-License-Identifier: GPL-3.0-or-later
"""Make synthetic training pictures.

    python -m training.synthetic --kind KIND --count N --size S --seed K --output PATH

KIND is scenes (0 to 6 people), crops (one face, in pictures as bad as they come), bystanders (one
face that looks elsewhere, often under a hat or behind sunglasses), away (one head from behind) or
studies (one face, seen well, showing few or many shapes). PATH is a folder of .npy arrays, or one
.npz file where it ends so. With n pictures and m faces a picture at most (6 for scenes, else 1),
rows without a face being NaN:

    images      (n, h, w, 3) uint8 RGB
    box         (n, m, 4) px x0 y0 x1 y1: extent of the 468 face surface points, not clipped
    rotation    (n, m, 3, 3) head axes as columns in the true camera's frame
    translation (n, m, 3) metres in the true camera's frame
    focal       (n, m) px, the true camera's; its principal point is the picture's middle
    landmarks   (n, m, 68, 2) px
    identity    (n, m, 40), expression (n, m, 52) weights
    visible     (n, m) 0..1, share of the face's surface that is turned to the camera, inside the
                picture and not covered by others

Picture i depends on the seed and i alone, not on the number of workers.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mfn_addon.face import IDENTITY_COUNT, LANDMARK_COUNT
from mfn_addon.face.names import EXPRESSIONS
from training.photos import data_folder

from .scene import MAX_FACES, Studio, pack

CHUNK = 50
LEAST_SIDE = 64
"""Px. Heads, props and shadows are drawn in whole pixels, and smaller pictures have no room."""
KINDS = {
    "scenes": "scene", "crops": "crop", "bystanders": "bystander", "away": "away",
    "studies": "study",
}  # fmt: skip
"""What can be made, and the method of `Studio` that makes one picture of it."""

SIDES = {"scenes": 256, "crops": 128, "bystanders": 128, "away": 128, "studies": 192}
"""Px of a picture's side, unless another is asked for."""


def arrays(kind: str, count: int, width: int, height: int) -> dict[str, tuple[tuple, type]]:
    """Shape and type of each array of a set."""
    faces = MAX_FACES if kind == "scenes" else 1
    shapes = {
        "box": (4,), "rotation": (3, 3), "translation": (3,), "focal": (), "visible": (),
        "landmarks": (LANDMARK_COUNT, 2), "identity": (IDENTITY_COUNT,),
        "expression": (len(EXPRESSIONS),),
    }  # fmt: skip
    out: dict[str, tuple[tuple, type]] = {"images": ((count, height, width, 3), np.uint8)}
    out.update({key: ((count, faces, *shape), np.float32) for key, shape in shapes.items()})
    return out


def work(job: tuple) -> int:
    """Fill rows start..stop of the arrays in a folder."""
    folder, kind, seed, start, stop, width, height, backgrounds, samples = job
    studio = _studio(width, height, backgrounds, samples)
    files = {path.stem: np.load(path, mmap_mode="r+") for path in Path(folder).glob("*.npy")}
    faces = files["box"].shape[1]
    make = getattr(studio, KINDS[kind])
    for i in range(start, stop):
        image, focal, truths = make(np.random.default_rng([seed, i]))
        files["images"][i] = image
        for key, value in pack(truths, focal, faces).items():
            files[key][i] = value
    return stop - start


_STUDIOS: dict[tuple, Studio] = {}


def _studio(width: int, height: int, backgrounds: Path | None, samples: Path | None) -> Studio:
    key = (width, height, backgrounds, samples)
    if key not in _STUDIOS:
        _STUDIOS[key] = Studio(width, height, backgrounds, samples)
    return _STUDIOS[key]


def generate(
    kind: str, count: int, width: int, height: int, seed: int, output: Path, workers: int = 2,
    backgrounds: Path | None = None, samples: Path | None = None,
) -> None:  # fmt: skip
    """Make a set; see the module's text for what is written.

    Raises:
        ValueError: `kind` is none of `KINDS`, or a side is below `LEAST_SIDE`.
    """
    check(kind, width, height)
    packed = output.suffix == ".npz"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) if packed else output
        folder.mkdir(parents=True, exist_ok=True)
        for key, (shape, dtype) in arrays(kind, count, width, height).items():
            np.lib.format.open_memmap(folder / f"{key}.npy", "w+", dtype, shape).flush()
        jobs = [
            (folder, kind, seed, i, min(i + CHUNK, count), width, height, backgrounds, samples)
            for i in range(0, count, CHUNK)
        ]
        with tqdm(total=count, unit="picture", desc=kind, smoothing=0.05) as bar:
            if workers <= 1:
                for job in jobs:
                    bar.update(work(job))
            else:
                # Not forked: a fork takes over the locks of OpenCV's threads, and waits for ever.
                with multiprocessing.get_context("spawn").Pool(workers) as pool:
                    for done in pool.imap_unordered(work, jobs):
                        bar.update(done)
        if packed:
            output.parent.mkdir(parents=True, exist_ok=True)
            np.savez(output, **{path.stem: np.load(path) for path in folder.glob("*.npy")})


def check(kind: str, width: int, height: int) -> None:
    """Raises ValueError where `generate` would, before anything is made."""
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    if min(width, height) < LEAST_SIDE:
        raise ValueError(f"{width} x {height} px: a picture needs {LEAST_SIDE} px a side")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=tuple(KINDS), required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--size", type=int, help=f"px (default: {SIDES})")
    parser.add_argument("--height", type=int, default=None, help="px, where not square")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, help="a folder, or a file FILE.npz")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--backgrounds",
        type=Path,
        help="tar of photographs without faces (default: the development data's, if present)",
    )
    parser.add_argument(
        "--samples",
        type=Path,
        help="array file of real faces' blendshape scores (default: as above)",
    )
    arguments = parser.parse_args()
    data = data_folder()
    if data is not None:  # the development data makes faces livelier; nothing depends on it
        arguments.backgrounds = arguments.backgrounds or data / "backgrounds" / "backgrounds.tar"
        arguments.samples = arguments.samples or data / "photos" / "expression_samples.npy"
    size = arguments.size or SIDES[arguments.kind]
    height = arguments.height or size
    try:
        check(arguments.kind, size, height)
    except ValueError as error:
        parser.error(str(error))
    generate(
        arguments.kind, arguments.count, size, height, arguments.seed,
        arguments.output, arguments.workers, arguments.backgrounds, arguments.samples,
    )  # fmt: skip
