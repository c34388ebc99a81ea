# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials beyond labelled faces: pictures without any, and pictures that stand still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from mfn_addon.face import EXPRESSION_INDEX, FaceFrame
from mfn_addon.network import FaceNetwork
from mfn_addon.track import Tracker
from training import measures, photos

NOISE = 2.5  # grey levels, one sigma: a webcam in a lit room
STILL_FRAMES = 60
SETTLED = 15  # frames after which a filter has settled
RATE = 30.0


def false_alarms(network: FaceNetwork, data: Path, least_score: float) -> dict:
    """Faces seen in the held-back photographs that show none."""
    pictures = photos.read_backgrounds(data, held_back=True)
    counts = [
        sum(face.score >= least_score for face in network.detect(picture))
        for picture in tqdm(pictures, desc="without faces", disable=None)
    ]
    return {
        "photographs without faces": len(pictures),
        "score asked for": float(least_score),
        "false alarms a photograph": float(np.mean(counts)),
    }


def jitter(network: FaceNetwork, data: Path, people: int = 12) -> dict:
    """How restless the face of a still picture is under camera noise, raw and filtered.

    Returns:
        Each value's standard deviation over the frames: root mean square over the pictures, which
        the least legible of them decide, and the middle one.
    """
    some = photos.load("p1", data)
    rows = np.flatnonzero(some.held_back)
    _, first = np.unique(some.persons[rows], return_index=True)
    random = np.random.default_rng(0)
    spreads: dict[str, list[np.ndarray]] = {"raw": [], "filtered": []}
    for _, picture in tqdm(
        some.pictures(rows[np.sort(first)][:people]), total=people, desc="still", disable=None
    ):
        tracker = Tracker()
        height, width = picture.shape[:2]
        values: dict[str, list[np.ndarray]] = {"raw": [], "filtered": []}
        for i in range(STILL_FRAMES):
            noisy = picture + random.normal(0, NOISE, picture.shape)
            faces = network.detect(np.clip(noisy, 0, 255).astype(np.uint8))
            frame = FaceFrame(i / RATE, "still", i, width, height, faces)
            for name, seen in (("raw", faces), ("filtered", tracker.update(frame).faces)):
                if seen:
                    face = max(seen, key=lambda f: f.score)
                    yaw = measures.angles(face.rotation[None])[0, 0]
                    shapes = [face.expression[EXPRESSION_INDEX[s]] for s in ("jawOpen",
                              "eyeBlinkLeft")]  # fmt: skip
                    values[name].append(np.array([yaw, *shapes]))
        for name, each in values.items():
            if len(each) > SETTLED + 10:
                spreads[name].append(np.std(each[SETTLED:], axis=0))
    rows = {}
    for name, each in spreads.items():
        spread = np.array(each, np.float64)
        mean, middle = np.sqrt(np.square(spread).mean(0)), np.median(spread, 0)
        rows[f"{name}: yaw (degrees), jawOpen, eyeBlinkLeft"] = mean.round(4).tolist()
        rows[f"{name}, middle picture: the same"] = middle.round(4).tolist()
    return rows
