# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole training, from data to the networks in `models/`: what `make train` runs.

    python -m training [--sfn-minutes 80] [--minutes 150] [--light-minutes 100]

Each stage is skipped where its result is there already, so a stopped run goes on where it was:

1. `training.fit`: 3DMM labels for the photographs of the development data, if there are any;
2. `training.turning`: these photographs again, seen from the side;
3. `training.synthetic`: rendered crops, bystanders, studies and scenes with exact labels;
4. `training.train`: SFN, from the last checkpoint, else from the landed weights, else from nothing;
5. `training.export_sfn`: models/sfn.onnx, and the weights that the next training starts from;
6. the same for MFN; where it has no weights yet, it starts from SFN's;
7. the same for the light MFN, from the weights that `training.thinning` once made of MFN's
   (docs/decisions/0012).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import torch

from training import photos

WORK = Path("training/runs")
LANDED = Path("training/weights")
TURNED = 15_000
CROPS, CROP_SIZE = 40_000, 128
BYSTANDERS, AWAY = 16_000, 6_000  # as large as crops
STUDIES, STUDY_SIZE = 40_000, 192
SCENES, SCENE_SIZE = 12_000, 256
OPTIONS = {
    "sfn": ("--batch", "20", "--rate", "1e-3"),
    "mfn": ("--photo-share", "0.62", "--size", "128", "192", "320", "--rate", "1e-3"),
    "mfn_light": ("--thin", "--photo-share", "0.55", "--rate", "1e-3"),
}
"""Of training, for each network: rates that suit weights which have learned already."""


def run(*words: str) -> None:
    """One stage in a process of its own, so that its memory is given back."""
    print("+", *words, flush=True)
    subprocess.run([sys.executable, "-m", *words], check=True)


def render(kind: str, count: int, size: int) -> None:
    folder = WORK / "rendered" / kind
    done = folder / "done"
    if not done.is_file():
        run("training.synthetic", "--kind", kind, "--count", str(count), "--size", str(size),
            "--output", str(folder), "--workers", str(os.cpu_count() or 1))  # fmt: skip
        done.touch()


def turn_aside(fitted: Path, count: int) -> None:
    """Photographs seen from the side; they are found beside those they are made from."""
    folder = fitted.parent / "turned"
    done = folder / "done"
    if not done.is_file():
        run("training.turning", "--photos", str(fitted), "--count", str(count),
            "--output", str(folder), "--workers", str(os.cpu_count() or 1))  # fmt: skip
        done.touch()


def unfinished(checkpoint: Path, minutes: float) -> bool:
    """Whether there is a run to go on with; one that has had its time has been landed."""
    if not checkpoint.is_file():
        return False
    return torch.load(checkpoint, map_location="cpu", weights_only=True)["spent"] < minutes * 60


def learn(network: str, minutes: float, fitted: Path) -> None:
    """Train a network of `OPTIONS` for so long and export it."""
    output, landed = WORK / network, LANDED / f"{network}.pt"
    last, kind = output / "last.pt", network.partition("_")[0]
    words = ["training.train", "--network", kind, "--rendered", str(WORK / "rendered"),
             "--photos", str(fitted), "--minutes", str(minutes), "--output", str(output),
             *OPTIONS[network]]  # fmt: skip
    if not fitted.is_file():
        words += ["--photo-share", "0"]
    if not torch.cuda.is_available():  # two processes of one thread: see `training.train.share`
        words += ["--threads", "1", "--processes", str(min(os.cpu_count() or 1, 2))]
    start = landed if landed.is_file() else LANDED / "sfn.pt"  # alike but for finding
    words += ["--resume", str(last)] if unfinished(last, minutes) else ["--init", str(start)]
    run(*words)
    export = "training.export" if kind == "mfn" else f"training.export_{kind}"
    run(export, str(last), "--output", f"models/{network}.onnx", "--weights", str(landed))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the data, train the networks, export them.")
    parser.add_argument("--sfn-minutes", type=float, default=80, help="of training SFN; 0: none")
    parser.add_argument("--minutes", type=float, default=150, help="of training MFN")
    parser.add_argument("--light-minutes", type=float, default=100, help="of the light MFN")
    parser.add_argument("--turned", type=int, default=TURNED, help="photographs turned aside")
    parser.add_argument("--crops", type=int, default=CROPS)
    parser.add_argument("--bystanders", type=int, default=BYSTANDERS)
    parser.add_argument("--away", type=int, default=AWAY)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--scenes", type=int, default=SCENES)
    arguments = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    fitted = WORK / "photos.npz"
    if photos.data_folder() is None:
        print("no development data ($MFN_DATA): training on rendered faces alone", file=sys.stderr)
    elif not fitted.is_file():
        run("training.fit", "--output", str(fitted))
    if fitted.is_file() and arguments.turned:
        turn_aside(fitted, arguments.turned)
    render("crops", arguments.crops, CROP_SIZE)
    render("bystanders", arguments.bystanders, CROP_SIZE)
    render("away", arguments.away, CROP_SIZE)
    render("studies", arguments.studies, STUDY_SIZE)
    render("scenes", arguments.scenes, SCENE_SIZE)
    if arguments.sfn_minutes:
        learn("sfn", arguments.sfn_minutes, fitted)
    learn("mfn", arguments.minutes, fitted)
    if arguments.light_minutes:
        learn("mfn_light", arguments.light_minutes, fitted)


if __name__ == "__main__":
    main()
