# SPDX-License-Identifier: GPL-3.0-or-later
"""Three people in conversation, as numbers: what the demo's footage is rendered from.

Everything follows from the time and a seed: who talks, the syllables of their talk, blinks, where
each one looks, how the heads turn and sway. No recording of a person is involved.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS

SECONDS = 10.0
RATE = 25.0

SYLLABLE = 0.19
"""Seconds between two vowels of lively speech, on average."""

# A mouth shape each: the vowels that end a syllable and the consonants that begin it.
VOWELS: list[dict[str, float]] = [
    {"jawOpen": 0.50, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3},  # aa
    {"jawOpen": 0.30, "mouthFunnel": 0.55, "mouthPucker": 0.2},  # oh
    {"jawOpen": 0.14, "mouthPucker": 0.65, "mouthFunnel": 0.3},  # ou
    {"jawOpen": 0.16, "mouthStretchLeft": 0.35, "mouthStretchRight": 0.35,
     "mouthSmileLeft": 0.3, "mouthSmileRight": 0.3},  # ee
    {"jawOpen": 0.30, "mouthUpperUpLeft": 0.35, "mouthUpperUpRight": 0.35,
     "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2},  # eh
]  # fmt: skip
CONSONANTS: list[dict[str, float]] = [
    {"mouthPressLeft": 0.35, "mouthPressRight": 0.35, "mouthRollLower": 0.2},  # m, b, p
    {
        "jawOpen": 0.08,
        "mouthRollLower": 0.4,
        "mouthUpperUpLeft": 0.2,
        "mouthUpperUpRight": 0.2,
    },  # f
    {"jawOpen": 0.12},  # t, d, n
    {"jawOpen": 0.06, "mouthFunnel": 0.35},  # sh
]


@dataclass(frozen=True)
class Actor:
    """What one of the three does.

    Attributes:
        seat: (3,) where the head is at rest, camera frame, metres.
        seed: of this actor's syllables, blinks and sway.
        talks: (start, end) seconds of each turn to speak.
        looks: (time, yaw, pitch) degrees; the head goes to each in turn. Yaw is positive
            towards the actor's left (the picture's right), pitch is positive downwards.
        moods: (start, end, expression at its height) for smiles, raised brows and the like.
    """

    seat: tuple[float, float, float]
    seed: int
    talks: list[tuple[float, float]]
    looks: list[tuple[float, float, float]]
    moods: list[tuple[float, float, dict[str, float]]]


def _both(**sided: float) -> dict[str, float]:
    return {f"{name}{side}": value for name, value in sided.items() for side in ("Left", "Right")}


SMILE = _both(mouthSmile=0.75, cheekSquint=0.5, eyeSquint=0.35)
LAUGH = _both(mouthSmile=0.9, cheekSquint=0.7, eyeSquint=0.5, mouthUpperUp=0.3) | {"jawOpen": 0.35}
SURPRISE = _both(browOuterUp=0.8, eyeWide=0.6) | {"browInnerUp": 0.8, "jawOpen": 0.2}
DOUBT = {
    "browDownLeft": 0.7, "browOuterUpRight": 0.7, "mouthLeft": 0.4, "mouthPucker": 0.3,
    "eyeSquintLeft": 0.4,
}  # fmt: skip

ACTORS: tuple[Actor, ...] = (
    Actor(  # at the picture's left: opens, turns to the others, laughs at the end
        seat=(-0.30, -0.01, -1.06),
        seed=11,
        talks=[(0.2, 3.3)],
        looks=[(0.0, 4, 0), (1.2, 24, 2), (2.4, 8, -3), (3.6, 26, 3), (6.2, 30, 0), (7.6, -4, 0),
               (8.6, 10, 4)],
        moods=[(2.2, 3.6, SMILE), (5.0, 6.2, SURPRISE), (7.7, 9.8, LAUGH)],
    ),
    Actor(  # in the middle, a little farther off: answers, looks from one to the other
        seat=(0.0, 0.03, -1.2),
        seed=23,
        talks=[(3.4, 6.3)],
        looks=[(0.0, -24, 0), (3.0, -10, 0), (4.0, 2, -4), (5.0, 22, 2), (6.4, 28, 4), (7.8, 0, 0),
               (8.8, -14, 6)],
        moods=[(1.0, 2.4, SMILE), (3.5, 4.5, SURPRISE), (8.0, 9.9, SMILE)],
    ),
    Actor(  # at the right: doubts, then has the last word
        seat=(0.30, -0.01, -1.08),
        seed=37,
        talks=[(6.4, 9.3)],
        looks=[(0.0, -26, 2), (2.6, -8, 6), (3.6, -22, -2), (6.2, -6, 0), (7.2, -28, 2),
               (8.4, -2, -3)],
        moods=[(2.0, 3.8, DOUBT), (4.6, 6.0, SMILE), (8.9, 9.9, SMILE)],
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Performance:
    """One actor over time, F frames.

    Attributes:
        expression: (F, 52) weights 0..1 in the order of `EXPRESSIONS`.
        angles: (F, 3) head yaw, pitch, roll in radians: about the head's y, x and z axes.
        translation: (F, 3) the head's origin in the camera frame, metres.
    """

    expression: np.ndarray
    angles: np.ndarray
    translation: np.ndarray


def perform(actor: Actor, seconds: float = SECONDS, rate: float = RATE) -> Performance:
    """What `actor` does, sampled at `rate` frames a second."""
    times = np.arange(round(seconds * rate)) / rate
    random = np.random.default_rng(actor.seed)
    gaze, angles = _look_around(actor, times, random)
    parts = [_talk(actor, times, random), _moods(actor, times), _blinks(times, random), gaze]
    expression = np.clip(np.sum(parts, 0), 0, 1)
    sway = 0.006 * _wander(times, random, 0.4, 3)
    return Performance(expression, angles, np.asarray(actor.seat) + sway)


def _talk(actor: Actor, times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(F, 52) the mouth's way from consonant to vowel to consonant while it is one's turn."""
    out = np.zeros((len(times), len(EXPRESSIONS)))
    for start, end in actor.talks:
        at, stations = start, [(start, np.zeros(len(EXPRESSIONS)))]
        while at < end:
            step = SYLLABLE * random.uniform(0.8, 1.3)
            loud = random.uniform(0.65, 1.25)
            consonant = CONSONANTS[random.integers(len(CONSONANTS))]
            vowel = VOWELS[random.integers(len(VOWELS))]
            stations.append((at + 0.35 * step, _weights(consonant)))
            stations.append((at + step, loud * _weights(vowel)))
            at += step * (1.0 if random.random() > 0.15 else 2.2)  # now and then a pause
        stations.append((end + 0.15, np.zeros(len(EXPRESSIONS))))
        out += _through(stations, times)
        # Speakers lift their brows on what they stress.
        stress = np.clip(_wander(times, random, 0.9, 1)[:, 0], 0, 1) * _window(times, start, end)
        for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
            out[:, EXPRESSION_INDEX[name]] += 0.45 * stress
    return out


def _moods(actor: Actor, times: np.ndarray) -> np.ndarray:
    moods = (_window(times, a, b, 0.35)[:, None] * _weights(m) for a, b, m in actor.moods)
    return np.sum(list(moods), 0)


def _blinks(times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    out = np.zeros((len(times), len(EXPRESSIONS)))
    at = random.uniform(0.4, 1.5)
    while at < times[-1]:
        closed = np.clip(1.25 - np.abs(times - at) / 0.11, 0, 1)  # 0.27 s from open to open
        for name in ("eyeBlinkLeft", "eyeBlinkRight"):
            out[:, EXPRESSION_INDEX[name]] += closed
        at += random.uniform(1.3, 3.0)
    return out


def _look_around(
    actor: Actor, times: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(F, 52) eyes that arrive first, and (F, 3) radians of the head that follows them."""
    goals = [(t, np.radians((yaw, pitch, 0.0))) for t, yaw, pitch in actor.looks]
    head = _steps(goals, times, lag=0.0, ease=0.55)
    eyes = _steps(goals, times, lag=-0.12, ease=0.16)
    head = head + np.radians(3.0) * _wander(times, random, 0.6, 3)
    # Nods in the rhythm of one's own speech.
    for start, end in actor.talks:
        head[:, 1] += np.radians(3.5) * np.sin(times * 7.0) * _window(times, start, end)
    ahead = eyes[:, :2] - head[:, :2] + np.radians(3.0) * _wander(times, random, 1.2, 2)
    left, down = ahead[:, 0] / np.radians(35), ahead[:, 1] / np.radians(25)
    out = np.zeros((len(times), len(EXPRESSIONS)))
    for names, amount in (
        (("eyeLookOutLeft", "eyeLookInRight"), left),
        (("eyeLookInLeft", "eyeLookOutRight"), -left),
        (("eyeLookDownLeft", "eyeLookDownRight"), down),
        (("eyeLookUpLeft", "eyeLookUpRight"), -down),
    ):
        for name in names:
            out[:, EXPRESSION_INDEX[name]] = np.clip(amount, 0, 0.9)
    return out, head


def _weights(named: dict[str, float]) -> np.ndarray:
    out = np.zeros(len(EXPRESSIONS))
    for name, value in named.items():
        out[EXPRESSION_INDEX[name]] = value
    return out


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _window(times: np.ndarray, start: float, end: float, ease: float = 0.2) -> np.ndarray:
    """(F,) 1 between start and end, eased to 0 outside."""
    return _smooth((times - start) / ease) * _smooth((end - times) / ease)


def _through(stations: list[tuple[float, np.ndarray]], times: np.ndarray) -> np.ndarray:
    """(F, n) values that pass the stations with eased steps, as _steps, in sorted time."""
    at = np.array([t for t, _ in stations])
    values = np.array([v for _, v in stations])
    segment = np.clip(np.searchsorted(at, times, "right") - 1, 0, len(at) - 2)
    share = _smooth((times - at[segment]) / np.maximum(at[segment + 1] - at[segment], 1e-6))
    return values[segment] + share[:, None] * (values[segment + 1] - values[segment])


def _steps(
    goals: list[tuple[float, np.ndarray]], times: np.ndarray, lag: float, ease: float
) -> np.ndarray:
    """(F, n) values that go to each goal at its time (plus lag) and take `ease` seconds."""
    out = np.tile(goals[0][1], (len(times), 1))
    for (_, before), (at, goal) in pairwise(goals):
        out += _smooth((times - at - lag) / ease)[:, None] * (goal - before)
    return out


def _wander(times: np.ndarray, random: np.random.Generator, pace: float, count: int) -> np.ndarray:
    """(F, count) slow noise of about -1..1: three sines of random phase around `pace` Hz."""
    rates = pace * random.uniform(0.4, 1.6, (3, count))
    phases = random.uniform(0, 2 * np.pi, (3, count))
    return np.sin(2 * np.pi * rates * times[:, None, None] + phases).mean(1) * 1.4
