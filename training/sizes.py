# SPDX-License-Identifier: GPL-3.0-or-later
"""How well faces are read by how large they are: a table and a figure for docs/results.md.

    python -m training.sizes

The published work says that one network serves near and far faces; how expression fades with the
size of a face in pixels it does not say. Held-back photographs (against the fitted 3DMM) and fresh
rendered faces (against exact weights), shown at one size of the network's input after the other;
the latter also as a camera shows them that has twice as many pixels each way.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mfn_addon.network import FaceNetwork
from training.bank import FaceBank, load_surface, photo_bank
from training.labelled import read_at, studies
from training.results import RESULTS, put, table

SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256)
FINER, FINER_SIZES = "rendered, in pictures twice as fine", (16, 24, 32, 48, 64, 96, 128)
FIGURE = Path("docs/pictures/expression_by_size.png")
SHOWN = (
    ("found, %", "faces found, %"),
    ("landmark error, % of the eye distance", "landmark error,\n% of the eye distance"),
    ("expression correlation", "expression, mean correlation"),
    ("expression error", "expression, mean error (weights 0..1)"),
)


def evenly(bank: FaceBank, count: int) -> np.ndarray:
    """Numbers of every so many faces of a bank, `count` of them."""
    return np.linspace(0, len(bank) - 1, min(count, len(bank))).astype(int)


def some(bank: FaceBank, rows: np.ndarray) -> FaceBank:
    """Some faces of a bank, in memory."""
    labels = {key: np.asarray(getattr(bank, key))[rows]
              for key in ("rotation", "centre", "scale", "identity", "expression")}  # fmt: skip
    crops = np.stack([np.asarray(bank.crops[i]) for i in rows])
    return FaceBank(crops=crops, trusted=bank.trusted, name=bank.name, **labels)


def draw(found: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """A curve for each bank in each of the panels of SHOWN."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(SHOWN), figsize=(15, 3.6))
    for axis, (key, title) in zip(axes, SHOWN, strict=True):
        for number, (name, by_size) in enumerate(found.items()):
            colour = f"C{number}"
            sizes = list(by_size)
            axis.plot(sizes, [by_size[s][key] for s in sizes], "o-", color=colour, label=name)
            if key == "expression error" and name != FINER:  # of the same faces
                flat = [by_size[s]["the same, always the mean face"] for s in sizes]
                axis.plot(sizes, flat, ":", color=colour, label=f"{name}, always the mean")
        axis.set_xscale("log", base=2)
        axis.set_xticks(SIZES, [str(s) for s in SIZES])
        axis.set_xlabel("longer side of the face, px of the input")
        axis.set_title(title, fontsize=10)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[-1].legend(fontsize=7, loc="lower left")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--network", type=Path, help="default: models/mfn.onnx")
    parser.add_argument("--photos", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--count", type=int, default=400, help="faces of each kind")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    arguments = parser.parse_args(words)
    network, surface = FaceNetwork(arguments.network, as_read=True), load_surface()
    banks = {}
    if arguments.photos.is_file():
        held_back = photo_bank(arguments.photos, True)
        banks["photographs"] = some(held_back, evenly(held_back, arguments.count))
    else:
        print(f"{arguments.photos} is not there: rendered faces alone are read")
    banks["rendered"] = studies(arguments.count, seed=999)[0]
    found = {
        name: {size: read_at(network, bank, surface, size).figures() for size in SIZES}
        for name, bank in banks.items()
    }
    rendered = banks["rendered"]
    found[FINER] = {
        size: read_at(network, rendered, surface, size, 2).figures() for size in FINER_SIZES
    }
    draw(found, arguments.figure)
    counts = {name: f"{len(bank)} " for name, bank in banks.items()}
    text = "\n\n".join(
        f"{counts.get(name, '')}{name}:\n\n".capitalize()
        + table({f"{size} px": without_count(row) for size, row in by_size.items()})
        for name, by_size in found.items()
    )
    print(text)
    put(arguments.output, "sizes", text)


def without_count(row: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in row.items() if key != "faces"}


if __name__ == "__main__":
    main()
