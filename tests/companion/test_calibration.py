# SPDX-License-Identifier: GPL-3.0-or-later
"""The page takes out an actor's neutral as Python does."""

from __future__ import annotations

import json
import subprocess

import cv2
import numpy as np
import pytest

from mfn_addon.face import EXPRESSIONS
from mfn_addon.track.calibration import Calibration
from tests.companion.node import COMPANION, node_binary, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def test_page_and_python_take_out_the_same_neutral() -> None:
    random = np.random.default_rng(5)
    weights = random.uniform(0, 0.5, (30, len(EXPRESSIONS)))
    turns = np.array([cv2.Rodrigues(random.normal(0.2, 0.02, 3))[0] for _ in range(31)])
    face = random.uniform(0, 1, len(EXPRESSIONS))
    rows = [
        {"expression": expression.tolist(), "rotation": turn.ravel().tolist()}
        for expression, turn in zip([*weights, face], turns, strict=True)
    ]
    given = {"expressions": EXPRESSIONS, "resting": rows[:-1], "face": rows[-1]}
    node = node_binary()
    assert node is not None
    done = subprocess.run(
        [node, "--no-warnings", "tests/calibrate.ts"], cwd=COMPANION, check=True,
        input=json.dumps(given), capture_output=True, text=True,
    )  # fmt: skip
    theirs = json.loads(done.stdout)
    ours = Calibration.from_arrays(weights, turns[:-1])
    assert np.abs(ours.weights(face) - theirs["expression"]).max() < 1e-5
    assert np.abs(ours.turns(turns[-1]).ravel() - theirs["rotation"]).max() < 1e-3
