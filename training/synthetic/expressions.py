# SPDX-License-Identifier: GPL-3.0-or-later
"""Random expressions: real faces' where samples are at hand, few shapes, blinks, gaze, speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS

COUNT = len(EXPRESSIONS)

PAIRS = tuple(
    (EXPRESSION_INDEX[name], EXPRESSION_INDEX[name[:-4] + "Right"])
    for name in EXPRESSIONS
    if name.endswith("Left") and name[:-4] + "Right" in EXPRESSION_INDEX
    and name not in ("jawLeft", "mouthLeft") and not name.startswith("eyeLook")
)  # fmt: skip

CONTRADICTIONS = (
    ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
    ("mouthSmileLeft", "mouthFrownLeft"),
    ("mouthSmileRight", "mouthFrownRight"),
    ("mouthFunnel", "mouthPucker"),
    ("mouthPucker", "mouthStretchLeft"),
    ("mouthPucker", "mouthStretchRight"),
    ("mouthPucker", "mouthRollLower"),
    ("mouthFunnel", "mouthRollLower"),
    ("mouthRollUpper", "mouthUpperUpLeft"),
    ("mouthRollUpper", "mouthUpperUpRight"),
    ("mouthRollLower", "mouthLowerDownLeft"),
    ("mouthRollLower", "mouthLowerDownRight"),
    ("mouthPressLeft", "mouthUpperUpLeft"),
    ("mouthPressRight", "mouthUpperUpRight"),
    ("eyeBlinkLeft", "eyeWideLeft"),
    ("eyeBlinkRight", "eyeWideRight"),
    ("browDownLeft", "browOuterUpLeft"),
    ("browDownRight", "browOuterUpRight"),
    ("cheekPuff", "jawOpen"),
    ("tongueOut", "mouthPressLeft"),
    ("tongueOut", "mouthRollLower"),
    ("tongueOut", "mouthPucker"),
    ("tongueOut", "cheekPuff"),
    ("eyeLookInLeft", "eyeLookOutLeft"),
    ("eyeLookInRight", "eyeLookOutRight"),
    ("eyeLookUpLeft", "eyeLookDownLeft"),
    ("eyeLookUpRight", "eyeLookDownRight"),
)  # fmt: skip
"""Of each pair the weaker gives way: nobody does both."""


def set_(weights: np.ndarray, **values: float) -> None:
    for name, value in values.items():
        weights[EXPRESSION_INDEX[name]] = value


def look(weights: np.ndarray, right: float, up: float) -> None:
    """Turn both eyes: `right` and `up` in -1..1, the actor's own right."""
    set_(
        weights,
        eyeLookOutRight=max(right, 0), eyeLookInLeft=max(right, 0),
        eyeLookInRight=max(-right, 0), eyeLookOutLeft=max(-right, 0),
        eyeLookUpLeft=max(up, 0), eyeLookUpRight=max(up, 0),
        eyeLookDownLeft=max(-up, 0), eyeLookDownRight=max(-up, 0),
    )  # fmt: skip


def consistent(weights: np.ndarray) -> np.ndarray:
    """(52,) in 0..1, with contradictions resolved and the mouth able to do what it says."""
    w = np.clip(weights, 0, 1).astype(np.float32)
    for one, other in CONTRADICTIONS:
        a, b = EXPRESSION_INDEX[one], EXPRESSION_INDEX[other]
        if w[a] >= w[b]:
            w[b] = 0
        else:
            w[a] = 0
    jaw, close = EXPRESSION_INDEX["jawOpen"], EXPRESSION_INDEX["mouthClose"]
    w[close] = min(w[close], w[jaw])  # the lips close over an open jaw, no further
    tongue = EXPRESSION_INDEX["tongueOut"]
    if w[tongue] > 0:
        w[jaw] = max(w[jaw], 0.25 + 0.35 * w[tongue])
        w[close] = 0
    return w


class ExpressionSampler:
    """Draws (52,) expression weights.

    Args:
        samples: optional path of an array of real faces' blendshape scores, (n, 52) float, whose
            columns are `_neutral` and then ARKit's names but tongueOut.
    """

    def __init__(self, samples: Path | None = None) -> None:
        self.real = None
        if samples is not None and Path(samples).is_file():
            scores = np.load(samples).astype(np.float32)
            rest = np.percentile(scores, 25, axis=0)
            top = np.percentile(scores, 99.5, axis=0)
            gain = 0.95 / np.maximum(top - rest, 0.12)
            excess = np.clip((scores - rest) * gain, 0, 1)
            real = np.zeros((len(scores), COUNT), np.float32)
            real[:, : COUNT - 1] = excess[:, 1:]  # EXPRESSIONS is alphabetical like the scores
            dull = np.ptp(scores, axis=0)[1:] < 0.05  # the scorer says nothing about these
            real[:, : COUNT - 1][:, dull] = 0
            self.real = real

    def __call__(self, rng: np.random.Generator) -> np.ndarray:
        kind = rng.random()
        if kind < 0.48:
            w = self.natural(rng)
        elif kind < 0.70:
            w = self.sparse(rng, rng.integers(1, 7))
        elif kind < 0.82:
            w = self.speech(rng)
        elif kind < 0.92:
            w = self.single(rng)
        else:
            w = np.zeros(COUNT, np.float32)
        self.gaze(w, rng)
        self.blink(w, rng)
        return consistent(w)

    def study(self, rng: np.random.Generator) -> np.ndarray:
        """Many shapes at random, few, one alone; now and then a natural face.

        Of many, each picture teaches each shape a little, whatever the others do.
        """
        kind = rng.random()
        if kind < 0.5:
            w = self.sparse(rng, rng.integers(5, 14)) * rng.uniform(0.5, 1)
        elif kind < 0.75:
            w = self.single(rng)
        elif kind < 0.87:
            w = self.sparse(rng, rng.integers(1, 7))
        else:
            w = self.natural(rng)
        if rng.random() < 0.4:
            self.gaze(w, rng)
        return consistent(w)

    def natural(self, rng: np.random.Generator) -> np.ndarray:
        """A real face's, scaled and mixed with another's; or a made-up everyday one."""
        if self.real is None:
            return self.everyday(rng)
        w = self.real[rng.integers(len(self.real))].copy()
        if rng.random() < 0.4:
            w = w * rng.uniform(0.3, 1) + self.real[rng.integers(len(self.real))] * rng.uniform(
                0, 0.7
            )
        if rng.random() < 0.5:  # mirror
            for a, b in PAIRS:
                w[a], w[b] = w[b], w[a]
        w *= rng.uniform(0.6, 1.25)
        if rng.random() < 0.3:  # people smile into a camera
            w = np.maximum(w, self.everyday(rng) * rng.uniform(0.5, 1))
        if rng.random() < 0.4:  # what such scores never show
            name = rng.choice(("cheekSquint", "noseSneer", "mouthDimple", "eyeWide"))
            value = rng.beta(1.2, 2)
            set_(w, **{name + "Left": value, name + "Right": value * rng.uniform(0.7, 1)})
        w[np.abs(w) < 0.02] = 0
        return w

    def everyday(self, rng: np.random.Generator) -> np.ndarray:
        w = np.zeros(COUNT, np.float32)
        if rng.random() < 0.6:
            smile = rng.beta(1.5, 1.5)
            set_(w, mouthSmileLeft=smile, mouthSmileRight=smile * rng.uniform(0.8, 1),
                 cheekSquintLeft=smile * 0.6, cheekSquintRight=smile * 0.6,
                 eyeSquintLeft=smile * 0.4, eyeSquintRight=smile * 0.4)  # fmt: skip
            if rng.random() < 0.5:
                set_(w, mouthUpperUpLeft=smile * 0.5, mouthUpperUpRight=smile * 0.5,
                     mouthLowerDownLeft=smile * 0.4, mouthLowerDownRight=smile * 0.4)  # fmt: skip
        if rng.random() < 0.4:
            set_(w, jawOpen=rng.beta(1.2, 3))
        if rng.random() < 0.3:
            brow = rng.beta(1.5, 1.5)
            set_(w, browInnerUp=brow, browOuterUpLeft=brow * rng.uniform(0.3, 1),
                 browOuterUpRight=brow * rng.uniform(0.3, 1))  # fmt: skip
        elif rng.random() < 0.3:
            brow = rng.beta(1.5, 1.5)
            set_(w, browDownLeft=brow, browDownRight=brow * rng.uniform(0.8, 1))
        return w

    def sparse(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """`count` shapes, mostly alike on both sides."""
        w = np.zeros(COUNT, np.float32)
        chosen = rng.choice(COUNT, count, replace=False)
        w[chosen] = rng.beta(1.2, 1.2, len(chosen))
        for a, b in PAIRS:
            if rng.random() < 0.75 and (w[a] or w[b]):
                w[a] = w[b] = max(w[a], w[b])
                w[b] *= rng.uniform(0.85, 1)
        if rng.random() < 0.4:
            set_(w, tongueOut=0)
        if w[EXPRESSION_INDEX["mouthClose"]]:
            set_(w, jawOpen=max(w[EXPRESSION_INDEX["jawOpen"]], w[EXPRESSION_INDEX["mouthClose"]]))
        return w

    def single(self, rng: np.random.Generator) -> np.ndarray:
        """One shape alone over its full range (mouthClose rides on jawOpen)."""
        w = np.zeros(COUNT, np.float32)
        k = int(rng.integers(COUNT))
        w[k] = 1 - rng.random() ** 2
        if EXPRESSIONS[k] == "mouthClose":
            set_(w, jawOpen=w[k])
        return w

    def speech(self, rng: np.random.Generator) -> np.ndarray:
        """A moment of talking or shouting."""
        w = np.zeros(COUNT, np.float32)
        kind = rng.integers(6)
        loud = rng.beta(1.5, 1.8)
        if kind == 0:  # a
            set_(w, jawOpen=0.25 + 0.75 * loud, mouthStretchLeft=0.3 * loud,
                 mouthStretchRight=0.3 * loud, mouthLowerDownLeft=0.4 * loud,
                 mouthLowerDownRight=0.4 * loud)  # fmt: skip
        elif kind == 1:  # o, u
            set_(w, mouthFunnel=0.3 + 0.7 * loud, jawOpen=0.35 * rng.random())
        elif kind == 2:
            set_(w, mouthPucker=0.3 + 0.7 * loud, jawOpen=0.2 * rng.random())
        elif kind == 3:  # e, i
            set_(w, jawOpen=0.25 * loud, mouthStretchLeft=0.5 * loud, mouthStretchRight=0.5 * loud,
                 mouthSmileLeft=0.4 * rng.random(), mouthSmileRight=0.4 * rng.random(),
                 mouthUpperUpLeft=0.4 * loud, mouthUpperUpRight=0.4 * loud)  # fmt: skip
        elif kind == 4:  # m, b, p
            close = rng.uniform(0.05, 0.4)
            set_(w, jawOpen=close, mouthClose=close * rng.uniform(0.7, 1),
                 mouthPressLeft=0.6 * loud, mouthPressRight=0.6 * loud,
                 mouthRollLower=0.5 * loud * rng.random(),
                 mouthRollUpper=0.5 * loud * rng.random())  # fmt: skip
        else:  # f, v
            set_(w, mouthRollLower=0.3 + 0.5 * loud, mouthUpperUpLeft=0.3 * rng.random(),
                 mouthUpperUpRight=0.3 * rng.random(), jawOpen=0.1 * rng.random())  # fmt: skip
        if rng.random() < 0.4:
            w = np.maximum(w, self.everyday(rng) * rng.uniform(0.2, 0.8))
        return w

    def gaze(self, w: np.ndarray, rng: np.random.Generator) -> None:
        """Both eyes turn together, now and then slightly apart."""
        if rng.random() < 0.35:
            right, up = rng.normal(0, 0.12, 2)
        else:
            right, up = rng.uniform(-1, 1) * rng.uniform(0.3, 1), rng.normal(-0.05, 0.38)
        look(w, float(np.clip(right, -1, 1)), float(np.clip(up, -1, 1)))
        if rng.random() < 0.15:  # vergence
            for name in ("eyeLookInLeft", "eyeLookInRight"):
                w[EXPRESSION_INDEX[name]] = min(1, w[EXPRESSION_INDEX[name]] + rng.uniform(0, 0.25))

    def blink(self, w: np.ndarray, rng: np.random.Generator) -> None:
        chance = rng.random()
        if chance < 0.11:
            value = rng.uniform(0.75, 1)
            set_(w, eyeBlinkLeft=value, eyeBlinkRight=value * rng.uniform(0.92, 1))
        elif chance < 0.20:
            value = rng.uniform(0, 0.75)
            set_(w, eyeBlinkLeft=value, eyeBlinkRight=value * rng.uniform(0.9, 1))
        elif chance < 0.23:
            set_(w, **{str(rng.choice(("eyeBlinkLeft", "eyeBlinkRight"))): rng.uniform(0.6, 1)})
        elif chance < 0.8:
            small = rng.uniform(0, 0.15)
            set_(w, eyeBlinkLeft=small, eyeBlinkRight=small)
