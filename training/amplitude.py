# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what `mfn_addon.network.amplitude` takes back, and note it in the network's file.

    python -m training.amplitude models/mfn.onnx models/mfn_light.onnx models/sfn.onnx

Rest is what is read where nothing is to be seen: the middle reading of rendered studies whose
weight is nearly 0, or what a quarter of the photographs of faces that people have called neutral
stay below, whichever is more. Gain is the spread of true weights over that of what readings have
above rest (the slope of the reduced major axis), of studies or of photographs against their fits,
whichever is less, and never above MOST_GAIN: noise grows by it too. Photographs held back from
training are not looked at. Blinks keep what `lids` makes of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from mfn_addon.face import EXPRESSIONS, Face
from mfn_addon.face.mirror import mirror_order
from mfn_addon.network import FaceNetwork
from mfn_addon.network.amplitude import KEY
from mfn_addon.network.sfn import SingleFaceNetwork
from training.bank import Rows, load_surface, photo_bank
from training.groups import SIZE
from training.labelled import read_at, studies
from training.sizes import evenly, some

MOST_GAIN = 1.5
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
    rest = np.array([np.median(read[truth[:, i] < NOTHING, i]) for i in range(len(EXPRESSIONS))])
    return rest, truth.std(0) / spread_above(read, rest)


def spread_above(read: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(52,) the spread of what is left to be multiplied, once rest is taken from (N, 52)."""
    return np.maximum(np.maximum(read - rest, 0.0).std(0), 1e-4)


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
    gain = np.where(spread > LEAST_SPREAD, spread / spread_above(read, rest), np.inf)
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


class Closely:
    """SFN reading again what MFN finds, each as it reads."""

    def __init__(self, path: Path) -> None:
        self.found, self.single = FaceNetwork(), SingleFaceNetwork(path, as_read=True)

    def detect(self, picture: np.ndarray) -> list[Face]:
        """As `FaceNetwork.detect`."""
        return self.single.read(picture, self.found.detect(picture))


def reader(path: Path) -> FaceNetwork | Closely:
    """What reads faces with a network's file, as it reads."""
    names = {value.name for value in onnx.load(path).graph.input}
    return Closely(path) if "crops" in names else FaceNetwork(path, as_read=True)


def note(path: Path, table: Mapping[str, tuple[float, float]]) -> None:
    """Write a table into the metadata of a network's file, in place of what was there."""
    model = onnx.load(path)
    facts = {prop.key: prop.value for prop in model.metadata_props}
    facts[KEY] = json.dumps(table, separators=(",", ":"))
    helper.set_model_props(model, facts)
    part = path.with_suffix(".part")
    onnx.save(model, part)
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("networks", type=Path, nargs="+", help="files that export has written")
    parser.add_argument("--rendered", type=int, default=1500, help="how many studies to render")
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--fitted", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--seed", type=int, default=9009)
    arguments = parser.parse_args()
    surface, rendered = load_surface(), studies(arguments.rendered, arguments.seed)[0]
    photographs = neutral = None
    if arguments.fitted.is_file():
        bank = photo_bank(arguments.fitted)
        rows = evenly(bank, arguments.photos)
        with np.load(arguments.fitted) as fitted:
            names = fitted["emotions"]
        assert isinstance(bank.crops, Rows)  # as photographs are kept
        photographs, neutral = some(bank, rows), names[bank.crops.rows[rows]] == "neutral"
    else:
        print(f"{arguments.fitted} is not there: by rendered faces alone")
    for path in arguments.networks:
        network = reader(path)
        reading = read_at(network, rendered, surface, SIZE)
        seen = np.isfinite(reading.expression).all(1)
        measured = [of_studies(reading.expression[seen], reading.truth[seen])]
        if photographs is not None and neutral is not None:
            reading = read_at(network, photographs, surface, SIZE)
            seen = np.isfinite(reading.expression).all(1)
            measured.append(
                of_photographs(reading.expression[seen], reading.truth[seen], neutral[seen])
            )
        found = joined(*measured)
        note(path, found)
        print(path, *(f"{key} {rest:g} {gain:g}" for key, (rest, gain) in found.items()), sep="\n")


if __name__ == "__main__":
    main()
