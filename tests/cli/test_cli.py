# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn` in a terminal: its help, its exit status, and the smaller commands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mfn_addon.cli import main
from mfn_addon.face import FaceFrame
from mfn_addon.take import Take, TakeWriter
from mfn_addon.take.stamps import stamp_info
from tests.capture.marks import make_face
from tests.cli.terminal import read, refusal

COMMANDS = ["solve", "refine", "bake", "export", "evaluate", "camera", "serve"]


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
        assert recorded.info.items() >= stamp_info(video.name, video).items()
        assert recorded.sources == [video.name]
