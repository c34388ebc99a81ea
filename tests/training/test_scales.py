# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison's own measures: right where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from training import scales
from training.bank import load_surface
from training.results import put, table
from training.sfn import SIDE, Sfn
from training.synthetic.scene import Studio

from .test_learning import painted_bank


def test_a_network_that_knows_the_truth_has_no_error(monkeypatch):
    bank, surface = painted_bank(), load_surface()

    def knowing(model: Sfn, crops: list[np.ndarray]) -> list[np.ndarray]:
        points = surface.project(
            bank.rotation, bank.centre, bank.scale, bank.identity, bank.expression
        )
        low, high = points.min(1), points.max(1)
        zoom = SIDE / ((high - low).max(1) * 1.25)
        centre = (bank.centre - (low + high) / 2) * zoom[:, None] + SIDE / 2
        return [bank.rotation, centre, bank.scale * zoom, bank.identity, bank.expression]

    monkeypatch.setattr(scales, "read", knowing)
    found = scales.judge(Sfn().eval(), bank, surface)
    assert found["landmark error, % of the eye distance"] < 0.02
    assert found["expression error"] == 0
    assert found["rotation error, degrees"] < 0.1


@pytest.mark.parametrize("vary", ["pose", "identity", "crop"])
def test_in_a_series_one_thing_changes(vary):
    pictures = Studio(96, 96).series(np.random.default_rng(1), 3, vary)
    truths = [truths[0] for _, _, truths in pictures]
    assert all((truth.expression == truths[0].expression).all() for truth in truths)
    turned = [np.abs(truth.rotation - truths[0].rotation).max() for truth in truths[1:]]
    others = [np.abs(truth.identity - truths[0].identity).max() for truth in truths[1:]]
    assert (min(turned) > 0.02) == (vary == "pose")
    assert (min(others) > 0.1) == (vary == "identity")
    if vary == "crop":
        assert np.abs(truths[1].box - truths[0].box).max() > 1


def test_a_table_is_put_in_its_place_and_nowhere_else(tmp_path):
    path = tmp_path / "results.md"
    path.write_text("before\n<!-- scales -->\nold\n<!-- /scales -->\nafter\n")
    text = table({"a": {"error": 0.12345}, "b": {"error": 2.0}})
    put(path, "scales", text)
    assert path.read_text() == (
        "before\n<!-- scales -->\n|  | a | b |\n| --- | --- | --- |\n| error | 0.123 | 2 |\n"
        "<!-- /scales -->\nafter\n"
    )
    with pytest.raises(ValueError, match="no place"):
        put(path, "elsewhere", text)
