# SPDX-License-Identifier: GPL-3.0-or-later
"""`make train`: which stages follow each other, and which leave the patches as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from training import __main__ as stages


@pytest.fixture
def measured() -> list[tuple[str, ...]]:
    """Whose rest and gain a planned run has measured."""
    return []


@pytest.fixture
def plan(tmp_path: Path, monkeypatch, measured):
    """Runs `make train` with stages that only leave their files; returns their words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stages.photos, "data_folder", lambda: None)

    def planned(*words: str) -> list[tuple[str, ...]]:
        done = []

        def run(*stage: str) -> None:
            if stage[0] == "training.amplitude":
                measured.append(stage[1:])
                return
            done.append(stage)
            output = Path(stage[stage.index("--output") + 1])
            if output.suffix:
                output.parent.mkdir(parents=True, exist_ok=True)
                output.touch()
            else:
                output.mkdir(parents=True, exist_ok=True)
                (output / "last.pt").touch()

        monkeypatch.setattr(stages, "run", run)
        if "--light-minutes" not in words:
            words += ("--light-minutes", "0")
        monkeypatch.setattr("sys.argv", ["training", *words])
        stages.main()
        return done

    return planned


def names(done: list[tuple[str, ...]]) -> list[str]:
    """What each training stage writes, and the name of the others."""
    return [
        Path(stage[stage.index("--output") + 1]).name
        if stage[0] == "training.train"
        else stage[0].removeprefix("training.")
        for stage in done
        if stage[0] != "training.synthetic"
    ]


def test_patches_of_landed_weights_learn_first_and_stay_until_the_last_stretch(plan, measured):
    stages.LANDED.mkdir(parents=True)
    for name in ("mfn", "sfn"):
        (stages.LANDED / f"{name}.pt").touch()
    done = plan()
    assert names(done) == [
        "patches", "mfn", "find", "verify", "close", "together", "halfway", "last", "halfway",
        "export", "export_sfn",
    ]  # fmt: skip
    learned = str(stages.WORK / "patches" / "last.pt")
    for stage, name in zip(done[-11:], names(done), strict=True):
        kept = name in ("mfn", "find", "verify", "close")
        assert ("--patches" in stage) == kept
        assert not kept or stage[stage.index("--patches") + 1] == learned
    tasks = [stage[stage.index("--network") + 1] for stage in done if "--network" in stage]
    assert tasks == ["mfn", "find", "verify", "close", "close", "close"]
    assert measured == [("models/mfn.onnx", "models/sfn.onnx")]


def test_last_stretches_end_between_what_was_and_what_they_have_become(plan):
    """And each begins where the one before it ended; SFN is what MFN becomes."""
    stages.LANDED.mkdir(parents=True)
    (stages.LANDED / "mfn.pt").touch()
    *_, one, last, other, export, export_sfn = plan("--sfn-minutes", "0")
    together, ends = (stages.WORK / name for name in ("together", "last"))
    made, final = (str(folder / "between.pt") for folder in (together, ends))
    begun = str(stages.WORK / "close" / "last.pt")
    assert one[:3] == ("training.halfway", begun, str(together / "last.pt"))
    assert one[3:] == ("--share", "0.75", "--output", made)
    assert last[last.index("--resume") + 1] == made
    assert other[:3] == ("training.halfway", made, str(ends / "last.pt"))
    assert other[3:] == ("--share", "0.5", "--output", final)
    assert export[:2] == ("training.export", final)
    assert export_sfn[:2] == ("training.export_sfn", final)
    assert export_sfn[-1] == str(stages.LANDED / "sfn.pt")


def test_without_any_weights_an_sfn_is_trained_first(plan):
    assert names(plan())[:6] == [
        "sfn", "sfn_together", "sfn_last", "halfway", "export_sfn", "mfn"
    ]  # fmt: skip


def test_without_landed_weights_patches_learn_from_what_mfn_guesses(plan):
    done = plan("--sfn-minutes", "0")
    assert names(done) == [
        "mfn",
        "find",
        "verify",
        "patches",
        "close",
        "together",
        "last",
        "halfway",
        "export",
        "export_sfn",
    ]
    by_name = dict(zip(names(done), [s for s in done if s[0] != "training.synthetic"], strict=True))
    assert "--patches" not in by_name["mfn"]
    assert by_name["patches"][1] == str(stages.WORK / "verify" / "last.pt")
    assert "--patches" in by_name["close"]
    assert "--patches" not in by_name["together"]


def test_patches_that_are_not_to_learn_are_those_that_were_landed(plan):
    stages.LANDED.mkdir(parents=True)
    landed = stages.LANDED / "mfn.pt"
    landed.touch()
    done = plan("--sfn-minutes", "0", "--patch-minutes", "0")
    assert "patches" not in names(done)
    (close,) = (s for s in done if s[0] == "training.train" and "close" in s and "--patches" in s)
    assert close[close.index("--patches") + 1] == str(landed)


@pytest.mark.parametrize("again", [False, True])
def test_the_light_mfn_is_made_of_the_landed_one_and_its_close_reading_learns(
    plan, measured, again
):
    stages.LANDED.mkdir(parents=True)
    (stages.LANDED / "mfn.pt").touch()
    light = stages.LANDED / "mfn_light.pt"
    if again:
        light.touch()
    done = plan("--sfn-minutes", "0", "--light-minutes", "5")
    thinning, learning, *between, last, half, export = done[-6 if again else -5 :]
    start = str(stages.WORK / "mfn_light" / "start.pt")
    made = str(stages.WORK / "mfn_light" / ("between.pt" if again else "last.pt"))
    assert [stage[1] for stage in between] == [start] * again
    assert thinning[:4] == ("training.thinning", str(stages.LANDED / "mfn.pt"), "--output", start)
    assert ("--near" in thinning) == again
    assert learning[learning.index("--network") + 1] == "close"
    assert {"--thin", "--init", start} <= set(learning)
    assert last[-3:] == ("--resume", made, "--restart")
    assert {"--thin", "--clear-photos"} <= set(last)
    assert half[:3] == ("training.halfway", made, str(stages.WORK / "light_last" / "last.pt"))
    assert export[1] == str(stages.WORK / "light_last" / "between.pt")
    assert export[export.index("--weights") + 1] == str(light)
    assert measured == [("models/mfn.onnx", "models/sfn.onnx", "models/mfn_light.onnx")]


def test_a_light_mfn_that_is_learning_is_not_begun_anew(plan):
    last = stages.WORK / "mfn_light" / "last.pt"
    last.parent.mkdir(parents=True)
    last.touch()
    done = plan("--sfn-minutes", "0", "--light-minutes", "5")
    assert "thinning" not in names(done)
    assert done[-4][-2:] == ("--resume", str(last))
