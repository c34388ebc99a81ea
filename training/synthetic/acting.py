# SPDX-License-Identifier: GPL-3.0-or-later
"""How people in a clip act: who talks, turns to whom, blinks, smiles: smooth curves over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mfn_addon.face import EXPRESSION_INDEX

from .expressions import COUNT, consistent, look, set_


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
        total += np.sin(times * 2 * np.pi / (period / (1 + 0.7 * k)) + rng.uniform(0, 6.3)) / (
            1 + k
        )
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
           "cheekSquintRight": 0.5, "eyeSquintLeft": 0.3,
           "eyeSquintRight": 0.3}, 0.45, 2.2)  # fmt: skip
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
    talking = sum(
        (((times > a) & (times < b)).astype(float) for a, b in talks), np.zeros(len(times))
    )
    talking = np.convolve(
        np.pad(talking, 8, mode="edge"), np.hanning(17) / np.hanning(17).sum(), "valid"
    )
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


def script(
    people: int, seconds: float, rng: np.random.Generator, places: list[tuple[float, float, float]]
) -> list:
    """Who talks when, and whom the others look at: per person (talks, targets)."""
    talks: list[list] = [[] for _ in range(people)]
    targets: list[list] = [[(-1.0, 0.0, 0.0)] for _ in range(people)]
    now, speaker = 0.3, 0
    while now < seconds:
        stop = now + rng.uniform(1.6, 3.0)
        talks[speaker].append((now, stop))
        for k in range(people):
            listener = k != speaker
            other = (
                speaker if listener else int((speaker + rng.integers(1, max(people, 2))) % people)
            )
            towards = places[other][0] - places[k][0]
            turn = np.sign(towards) * (0.25 + 0.5 * abs(towards))
            yaw = float(np.clip(turn, -0.75, 0.75)) if other != k else 0.0
            if rng.random() < (0.25 if listener else 0.45):
                yaw = 0.0  # into the camera
            targets[k].append(
                (now + rng.uniform(0.0, 0.5), yaw * rng.uniform(0.6, 1), rng.normal(0.03, 0.05))
            )
        if rng.random() < 0.25:
            laugh = (speaker + 1) % people
            talks[laugh].append((stop - 0.7, stop - 0.2))
        now = stop + rng.uniform(0.1, 0.4)
        speaker = int((speaker + rng.integers(1, max(people, 2))) % people)
    return list(zip(talks, targets, strict=True))
