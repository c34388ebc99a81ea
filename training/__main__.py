# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole training, from data to the networks in `models/`: what `make train` runs.

    python -m training [--sfn-minutes 80] [--minutes 150] [--find-minutes 30]
        [--verify-minutes 20] [--patch-minutes 30] [--close-minutes 20] [--together-minutes 45]
        [--last-minutes 11] [--light-minutes 60]

Each stage is skipped where its result is there already, so a stopped run goes on where it was (what
teaches the patches, with the patch that it was at):

1. `training.fit`: 3DMM labels for the photographs of the development data, if there are any;
2. `training.relabel`: these labels drawn towards what the landed SFN reads, if there is one;
3. `training.turning`: these photographs again, seen from the side;
4. `training.synthetic`: rendered crops, bystanders, studies and scenes with exact labels;
5. `training.patches`: the patches of face, eyes, mouth and brows, which both networks have and
   leave as they are until their last stretch (docs/decisions/0024, 0025 and 0029); without landed
   weights, which guess where to look, they come after MFN;
6. `training.train`: SFN, where there is none yet; then with its patches at a low rate, last mostly
   on photographs;
7. `training.export_sfn`: models/sfn.onnx, and its weights;
8. the same for MFN, from the last checkpoint, else from the landed weights, else from SFN's; before
   it is exported, finding, its second look and its close reading learn alone (docs/decisions/0021,
   0022 and 0027), and close reading together with its patches, last mostly on photographs (0029);
   with `training.halfway` these stretches end between what was there before and what they have
   become (0031 and 0033);
9. `training.export_sfn` again: SFN becomes what MFN's layers make of a crop (0033);
10. the light MFN, which finds faces as that MFN does: its close reading learns on, or from what
    `training.thinning` makes of MFN's (docs/decisions/0012 and 0027), last mostly on photographs;
11. `training.amplitude`: what each network's readings lack, into its file (docs/decisions/0028).
"""

from __future__ import annotations

import argparse
import ctypes.util
import os
import subprocess
import sys
from collections.abc import Mapping
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
    "find": ("--photo-share", "0.65", "--size", "192", "320", "448", "--batch", "20",
             "--rate", "1e-3"),
    "verify": ("--photo-share", "0.65", "--size", "128", "192", "320", "--batch", "20",
               "--rate", "1e-3"),
    "close": ("--photo-share", "0.65", "--batch", "24", "--rate", "1e-3", "--times", "2.5"),
    "together": ("--photo-share", "0.55", "--clear-photos", "0.2", "--batch", "40",
                 "--rate", "1e-3", "--times", "2.5"),
    "last": ("--photo-share", "0.65", "--clear-photos", "0.75", "--batch", "40",
             "--rate", "3.5e-4", "--times", "2"),
    "sfn_together": ("--batch", "20", "--rate", "5e-4"),
    "sfn_last": ("--photo-share", "0.65", "--clear-photos", "0.7", "--batch", "28",
                 "--rate", "3e-4"),
    "mfn_light": ("--thin", "--photo-share", "0.62", "--batch", "40", "--rate", "1e-3",
                  "--times", "2.5"),
    "light_last": ("--thin", "--photo-share", "0.65", "--clear-photos", "0.6", "--batch", "40",
                   "--rate", "3.5e-4", "--times", "2"),
}  # fmt: skip
"""Of training, for each network: rates that suit weights which have learned already."""
HALF, MOST = 0.5, 0.75
"""How far on the way from the weights that they began with last stretches end: on photographs; and
before those, where weights have learned for long already."""
TOGETHER = {"together": "close", "last": "close", "sfn_together": "sfn", "sfn_last": "sfn"}
"""Last stretches in which patches learn too, with all that hears them; and whose task each has."""


def run(*words: str) -> None:
    """One stage in a process of its own, so that its memory is given back."""
    print("+", *words, flush=True)
    subprocess.run([sys.executable, "-m", *words], check=True, env=quicker(os.environ))


def quicker(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which PyTorch learns a fifth faster (docs/decisions/0021).

    Batches differ in their number of faces, so that oneDNN is asked for thousands of convolutions:
    it forgets all but 1,024 unless told otherwise, and makes them anew. glibc's allocator takes a
    sixth of a step on such batches; jemalloc, where the system has it, hardly any.
    """
    own = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "30000"} | dict(environment)
    allocator = ctypes.util.find_library("jemalloc")
    if allocator and "LD_PRELOAD" not in own:
        own["LD_PRELOAD"] = allocator
        own.setdefault("MALLOC_CONF", "narenas:2,dirty_decay_ms:30000,muzzy_decay_ms:-1")
    return own


def render(kind: str, count: int, size: int) -> None:
    folder = WORK / "rendered" / kind
    done = folder / "done"
    if not done.is_file():
        run("training.synthetic", "--kind", kind, "--count", str(count), "--size", str(size),
            "--output", str(folder), "--workers", str(os.cpu_count() or 1))  # fmt: skip
        done.touch()


def relabelled(fitted: Path) -> Path:
    """The photographs with labels nearer than the fits, if there is an SFN to give them."""
    sfn, output = LANDED / "sfn.pt", fitted.with_name("relabelled.npz")
    if sfn.is_file() and not output.is_file():
        words = ("--photos", str(fitted), "--output", str(output))
        run("training.relabel", str(sfn), *words)
    return output if output.is_file() else fitted


def turn_aside(fitted: Path, count: int) -> None:
    """Photographs seen from the side; they are found beside those they are made from."""
    folder = fitted.parent / "turned"
    done = folder / "done"
    if not done.is_file():
        run("training.turning", "--photos", str(fitted), "--count", str(count),
            "--output", str(folder), "--workers", str(os.cpu_count() or 1))  # fmt: skip
        done.touch()


def unfinished(checkpoint: Path) -> bool:
    """Whether there is a run to go on with: one that has not been landed since."""
    landed = checkpoint.with_name("landed")
    if not checkpoint.is_file():
        return False
    return not landed.is_file() or landed.stat().st_mtime < checkpoint.stat().st_mtime


def learn(
    network: str, minutes: float, fitted: Path, learned: Path | None = None, **parts: float
) -> Path:
    """Train a network of `OPTIONS` for so long, then its parts alone for so long each, export it,
    and return the checkpoint that was exported.

    Args:
        learned: a checkpoint with patches that are taken over and stay, if there are any yet.
    """
    landed, kind = LANDED / f"{network}.pt", network.partition("_")[0]
    start = landed if landed.is_file() else LANDED / "sfn.pt"  # alike but for finding
    runs = [train(kind, network, minutes, fitted, learned, "--init", str(start))]
    made = runs[0]
    for part, own_minutes in parts.items():
        if not own_minutes:
            continue
        before = made
        if part == "patches":
            made = learned = patches(before, own_minutes, fitted)
        else:
            task, stay = TOGETHER.get(part, part), None if part in TOGETHER else learned
            words = ("--resume", str(before), "--restart")
            made = train(task, part, own_minutes, fitted, stay, *words)
        runs.append(made)
        if part.endswith("last"):
            made = between(before, made, HALF)
        elif part == "together" and landed.is_file():
            made = between(before, made, MOST)  # of one trunk: it did not learn in between
    export = "training.export" if kind == "mfn" else f"training.export_{kind}"
    run(export, str(made), "--output", f"models/{network}.onnx", "--weights", str(landed))
    for checkpoint in runs:
        checkpoint.with_name("landed").touch()
    return made


def between(before: Path, after: Path, share: float) -> Path:
    """A checkpoint so far on the way from one to another."""
    output = after.with_name("between.pt")
    words = (str(before), str(after), "--share", str(share), "--output", str(output))
    run("training.halfway", *words)
    return output


def learn_light(minutes: float, last_minutes: float, fitted: Path) -> None:
    """Make the light MFN of the landed one, train its close reading, last on more photographs, and
    export it."""
    landed, start = LANDED / "mfn_light.pt", WORK / "mfn_light" / "start.pt"
    start.parent.mkdir(parents=True, exist_ok=True)
    if not unfinished(start.with_name("last.pt")):
        words = ("--near", str(landed)) if landed.is_file() else ()
        run("training.thinning", str(LANDED / "mfn.pt"), "--output", str(start), "--photos",
            str(fitted), "--rendered", str(WORK / "rendered"), *words)  # fmt: skip
    runs = [train("close", "mfn_light", minutes, fitted, None, "--init", str(start))]
    made = between(start, runs[0], MOST) if landed.is_file() else runs[0]
    if last_minutes:
        words = ("--resume", str(made), "--restart")
        runs.append(train("close", "light_last", last_minutes, fitted, None, *words))
        made = between(made, runs[-1], HALF)
    words = ("--output", "models/mfn_light.onnx", "--weights", str(landed))
    run("training.export", str(made), *words)
    for checkpoint in runs:
        checkpoint.with_name("landed").touch()


def patches(checkpoint: Path, minutes: float, fitted: Path) -> Path:
    """Teach the patches of a network and return the checkpoint with them."""
    output = WORK / "patches" / "last.pt"
    output.parent.mkdir(parents=True, exist_ok=True)
    if not unfinished(output):
        run("training.patches", str(checkpoint), "--output", str(output), "--minutes", str(minutes),
            "--photos", str(fitted), "--rendered", str(WORK / "rendered"))  # fmt: skip
    return output


def train(
    kind: str, options: str, minutes: float, fitted: Path, learned: Path | None, *start: str
) -> Path:
    """Train what `training.tasks` calls `kind`, or go on with it, and return its checkpoint.

    Args:
        options: which of `OPTIONS`. learned: see `learn`. start: what it begins with, unless it
            has begun.
    """
    output = WORK / options
    last = output / "last.pt"
    words = ["training.train", "--network", kind, "--rendered", str(WORK / "rendered"),
             "--photos", str(fitted), "--minutes", str(minutes), "--output", str(output),
             *OPTIONS[options]]  # fmt: skip
    if not fitted.is_file():
        words += ["--photo-share", "0"]
    if learned:
        words += ["--patches", str(learned)]
    if not torch.cuda.is_available():  # two processes of one thread: see `training.train.share`
        words += ["--threads", "1", "--processes", str(min(os.cpu_count() or 1, 2))]
    run(*words, *(["--resume", str(last)] if unfinished(last) else start))
    return last


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the data, train the networks, export them.")
    parser.add_argument(
        "--sfn-minutes", type=float, default=80, help="of training SFN, if there is none; 0: none"
    )
    parser.add_argument("--minutes", type=float, default=150, help="of training MFN")
    parser.add_argument("--find-minutes", type=float, default=30, help="of its finding alone")
    parser.add_argument("--verify-minutes", type=float, default=20, help="of its second look")
    parser.add_argument("--patch-minutes", type=float, default=30, help="of each of its patches")
    parser.add_argument("--close-minutes", type=float, default=20, help="of its close reading")
    parser.add_argument("--together-minutes", type=float, default=45,
                        help="of all layers at a low rate, last")  # fmt: skip
    parser.add_argument("--last-minutes", type=float, default=11,
                        help="the same on more photographs, of each network")  # fmt: skip
    parser.add_argument("--light-minutes", type=float, default=60, help="of the light MFN")
    parser.add_argument("--turned", type=int, default=TURNED, help="photographs turned aside")
    parser.add_argument("--crops", type=int, default=CROPS)
    parser.add_argument("--bystanders", type=int, default=BYSTANDERS)
    parser.add_argument("--away", type=int, default=AWAY)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--scenes", type=int, default=SCENES)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    WORK.mkdir(parents=True, exist_ok=True)
    fitted = WORK / "photos.npz"
    if photos.data_folder() is None:
        print("no development data ($MFN_DATA): training on rendered faces alone", file=sys.stderr)
    elif not fitted.is_file():
        run("training.fit", "--output", str(fitted))
    if fitted.is_file() and arguments.turned:
        turn_aside(fitted, arguments.turned)
    if fitted.is_file():
        fitted = relabelled(fitted)
    render("crops", arguments.crops, CROP_SIZE)
    render("bystanders", arguments.bystanders, CROP_SIZE)
    render("away", arguments.away, CROP_SIZE)
    render("studies", arguments.studies, STUDY_SIZE)
    render("scenes", arguments.scenes, SCENE_SIZE)
    own = {
        "find": arguments.find_minutes,
        "verify": arguments.verify_minutes,
        "patches": arguments.patch_minutes,
        "close": arguments.close_minutes,
        "together": arguments.together_minutes,
        "last": arguments.last_minutes,
    }
    learned = None
    if (landed := LANDED / "mfn.pt").is_file():  # else there is nothing yet that could guess
        minutes = own.pop("patches")
        learned = patches(landed, minutes, fitted) if minutes else landed
    new = not (LANDED / "sfn.pt").is_file()
    if arguments.sfn_minutes and new:
        last = {"sfn_together": arguments.together_minutes, "sfn_last": arguments.last_minutes}
        learn("sfn", arguments.sfn_minutes, fitted, learned, **last)
    made = learn("mfn", arguments.minutes, fitted, learned, **own)
    run("training.export_sfn", str(made), "--output", "models/sfn.onnx", "--weights",
        str(LANDED / "sfn.pt"))  # fmt: skip
    if learned and learned != landed:
        learned.with_name("landed").touch()
    if arguments.light_minutes:
        learn_light(arguments.light_minutes, arguments.last_minutes, fitted)
    files = ["mfn", "sfn", *(["mfn_light"] if arguments.light_minutes else [])]
    run("training.amplitude", *(f"models/{name}.onnx" for name in files))


if __name__ == "__main__":
    main()
