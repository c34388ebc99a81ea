# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether faces are read alike whatever the skin, with glasses and beards: for docs/results.md.

    python -m training.groups

Rendered faces are grouped by what they were made with. Photographs carry no such labels: they are
grouped by the skin's colour in the picture, the individual typology angle (Chardon, Cretois and
Hourseau, 1991), which the light of a photograph shifts. Nothing here
knows a person's age; wrinkles of rendered faces stand in for it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.network import FaceNetwork
from training.bank import FaceBank, Surface, load_surface, photo_bank
from training.labelled import Reading, read_at, studies
from training.results import RESULTS, put, table
from training.synthetic import traits
from training.synthetic.people import SKIN_TONES, Person, linear

SIZE = 120.0  # px of a face
CHEEKS = (50, 280)  # the teacher's points in the middle of each cheek
LIGHT, DARK = 41.0, 10.0
"""Degrees of the typology angle: light from the first on, brown and dark below the second."""
WRINKLED = 0.15  # of the renderer's strength: an older face's, more or less
FEWEST = 25  # faces; smaller groups say nothing


def typology_angle(colour: np.ndarray) -> np.ndarray:
    """(N, 3) sRGB 0..255 -> (N,) degrees, arctan of (L* - 50) over b*."""
    lab = cv2.cvtColor((colour[None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0]
    return np.degrees(np.arctan2(lab[:, 0] - 50, lab[:, 2]))


def cheeks(bank: FaceBank, surface: Surface) -> np.ndarray:
    """(N, 3) sRGB 0..255, the mean colour of both cheeks."""
    order = list(surface.numbers)
    rows = [order.index(number) for number in CHEEKS]
    places = surface.project(bank.rotation, bank.centre, bank.scale, bank.identity,
                             bank.expression)[:, rows]  # fmt: skip
    colours = np.zeros((len(bank), 3))
    for i, points in enumerate(places):
        crop = np.asarray(bank.crops[i], np.float32)
        calm = cv2.blur(crop, (9, 9))
        at = np.clip(points.round().astype(int), 0, crop.shape[0] - 1)
        colours[i] = calm[at[:, 1], at[:, 0]].mean(0)
    return colours


def of_photographs(bank: FaceBank, surface: Surface) -> dict[str, np.ndarray]:
    """Rows of each group."""
    angle = typology_angle(cheeks(bank, surface))
    return {
        "light skin": angle >= LIGHT,
        "medium skin": (angle < LIGHT) & (angle >= DARK),
        "brown and dark skin": angle < DARK,
    }


def of_rendered(people: list[Person]) -> dict[str, np.ndarray]:
    """Rows of each group."""
    brightness = np.array([person.look[traits.SKIN :][:3].mean() for person in people])
    tones = linear(SKIN_TONES).mean(1)
    glasses = np.array([person.glasses >= 0 for person in people])
    tinted = np.array([person.glasses >= 0 and person.lens_dark > 0.5 for person in people])
    return {
        "light skin": brightness >= tones[2:4].mean(),
        "medium skin": (brightness < tones[2:4].mean()) & (brightness >= tones[5:7].mean()),
        "brown and dark skin": brightness < tones[5:7].mean(),
        "no glasses": ~glasses,
        "clear glasses": glasses & ~tinted,
        "dark glasses": tinted,
        "wrinkles": np.array([person.look[traits.WRINKLES] > WRINKLED for person in people]),
        "beard": np.array([person.look[traits.BEARD_AMOUNT] > 0 for person in people]),
    }


def by_group(reading: Reading, groups: dict[str, np.ndarray]) -> str:
    """A table with a column for each group that is large enough."""
    return table({
        name: reading.figures(np.flatnonzero(rows))
        for name, rows in groups.items() if rows.sum() >= FEWEST
    })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--network", type=Path, help="default: models/mfn.onnx")
    parser.add_argument("--photos", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--count", type=int, default=1000, help="rendered faces")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    network, surface = FaceNetwork(arguments.network, as_read=True), load_surface()
    parts = []
    if arguments.photos.is_file():
        bank = photo_bank(arguments.photos, held_back=True)
        reading = read_at(network, bank, surface, SIZE)
        parts += ["Held-back photographs:", by_group(reading, of_photographs(bank, surface))]
    bank, people = studies(arguments.count, seed=998)
    reading = read_at(network, bank, surface, SIZE)
    parts += ["Rendered faces:", by_group(reading, of_rendered(people))]
    text = "\n\n".join(parts)
    print(text)
    put(arguments.output, "groups", text)


if __name__ == "__main__":
    main()
