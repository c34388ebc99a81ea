# SPDX-License-Identifier: GPL-3.0-or-later
"""The clocks of phones, simulated: no time passes."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.phone.clock import ClockEstimate, Exchange

START = 1.75e9
"""Seconds: about the Unix time of today."""


class SimulatedPhone:
    """A clock with an offset and a drift, behind a network with jitter."""

    def __init__(self, seed: int, drift: float, jitter: float = 0.080) -> None:
        self._random = np.random.default_rng(seed)
        self._drift, self._jitter = drift, jitter
        self.offset = self._random.uniform(-1000, 1000)
        self.estimate = ClockEstimate()

    def clock(self, ours: float) -> float:
        return ours + self.offset + self._drift * (ours - START)

    def exchange(self, asked: float) -> None:
        there, back = 0.002 + self._random.uniform(0, self._jitter, 2)
        received, sent = asked + there, asked + there + 0.001
        self.estimate.add(Exchange(asked, self.clock(received), self.clock(sent), sent + back))

    def run(self, seconds: float, start: float = START) -> None:
        """As `PhoneLink.tick` asks: 20 a second at first, then 5."""
        time = start
        while time < start + seconds:
            self.exchange(time)
            time += 0.05 if time < start + 6 else 0.2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("seconds", [10, 45, 200])
def test_a_clap_lands_at_one_time_through_jitter_and_drift(seed, seconds):
    phones = [SimulatedPhone(seed, 50e-6), SimulatedPhone(seed + 100, -50e-6)]
    for phone in phones:
        phone.run(seconds)
    clap = START + seconds
    first, second = (phone.estimate.to_ours(phone.clock(clap)) for phone in phones)
    assert abs(first - second) < 0.005
    assert abs(first - clap) < 0.005


def test_most_of_the_drift_is_found():
    phone = SimulatedPhone(1, 50e-6)
    phone.run(300)
    assert phone.estimate.drift == pytest.approx(50e-6, abs=20e-6)


def test_there_and_back_is_the_same_time():
    phone = SimulatedPhone(2, 50e-6)
    phone.run(60)
    ours = START + 30
    assert phone.estimate.to_ours(phone.estimate.to_theirs(ours)) == pytest.approx(ours, abs=1e-5)


def test_a_clock_that_jumps_is_learnt_anew():
    """A phone that slept: its clock stood still for a minute."""
    phone = SimulatedPhone(3, 0.0)
    phone.run(20)
    phone.offset -= 60
    phone.run(10, start=START + 80)
    ours = START + 90
    assert phone.estimate.to_ours(phone.clock(ours)) == pytest.approx(ours, abs=0.005)


def test_impossible_times_are_ignored():
    estimate = ClockEstimate()
    estimate.add(Exchange(asked=10.0, received=5.0, sent=4.0, returned=11.0))
    estimate.add(Exchange(asked=10.0, received=5.0, sent=6.0, returned=9.0))
    assert not estimate.known
