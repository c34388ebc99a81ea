# SPDX-License-Identifier: GPL-3.0-or-later
"""What rests is shown at rest, what moves is shown as strongly, on both sides alike."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from mfn_addon.face.head_model import MODELS_FOLDER
from mfn_addon.face.mirror import mirror_order
from mfn_addon.network import FaceNetwork
from mfn_addon.network.amplitude import BELOW_REST, KEY, Amplitude
from mfn_addon.network.sfn import SingleFaceNetwork

LANDED = {
    "mfn": FaceNetwork,
    "light": lambda: FaceNetwork(MODELS_FOLDER / "mfn_light.onnx"),
    "sfn": SingleFaceNetwork,
}


@pytest.fixture(scope="module", params=LANDED)
def amplitude(request) -> Amplitude:
    """Of each network as it is landed."""
    return LANDED[request.param]().amplitude


def of(table: object) -> Amplitude:
    return Amplitude.of(Path("some.onnx"), {KEY: json.dumps(table)})


def test_readings_of_a_resting_face_become_next_to_nothing(amplitude):
    rest = amplitude.rest
    np.testing.assert_allclose(amplitude.shown(rest), rest * BELOW_REST, atol=1e-6)
    assert amplitude.shown(rest).max() < 0.03
    assert not amplitude.shown(np.zeros_like(rest)).any()


def test_what_is_read_in_full_is_shown_in_full_and_never_more(amplitude):
    full = amplitude.shown(np.ones((3, len(EXPRESSIONS)), np.float32))
    assert full.shape == (3, len(EXPRESSIONS))
    assert full.dtype == np.float32
    np.testing.assert_array_equal(full, 1)


def test_stronger_readings_are_shown_stronger(amplitude):
    steps = np.linspace(0, 1, 50, dtype=np.float32)[:, None].repeat(len(EXPRESSIONS), 1)
    shown = amplitude.shown(steps)
    assert (np.diff(shown, axis=0) >= 0).all()
    assert (np.diff(shown[:25], axis=0) > 0).all()  # nothing becomes the same as something else
    middle = amplitude.shown(np.full(len(EXPRESSIONS), 0.5, np.float32))
    wanted = amplitude.rest * BELOW_REST + (0.5 - amplitude.rest) * amplitude.gain
    np.testing.assert_allclose(middle, wanted, atol=1e-6)


def test_a_mirrored_face_is_shown_mirrored(amplitude):
    for values in (amplitude.rest, amplitude.gain):
        np.testing.assert_array_equal(values, values[mirror_order()])


def test_each_network_has_measured_values_and_blinks_are_left_alone(amplitude):
    blink = EXPRESSION_INDEX["eyeBlinkLeft"]
    assert (amplitude.rest[blink], amplitude.gain[blink]) == (0, 1)
    assert (amplitude.gain > 1).sum() > 30
    assert (amplitude.rest < 0.25).all()
    assert (amplitude.gain <= 1.55).all()


def test_shapes_are_named_for_both_sides_or_for_one():
    found = of({"mouthSmile": [0.1, 1.2], "jawLeft": [0.2, 1.3]})
    index = EXPRESSION_INDEX
    for name in ("mouthSmileLeft", "mouthSmileRight"):
        assert found.rest[index[name]] == pytest.approx(0.1)
        assert found.gain[index[name]] == pytest.approx(1.2)
    assert found.gain[index["jawLeft"]] == pytest.approx(1.3)
    assert found.gain[index["jawRight"]] == 1


def test_a_network_without_a_table_is_shown_as_it_reads():
    read = np.linspace(0, 1, len(EXPRESSIONS), dtype=np.float32)
    np.testing.assert_allclose(Amplitude.of(Path("own.onnx"), {}).shown(read), read, atol=1e-7)


@pytest.mark.parametrize(
    "table",
    [[], 3, {"mouthSmile": 1}, {"mouthSmile": [0.1, 0.5]}, {"jawOpen": [-1, 1]},
     {"jawOpen": [0.1, "much"]}, {"jawOpen": [0, float("nan")]}],
)  # fmt: skip
def test_a_damaged_table_is_refused_and_says_what_to_do(table):
    with pytest.raises(ValueError, match=r"some\.onnx.*install the network again"):
        of(table)
