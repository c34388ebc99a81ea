# SPDX-License-Identifier: GPL-3.0-or-later
"""Close-ups: cut where the face is, read back to where it was, mirrored readings turned round."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.face.mirror import mirror_order
from mfn_addon.network import FaceNetwork
from mfn_addon.network.closeup import KEPT, CloseUps
from mfn_addon.network.crops import PADDING, cut
from mfn_addon.network.sfn import SingleFaceNetwork, View

CLIP = Path(__file__).parents[2] / "demo" / "three_people.mp4"


@pytest.fixture(scope="module")
def network():
    return FaceNetwork(threads=1)


@pytest.fixture(scope="module")
def picture():
    footage = iter(Footage(CLIP))
    return next(footage).image


@pytest.mark.parametrize("zoom", [0.2, 0.5, 1.0, 3.0])
def test_a_cut_shows_the_places_it_should(zoom):
    image = np.zeros((400, 600, 3), np.uint8)
    cv2.circle(image, (300, 200), 14, (255, 255, 255), -1)
    corner = np.array([250.3, 160.7])
    part = cut(image, corner, zoom, 64 * 3)
    rows, columns = np.nonzero(part[..., 0] > 127)
    middle = np.array([columns.mean(), rows.mean()]) + 0.5
    assert np.allclose(middle, (np.array([300.5, 200.5]) - corner) * zoom, atol=0.35)


def test_beyond_the_picture_is_grey():
    part = cut(np.zeros((40, 40, 3), np.uint8), np.array([100.0, 100.0]), 0.25, 32)
    assert (part == PADDING).all()


def test_close_ups_agree_with_the_network_where_faces_are_large(network, picture):
    faces = network.detect(picture)
    again = CloseUps(network, threads=1).detect(picture)
    assert len(again) == len(faces) > 1
    for face, closer in zip(faces, again, strict=True):
        side = float((face.box[2:] - face.box[:2]).max())
        assert (closer.box == face.box).all()
        assert closer.score == face.score
        assert np.abs(closer.landmarks - face.landmarks).mean() < 0.05 * side
        cosine = (np.trace(closer.rotation.T @ face.rotation) - 1) / 2
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 12
        assert np.abs(closer.expression - face.expression).mean() < 0.06


def test_the_first_reading_counts_too(network, picture):
    faces = network.detect(picture)
    read = SingleFaceNetwork(threads=1).read(picture, faces)
    for found, alone, both in zip(
        faces, read, CloseUps(network, threads=1).detect(picture), strict=True
    ):
        assert both.expression == pytest.approx(
            (1 - KEPT) * alone.expression + KEPT * found.expression, abs=1e-5
        )
        assert (both.rotation == alone.rotation).all()


def test_a_mirrored_picture_gives_the_mirrored_face(network, picture):
    reader = SingleFaceNetwork(threads=1)
    image, width = picture, picture.shape[1]
    face = max(network.detect(image), key=lambda face: face.score)
    (straight,) = reader.read(image, [face])
    box = face.box[[2, 1, 0, 3]] * (-1, 1, -1, 1) + (width, 0, width, 0)
    (turned,) = reader.read(np.ascontiguousarray(image[:, ::-1]), [face.with_(box=box)])
    assert np.allclose(turned.expression[mirror_order()], straight.expression, atol=0.01)
    assert np.allclose(turned.landmarks[30], (width, 0) + straight.landmarks[30] * (-1, 1), atol=1)


def test_several_views_are_the_mean_of_each(network, picture):
    face = network.detect(picture)[0]
    views = (View(0.94), View(1.06, mirrored=True))
    together, *single = (
        SingleFaceNetwork(threads=1, views=some, as_read=True).read(picture, [face])[0]
        for some in (views, views[:1], views[1:])
    )
    mean = (single[0].expression + single[1].expression) / 2
    assert np.abs(single[0].expression - single[1].expression).max() > 1e-3
    assert together.expression == pytest.approx(mean, abs=1e-4)
    assert together.identity == pytest.approx(
        (single[0].identity + single[1].identity) / 2, abs=1e-4
    )
