# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip of synthetic people who talk, blink, look about and turn to each other, with its truth.

    python -m training.synthetic.clip OUT.mp4 [--people 3] [--seconds 10] [--size 960x540]
        [--rate 25] [--seed 1] [--truth TRUTH.npz]

Everything in the picture comes from the head model and this folder's scripts, so the clip may be
shipped. TRUTH.npz holds, per frame and person, what `training.synthetic` documents for pictures.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mfn_addon.face import IDENTITY_COUNT

from . import compose, traits
from .acting import perform, script
from .hair import STYLES
from .head import light_axes
from .painter import Canvas, Painter, Pose, visible_share
from .people import (
    HAIR_COLOURS,
    IRIS_COLOURS,
    SKIN_TONES,
    Person,
    Wardrobe,
    linear,
    load_wardrobe,
    random_person,
)
from .photo import Light, develop
from .scene import euler, pack

SAMPLES = 3


CAST = (
    # skin tone, hair colour, iris, hair style, jacket pattern, beard share, glasses
    (2.2, 2, 3, 10, 0, 0.0, False),
    (6.2, 0, 0, 9, 4, 0.55, False),
    (1.0, 4, 6, 2, 5, 0.0, True),
    (4.4, 1, 1, 18, 1, 0.0, False),
    (3.0, 10, 2, 4, 4, 0.8, True),
    (0.4, 8, 5, 12, 0, 0.0, False),
)  # fmt: skip
"""Who appears, in order; indices into the tables of `people` and `hair`."""


def cast_member(wardrobe: Wardrobe, number: int, rng: np.random.Generator) -> Person:
    """A random person brought in line with CAST, so that a clip shows different people."""
    tone, hair_colour, iris, style, pattern, beard, glasses = CAST[number % len(CAST)]
    person = random_person(wardrobe, rng)
    person.identity = (0.75 * rng.standard_normal(IDENTITY_COUNT)).astype(np.float32)
    low = min(int(tone), len(SKIN_TONES) - 2)
    skin = linear(SKIN_TONES[low] + (tone - low) * (SKIN_TONES[low + 1] - SKIN_TONES[low]))
    values = {
        traits.SKIN: skin, traits.HAIR: linear(HAIR_COLOURS[hair_colour]),
        traits.BROW: np.minimum(linear(HAIR_COLOURS[hair_colour]) * 0.5, skin * 0.4),
        traits.BEARD: np.minimum(linear(HAIR_COLOURS[hair_colour]), skin * 0.6),
        traits.IRIS: linear(IRIS_COLOURS[iris]),
        traits.LIPS: np.array([0.9, 0.6, 0.64]),
        traits.CLOTH: linear([(38, 70, 96), (30, 32, 38), (120, 138, 150)][number % 3]),
        traits.CLOTH2: linear([(190, 196, 200), (225, 226, 230), (80, 96, 110)][number % 3]),
        traits.HAT: linear([(120, 40, 46)][0]),
        traits.FRAME: linear((26, 24, 26)),
    }  # fmt: skip
    for place, colour in values.items():
        person.look[place : place + 3] = colour
    for place, value in (
        (traits.PATTERN, pattern), (traits.NECKLINE_V, 0), (traits.NECKLINE, 0),
        (traits.BEARD_AMOUNT, beard), (traits.SCALP_AMOUNT, 0.95),
        (traits.EYE_MAKEUP, 0.12), (traits.OIL, 0.07), (traits.DETAIL, 0.12),
        (traits.WRINKLES, 0.05), (traits.SCLERA, 0.5), (traits.LIPS_AMOUNT, 0.85),
        (traits.BROW_AMOUNT, 0.9), (traits.HAIR_SHINE, 0.1), (traits.BLUSH, 0.25),
        (traits.PUPIL, 0.38), (traits.FRECKLES, 0.2), (traits.STRAND_CONTRAST, 0.4),
        (traits.FOLDS, 0.6),
    ):  # fmt: skip
        person.look[place] = value
    person.hat, person.glasses = -1, int(rng.integers(len(wardrobe.glasses))) if glasses else -1
    person.lens_dark, person.lens_glare = 0.03, 0.15
    person.hair = style % len(STYLES)
    person.hairline = wardrobe.hair[person.hair].hairline
    person.beard = 9 if beard > 0.6 else 2
    return person


def room(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) linear float32: a room far out of focus: wall, window, shelf, lamps."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    wall = np.array([0.19, 0.20, 0.21]) * (1.1 - 0.35 * y[..., None]) * (0.85 + 0.2 * x[..., None])
    picture = wall.astype(np.float32)

    def box(x0: float, y0: float, x1: float, y1: float, colour: tuple | np.ndarray) -> None:
        picture[int(y0 * height) : int(y1 * height), int(x0 * height) : int(x1 * height)] = colour

    wide = width / height
    box(0.06 * wide, -0.0, 0.2 * wide, 0.62, (0.75, 0.82, 0.9))
    box(0.128 * wide, 0.0, 0.132 * wide, 0.62, (0.2, 0.18, 0.16))
    for row in range(3):
        top = 0.1 + 0.22 * row
        at = 0.7 * wide
        while at < 0.97 * wide:
            thick = rng.uniform(0.015, 0.045)
            tall = rng.uniform(0.11, 0.17)
            shade_of = rng.uniform(0.03, 0.3) * np.exp(rng.normal(0, 0.35, 3))
            box(at, top + 0.18 - tall, at + thick, top + 0.18, shade_of)
            at += thick + rng.uniform(0.0, 0.012)
        box(0.69 * wide, top + 0.18, 0.98 * wide, top + 0.2, (0.10, 0.07, 0.05))
    box(0, 0.86, wide, 1, (0.10, 0.085, 0.075))
    picture = cv2.GaussianBlur(picture, (0, 0), height / 55)
    for _ in range(3):  # lamps as discs of light
        disc = np.zeros((height, width), np.float32)
        centre = (int(rng.uniform(0.3, 0.66) * width), int(rng.uniform(0.08, 0.3) * height))
        cv2.circle(disc, centre, int(rng.uniform(0.015, 0.03) * height), (1.0,), -1, cv2.LINE_AA)
        disc = cv2.GaussianBlur(disc, (0, 0), height / 200)
        picture += disc[..., None] * np.array([0.9, 0.7, 0.45], np.float32) * rng.uniform(0.2, 0.6)
    return picture


def studio_light() -> Light:
    """A large window to the left, a weak warm lamp to the right."""
    ambient = np.zeros((9, 3), np.float32)
    ambient[0] = (0.36, 0.37, 0.39)
    ambient[1], ambient[2], ambient[3] = 0.13, 0.05, -0.05
    lamps = np.array([[-0.55, 0.55, 0.62], [0.8, 0.25, 0.2]], np.float32)
    lamps /= np.linalg.norm(lamps, axis=1, keepdims=True)
    colours = np.array([[0.78, 0.76, 0.72], [0.26, 0.20, 0.15]], np.float32)
    return Light(ambient, lamps, colours, light_axes(lamps[0]))


class Writer:
    """An H.264 file by ffmpeg where there is one, else MPEG-4 by OpenCV."""

    def __init__(self, path: Path, width: int, height: int, rate: float) -> None:
        self.pipe = self.file = None
        try:
            from imageio_ffmpeg import get_ffmpeg_exe

            command = [
                get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
                "-s", f"{width}x{height}", "-r", str(rate), "-i", "-", "-c:v", "libx264",
                "-crf", "20", "-preset", "slow", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
                str(path),
            ]  # fmt: skip
            self.pipe = subprocess.Popen(command, stdin=subprocess.PIPE)
        except ImportError:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self.file = cv2.VideoWriter(str(path), code, rate, (width, height))

    def add(self, image: np.ndarray) -> None:
        if self.pipe is not None and self.pipe.stdin is not None:
            self.pipe.stdin.write(np.ascontiguousarray(image).tobytes())
        elif self.file is not None:
            self.file.write(np.ascontiguousarray(image[..., ::-1]))

    def close(self) -> None:
        """Raises RuntimeError where ffmpeg failed."""
        if self.file is not None:
            self.file.release()
        if self.pipe is not None and self.pipe.stdin is not None:
            self.pipe.stdin.close()
            if self.pipe.wait():
                raise RuntimeError("ffmpeg could not write the clip")


def stage(people: int, width: int, height: int) -> list[tuple[float, float, float]]:
    """Where people sit: (x, y, z) metres in the camera frame, side by side, the middle one back."""
    spread = 0.43
    return [
        ((k - (people - 1) / 2) * spread, 0.06, -1.32 - (0.2 if k % 2 else 0.0))
        for k in range(people)
    ]


def render(
    output: Path, people: int = 3, seconds: float = 10, width: int = 960, height: int = 540,
    rate: float = 25, seed: int = 1, truth: Path | None = None, still: Path | None = None,
) -> None:  # fmt: skip
    """Render a clip; `still` writes the middle frame alone as a picture instead."""
    wardrobe = load_wardrobe()
    painter = Painter(wardrobe)
    canvas = Canvas(width, height, SAMPLES, block=1, shadow_size=420)
    rng = np.random.default_rng(seed)
    cast = [cast_member(wardrobe, k, np.random.default_rng([seed, k])) for k in range(people)]
    seats = stage(people, width, height)
    times = np.arange(int(seconds * rate)) / rate
    acts = [
        perform(times, talks, targets, np.random.default_rng([seed, 9, k]))
        for k, (talks, targets) in enumerate(script(people, seconds, rng, seats))
    ]
    background = room(width, height, np.random.default_rng(seed))
    light = studio_light()
    focal = max(width, height) * 1.2
    grain = np.random.default_rng(2)
    frames = [len(times) // 2] if still else range(len(times))
    writer = None if still else Writer(output, width, height, rate)
    labels: list[dict] = []
    for i in tqdm(frames, unit="frame", disable=still is not None):
        canvas.clear()
        truths = []
        for number, (person, act, seat) in enumerate(zip(cast, acts, seats, strict=True)):
            rotation = euler(*act.angles[i])
            torso = euler(0.35 * act.angles[i, 0], 0.0, 0.3 * act.angles[i, 2])
            pose = Pose(rotation, (np.array(seat) + act.sway[i]).astype(np.float32), torso)
            expression = act.expression[i].astype(np.float32)
            truths.append(painter.paint(canvas, person, expression, pose, focal, light, number))
        for number, one in enumerate(truths):
            one.visible = visible_share(canvas, one, focal, number)
        compose.downsample(canvas.image, canvas.owner, background, SAMPLES, canvas.out)
        lit = canvas.out * (1 + 0.02 * grain.standard_normal(canvas.out.shape).astype(np.float32))
        picture = develop(lit, grain, plain=True)
        if still:
            cv2.imwrite(str(still), picture[..., ::-1])
        elif writer is not None:
            writer.add(picture)
        labels.append(pack(truths, focal, people))
    if writer is not None:
        writer.close()
    if truth is not None:
        np.savez_compressed(
            truth, time=times, **{k: np.stack([r[k] for r in labels]) for k in labels[0]}
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--size", default="960x540")
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--still", type=Path, help="write the middle frame as a picture, no clip")
    arguments = parser.parse_args()
    width, height = (int(v) for v in arguments.size.split("x"))
    render(arguments.output, arguments.people, arguments.seconds, width, height, arguments.rate,
           arguments.seed, arguments.truth, arguments.still)  # fmt: skip


if __name__ == "__main__":
    main()
