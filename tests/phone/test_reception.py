# SPDX-License-Identifier: GPL-3.0-or-later
"""The signal's bars, from frames that are lost and delays that vary."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.phone.reception import Reception


def receive(lost: float, jitter: float, latency: float = 0.03) -> tuple[Reception, float]:
    """Three seconds at 30 frames a second; and when the last one came."""
    random, reception, at = np.random.default_rng(4), Reception(), 0.0
    for sequence in range(90):
        if random.uniform() >= lost:
            delay = latency + random.uniform(0, jitter)
            at = max(at, sequence / 30 + delay)
            reception.see(sequence, delay, at)
    return reception, at


@pytest.mark.parametrize(
    ("lost", "jitter", "bars"),
    [(0, 0.005, 4), (0, 0.04, 3), (0.04, 0.005, 3), (0.1, 0.1, 2), (0, 0.4, 1), (0.5, 0.005, 1)],
)
def test_bars_fall_with_loss_and_with_jitter(lost, jitter, bars):
    reception, at = receive(lost, jitter)
    assert reception.signal(at) == bars


def test_a_constant_delay_is_no_weak_signal():
    reception, at = receive(0, 0.005, latency=0.5)
    assert reception.signal(at) == 4


def test_silence_has_no_bars():
    reception, at = receive(0, 0.005)
    assert reception.rate(at) == pytest.approx(30, abs=1)
    assert reception.signal(at + 3) == 0
    assert reception.rate(at + 3) == 0
