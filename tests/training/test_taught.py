# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels by a network: put where they belong, in the crops' own pixels."""

from __future__ import annotations

import numpy as np
import pytest

from training import scales, taught
from training.bank import load_surface, photo_bank
from training.sfn import SIDE, Sfn

from .test_learning import painted_bank

KEYS = taught.KEYS


def test_what_is_read_replaces_the_labels_to_learn_from(tmp_path, monkeypatch):
    bank, surface = painted_bank(), load_surface()
    count = len(bank)
    held = np.arange(count) == 0
    labels = {key: np.asarray(getattr(bank, key)) for key in KEYS}
    photos, copy = tmp_path / "photos.npz", tmp_path / "work" / "photos.npz"
    np.savez(photos, held_back=held, error=np.zeros(count), **labels)
    np.save(photos.with_suffix(".crops.npy"), np.stack([bank.crops[i] for i in range(count)]))

    def shifted(model: Sfn, crops) -> list[np.ndarray]:
        """The truth as it stands in the regions' crops, but 8 px of them to the right."""
        assert len(list(crops)) == count - 1
        regions = scales.face_regions(surface.project(*(labels[key][1:] for key in KEYS)))
        zoom = SIDE / regions[:, 3]
        centre = (labels["centre"][1:] - regions[:, 1:3]) * zoom[:, None] + SIDE / 2 + (8, 0)
        said = [labels["rotation"], labels["scale"], labels["identity"], labels["expression"]]
        rotation, scale, identity, expression = (values[1:] for values in said)
        return [rotation, centre, scale * zoom, identity, expression * 0.5]

    monkeypatch.setattr(scales, "read", shifted)
    taught.relabel(Sfn(), photos, copy, surface)
    (kept,), learned = photo_bank(copy, held_back=True).centre, photo_bank(copy)
    assert kept == pytest.approx(labels["centre"][0])
    sides = scales.face_regions(surface.project(*(labels[key][1:] for key in KEYS)))[:, 3]
    moved = learned.centre - labels["centre"][1:]
    assert moved[:, 0] == pytest.approx(8 * sides / SIDE, rel=1e-3)
    assert moved[:, 1] == pytest.approx(0, abs=1e-3)
    assert learned.scale == pytest.approx(labels["scale"][1:], rel=1e-5)
    assert learned.expression == pytest.approx(labels["expression"][1:] * 0.5, abs=1e-6)
    assert (learned.crops[0] == bank.crops[1]).all()
