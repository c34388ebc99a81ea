# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn solve` with input that it cannot use: one line, exit status 2, and nothing is lost."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from mfn_addon.cli import main
from mfn_addon.face import FaceFrame
from mfn_addon.take import TakeWriter
from tests.capture.marks import draw, make_face
from tests.cli.terminal import read, refusal, save


def test_an_absent_input(tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    line = refusal(capsys, "solve", tmp_path / "absent.mp4", "--output", out)
    assert "absent.mp4: there is no such file" in line
    assert not out.exists()


def test_an_absent_input_among_others_is_told_before_the_work_begins(video, tmp_path, capsys):
    out = tmp_path / "out.jsonl"
    refusal(capsys, "solve", video, tmp_path / "absent.mp4", "--output", out)
    assert not out.exists()


def test_an_empty_file(tmp_path, capsys):
    (tmp_path / "empty.mov").touch()
    line = refusal(capsys, "solve", tmp_path / "empty.mov", "--output", tmp_path / "o.jsonl")
    assert "the file is empty" in line


def test_text_named_mp4(tmp_path, capfd):
    (tmp_path / "letter.mp4").write_text("Dear Sir or Madam,\n" * 40)
    line = refusal(capfd, "solve", tmp_path / "letter.mp4", "--output", tmp_path / "o.jsonl")
    assert "letter.mp4: not a video or picture" in line


def test_noise_named_mp4(tmp_path, capfd):
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(50_000))
    line = refusal(capfd, "solve", tmp_path / "noise.mp4", "--output", tmp_path / "o.jsonl")
    assert "noise.mp4: not a video or picture" in line


def test_a_1x1_picture(tmp_path, capsys):
    path = save(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8))
    line = refusal(capsys, "solve", path, "--output", tmp_path / "o.jsonl")
    assert "1x1 px is too small" in line


def test_a_truncated_video_is_solved_as_far_as_it_goes(video, tmp_path, capfd):
    cut = tmp_path / "cut.avi"
    data = video.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    out = tmp_path / "out.jsonl"
    assert main(["solve", str(cut), "--output", str(out)]) == 0
    assert 10 < len(read(out)) < 40
    assert "ends early" in capfd.readouterr().err


def test_one_bad_picture_among_good_ones_is_told_and_left_out(tmp_path, capsys):
    folder = tmp_path / "shots"
    folder.mkdir()
    for name in ("a.png", "c.png"):
        save(folder / name, draw({"red": (60, 60)}))
    (folder / "b.png").write_bytes(b"\x89PNG damaged")
    out = tmp_path / "out.jsonl"
    assert main(["solve", str(folder), "--output", str(out)]) == 2
    assert [frame.source for frame in read(out)] == ["a.png", "c.png"]
    (line,) = capsys.readouterr().err.splitlines()
    assert "b.png: not a picture that can be read" in line


def test_a_take_of_a_still_is_refused(tmp_path, capsys):
    path = save(tmp_path / "a.png", draw({}))
    take = tmp_path / "a.mfntake"
    line = refusal(capsys, "solve", path, "--output", tmp_path / "o.jsonl", "--take", take)
    assert "needs moving pictures" in line
    assert not take.exists()


def test_an_existing_take_is_not_overwritten_unasked(video, tmp_path, capsys):
    take = tmp_path / "precious.mfntake"
    with TakeWriter(take) as writer:
        writer.add(FaceFrame(0, "x", 0, 64, 64, [make_face(face_id=1)]))
    arguments = ["solve", video, "--output", tmp_path / "o.jsonl", "--take", take]
    assert "exists already" in refusal(capsys, *arguments)
    assert main([*map(str, arguments), "--overwrite"]) == 0


def test_an_output_that_cannot_be_written(video, tmp_path, capsys):
    (tmp_path / "file").touch()
    line = refusal(capsys, "solve", video, "--output", tmp_path / "file" / "out.jsonl")
    assert str(tmp_path / "file") in line


def test_a_missing_network(video, tmp_path, capsys, monkeypatch):
    class Missing:
        def __init__(self, *_: object, **__: object):
            raise FileNotFoundError("network not found: models/mfn.onnx (run `make models`)")

    monkeypatch.setattr(sys.modules["mfn_addon.network"], "FaceNetwork", Missing)
    line = refusal(capsys, "solve", video, "--output", tmp_path / "o.jsonl")
    assert "network not found" in line


@pytest.mark.parametrize("rate", ["0", "-3", "nan"])
def test_an_impossible_sequence_rate(tmp_path, capsys, rate):
    line = refusal(
        capsys, "solve", tmp_path, f"--sequence={rate}", "--output", tmp_path / "o.jsonl"
    )
    assert "above 0" in line
