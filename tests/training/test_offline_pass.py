# SPDX-License-Identifier: GPL-3.0-or-later
"""What the passes are compared by."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, FaceFrame
from tests.capture.marks import make_face
from training.offline_pass import GROUPS, blinks_of, peaks, restlessness


def test_every_shape_but_the_tongue_is_in_one_group():
    begins = [one for group in GROUPS.values() for one in group]
    counts = [sum(name.startswith(one) for one in begins) for name in EXPRESSIONS]
    assert counts == [0 if name == "tongueOut" else 1 for name in EXPRESSIONS]


def test_a_steady_motion_is_no_unrest_and_a_shaking_one_is():
    def frames(values):
        return [
            FaceFrame(i / 30, "clip", i, 320, 240, [make_face(jaw_open=float(value))])
            for i, value in enumerate(values)
        ]

    shaking = np.random.default_rng(0).normal(0.5, 0.05, 40)
    assert np.allclose(restlessness(frames(np.linspace(0, 1, 40))), 0, atol=1e-4)
    assert restlessness(frames(shaking))[1] > 1


def test_blinks_are_peaks_that_are_high_enough():
    values = np.zeros(60)
    values[20], values[21], values[45] = 0.8, 0.6, 0.2
    assert peaks(values) == [20]


def test_a_blink_that_comes_late_and_low_is_measured_so():
    def frames(height, late):
        shut = np.exp(-(((np.arange(60) - 20 - late) / 2.0) ** 2)) * height
        lid = EXPRESSION_INDEX["eyeBlinkLeft"]
        rows = np.zeros((60, len(EXPRESSIONS)), np.float32)
        rows[:, lid] = shut
        return [
            FaceFrame(i / 30, "clip", i, 320, 240, [make_face().with_(expression=row)])
            for i, row in enumerate(rows)
        ]

    ((height, late),) = blinks_of(frames(0.6, 0.5), frames(0.8, 0.0))
    assert height == pytest.approx(0.75, abs=0.05)
    assert late == pytest.approx(0.5, abs=0.1)
