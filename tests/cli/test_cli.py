# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn` in a terminal: what it writes, its exit status, and its one line for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.cli import main
from mfn_addon.face import EXPRESSIONS, FaceFrame
from mfn_addon.take import Take, TakeWriter
from mfn_addon.take.videos import Video
from tests.capture.marks import DiscNetwork, draw, make_face

COMMANDS = ["solve", "refine", "bake", "export", "evaluate", "camera", "serve"]


@pytest.fixture(autouse=True)
def disc_network(monkeypatch):
    """The network finds discs."""
    monkeypatch.setattr("mfn_addon.network.FaceNetwork", DiscNetwork)


def save(path: Path, picture: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), picture[:, :, ::-1])
    return path


@pytest.fixture
def video(tmp_path) -> Path:
    """Two seconds: red crosses the picture, blue stays; 20 pictures a second."""
    path = tmp_path / "talk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    for number in range(40):
        picture = draw({"red": (60 + 4 * number, 70), "blue": (250, 180)})
        writer.write(picture[:, :, ::-1].copy())
    writer.release()
    return path


def read(path: Path) -> list[FaceFrame]:
    return [FaceFrame.from_json(json.loads(line)) for line in path.read_text().splitlines()]


def refusal(capsys, *arguments: object) -> str:
    """The one line on stderr with which a command is refused with status 2."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(f"mfn {arguments[0]}: ")
    return line


def test_solve_a_video(video, tmp_path, capsys):
    out = tmp_path / "out" / "talk.jsonl"
    assert main(["solve", str(video), "--output", str(out)]) == 0
    frames = read(out)
    assert [frame.frame for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == pytest.approx([n / 20 for n in range(40)])
    assert {(f.source, f.width, f.height) for f in frames} == {("talk.avi", 320, 240)}
    assert [[face.id for face in frame.faces] for frame in frames] == [[1, 2]] * 40
    assert "40 pictures, actors: 1, 2" in capsys.readouterr().err


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


def test_export_of_one_actor_and_import(video, tmp_path, capsys):
    out, take = tmp_path / "a.jsonl", tmp_path / "a.mfntake"
    main(["solve", str(video), "--output", str(tmp_path / "all.jsonl"), "--take", str(take)])
    assert main(["export", str(take), "--actor", "2", "--output", str(out)]) == 0
    assert {face.id for frame in read(out) for face in frame.faces} == {2}
    back = tmp_path / "back.mfntake"
    assert main(["export", "--import", str(out), "--output", str(back)]) == 0
    with Take(back) as imported:
        assert [actor.id for actor in imported.actors()] == [2]
        assert imported.frame_count == 40


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


def test_export_of_something_that_is_no_take(tmp_path, capsys):
    (tmp_path / "a.mfntake").write_text("no take")
    line = refusal(capsys, "export", tmp_path / "a.mfntake", "--output", tmp_path / "o.jsonl")
    assert "not a take" in line
    assert not (tmp_path / "o.jsonl").exists()


def test_bake_of_an_absent_rig_and_an_absent_actor(tmp_path, capsys):
    take = tmp_path / "a.mfntake"
    with TakeWriter(take) as writer:
        writer.add(FaceFrame(0, "x", 0, 64, 64, [make_face(face_id=1)]))
    out = tmp_path / "o.blend"
    line = refusal(capsys, "bake", take, "--rig", tmp_path / "no.blend", "--output", out)
    assert "no such rig" in line
    (tmp_path / "rig.blend").touch()
    line = refusal(capsys, "bake", take, "--rig", f"{tmp_path / 'rig.blend'}=5", "--output", out)
    assert "no actor 5 (it has: 1)" in line


def test_bake_with_settings_a_rate_and_tolerances_that_are_none(tmp_path, capsys):
    rig, preset = tmp_path / "rig.blend", tmp_path / "ada.json"
    rig.touch()
    preset.write_text('{"format": "other"}')
    bake = ("bake", tmp_path / "a.mfntake", "--rig", rig, "--output", tmp_path / "o.blend")
    assert "ada.json: this is no preset" in refusal(capsys, *bake, "--settings", preset)
    assert "--fps 0: expected 1 to 1000" in refusal(capsys, *bake, "--fps", "0")
    assert "--tolerance 1 0 1: expected" in refusal(capsys, *bake, "--tolerance", "1", "0", "1")


def test_evaluate_without_the_training_environment(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "training.evaluate", None)
    assert "training environment" in refusal(capsys, "evaluate")


def test_no_camera(capfd):
    line = refusal(capfd, "camera", "--source", "7", "--seconds", "1")
    assert "camera 7" in line


def test_camera_without_a_receiver(capsys):
    line = refusal(capsys, "camera", "--source", "7", "--connect", "127.0.0.1:9")
    assert "nobody listens" in line


def test_footage_played_live_into_a_take(video, tmp_path):
    take = tmp_path / "live.mfntake"
    assert main(["camera", "--source", str(video), "--take", str(take)]) == 0
    with Take(take) as recorded:
        assert recorded.finished
        assert [actor.id for actor in recorded.actors()] == [1, 2]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"mfn {command}" in text


def test_overall_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert all(f"  {command} " in text for command in COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["dance"], ["solve"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


def test_as_a_program(tmp_path, repository):
    """`python -m mfn_addon.cli` gives the exit status to the shell."""
    done = subprocess.run(
        [sys.executable, "-m", "mfn_addon.cli", "solve", str(tmp_path / "no"), "--output", "-"],
        cwd=repository, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
