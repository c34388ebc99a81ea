# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what `mfn_addon.network.amplitude` takes back: rest and gain of each shape.

    python -m training.amplitude [--network models/mfn.onnx] [--rendered 1500] [--photos 3000]

Rest is what is read where nothing is to be seen: the middle reading of rendered studies whose
weight is nearly 0, or what a quarter of the photographs of faces that people have called neutral
stay below, whichever is more. Gain is the spread of true weights over that of readings (the slope
of the reduced major axis), of studies or of photographs against their fits, whichever is less, and
never above MOST_GAIN: noise grows by it too. Photographs held back from training are not looked at.
Blinks keep what `lids` makes of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mfn_addon.face import EXPRESSIONS
from mfn_addon.face.mirror import mirror_order
from mfn_addon.network import FaceNetwork
from training.bank import Rows, load_surface, photo_bank
from training.groups import SIZE
from training.labelled import read_at, studies
from training.sizes import evenly, some

MOST_GAIN = 1.4
NOTHING = 0.05
"""A study's weight below it counts as nothing."""
NEUTRAL_SHARE = 25.0
"""Percent of neutral faces that rest is to lie above."""
LEAST_SPREAD = 0.03
"""Labels of photographs that vary less say nothing about gain."""
UNTOUCHED = ("eyeBlink",)
DIRECTIONS = ("jaw", "mouth")
"""jawLeft and jawRight are two shapes, not two sides of one; mirrored, they are each other."""
LOOKS = "eyeLook"
"""Neutral faces look anywhere, so their eyes do not tell rest."""
RESTLESS = ("browInnerUp", "browOuterUp")
"""How high somebody's brows sit is told by the least readings: with a rest, correlation with brows'
height in photographs fell from .79 to .75."""


def of_studies(read: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(52,) rest and (52,) gain by exact weights, from (N, 52) readings and truths."""
    rest = [np.median(read[truth[:, i] < NOTHING, i]) for i in range(len(EXPRESSIONS))]
    return np.array(rest), truth.std(0) / np.maximum(read.std(0), 1e-4)


def of_photographs(
    read: np.ndarray, fitted: np.ndarray, neutral: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same by fitted weights and which faces (N,) are called neutral; no gain (infinite) where
    labels hardly vary."""
    rest = np.percentile(read[neutral], NEUTRAL_SHARE, axis=0)
    for i, name in enumerate(EXPRESSIONS):
        if name.startswith(LOOKS):
            rest[i] = 0.0
    spread = fitted.std(0)
    gain = np.where(spread > LEAST_SPREAD, spread / np.maximum(read.std(0), 1e-4), np.inf)
    return rest, gain


def joined(*measured: tuple[np.ndarray, np.ndarray]) -> dict[str, tuple[float, float]]:
    """The table: the highest rest, the least gain, alike on both sides of a face."""
    rest = np.maximum.reduce([rest for rest, _ in measured])
    gain = np.clip(np.minimum.reduce([gain for _, gain in measured]), 1.0, MOST_GAIN)
    table: dict[str, tuple[float, float]] = {}
    partner = mirror_order()
    for i, name in enumerate(EXPRESSIONS):
        both = (float(rest[[i, partner[i]]].mean()), float(gain[[i, partner[i]]].mean()))
        key = name.removesuffix("Left").removesuffix("Right")
        key = name if key in DIRECTIONS else key
        if key not in UNTOUCHED:
            table[key] = both
    out = {}
    for key, (low, by) in table.items():
        # what is read in full is to be shown in full, so gain is rounded up
        low = 0.0 if key in RESTLESS else low
        out[key] = (round(float(low), 2), round(float(max(by, 1 / (1 - low))) + 0.004, 2))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--network", type=Path)
    parser.add_argument("--rendered", type=int, default=1500, help="how many studies to render")
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--fitted", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--seed", type=int, default=9009)
    arguments = parser.parse_args()
    network, surface = FaceNetwork(arguments.network, as_read=True), load_surface()
    reading = read_at(network, studies(arguments.rendered, arguments.seed)[0], surface, SIZE)
    seen = np.isfinite(reading.expression).all(1)
    measured = [of_studies(reading.expression[seen], reading.truth[seen])]
    if arguments.fitted.is_file():
        bank = photo_bank(arguments.fitted)
        rows = evenly(bank, arguments.photos)
        with np.load(arguments.fitted) as fitted:
            names = fitted["emotions"]
        assert isinstance(bank.crops, Rows)  # as photographs are kept
        neutral = names[bank.crops.rows[rows]] == "neutral"
        reading = read_at(network, some(bank, rows), surface, SIZE)
        seen = np.isfinite(reading.expression).all(1)
        measured.append(
            of_photographs(reading.expression[seen], reading.truth[seen], neutral[seen])
        )
    else:
        print(f"{arguments.fitted} is not there: by rendered faces alone")
    for key, (rest, gain) in joined(*measured).items():
        print(f'    "{key}": ({rest:g}, {gain:g}),')


if __name__ == "__main__":
    main()
