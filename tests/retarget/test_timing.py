# SPDX-License-Identifier: GPL-3.0-or-later
"""Real time stamps become even frames."""

import numpy as np
import pytest

from mfn_addon.retarget.timing import nominal_rate, resample


@pytest.mark.parametrize("rate", [24, 25, 30, 30000 / 1001, 24000 / 1001, 59.94, 60])
def test_the_nominal_rate_of_usual_footage(rate):
    times = np.arange(200) / rate
    assert nominal_rate(times) == pytest.approx(rate, rel=1e-4)
    dropped = np.delete(times, [20, 21, 70, 150])
    assert nominal_rate(dropped) == pytest.approx(rate, rel=1e-4)


def test_a_short_gap_is_bridged_and_a_long_one_held():
    def jaw_at(times, at):
        expression = np.zeros((len(times), 52))
        expression[:, 24] = np.linspace(0, 1, len(times))
        rotation = np.broadcast_to(np.eye(3), (len(times), 3, 3))
        return resample(np.array(times), expression, rotation, np.array([at]))[0][0, 24]

    assert jaw_at([0.0, 0.4], 0.2) == pytest.approx(0.5)
    assert jaw_at([0.0, 4.0], 2.0) == 0.0
    assert jaw_at([0.0, 4.0], 3.9) == pytest.approx(0.5)
    assert jaw_at([0.0, 4.0], 9.0) == 1.0
    assert jaw_at([1.0], 0.5) == 0.0
