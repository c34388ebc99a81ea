# SPDX-License-Identifier: GPL-3.0-or-later
"""Rest and gain are found again in readings that were made with known ones."""

from __future__ import annotations

import shutil

import numpy as np
import onnx
import pytest

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS
from mfn_addon.face.head_model import MODELS_FOLDER
from mfn_addon.network import FaceNetwork
from mfn_addon.network.amplitude import KEY
from mfn_addon.network.sfn import SingleFaceNetwork
from training.amplitude import MOST_GAIN, joined, main, note, of_photographs, of_studies

COUNT = len(EXPRESSIONS)


@pytest.fixture
def truth() -> np.ndarray:
    """(4000, 52): most weights are 0, the others anything."""
    random = np.random.default_rng(0)
    return random.uniform(0, 1, (4000, COUNT)) * (random.random((4000, COUNT)) < 0.3)


def test_shrunk_readings_are_stretched_and_their_floor_is_rest(truth):
    rest, gain = of_studies(0.06 + 0.8 * truth, truth)
    assert rest == pytest.approx(0.06, abs=0.01)
    assert gain == pytest.approx(1.25, abs=0.01)


def test_neutral_photographs_tell_rest_but_not_where_eyes_look(truth):
    neutral = np.arange(len(truth)) < 1000
    fitted = np.where(neutral[:, None], 0.0, truth)
    read = 0.1 + 0.8 * fitted
    rest, gain = of_photographs(read, fitted, neutral)
    assert rest[EXPRESSION_INDEX["browInnerUp"]] == pytest.approx(0.1)
    assert rest[EXPRESSION_INDEX["eyeLookUpLeft"]] == 0
    assert gain == pytest.approx(1.25, abs=0.01)
    fitted[:, 3] = 0.01
    assert np.isinf(of_photographs(read, fitted, neutral)[1][3])


def test_the_table_is_careful_and_alike_on_both_sides(truth):
    rest, gain = np.full(COUNT, 0.04), np.full(COUNT, 1.2)
    rest[EXPRESSION_INDEX["browDownLeft"]] = 0.08
    gain[EXPRESSION_INDEX["noseSneerLeft"]] = gain[EXPRESSION_INDEX["noseSneerRight"]] = 9.0
    gain[EXPRESSION_INDEX["jawOpen"]] = 0.9
    table = joined((rest, gain), (np.zeros(COUNT), np.full(COUNT, np.inf)))
    assert table["browDown"] == pytest.approx((0.06, 1.2), abs=0.01)
    assert table["noseSneer"] == pytest.approx((0.04, MOST_GAIN), abs=0.01)
    assert (1 - table["jawOpen"][0]) * table["jawOpen"][1] >= 1  # an open mouth is opened fully
    assert table["jawLeft"] == table["jawRight"]  # mirrored, they are each other
    assert {"jawLeft", "jawRight", "mouthLeft", "mouthRight"} <= set(table)
    assert "eyeBlink" not in table
    assert table["browInnerUp"] == pytest.approx((0.0, 1.2), abs=0.01)


def test_a_table_is_noted_in_the_file_and_replaces_what_was_there(tmp_path):
    path = tmp_path / "mfn.onnx"
    shutil.copy(MODELS_FOLDER / "mfn.onnx", path)
    before = onnx.load(path)
    note(path, {"mouthSmile": (0.1, 1.25)})
    after, own = onnx.load(path), FaceNetwork(path).amplitude
    assert own.gain[EXPRESSION_INDEX["mouthSmileLeft"]] == pytest.approx(1.25)
    assert own.gain[EXPRESSION_INDEX["browDownLeft"]] == 1
    assert after.graph == before.graph
    facts = [{p.key: p.value for p in model.metadata_props} for model in (before, after)]
    assert facts[0].keys() == facts[1].keys()
    assert all(facts[0][key] == facts[1][key] for key in facts[0] if key != KEY)
    assert list(tmp_path.iterdir()) == [path]


def test_both_kinds_of_network_are_measured_by_rendered_faces_alone(tmp_path, monkeypatch, capsys):
    paths = [tmp_path / name for name in ("mfn_light.onnx", "sfn.onnx")]
    for path in paths:
        shutil.copy(MODELS_FOLDER / path.name, path)
        note(path, {})
    missing = str(tmp_path / "photos.npz")
    words = ["amplitude", *map(str, paths), "--rendered", "12", "--fitted", missing]
    monkeypatch.setattr("sys.argv", words)
    main()
    assert missing in capsys.readouterr().out
    found = [FaceNetwork(paths[0]).amplitude, SingleFaceNetwork(paths[1]).amplitude]
    for own in found:
        assert (own.gain > 1).any()
        assert own.gain.max() <= MOST_GAIN + 0.01
    assert (found[0].rest != found[1].rest).any()
