# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn solve`: what it writes of videos, pictures and takes."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.cli import main
from mfn_addon.face import EXPRESSIONS
from mfn_addon.take import Take, TakeWriter
from mfn_addon.take.videos import Video
from tests.capture.marks import DiscNetwork, draw
from tests.cli.terminal import read, refusal, save


def test_solve_a_video(video, tmp_path, capsys):
    out = tmp_path / "out" / "talk.jsonl"
    assert main(["solve", str(video), "--output", str(out)]) == 0
    frames = read(out)
    assert [frame.frame for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([n / 20 for n in range(40)])
    assert {(f.source, f.width, f.height) for f in frames} == {("talk.avi", 320, 240)}
    assert [[face.id for face in frame.faces] for frame in frames] == [[1, 2]] * 40
    assert "40 pictures, actors: 1, 2" in capsys.readouterr().err


@pytest.mark.usefixtures("no_close_ups")
def test_solve_offline_is_steadier_than_solve_unsmoothed(video, tmp_path):
    rough, calm, film = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "b.mp4"
    assert main(["solve", str(video), "--smoothing", "off", "--output", str(rough)]) == 0
    words = ["solve", str(video), "--offline", "--output", str(calm), "--overlay", str(film)]
    assert main(words) == 0
    before, after = read(rough), read(calm)
    assert [[face.id for face in frame.faces] for frame in after] == [[1, 2]] * 40
    assert len(list(Footage(film))) == 40

    def unrest(frames):
        values = np.array([frame.faces[0].landmarks for frame in frames])
        return np.abs(np.diff(values, 2, axis=0)).mean()

    assert unrest(after) < 0.7 * unrest(before)
    assert len({tuple(frame.faces[0].identity) for frame in after}) == 1


def test_solve_offline_reads_each_face_again(tmp_path):
    """With the network that the product reads them with, in two pictures."""
    folder, quick, slow = tmp_path / "shots", tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    folder.mkdir()
    for number in range(2):
        save(folder / f"{number}.png", draw({"red": (60, 70), "blue": (250, 180)}))
    assert main(["solve", str(folder), "--output", str(quick)]) == 0
    assert main(["solve", str(folder), "--offline", "--output", str(slow)]) == 0
    for before, after in zip(read(quick), read(slow), strict=True):
        assert [face.id for face in before.faces] == [face.id for face in after.faces] == [1, 2]
        for found, told in zip(before.faces, after.faces, strict=True):
            assert np.abs(found.expression - told.expression).max() > 1e-3
            assert np.abs(found.landmarks - told.landmarks).max() > 1e-3


def test_a_line_has_what_the_contract_names(video, tmp_path):
    out = tmp_path / "talk.jsonl"
    main(["solve", str(video), "--output", str(out)])
    line = json.loads(out.read_text().splitlines()[0])
    assert list(line) == ["source", "frame", "time", "width", "height", "faces"]
    face = line["faces"][0]
    assert list(face) == [
        "id", "score", "box", "rotation", "translation", "identity", "expression", "landmarks",
    ]  # fmt: skip
    assert list(face["expression"]) == list(EXPRESSIONS)
    assert np.shape(face["landmarks"]) == (68, 2)


def test_solve_to_a_take_whose_export_is_the_same_lines(video, tmp_path):
    out, take, again = tmp_path / "a.jsonl", tmp_path / "a.mfntake", tmp_path / "b.jsonl"
    assert main(["solve", str(video), "--output", str(out), "--take", str(take)]) == 0
    assert main(["export", str(take), "--output", str(again)]) == 0
    assert again.read_text() == out.read_text()


def test_pictures_are_unrelated_and_a_line_each(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    save(folder / "1.png", draw({"red": (60, 60)}))
    save(folder / "2.png", draw({"blue": (60, 60), "red": (200, 100)}))
    save(tmp_path / "extra.jpg", draw({}))
    out = tmp_path / "out.jsonl"
    inputs = [str(folder), str(tmp_path / "extra.jpg")]
    assert main(["solve", *inputs, "--output", str(out)]) == 0
    frames = read(out)
    assert [(f.source, f.frame, f.time) for f in frames] == [
        ("1.png", 0, 0.0), ("2.png", 0, 0.0), ("extra.jpg", 0, 0.0),
    ]  # fmt: skip
    assert [[face.id for face in frame.faces] for frame in frames] == [[1], [1, 2], []]


def test_a_folder_as_a_sequence_is_followed(tmp_path):
    folder = tmp_path / "render"
    folder.mkdir()
    for number in range(12):
        save(folder / f"f{number}.png", draw({"red": (60 + 8 * number, 60)}))
    out, take = tmp_path / "out.jsonl", tmp_path / "out.mfntake"
    arguments = ["solve", str(folder), "--sequence", "24", "--output", str(out)]
    assert main([*arguments, "--take", str(take)]) == 0
    frames = read(out)
    assert [f.frame for f in frames] == list(range(12))
    assert frames[6].time == pytest.approx(6 / 24)
    assert {f.source for f in frames} == {"render"}
    assert {face.id for f in frames for face in f.faces} == {1}


def test_two_videos_in_one_take_have_different_actors(video, tmp_path):
    second = tmp_path / "second.avi"
    second.write_bytes(video.read_bytes())
    take = tmp_path / "both.mfntake"
    arguments = [str(video), str(second), "--output", str(tmp_path / "o.jsonl")]
    assert main(["solve", *arguments, "--take", str(take)]) == 0
    with Take(take) as both:
        assert both.sources == ["talk.avi", "second.avi"]
        assert [actor.id for actor in both.actors()] == [1, 2, 3, 4]


@pytest.mark.usefixtures("no_close_ups")
def test_a_take_stands_for_the_videos_that_phones_kept_with_it(video, tmp_path, capsys):
    with TakeWriter(tmp_path / "phones.mfntake") as take:
        take.note(Video(video.name, "Anna's phone", -0.25).to_info())
    lines = tmp_path / "out.jsonl"
    assert main(["solve", str(take.path), "--offline", "--output", str(lines)]) == 0
    frames = read(lines)
    assert (frames[0].time, frames[0].source) == (-0.25, "Anna's phone")
    capsys.readouterr()
    TakeWriter(tmp_path / "none.mfntake").close()
    told = refusal(capsys, "solve", tmp_path / "none.mfntake", "--output", lines)
    assert "no phone has handed over a video" in told


def test_lines_to_standard_output(video, capsys):
    assert main(["solve", str(video), "--output", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 40


def test_overlay_of_a_video_and_of_a_picture(video, tmp_path):
    out, film = tmp_path / "o.jsonl", tmp_path / "film.mp4"
    assert main(["solve", str(video), "--output", str(out), "--overlay", str(film)]) == 0
    capture = cv2.VideoCapture(str(film))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 40
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(20)
    shot = save(tmp_path / "shot.png", draw({"red": (100, 100)}))
    drawn = tmp_path / "drawn.png"
    assert main(["solve", str(shot), "--output", str(out), "--overlay", str(drawn)]) == 0
    assert not np.array_equal(cv2.imread(str(drawn)), cv2.imread(str(shot)))


def test_footage_without_faces_is_fine_and_says_so(tmp_path, capsys):
    path = save(tmp_path / "empty_street.png", draw({}))
    out = tmp_path / "out.jsonl"
    assert main(["solve", str(path), "--output", str(out)]) == 0
    assert [frame.faces for frame in read(out)] == [[]]
    assert "no face was found" in capsys.readouterr().err


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_deep_and_grey_pictures_are_solved(tmp_path, dtype):
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((64, 64), np.iinfo(dtype).max // 2, dtype))
    out = tmp_path / "out.jsonl"
    assert main(["solve", str(path), "--output", str(out)]) == 0
    assert len(read(out)) == 1


def test_the_network_sees_as_much_as_asked_for(video, tmp_path, monkeypatch):
    sizes = []

    class Noting(DiscNetwork):
        def __init__(self, *words, **options):
            super().__init__(*words, **options)
            sizes.append(self.long_side)

    monkeypatch.setattr("mfn_addon.network.FaceNetwork", Noting)
    out = str(tmp_path / "o.jsonl")
    assert main(["solve", str(video), "--output", out]) == 0
    assert main(["solve", str(video), "--input-size", "640", "--output", out]) == 0
    assert sizes == [320, 640]
