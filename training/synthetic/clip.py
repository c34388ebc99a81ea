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
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mfn_addon.face import EXPRESSION_INDEX, IDENTITY_COUNT

from . import shade
from .expressions import COUNT, consistent, look, set_
from .hair import STYLES
from .head import light_axes
from .people import (
    HAIR_COLOURS,
    IRIS_COLOURS,
    SKIN_TONES,
    Person,
    linear,
    load_wardrobe,
    random_person,
)
from .photo import Light, develop
from .scene import Canvas, Painter, Pose, euler, pack, visible_share

SAMPLES = 3


@dataclass
class Performance:
    """One person's take: expression (n, 52), head angles (n, 3) yaw pitch roll in radians, and
    sway (n, 3) in metres."""

    expression: np.ndarray
    angles: np.ndarray
    sway: np.ndarray


def eased(times: np.ndarray, keys: list[float], values: np.ndarray) -> np.ndarray:
    """Values at times, moving from key to key with a soft start and end. values: (k, ...)."""
    keys_ = np.asarray(keys)
    at = np.clip(np.searchsorted(keys_, times, side="right") - 1, 0, len(keys_) - 2)
    t = np.clip((times - keys_[at]) / np.maximum(keys_[at + 1] - keys_[at], 1e-6), 0, 1)
    t = t * t * (3 - 2 * t)
    t = t.reshape(-1, *[1] * (np.ndim(values) - 1))
    values = np.asarray(values)
    return values[at] * (1 - t) + values[at + 1] * t


def wander(times: np.ndarray, rng: np.random.Generator, period: float) -> np.ndarray:
    """(n,) slow smooth noise of about unit size."""
    total = np.zeros(len(times))
    for k in range(4):
        total += np.sin(times * 2 * np.pi / (period / (1 + 0.7 * k)) + rng.uniform(0, 6.3)) / (1 + k)
    return total / 1.4


VISEMES: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.42, "mouthLowerDownLeft": 0.25, "mouthLowerDownRight": 0.25},
    {"jawOpen": 0.30, "mouthUpperUpLeft": 0.2, "mouthUpperUpRight": 0.2},
    {"jawOpen": 0.16, "mouthStretchLeft": 0.35, "mouthStretchRight": 0.35,
     "mouthUpperUpLeft": 0.15, "mouthUpperUpRight": 0.15},
    {"mouthFunnel": 0.55, "jawOpen": 0.2},
    {"mouthPucker": 0.65, "jawOpen": 0.08},
    {"mouthPressLeft": 0.35, "mouthPressRight": 0.35, "mouthRollLower": 0.15},
    {"mouthRollLower": 0.4, "mouthUpperUpLeft": 0.12, "mouthUpperUpRight": 0.12},
    {"jawOpen": 0.1, "mouthSmileLeft": 0.15, "mouthSmileRight": 0.15},
)  # fmt: skip


def perform(
    times: np.ndarray, talks: list[tuple[float, float]], targets: list[tuple[float, float, float]],
    rng: np.random.Generator,
) -> Performance:  # fmt: skip
    """Act.

    Args:
        times: (n,) seconds.
        talks: from when to when the person speaks.
        targets: (when, yaw, pitch) in radians: whom the person turns to, from when on.
    """
    end = float(times[-1]) + 1
    weights = np.zeros((len(times), COUNT))

    def add(name: str, curve: np.ndarray) -> None:
        weights[:, EXPRESSION_INDEX[name]] += curve

    for start, stop in talks:  # syllables, four to six a second
        keys, shapes = [start - 0.15], [np.zeros(COUNT)]
        now = start
        while now < stop:
            shape = np.zeros(COUNT)
            set_(shape, **VISEMES[rng.integers(len(VISEMES))])
            keys.append(now)
            shapes.append(shape * rng.uniform(0.55, 1.25))
            now += rng.uniform(0.14, 0.26) if rng.random() > 0.08 else rng.uniform(0.35, 0.6)
        keys.append(stop + 0.2)
        shapes.append(np.zeros(COUNT))
        weights += eased(times, keys, np.array(shapes))

    def moods(names: dict[str, float], chance: float, hold: float) -> None:
        """Now and then put on an expression for a while."""
        keys, levels = [0.0], [0.0]
        now = rng.uniform(0, 2)
        while now < end:
            level = rng.uniform(0.3, 1) if rng.random() < chance else 0.0
            keys += [now, now + 0.45]
            levels += [levels[-1], level]
            now += 0.45 + rng.uniform(0.6, 1.4) * hold
        curve = eased(times, keys, np.array(levels))
        for name, strength in names.items():
            add(name, curve * strength)

    moods({"mouthSmileLeft": 0.7, "mouthSmileRight": 0.66, "cheekSquintLeft": 0.5,
           "cheekSquintRight": 0.5, "eyeSquintLeft": 0.3, "eyeSquintRight": 0.3}, 0.45, 2.2)  # fmt: skip
    moods({"browInnerUp": 0.6, "browOuterUpLeft": 0.55, "browOuterUpRight": 0.5}, 0.4, 1.0)
    moods({"browDownLeft": 0.55, "browDownRight": 0.55}, 0.25, 1.2)

    now = rng.uniform(0.3, 2.0)
    while now < end:  # blinks: shut in a tenth of a second, open in two
        shut = np.interp(times, [now, now + 0.09, now + 0.13, now + 0.32], [0, 1, 1, 0])
        add("eyeBlinkLeft", shut)
        add("eyeBlinkRight", shut * 0.97)
        now += rng.uniform(1.6, 4.5)

    keys, aims = [-1.0], [targets[0][1:]]
    for when, yaw, pitch in targets[1:]:
        keys += [when, when + rng.uniform(0.5, 0.9)]
        aims += [aims[-1], (yaw, pitch)]
    keys.append(end + 2)
    aims.append(aims[-1])
    aim = eased(times, keys, np.array(aims))
    talking = sum((((times > a) & (times < b)).astype(float) for a, b in talks), np.zeros(len(times)))
    talking = np.convolve(np.pad(talking, 8, mode="edge"), np.hanning(17) / np.hanning(17).sum(), "valid")
    angles = np.stack(
        [
            aim[:, 0] + 0.05 * wander(times, rng, 4.5),
            aim[:, 1] + (0.02 + 0.045 * talking) * wander(times, rng, 2.1),
            0.05 * wander(times, rng, 5.0),
        ], 1,
    )  # fmt: skip
    # the eyes lead the head: they jump to where the head will be in a third of a second
    ahead = np.interp(times + 0.33, times, angles[:, 0]) - angles[:, 0]
    jumps, glances = [0.0], [np.zeros(2)]
    now = 0.0
    while now < end:
        now += rng.uniform(0.5, 1.8)
        jumps += [now, now + 0.05]
        glances += [glances[-1], rng.normal(0, [0.14, 0.08])]
    glance = eased(times, jumps, np.array(glances))
    for i in range(len(times)):
        gaze = np.zeros(COUNT)
        right = -ahead[i] * 1.6 + glance[i, 0]
        look(gaze, float(np.clip(right, -0.9, 0.9)), float(np.clip(glance[i, 1], -0.6, 0.6)))
        weights[i] += gaze
    sway = np.stack([0.012 * wander(times, rng, 6), 0.006 * wander(times, rng, 4),
                     0.012 * wander(times, rng, 7)], 1)  # fmt: skip
    return Performance(np.stack([consistent(w) for w in weights]), angles, sway)


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


def cast_member(wardrobe, number: int, rng: np.random.Generator) -> Person:
    """A random person brought in line with CAST, so that a clip shows different people."""
    tone, hair_colour, iris, style, pattern, beard, glasses = CAST[number % len(CAST)]
    person = random_person(wardrobe, rng)
    person.identity = (0.75 * rng.standard_normal(IDENTITY_COUNT)).astype(np.float32)
    low = min(int(tone), len(SKIN_TONES) - 2)
    skin = linear(SKIN_TONES[low] + (tone - low) * (SKIN_TONES[low + 1] - SKIN_TONES[low]))
    values = {
        shade.LOOK_SKIN: skin, shade.LOOK_HAIR: linear(HAIR_COLOURS[hair_colour]),
        shade.LOOK_BROW: np.minimum(linear(HAIR_COLOURS[hair_colour]) * 0.5, skin * 0.4),
        shade.LOOK_BEARD: np.minimum(linear(HAIR_COLOURS[hair_colour]), skin * 0.6),
        shade.LOOK_IRIS: linear(IRIS_COLOURS[iris]),
        shade.LOOK_LIPS: np.array([0.9, 0.6, 0.64]),
        shade.LOOK_CLOTH: linear([(38, 70, 96), (30, 32, 38), (120, 138, 150)][number % 3]),
        shade.LOOK_CLOTH2: linear([(190, 196, 200), (225, 226, 230), (80, 96, 110)][number % 3]),
        shade.LOOK_HAT: linear([(120, 40, 46)][0]),
        shade.LOOK_FRAME: linear((26, 24, 26)),
    }  # fmt: skip
    for place, colour in values.items():
        person.look[place : place + 3] = colour
    for place, value in (
        (shade.LOOK_PATTERN, pattern), (shade.LOOK_NECKLINE_V, 0), (shade.LOOK_NECKLINE, 0),
        (shade.LOOK_BEARD_AMOUNT, beard), (shade.LOOK_SCALP_AMOUNT, 0.95),
        (shade.LOOK_EYE_MAKEUP, 0.12), (shade.LOOK_OIL, 0.07), (shade.LOOK_DETAIL, 0.12),
        (shade.LOOK_WRINKLES, 0.05), (shade.LOOK_SCLERA, 0.5), (shade.LOOK_LIPS_AMOUNT, 0.85),
        (shade.LOOK_BROW_AMOUNT, 0.9), (shade.LOOK_HAIR_SHINE, 0.1), (shade.LOOK_BLUSH, 0.25),
        (shade.LOOK_PUPIL, 0.38), (shade.LOOK_FRECKLES, 0.2), (shade.LOOK_STRAND_CONTRAST, 0.4),
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

    def box(x0, y0, x1, y1, colour) -> None:
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

    def __init__(self, path: Path, width: int, height: int, rate: float):
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


def script(people: int, seconds: float, rng: np.random.Generator, places) -> list:
    """Who talks when, and whom the others look at: per person (talks, targets)."""
    talks: list[list] = [[] for _ in range(people)]
    targets: list[list] = [[(-1.0, 0.0, 0.0)] for _ in range(people)]
    now, speaker = 0.3, 0
    while now < seconds:
        stop = now + rng.uniform(1.6, 3.0)
        talks[speaker].append((now, stop))
        for k in range(people):
            listener = k != speaker
            other = speaker if listener else int((speaker + rng.integers(1, max(people, 2))) % people)
            towards = places[other][0] - places[k][0]
            yaw = 0.0 if other == k else float(np.clip(np.sign(towards) * (0.25 + 0.5 * abs(towards)), -0.75, 0.75))
            if rng.random() < (0.25 if listener else 0.45):
                yaw = 0.0  # into the camera
            targets[k].append((now + rng.uniform(0.0, 0.5), yaw * rng.uniform(0.6, 1), rng.normal(0.03, 0.05)))
        if rng.random() < 0.25:
            laugh = (speaker + 1) % people
            talks[laugh].append((stop - 0.7, stop - 0.2))
        now = stop + rng.uniform(0.1, 0.4)
        speaker = int((speaker + rng.integers(1, max(people, 2))) % people)
    return list(zip(talks, targets, strict=True))


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
    places = stage(people, width, height)
    times = np.arange(int(seconds * rate)) / rate
    acts = [
        perform(times, talks, targets, np.random.default_rng([seed, 9, k]))
        for k, (talks, targets) in enumerate(script(people, seconds, rng, places))
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
        for number, (person, act, place) in enumerate(zip(cast, acts, places, strict=True)):
            rotation = euler(*act.angles[i])
            torso = euler(0.35 * act.angles[i, 0], 0.0, 0.3 * act.angles[i, 2])
            pose = Pose(rotation, (np.array(place) + act.sway[i]).astype(np.float32), torso)
            expression = act.expression[i].astype(np.float32)
            truths.append(painter.paint(canvas, person, expression, pose, focal, light, number))
        for number, one in enumerate(truths):
            one.visible = visible_share(canvas, one, focal, number)
        shade.downsample(canvas.image, canvas.owner, background, SAMPLES, canvas.out)
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
        np.savez_compressed(truth, time=times, **{k: np.stack([r[k] for r in labels]) for k in labels[0]})


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
