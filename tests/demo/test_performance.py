# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's conversation: whoever renders it relies on these."""

from __future__ import annotations

import numpy as np
import pytest

from demo.performance import ACTORS, RATE, SECONDS, perform
from mfn_addon.face import EXPRESSION_INDEX


@pytest.mark.parametrize("actor", ACTORS)
def test_weights_are_those_of_faces(actor) -> None:
    performance = perform(actor)
    assert performance.expression.shape == (round(SECONDS * RATE), 52)
    assert performance.expression.min() >= 0
    assert performance.expression.max() <= 1
    assert np.degrees(np.abs(performance.angles)).max() < 45


@pytest.mark.parametrize("actor", ACTORS)
def test_everyone_talks_blinks_and_turns(actor) -> None:
    performance = perform(actor)
    jaw = performance.expression[:, EXPRESSION_INDEX["jawOpen"]]
    blink = performance.expression[:, EXPRESSION_INDEX["eyeBlinkLeft"]]
    assert jaw.max() > 0.35
    assert ((blink[1:] > 0.9) & (blink[:-1] <= 0.9)).sum() >= 2
    assert np.degrees(np.ptp(performance.angles[:, 0])) > 25


def test_only_who_has_the_word_talks() -> None:
    start, end = ACTORS[0].talks[0]
    times = np.arange(round(SECONDS * RATE)) / RATE
    talking = (times > start) & (times < end)
    pucker = perform(ACTORS[0]).expression[:, EXPRESSION_INDEX["mouthPucker"]]
    assert pucker[talking].max() > 0.3
    assert pucker[~talking & (times > end + 0.2)].max() == 0


def test_a_performance_is_the_same_every_time() -> None:
    first, second = perform(ACTORS[1]), perform(ACTORS[1])
    np.testing.assert_array_equal(first.expression, second.expression)
    np.testing.assert_array_equal(first.angles, second.angles)
