# SPDX-License-Identifier: GPL-3.0-or-later
"""The regression that says what could be reached finds what landmarks hold, and less in noise."""

from __future__ import annotations

import numpy as np

from training.bank import load_surface
from training.limits import from_landmarks, turned


def test_angles_turn_about_their_axes():
    right = np.pi / 2
    assert np.allclose(turned(np.array([[right, 0, 0]]))[0] @ [0, 1, 0], [0, 0, 1], atol=1e-9)
    assert np.allclose(turned(np.array([[0, right, 0]]))[0] @ [0, 0, 1], [1, 0, 0], atol=1e-9)
    assert np.allclose(turned(np.array([[0, 0, right]]))[0] @ [1, 0, 0], [0, 1, 0], atol=1e-9)


def test_exact_landmarks_tell_the_weights_and_noisy_ones_less():
    columns = from_landmarks(load_surface(), 4000)
    means = [column["mean correlation"] for column in columns.values()]
    assert means[0] > 0.9
    assert sorted(means, reverse=True) == means
    assert means[-1] < 0.6
