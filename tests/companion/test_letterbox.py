# SPDX-License-Identifier: GPL-3.0-or-later
"""The page shrinks a camera's usual pictures as OpenCV does, to the bit."""

from __future__ import annotations

import subprocess

import cv2
import numpy as np
import pytest

from mfn_addon.network.crops import PADDING
from tests.companion.node import COMPANION, node_binary, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.mark.parametrize(
    ("width", "height", "side"),
    # By whole numbers: 4, 2, 3, 6, 4 upright, 5.
    [
        (1280, 720, 320),
        (640, 480, 320),
        (960, 540, 320),
        (1920, 1080, 320),
        (720, 1280, 320),
        (1280, 720, 256),
    ],
)
def test_noise_is_shrunk_by_whole_numbers_to_the_bit_alike(
    width: int, height: int, side: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    node = node_binary()
    assert node is not None
    done = subprocess.run(
        [node, "--no-warnings", "tests/letterbox.ts", str(width), str(height), str(side)],
        cwd=COMPANION, check=True, capture_output=True,
        input=np.dstack([noise, np.full((height, width), 255, np.uint8)]).tobytes(),
    )  # fmt: skip
    size = (width * side // max(width, height), height * side // max(width, height))
    padded = (-(-size[0] // 32) * 32, -(-size[1] // 32) * 32)
    expected = np.full((padded[1], padded[0], 3), PADDING, np.uint8)
    expected[: size[1], : size[0]] = cv2.resize(noise, size, interpolation=cv2.INTER_AREA)
    there = np.frombuffer(done.stdout, np.uint8).reshape(expected.shape)
    assert np.array_equal(there, expected)
