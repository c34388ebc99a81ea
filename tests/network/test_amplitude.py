# SPDX-License-Identifier: GPL-3.0-or-later
"""What rests is shown at rest, what moves is shown as strongly, on both sides alike."""

from __future__ import annotations

import numpy as np

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from mfn_addon.face.mirror import mirror_order
from mfn_addon.network.amplitude import BELOW_REST, REST_AND_GAIN, as_shown, rest_and_gain


def test_readings_of_a_resting_face_become_next_to_nothing():
    rest, _ = rest_and_gain()
    np.testing.assert_allclose(as_shown(rest), rest * BELOW_REST, atol=1e-6)
    assert as_shown(rest).max() < 0.03
    assert not as_shown(np.zeros_like(rest)).any()


def test_what_is_read_in_full_is_shown_in_full_and_never_more():
    full = as_shown(np.ones((3, len(EXPRESSIONS)), np.float32))
    assert full.shape == (3, len(EXPRESSIONS))
    assert full.dtype == np.float32
    np.testing.assert_array_equal(full, 1)


def test_stronger_readings_are_shown_stronger():
    steps = np.linspace(0, 1, 50, dtype=np.float32)[:, None].repeat(len(EXPRESSIONS), 1)
    shown = as_shown(steps)
    assert (np.diff(shown, axis=0) >= 0).all()
    assert (np.diff(shown[:25], axis=0) > 0).all()  # nothing becomes the same as something else
    rest, gain = rest_and_gain()
    middle = as_shown(np.full(len(EXPRESSIONS), 0.5, np.float32))
    wanted = rest * BELOW_REST + (0.5 - rest) * gain
    np.testing.assert_allclose(middle, wanted, atol=1e-6)


def test_a_mirrored_face_is_shown_mirrored():
    table = rest_and_gain()
    np.testing.assert_array_equal(table, table[:, mirror_order()])


def test_every_row_is_of_a_shape_there_is_and_blinks_are_left_alone():
    known = {name.removesuffix("Left").removesuffix("Right") for name in EXPRESSIONS}
    assert set(REST_AND_GAIN) <= known | set(EXPRESSIONS)
    table = rest_and_gain()
    np.testing.assert_array_equal(table[:, EXPRESSION_INDEX["eyeBlinkLeft"]], [0, 1])
    assert (table[0] < 0.25).all()
    assert (table[1] >= 1).all()
    assert (table[1] <= 1.45).all()
