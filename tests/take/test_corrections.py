# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections lie over a take: what was recorded stays, bit by bit."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest

from mfn_addon.cli import main
from mfn_addon.face import EXPRESSION_INDEX, FaceFrame
from mfn_addon.take import (
    Layer,
    ShapeEdit,
    Take,
    TakeError,
    TakeWriter,
    corrected_frames,
    corrected_performances,
    read_lines,
    write_layers,
)
from tests.capture.marks import make_face

JAW = EXPRESSION_INDEX["jawOpen"]
SMILE = EXPRESSION_INDEX["mouthSmileLeft"]


@pytest.fixture
def path(tmp_path):
    """Two actors for two seconds at 30 a second: the jaw shakes, the smile rises."""
    rng = np.random.default_rng(1)
    with TakeWriter(tmp_path / "talk.mfntake") as take:
        for number in range(61):
            faces = [make_face((100.0 * n, 90.0), face_id=n) for n in (1, 2)]
            for face in faces:
                face.expression[:] = 0
                face.expression[JAW] = 0.5 + rng.normal(0, 0.02)
                face.expression[SMILE] = number / 60
            take.add(FaceFrame(number / 30, "clip", number, 640, 360, faces))
    return tmp_path / "talk.mfntake"


def dump(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT * FROM sample").fetchall()


def test_layers_are_kept_beside_the_samples(path):
    recorded = dump(path)
    layers = [
        Layer("Calm", actor=1, smoothing=1.5),
        Layer("Less", enabled=False, shapes={"jawOpen": ShapeEdit(gain=0.5, mute=True)}),
        Layer("Cut", offset=-0.25, start=0.5, end=1.5),
    ]
    write_layers(path, layers)
    with Take(path) as take:
        assert take.layers() == layers
    assert dump(path) == recorded
    write_layers(path, [])
    with Take(path) as take:
        assert take.layers() == []
        raw, shown = take.performance(1), corrected_performances(take, [1])[1]
    assert np.array_equal(raw.expression, shown.expression)


def test_edits_of_shapes_are_one_actors_and_in_order(path):
    edits = {"mouthSmileLeft": ShapeEdit(gain=2.0, offset=0.1), "jawOpen": ShapeEdit(mute=True)}
    halved = Layer(shapes={"mouthSmileLeft": ShapeEdit(gain=0.5)})
    write_layers(path, [Layer(actor=2, shapes=edits), halved, Layer(enabled=False, offset=9.0)])
    with Take(path) as take:
        shown = corrected_performances(take, [1, 2])
        raw = take.performances([1, 2])
    assert np.allclose(shown[1].expression[:, JAW], raw[1].expression[:, JAW])
    assert not shown[2].expression[:, JAW].any()
    smile = np.clip(raw[2].expression[:, SMILE] * 2 + 0.1, 0, 1) / 2
    assert np.allclose(shown[2].expression[:, SMILE], smile)


def test_smoothing_takes_noise_and_no_time(path):
    write_layers(path, [Layer(actor=1, smoothing=1.0)])
    with Take(path) as take:
        shown, raw = corrected_performances(take, [1])[1], take.performance(1)
    calm, shaking = np.std(shown.expression[:, JAW]), np.std(raw.expression[:, JAW])
    assert calm < 0.5 * shaking
    inner = slice(10, -10)
    assert np.allclose(shown.expression[inner, SMILE], raw.expression[inner, SMILE], atol=1e-3)


def test_offset_and_trim_are_in_the_takes_time(path):
    write_layers(path, [Layer(actor=2, offset=0.5, end=1.0)])
    with Take(path) as take:
        shown = corrected_performances(take, [1, 2])
    assert (shown[1].time[0], shown[1].time[-1]) == (0.0, 2.0)
    assert shown[2].time[0] == pytest.approx(0.5)
    assert shown[2].time[-1] == pytest.approx(1.0)
    assert shown[2].expression[0, SMILE] == 0.0
    write_layers(path, [Layer(start=50.0)])
    with Take(path) as take, pytest.raises(TakeError, match="trim all of actor 1 away"):
        corrected_performances(take, [1])


def test_export_is_raw_unless_asked_for(path, tmp_path):
    write_layers(path, [Layer(actor=2, offset=0.5), Layer(start=0.0, end=1.0)])
    raw, shown = tmp_path / "raw.jsonl", tmp_path / "shown.jsonl"
    assert main(["export", str(path), "--output", str(raw)]) == 0
    assert main(["export", str(path), "--corrected", "--output", str(shown)]) == 0
    assert [len(frame.faces) for frame in read_lines(raw)] == [2] * 61
    frames = list(read_lines(shown))
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(1.0)
    first = {face.id: frame.frame for frame in reversed(frames) for face in frame.faces}
    assert first == {1: 0, 2: 0}
    at_half = next(frame for frame in frames if any(face.id == 2 for face in frame.faces))
    assert at_half.time == pytest.approx(0.5)


def test_frames_without_faces_stay_in_a_corrected_export(tmp_path):
    with TakeWriter(tmp_path / "empty.mfntake") as writer:
        for number in range(3):
            writer.add(FaceFrame(number / 30, "clip", number, 640, 360, []))
    with Take(tmp_path / "empty.mfntake") as take:
        assert [frame.frame for frame in corrected_frames(take)] == [0, 1, 2]


def test_a_take_without_the_table_opens_and_takes_layers(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE correction")
        connection.execute("DROP TABLE layer")
    with Take(path) as take:
        assert take.layers() == []
    write_layers(path, [Layer(offset=0.1)])
    with Take(path) as take:
        assert take.layers() == [Layer(offset=0.1)]


@pytest.mark.parametrize(
    "settings", ["[]", "no JSON", '{"later": 1}', '{"shapes": {"grin": {}}}', '{"shapes": 3}']
)
def test_a_layer_that_cannot_be_read_is_told(path, settings):
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO layer (kind, name, settings) VALUES ('corrections', 'Odd', ?)", (settings,)
        )
    with Take(path) as take:
        with pytest.raises(TakeError, match=r"talk\.mfntake.*'Odd'"):
            take.layers()
        assert len(take.performance(1)) == 61


def test_only_takes_take_layers(tmp_path):
    with pytest.raises(TakeError, match="there is no such take"):
        write_layers(tmp_path / "gone.mfntake", [])
    (tmp_path / "notes.txt").write_text(json.dumps({}))
    with pytest.raises(TakeError, match=r"notes\.txt"):
        write_layers(tmp_path / "notes.txt", [])
