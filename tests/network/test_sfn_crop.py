# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's crop shows what lies where it says."""

from __future__ import annotations

import numpy as np
import pytest

from mfn_addon.network.crops import PADDING
from mfn_addon.network.sfn import REGION_MARGIN, SIDE, SingleFaceNetwork, crop


@pytest.mark.parametrize("side", [50, 128, 300, 700])
def test_a_spot_of_the_picture_falls_where_the_crop_says(side):
    image = np.zeros((900, 1200, 3), np.uint8)
    spot = np.array([610.0, 430.0])  # of radius 4 % of the face, so that it survives shrinking
    y, x = np.mgrid[:900, :1200] + 0.5
    image[np.hypot(x - spot[0], y - spot[1]) < max(2, 0.04 * side)] = 255
    box = np.array([560, 400, 560 + side, 400 + 0.9 * side])
    pixels, corner, zoom = crop(image, box)
    rows, columns = np.nonzero(pixels[..., 0] > 180)
    seen = np.array([columns.mean(), rows.mean()]) + 0.5
    assert seen == pytest.approx((spot - corner) * zoom, abs=0.6)
    assert zoom == pytest.approx(SIDE / (side * REGION_MARGIN))


@pytest.mark.parametrize(
    "box", [[-80, -60, 40, 70], [1100, 800, 1400, 1150], [-900, -900, -800, -800]]
)
def test_what_lies_outside_the_picture_is_grey(box):
    pixels, corner, zoom = crop(np.full((900, 1200, 3), 255, np.uint8), np.array(box, float))
    assert pixels.shape == (SIDE, SIDE, 3)
    inside = (np.arange(SIDE) + 0.5) / zoom
    columns, rows = inside + corner[0], inside + corner[1]
    reach = 2 / zoom
    out = (columns < -reach) | (columns > 1200 + reach)
    assert (pixels[:, out] == PADDING).all()
    out = (rows < -reach) | (rows > 900 + reach)
    assert (pixels[out] == PADDING).all()


def test_a_missing_network_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.onnx"):
        SingleFaceNetwork(tmp_path / "nowhere.onnx")
