# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn refine`: a take solved again from its footage keeps its actors, corrections and facts."""

import json

import pytest

from mfn_addon.cli import main
from mfn_addon.take import Layer, Take, write_info, write_layers
from tests.capture.marks import DiscNetwork

pytestmark = pytest.mark.usefixtures("no_close_ups")


@pytest.fixture
def take(video, tmp_path):
    path = tmp_path / "live.mfntake"
    command = ["solve", str(video), "--output", str(tmp_path / "x.jsonl"), "--take", str(path)]
    assert main(command) == 0
    write_layers(path, [Layer("later", offset=0.5)])
    write_info(path, {"slate": "12A", "rating": "4"})
    return path


def refine(take, video, output, *options):
    return main(["refine", str(take), "--footage", str(video), "--output", str(output), *options])


def middles(path):
    """Where each actor's face is in the middle of the take, by id."""
    with Take(path) as take:
        frame = list(take.frames())[20]
        return {face.id: (face.box[:2] + face.box[2:]) / 2 for face in frame.faces}


def test_actors_corrections_and_facts_go_along(take, video, tmp_path, capsys):
    output = tmp_path / "better.mfntake"
    before = take.read_bytes()
    assert refine(take, video, output, "--count") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "40 40"
    assert take.read_bytes() == before
    old, new = middles(take), middles(output)
    assert old.keys() == new.keys()
    for actor, place in old.items():
        assert new[actor] == pytest.approx(place, abs=6)
    with Take(output) as refined:
        assert [layer.offset for layer in refined.layers()] == [0.5]
        assert (refined.info["slate"], refined.info["refined"]) == ("12A", "live.mfntake")
        assert refined.frame_count == 40
    assert not list(tmp_path.glob("*.partial"))
    assert refine(take, video, output) == 2  # nothing is replaced unasked


def test_an_interrupted_run_goes_on(take, video, tmp_path, monkeypatch):
    output, seen = tmp_path / "better.mfntake", []
    detect = DiscNetwork.detect

    def interrupted(self, image):
        if len(seen) == 25:
            raise KeyboardInterrupt
        seen.append(1)
        return detect(self, image)

    monkeypatch.setattr(DiscNetwork, "detect", interrupted)
    assert refine(take, video, output) == 130
    assert not output.exists()
    partial = tmp_path / "better.mfntake.partial"
    partial.write_bytes(partial.read_bytes()[:-100])  # the last line half written
    seen[:] = [1] * 24
    monkeypatch.setattr(
        DiscNetwork, "detect", lambda self, image: seen.append(1) or detect(self, image)
    )
    assert refine(take, video, output) == 0
    assert len(seen) == 24 + 16  # 24 pictures are not looked at again
    assert middles(output).keys() == middles(take).keys()


def test_another_footage_is_refused(take, video, tmp_path, capsys):
    other = tmp_path / "other.avi"
    other.write_bytes(video.read_bytes() + b"later")
    assert refine(take, other, tmp_path / "better.mfntake") == 2
    assert "the take is of talk.avi, not of this footage" in capsys.readouterr().err


def test_renamed_footage_is_known_again(take, video, tmp_path):
    output = tmp_path / "better.mfntake"
    assert refine(take, video.rename(tmp_path / "final cut.avi"), output) == 0
    with Take(take) as live, Take(output) as refined:
        assert refined.sources == live.sources == ["talk.avi"]
        assert refined.info["footage:talk.avi"] == live.info["footage:talk.avi"]
        assert refined.frame_count == 40


def test_other_footage_of_the_same_name_is_refused(take, video, tmp_path, capsys):
    other = tmp_path / "elsewhere" / video.name
    other.parent.mkdir()
    other.write_bytes(video.read_bytes() + b"later")
    output = tmp_path / "better.mfntake"
    assert refine(take, other, output) == 2
    told = capsys.readouterr().err
    assert str(other) in told
    assert "another file than the talk.avi" in told
    assert not output.exists()
    write_info(take, {"footage:talk.avi": ""})  # as in takes of earlier versions
    assert refine(take, other, output) == 0


def test_what_a_run_on_other_footage_has_found_is_not_gone_on_with(take, video, tmp_path):
    output, partial = tmp_path / "better.mfntake", tmp_path / "better.mfntake.partial"
    frames = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    partial.write_text("".join(json.dumps({**frame, "faces": []}) + "\n" for frame in frames))
    assert refine(take, video, output) == 0
    with Take(output) as refined:
        assert min(len(frame.faces) for frame in refined.frames()) == 2


def test_what_other_networks_have_found_is_not_gone_on_with(take, video, tmp_path, monkeypatch):
    output, seen = tmp_path / "better.mfntake", []
    detect = DiscNetwork.detect

    def counted(self, image):
        if len(seen) == 25:
            raise KeyboardInterrupt
        seen.append(1)
        return detect(self, image)

    monkeypatch.setattr(DiscNetwork, "detect", counted)
    assert refine(take, video, output) == 130
    newer = tmp_path / "sfn.onnx"
    newer.write_bytes(b"of a later version")
    monkeypatch.setattr("mfn_addon.network.sfn.DEFAULT_PATH", newer)
    seen[:] = [1] * 26
    assert refine(take, video, output) == 0
    assert len(seen) == 26 + 40  # all pictures anew
