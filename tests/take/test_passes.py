# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording over a take: the new take plays both, and keeps the raw samples of both."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX, FaceFrame
from mfn_addon.take import CHANNELS, VERSION, Pass, Take, TakeError, TakeWriter, late, write_info
from mfn_addon.take.library import delete_take, rename_take
from mfn_addon.take.overdub import overdub
from mfn_addon.take.passes import expressions_of
from tests.capture.marks import make_face

JAW, BROW, BLINK = (EXPRESSION_INDEX[name] for name in ("jawOpen", "browInnerUp", "eyeBlinkLeft"))


def yaw(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([(c, 0, s), (0, 1, 0), (-s, 0, c)], np.float32)


def record(path: Path, level: float, *, rate=30.0, begins=0.0, seconds=2.0, actors=(1,)) -> Path:
    """A take of faces whose every weight is `level`, turned by as much."""
    with TakeWriter(path, info={"title": path.stem}) as take:
        for number in range(round(seconds * rate) + 1):
            faces = [make_face((100.0 * n, 90.0), face_id=n) for n in actors]
            for face in faces:
                face.expression[:] = level
                face.rotation[:] = yaw(level)
            take.add(FaceFrame(begins + number / rate, "clip", number, 640, 360, faces))
    return path


def samples(path: Path, prefix: str = "") -> list[bytes]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"SELECT data FROM {prefix}sample ORDER BY frame, actor")
        return [data for (data,) in rows]


def recording_over(folder: Path) -> tuple[Path, Path]:
    """A recording of a phone over a take, and the take of both, neither changed since 1970."""
    base = record(folder / "base.mfntake", 0.2)
    recording = late.file_for(folder / "Take 002.mfntake")
    recording.parent.mkdir(exist_ok=True)
    record(recording, 0.8, seconds=1.0)
    late.note(recording, late.LatePass(str(base), "Take 002.mfntake", 0.0, ("mouth",)))
    output = late.merge(recording)
    assert output is not None
    os.utime(recording, (0, 0))
    return recording, output


@pytest.mark.parametrize("where", ["renamed", "bin"])
def test_a_quiet_recording_goes_once_a_take_has_it(tmp_path, where):
    recording, output = recording_over(tmp_path)
    if where == "bin":
        delete_take(output)
    else:
        rename_take(output, "the best")
    assert late.tidy(tmp_path, -1.0) == []  # it may still grow
    assert recording.is_file()
    assert late.tidy(tmp_path, 1.0) == [recording]
    assert list(recording.parent.iterdir()) == []


def test_a_recording_that_is_held_nowhere_else_stays(tmp_path):
    recording, output = recording_over(tmp_path)
    with TakeWriter(recording, append=True) as take:  # a frame more than the take has
        take.add(FaceFrame(5.0, "clip", 150, 640, 360, [make_face((10.0, 10.0), face_id=1)]))
    os.utime(recording, (0, 0))
    assert late.tidy(tmp_path, 1.0) == []
    output.unlink()
    assert late.tidy(tmp_path, 1.0) == []
    (recording.parent / "broken.mfntake").write_bytes(b"nothing")
    os.utime(recording.parent / "broken.mfntake", (0, 0))
    assert late.tidy(tmp_path, 1.0) == []
    assert len(list(recording.parent.iterdir())) == 2


def test_channels_part_the_expressions():
    counts = np.sum([expressions_of((channel,)) for channel in CHANNELS], axis=0)
    assert (counts == 1).all()
    assert expressions_of(("eyes",))[BLINK]


def test_a_pass_replaces_its_channels_and_both_recordings_are_kept(tmp_path):
    base = record(tmp_path / "base.mfntake", 0.2)
    new = record(tmp_path / "new.mfntake", 0.8, rate=50.0, begins=40.0)
    write_info(base, {"note": "first", "rating": "3", "slate": "12"})
    raw = samples(base), samples(new)
    overdub(base, new, Pass(at=0.0, channels=("mouth",)))
    assert samples(base) == raw[0]
    assert (samples(new), samples(new, "pass_")) == raw
    with Take(new) as take:
        played = take.performance(1)
        assert take.passes == {1: Pass(at=0.0, channels=("mouth",))}
        assert take.frame_count == 61
        assert take.info["title"] == "new"
        assert take.info["over"] == "base"
        assert "rating" not in take.info
        frames = list(take.frames())
    assert np.allclose(played.expression[:, JAW], 0.8)
    assert np.allclose(played.expression[:, [BROW, BLINK]], 0.2)
    assert np.allclose(played.rotation, yaw(0.2))
    assert [frame.faces[0].expression[JAW] for frame in frames] == pytest.approx([0.8] * 61)


def test_a_punched_range_fades_at_its_ends(tmp_path):
    base = record(tmp_path / "base.mfntake", 0.2)
    new = record(tmp_path / "new.mfntake", 0.8, begins=7.0)
    overdub(base, new, Pass(at=0.0, start=0.5, end=1.5))
    with Take(new) as take:
        played = take.performance(1)
    jaw, time = played.expression[:, JAW], played.time
    assert np.allclose(jaw[(time < 0.5) | (time > 1.5)], 0.2)
    assert np.allclose(jaw[(time > 0.61) & (time < 1.39)], 0.8)
    assert np.abs(np.diff(jaw)).max() < 0.25  # no jump where it begins and ends
    turns = np.arctan2(played.rotation[:, 0, 2], played.rotation[:, 0, 0])
    assert turns == pytest.approx(jaw, abs=0.02)
    assert np.allclose(played.rotation @ played.rotation.transpose(0, 2, 1), np.eye(3), atol=1e-5)


def test_passes_lie_over_each_other_where_they_were_recorded(tmp_path):
    base = record(tmp_path / "base.mfntake", 0.2)
    first = record(tmp_path / "first.mfntake", 0.6, seconds=0.5)
    overdub(base, first, Pass(at=1.0, channels=("mouth", "eyes")))
    second = record(tmp_path / "second.mfntake", 0.9)
    overdub(first, second, Pass(at=0.0, channels=("eyes",)))
    with Take(second) as take:
        played = take.performance(1)
    within = (played.time >= 1.0) & (played.time <= 1.5)
    assert np.allclose(played.expression[within, JAW], 0.6)
    assert np.allclose(played.expression[~within, JAW], 0.2)
    assert np.allclose(played.expression[:, BLINK], 0.9)


def test_actors_are_matched_by_id_or_by_being_alone(tmp_path):
    two = record(tmp_path / "two.mfntake", 0.2, actors=(1, 2))
    other = record(tmp_path / "other.mfntake", 0.8, actors=(2,))
    overdub(two, other, Pass(at=0.0))
    with Take(other) as take:
        assert take.performance(1).expression.max() == pytest.approx(0.2)
        assert take.performance(2).expression.min() == pytest.approx(0.8)
    one = record(tmp_path / "one.mfntake", 0.2)
    again = record(tmp_path / "again.mfntake", 0.8, actors=(5,))
    overdub(one, again, Pass(at=0.0))
    with Take(again) as take:
        assert take.performance(1).expression.min() == pytest.approx(0.8)


def test_only_takes_with_passes_are_of_the_new_format(tmp_path):
    base, new = record(tmp_path / "base.mfntake", 0.2), record(tmp_path / "new.mfntake", 0.8)
    overdub(base, new, Pass(at=0.0))
    versions = []
    for path in (base, new):
        with sqlite3.connect(path) as connection:
            versions += connection.execute("PRAGMA user_version").fetchone()
    assert versions == [1, VERSION]


def test_a_base_that_is_gone_leaves_the_recording(tmp_path):
    new = record(tmp_path / "new.mfntake", 0.8)
    with pytest.raises(TakeError, match=r"gone\.mfntake: there is no such take"):
        overdub(tmp_path / "gone.mfntake", new, Pass(at=0.0))
    with Take(new) as take:
        assert take.frame_count == 61
    assert [path.name for path in tmp_path.iterdir()] == ["new.mfntake"]
