# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled faces are shown where their labels say, and judged by the right measure."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.face import Face, place
from training.bank import load_surface
from training.groups import typology_angle
from training.labelled import read_at, studies

from .test_learning import painted_bank


class Knowing:
    """A network that says what the bank holds, having found the painted face in the picture."""

    def __init__(self, bank) -> None:
        self.bank, self.next = bank, 0

    def detect(self, picture: np.ndarray) -> list[Face]:
        i, self.next = self.next, self.next + 1
        painted = np.argwhere((picture[..., 0] > 180) & (picture[..., 1] < 80))[:, ::-1]
        low, high = painted.min(0), painted.max(0) + 1.0
        points = load_surface().project(
            *(getattr(self.bank, key)[i : i + 1]
              for key in ("rotation", "centre", "scale", "identity", "expression"))
        )[0]  # fmt: skip
        zoom = float((high - low).max() / np.ptp(points, axis=0).max())
        centre = (self.bank.centre[i] - (points.min(0) + points.max(0)) / 2) * zoom
        rotation, translation = place(
            self.bank.rotation[i], centre + (low + high) / 2, self.bank.scale[i] * zoom,
            picture.shape[1], picture.shape[0],
        )  # fmt: skip
        return [
            Face(-1, 0.9, np.concatenate([low, high]), rotation, translation,
                 self.bank.identity[i], self.bank.expression[i], np.zeros((68, 2)))
        ]  # fmt: skip


@pytest.mark.parametrize(("size", "finer"), [(40, 1), (90, 1), (200, 1), (90, 2)])
def test_a_network_that_knows_the_truth_is_right_at_every_size(size, finer):
    bank = painted_bank(size=384)
    found = read_at(Knowing(bank), bank, load_surface(), size, finer).figures()
    assert found["found, %"] == 100
    assert found["landmark error, % of the eye distance"] < 300 / (size * finer)  # a px or so
    assert found["rotation error, degrees"] < 0.1
    assert found["expression error"] == 0


def test_faces_that_are_missed_are_counted_and_left_out():
    class Blind:
        def detect(self, picture: np.ndarray) -> list[Face]:
            return []

    bank = painted_bank()
    reading = read_at(Blind(), bank, load_surface(), 60)
    assert np.isnan(reading.landmarks).all()
    assert np.isnan(reading.expression).all()


def test_rendered_studies_are_labelled_where_they_are_seen():
    bank, people = studies(3, seed=5, side=96)
    points = load_surface().project(
        bank.rotation, bank.centre, bank.scale, bank.identity, bank.expression
    )
    assert len(people) == 3
    assert (points.min(1) > 0).all()
    assert (points.max(1) < 96).all()
    assert (np.ptp(points, axis=1).max(1) > 50).all()


def test_the_typology_angle_orders_skins():
    light, medium, dark = typology_angle(
        np.array([[240.0, 205, 185], [185, 135, 105], [80, 52, 40]])
    )
    assert light > 41 > medium > 10 > dark
