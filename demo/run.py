# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job from end to end: footage of several people drives several characters.

    python -m demo.run                               the bundled clip -> build/demo/
    python -m demo.run --footage my.mp4              one's own
    python -m demo.run --poster docs/demo.png        also a still of the film, for the README

Leaves three files: take.mfntake (what was performed), demo.blend (the characters with it baked
on; open it and press play), demo.mp4 (the footage with boxes and head meshes beside them).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from demo.film import FilmWriter
from mfn_addon.capture.footage import Footage
from mfn_addon.capture.overlay import colour_of, draw_overlay
from mfn_addon.face import FaceFrame, HeadModel, load_head_model
from mfn_addon.take import Take

REPOSITORY = Path(__file__).resolve().parents[1]
RIGS = ("human_a", "stylised", "creature", "human_b")
"""Sample characters in the order in which actors get them; further actors get none."""

HEIGHT = 540
STAGE_WIDTH = 960
LONGEST_FILM = 30.0
"""Seconds of film at most; the take and the bake cover all the footage."""

SEEN_ENOUGH = 0.15
"""Who is in view for less than this share of the frames gets no character."""


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--footage", type=Path, default=REPOSITORY / "demo" / "three_people.mp4")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "demo")
    parser.add_argument("--seconds", type=float, default=LONGEST_FILM, help="of film at most")
    parser.add_argument("--network", type=Path, metavar="ONNX", help="instead of models/mfn.onnx")
    parser.add_argument("--poster", type=Path, metavar="PNG", help="save a still of the film")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    options.output.mkdir(parents=True, exist_ok=True)
    take, blend = options.output / "take.mfntake", options.output / "demo.blend"

    print("1/3 solve: find and follow the faces")
    network = ("--network", options.network) if options.network else ()
    _mfn("solve", options.footage, "--output", options.output / "demo.jsonl",
         "--take", take, "--overwrite", *network)  # fmt: skip
    actors = choose_actors(take)
    if not actors:
        print(f"error: {options.footage}: nobody is in view for long enough", file=sys.stderr)
        return 2

    print("2/3 bake: give each actor a character")
    cast = [
        f"--rig={REPOSITORY / 'sample_rigs' / f'{name}.blend'}={actor}"
        for name, actor in zip(RIGS, actors, strict=False)
    ]
    _mfn("bake", take, *cast, "--output", blend)

    print("3/3 film: draw what was found, and the characters beside it")
    film = options.output / "demo.mp4"
    make_film(options.footage, take, blend, film, actors[: len(RIGS)], options)
    print(f"done in {time.monotonic() - start:.0f} s:")
    for path in (take, blend, film):
        print(f"  {path}  ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def choose_actors(take_path: Path) -> list[int]:
    """The ids of those who are in view long enough, from the picture's left to its right."""
    with Take(take_path) as take:
        enough = SEEN_ENOUGH * take.frame_count
        seen = [actor for actor in take.actors() if actor.frames >= enough]
        seen = sorted(seen, key=lambda actor: -actor.frames)[: len(RIGS)]
        middles = {actor.id: take.performance(actor.id).box[:, [0, 2]].mean() for actor in seen}
    return sorted(middles, key=lambda actor: middles[actor])


def make_film(
    footage_path: Path,
    take_path: Path,
    blend: Path,
    film_path: Path,
    actors: list[int],
    options: argparse.Namespace,
) -> None:
    """Write the film: the footage with what was found in it, beside the characters."""
    from demo import stage  # Blender starts only when it has something to draw

    footage = Footage(footage_path)
    model = load_head_model()
    places = stage.open_stage(blend, STAGE_WIDTH, HEIGHT)
    left = 2 * round(HEIGHT * footage.width / footage.height / 2)
    with Take(take_path) as take:
        pictures = zip(footage, take.frames(), strict=True)
        rate = footage.rate
        count = min(round(take.duration * rate) + 1, round(options.seconds * rate))
        poster_at = round(0.78 * count)  # the first of them speaks there
        found = None
        now, coming = next(pictures), next(pictures, None)
        with FilmWriter(film_path, left + STAGE_WIDTH, HEIGHT, rate) as film:
            for k in tqdm(range(count), "film", unit="frame", dynamic_ncols=True):
                while coming is not None and coming[0].time <= k / rate + 0.5 / rate:
                    now, coming, found = coming, next(pictures, None), None
                if found is None:  # a still picture stays what it is until the next one comes
                    found = draw_found(now[0].image, now[1], model, left)
                characters = label(stage.render(1 + k), places, actors)
                whole = np.hstack([found, characters])
                film.add(whole)
                if options.poster and k == poster_at:
                    cv2.imwrite(str(options.poster), cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))


def draw_found(image: np.ndarray, frame: FaceFrame, model: HeadModel, width: int) -> np.ndarray:
    """(HEIGHT, width, 3) the picture with boxes and meshes drawn over it."""
    smaller = cv2.INTER_AREA if image.shape[0] > HEIGHT else cv2.INTER_CUBIC
    return draw_overlay(cv2.resize(image, (width, HEIGHT), interpolation=smaller), frame, model)


def label(image: np.ndarray, places: list, actors: list[int]) -> np.ndarray:
    """Write each character's name and its actor's number below it, in the actor's colour."""
    font, size, weight = cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1
    for place, actor in zip(places, actors, strict=True):
        text = f"{actor}  {place.name}"
        (wide, tall), _ = cv2.getTextSize(text, font, size, weight)
        x, y = round(place.x - wide / 2), HEIGHT - 18
        corner = (x - 10, y - tall - 9), (x + wide + 10, y + 9)
        cv2.rectangle(image, *corner, colour_of(actor), -1)
        cv2.putText(image, text, (x, y), font, size, (20, 20, 20), weight, cv2.LINE_AA)
    return image


def _mfn(*arguments: object) -> None:
    """Run `mfn` as a user would; its errors are told by itself, so only the status is passed on."""
    command = [sys.executable, "-m", "mfn_addon.cli", *map(str, arguments)]
    status = subprocess.run(command, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    sys.exit(main())
