# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes: what was recorded comes back to the last bit, frame by frame and as arrays."""

from __future__ import annotations

import io

import numpy as np
import pytest

from mfn_addon.take import Take, TakeError, export_lines, import_lines
from mfn_addon.take.layout import SAMPLE, pack_sample, unpack_sample
from tests.capture.marks import make_face
from tests.take.takes import frames_of_two, lines_of, record


def test_a_take_gives_back_what_was_recorded(tmp_path):
    frames = frames_of_two()
    with Take(record(tmp_path / "a.mfntake", frames)) as take:
        assert lines_of(take.frames()) == lines_of(frames)
        assert take.frame_count == 30
        assert take.duration == pytest.approx(29 / 29.97)
        assert take.sources == ["talk.mp4"]
        assert take.finished
        assert "created" in take.info


def test_a_finished_take_is_one_file(tmp_path):
    record(tmp_path / "a.mfntake", frames_of_two())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mfntake"]


def test_its_actors(tmp_path):
    with Take(record(tmp_path / "a.mfntake", frames_of_two())) as take:
        first, second = take.actors()
    assert (first.id, first.frames, first.start) == (1, 30, 0.0)
    assert (second.id, second.frames, second.name) == (2, 10, "Actor 2")
    assert second.start == pytest.approx(10 / 29.97)
    assert second.end == pytest.approx(19 / 29.97)


def test_one_actors_performance_as_arrays(tmp_path):
    frames = frames_of_two()
    with Take(record(tmp_path / "a.mfntake", frames)) as take:
        performance = take.performance(2)
        with pytest.raises(TakeError, match=r"no actor 9 .*it has: 1, 2"):
            take.performance(9)
    expected = [face for frame in frames for face in frame.faces if face.id == 2]
    assert performance.time.shape == (10,)
    for name in ("box", "rotation", "translation", "expression", "identity", "landmarks"):
        assert np.array_equal(getattr(performance, name), [getattr(f, name) for f in expected])


def test_several_sources_stay_apart(tmp_path):
    first, second = frames_of_two(5, "left"), frames_of_two(5, "right")
    with Take(record(tmp_path / "a.mfntake", first + second)) as take:
        assert take.sources == ["left", "right"]
        assert lines_of(take.frames("right")) == lines_of(second)
        times = [frame.time for frame in take.frames()]
        assert times == sorted(times)


def test_a_take_without_frames(tmp_path):
    with Take(record(tmp_path / "a.mfntake", [])) as take:
        assert (take.frame_count, take.duration, list(take.frames())) == (0, 0.0, [])
        assert take.actors() == []


def test_a_sample_is_laid_out_as_documented():
    face = make_face(face_id=3, jaw_open=0.5)
    data = pack_sample(face)
    assert len(data) == SAMPLE.itemsize == 980
    assert np.frombuffer(data, "<f4", 1)[0] == np.float32(face.score)
    assert np.array_equal(np.frombuffer(data, "<f4", 4, 4), face.box)
    assert np.array_equal(np.frombuffer(data, "<f4", 52, 68), face.expression)
    assert unpack_sample(3, data).to_json() == {**face.to_json(), "score": pytest.approx(0.9)}


def test_export_and_import(tmp_path):
    frames = frames_of_two()
    path = record(tmp_path / "a.mfntake", frames)
    lines = tmp_path / "a.jsonl"
    with Take(path) as take, lines.open("w") as file:
        assert export_lines(take, file) == 30
    assert import_lines(lines, tmp_path / "b.mfntake") == 30
    again = io.StringIO()
    with Take(tmp_path / "b.mfntake") as take:
        export_lines(take, again)
    assert again.getvalue() == lines.read_text()


def test_a_take_on_a_medium_that_cannot_be_written(tmp_path):
    path = record(tmp_path / "a.mfntake", frames_of_two())
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with Take(path) as take:
            assert len(list(take.frames())) == 30
    finally:
        tmp_path.chmod(0o755)
