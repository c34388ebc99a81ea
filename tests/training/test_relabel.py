# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels by networks: put where they belong, in the crops' own pixels, and mixed with what was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mfn_addon.face import EXPRESSIONS, load_head_model
from mfn_addon.face.mirror import mirror_matrix, mirror_order
from training import scales
from training.bank import load_surface, photo_bank
from training.model import Mfn
from training.relabel import (
    KEYS,
    between,
    by_networks,
    lean_on_names,
    load,
    nearest_rotation,
    relabel,
)
from training.running import write_weights
from training.sfn import SIDE, Sfn

from .test_learning import painted_bank


def test_what_is_read_replaces_the_labels_to_learn_from(tmp_path):
    bank, surface = painted_bank(), load_surface()
    count = len(bank)
    held = np.arange(count) == 0
    labels = {key: np.asarray(getattr(bank, key)) for key in KEYS}
    photos, copy = tmp_path / "photos.npz", tmp_path / "work" / "photos.npz"
    np.savez(photos, held_back=held, error=np.zeros(count), **labels)
    np.save(photos.with_suffix(".crops.npy"), np.stack([bank.crops[i] for i in range(count)]))
    regions = scales.face_regions(surface.project(*(labels[key][1:] for key in KEYS)))

    def shifted(crops) -> list[np.ndarray]:
        """The truth as it stands in the regions' crops, but 8 px of them to the right."""
        assert len(list(crops)) == count - 1
        zoom = SIDE / regions[:, 3]
        centre = (labels["centre"][1:] - regions[:, 1:3]) * zoom[:, None] + SIDE / 2 + (8, 0)
        said = [labels["rotation"], labels["scale"], labels["identity"], labels["expression"]]
        rotation, scale, identity, expression = (values[1:] for values in said)
        return [rotation, centre, scale * zoom, identity, expression * 0.5]

    assert relabel(photos, copy, shifted, surface) == count - 1
    (kept,), learned = photo_bank(copy, held_back=True).centre, photo_bank(copy)
    assert kept == pytest.approx(labels["centre"][0])
    moved = learned.centre - labels["centre"][1:]
    assert moved[:, 0] == pytest.approx(8 * regions[:, 3] / SIDE, rel=1e-3)
    assert moved[:, 1] == pytest.approx(0, abs=1e-3)
    assert learned.scale == pytest.approx(labels["scale"][1:], rel=1e-5)
    assert learned.rotation == pytest.approx(labels["rotation"][1:], abs=1e-5)
    assert learned.expression == pytest.approx(labels["expression"][1:] * 0.5, abs=1e-6)
    assert (learned.crops[0] == bank.crops[1]).all()

    relabel(photos, copy, shifted, surface, share=0.75)
    moved = photo_bank(copy).centre - labels["centre"][1:]
    assert moved[:, 0] == pytest.approx(6 * regions[:, 3] / SIDE, rel=1e-3)
    assert photo_bank(copy).expression == pytest.approx(labels["expression"][1:] * 0.625, abs=1e-6)


def test_mouths_that_people_have_marked_lean_less_on_what_is_read(tmp_path):
    bank, surface = painted_bank(), load_surface()
    count = len(bank)
    labels = {key: np.asarray(getattr(bank, key)) for key in KEYS}
    photos, copy = tmp_path / "photos.npz", tmp_path / "copy.npz"
    by_people = np.arange(count) % 2 == 0
    nobody = np.zeros(count)
    np.savez(photos, held_back=nobody > 0, error=nobody, by_people=by_people, **labels)
    np.save(photos.with_suffix(".crops.npy"), np.stack([bank.crops[i] for i in range(count)]))

    def more(crops) -> list[np.ndarray]:
        said = labels | {"expression": labels["expression"] + 1}
        assert len(list(crops)) == count
        return [said[key] for key in KEYS]

    relabel(photos, copy, more, surface, share=0.75, marked_share=0.25)
    with np.load(copy) as data:
        moved = data["expression"] - labels["expression"]
    wide, smile = EXPRESSIONS.index("eyeWideLeft"), EXPRESSIONS.index("mouthSmileLeft")
    assert moved[:, wide] == pytest.approx(0.75)
    assert moved[by_people, smile] == pytest.approx(0.25)
    assert moved[~by_people, smile] == pytest.approx(0.75)


def test_smiles_lean_on_what_people_have_said():
    smile, wide = EXPRESSIONS.index("mouthSmileLeft"), EXPRESSIONS.index("eyeWideLeft")
    weights = np.zeros((5, len(EXPRESSIONS)), np.float32)
    weights[:, wide] = [0.1, 0.2, 0.3, 0.4, 0.5]
    weights[:, smile] = [0.2, 0.8, 0.3, 0.1, 0.4]
    weights[:, EXPRESSIONS.index("mouthSmileRight")] = weights[:, smile]
    said = weights.copy()
    lean_on_names(said, np.array(["happiness", "happiness", "neutral", "neutral", ""]))
    assert said[:, wide] == pytest.approx(weights[:, wide])
    happy, nothing = 0.5, 0.2
    expected = [0.2 + 0.3 * (happy - 0.2), 0.8 + 0.3 * (happy - 0.8),
                0.3 + 0.3 * (nothing - 0.3), 0.1 + 0.3 * (nothing - 0.1), 0.4]  # fmt: skip
    assert said[:, smile] == pytest.approx(expected)


def turned(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[[c, 0, s], [0, 1, 0], [-s, 0, c]]])


def test_a_label_between_two_is_a_look_between_two():
    def look(degrees: float, scale: float) -> dict[str, np.ndarray]:
        rest = {"centre": np.zeros((1, 2)), "identity": np.zeros((1, 40))}
        return rest | {"rotation": turned(degrees), "scale": np.array([scale]),
                       "expression": np.zeros((1, 52))}  # fmt: skip

    mean = between(look(10, 100), look(30, 400), 0.5)
    assert mean["rotation"] == pytest.approx(turned(20), abs=1e-6)
    assert mean["scale"] == pytest.approx([200])
    assert np.linalg.det(nearest_rotation(turned(10) + turned(170))) == pytest.approx(1)


def test_a_network_reads_a_face_and_its_mirror_image_as_one():
    torch.manual_seed(0)
    network = Sfn().eval()
    reader = by_networks([("sfn", network)])
    crop = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    rotation, centre, scale, identity, expression = reader([crop])
    other = reader([np.ascontiguousarray(crop[:, ::-1])])
    assert other[4][0] == pytest.approx(expression[0, mirror_order()], abs=1e-4)
    assert other[1][0] == pytest.approx((SIDE - centre[0, 0], centre[0, 1]), abs=0.05)
    assert other[2] == pytest.approx(scale, rel=1e-4)
    assert (other[0] * np.outer([-1, 1, 1], [-1, 1, 1])) == pytest.approx(rotation, abs=1e-4)
    twice = mirror_matrix(load_head_model()) @ mirror_matrix(load_head_model()) @ identity[0]
    assert np.abs(twice - identity[0]).max() < 0.2 * max(np.abs(identity).max(), 1)


@pytest.mark.parametrize(("kind", "name"), [(Mfn, "mfn"), (Sfn, "sfn")])
def test_weights_say_which_network_they_are_of(tmp_path: Path, kind: type, name: str):
    write_weights(kind().state_dict(), tmp_path / "weights.pt")
    said, network = load(tmp_path / "weights.pt")
    assert said == name
    assert isinstance(network, kind)


def test_weights_of_another_version_are_refused(tmp_path: Path):
    state = Sfn().state_dict()
    del state["regions.pose_out.weight"]
    write_weights(state, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match="its layers are not those of today's SFN"):
        load(tmp_path / "weights.pt")
