# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches that learn from squares alone: what they are shown, and that they learn from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training import feeding, patches, train
from training.layers import dense
from training.marks import MARKS, MOUTH, Patch
from training.model import Mfn
from training.patches import PARTS, REACH, Part, Squares, collect, learn, placed_by
from training.running import read_weights, write_weights
from training.tasks import PATCHES

from .test_learning import composer

FACE, RIGHT, LEFT, LIPS, BROWS = PARTS


def dots(part: Part, count: int, seed: int = 0) -> Squares:
    """Squares with a bright dot, at which all marks lie; guesses err by up to three samples."""
    random = np.random.default_rng(seed)
    side, marks = part.cells + 2 * REACH, len(part.rows)
    middle = random.uniform(-0.1, 0.1, (count, 2)).astype(np.float32)
    dot = random.integers(side // 2 - 8, side // 2 + 8, (count, 2))  # x and y, samples
    pictures = np.full((count, side, side, 3), 20, np.uint8)
    for i, (x, y) in enumerate(dot):
        pictures[i, y, x] = 250
    place = middle + (dot + 0.5 - side / 2) / part.samples
    truth = np.repeat(place[:, None], marks, 1).astype(np.float32)
    guess = truth + random.uniform(-3, 3, (count, 1, 2)).astype(np.float32) / part.samples
    shapes = len(part.shapes)
    expression = np.zeros((count, shapes), np.float32)
    return Squares(part, pictures, middle, truth, guess, expression, expression + 1)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_marks_stay_where_the_picture_shows_them(part: Part):
    squares = dots(part, 12)
    rows, others = np.arange(12), np.roll(np.arange(12), 5)
    pictures, truth, guess = squares.shown(rows, others)
    assert pictures.shape == (12, 3, part.cells, part.cells)
    assert truth.shape == guess.shape == (12, len(part.rows), 2)
    for picture, places in zip(pictures, truth, strict=True):
        y, x = divmod(int(picture[0].argmax()), part.cells)
        wanted = (np.array([x, y]) + 0.5) / part.cells - 0.5
        assert places[0].numpy() == pytest.approx(wanted, abs=1e-5)
    # The patch lies about the guess, and the guess errs as that of the other face does.
    away = guess.mean(1).abs().max() * part.cells
    assert away <= 0.5 + 1e-3 or (np.abs(squares.guess.mean(1) - squares.middle) > 0.04).any()
    signs = [-1, 1] if part.mirrored else [1, 1]
    erred = (squares.guess - squares.truth)[others] * signs * (part.samples / part.cells)
    assert (guess - truth).numpy() == pytest.approx(erred, abs=1e-5)


def test_a_patch_learns_to_find_what_its_guess_has_missed():
    torch.manual_seed(0)
    squares = dots(LEFT, 200)
    patch = Patch(LEFT.cells, 96, len(LEFT.rows), dense)
    rows = np.arange(100)

    def off() -> float:
        pictures, truth, guess = squares.shown(rows, rows)
        with torch.no_grad():
            return float((patch.eval()(pictures, guess)[1] - truth).abs().mean())

    before = off()
    said = learn(patch, [squares], minutes=1, batch=24, rate=2e-3, steps=100)
    assert set(said) == {"marks", "expression"}
    assert off() < 0.6 * before


class Raises(torch.nn.Module):
    """Marks everything a tenth of its square above the guess."""

    def forward(self, squares: torch.Tensor, guess: torch.Tensor) -> tuple:
        return None, guess - torch.tensor([0.0, 0.1]), None


def test_what_marks_the_face_places_the_squares_of_its_parts():
    faces, lips = dots(FACE, 12), dots(LIPS, 12)
    placed_by(Raises(), faces, [lips], batch=5)
    assert faces.guess.shape == (12, MARKS, 2)
    raised = faces.guess[:, list(MOUTH)] - [0.0, 0.1 * FACE.cells / FACE.samples]
    assert lips.guess == pytest.approx(raised, abs=1e-5)


def test_squares_are_cut_where_the_marks_are(tmp_path, monkeypatch):
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, 64))
    monkeypatch.setattr(feeding, "NEAR_SIZES", ((160, 1),))
    torch.manual_seed(0)
    arguments = train.parse(["--photos", "", "--batch", "4", "--closeups", "1"])
    kept = collect(Mfn(), arguments, 6, tmp_path)
    _, right, left, mouth, brows = kept
    for squares in kept:
        assert len(squares.pictures) == len(squares.truth) == 6
        assert np.abs(squares.truth.mean(1) - squares.middle).max() < 1e-5
        assert squares.pictures.std() > 1
    assert mouth.part.rows == MOUTH
    assert (mouth.middle[:, 1] > right.middle[:, 1]).all()
    assert (left.middle[:, 0] > right.middle[:, 0]).any()
    assert brows.part is BROWS
    assert (mouth.middle[:, 1] > brows.middle[:, 1]).all()
    between = (left.middle + right.middle) / 2
    assert np.abs(brows.middle - between).max() < 0.5 * BROWS.cells / BROWS.samples


def test_a_run_that_was_stopped_goes_on_with_the_patch_it_was_at(tmp_path, monkeypatch):
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, 64))
    monkeypatch.setattr(feeding, "NEAR_SIZES", ((96, 1),))
    start, output = tmp_path / "start.pt", tmp_path / "last.pt"
    write_weights(Mfn().state_dict(), start)
    words = ["patches", str(start), "--output", str(output), "--photos", "", "--faces", "4"]
    monkeypatch.setattr("sys.argv", [*words, "--batch", "2", "--minutes", "0.001"])
    learned: list[str] = []

    def stopped(patch: Patch, kept: list[Squares], *rest) -> dict[str, float]:
        name = kept[-1].part.name
        if name == "mouth" and "mouth" not in learned:
            learned.append(name)
            raise KeyboardInterrupt
        learned.append(name)
        return learn(patch, kept, *rest)

    monkeypatch.setattr(patches, "learn", stopped)
    with pytest.raises(KeyboardInterrupt):
        patches.main()
    assert not output.is_file()
    patches.main()
    assert learned == ["face", "left", "mouth", "mouth", "glabella"]
    assert [path.name for path in tmp_path.iterdir() if path != start] == ["last.pt"]
    assert not torch.equal(
        read_weights(output)["regions.details.face.maps.weight"],
        read_weights(start)["regions.details.face.maps.weight"],
    )


def test_one_patch_learns_and_the_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, 64))
    monkeypatch.setattr(feeding, "NEAR_SIZES", ((96, 1),))
    start, output = tmp_path / "start.pt", tmp_path / "last.pt"
    write_weights(Mfn().state_dict(), start)
    words = ["patches", str(start), "--output", str(output), "--photos", "", "--faces", "4"]
    monkeypatch.setattr(
        "sys.argv", [*words, "--batch", "2", "--minutes", "0.001", "--only", "glabella"]
    )
    patches.main()
    before, after = read_weights(start), read_weights(output)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert all(key.startswith("regions.details.glabella.") for key in changed)


def test_patches_that_have_learned_are_taken_over_and_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(feeding, "make_composer", lambda a, seed: composer(seed, 64))
    monkeypatch.setattr(feeding, "NEAR_SIZES", ((96, 1),))
    learned, start = tmp_path / "learned.pt", tmp_path / "start.pt"
    for path in (learned, start):
        write_weights(Mfn().state_dict(), path)
    arguments = train.parse(
        ["--network", "close", "--photos", "", "--photo-share", "0", "--steps", "2", "--batch", "4",
         "--workers", "0", "--init", str(start), "--patches", str(learned),
         "--output", str(tmp_path / "run")]
    )  # fmt: skip
    train.train(arguments)
    saved = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    wanted, begun = read_weights(learned), read_weights(start)
    patches_of = tuple(f"{name}." for name in PATCHES)
    some = [key for key in wanted if key.startswith(patches_of)]
    assert len(some) > 30
    for state in (saved["model"], saved["average"]):
        assert all(torch.equal(state[key], wanted[key]) for key in some)
    key = "regions.refine.out.weight"  # it begins as nothing
    assert not begun[key].any()
    assert saved["model"][key].any()
