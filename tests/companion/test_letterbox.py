# SPDX-License-Identifier: GPL-3.0-or-later
"""The page shrinks a camera's usual pictures as OpenCV does, to the bit."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from mfn_addon.network.mfn import fitted
from tests.companion.node import COMPANION, node_binary, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.mark.parametrize(
    ("width", "height", "side"),
    # The finer one by whole numbers: 2, 1, 3, 2 upright, 4; and nothing finer than the picture.
    [
        (1280, 720, 320),
        (640, 480, 320),
        (1920, 1080, 320),
        (720, 1280, 320),
        (1536, 864, 192),
        (256, 192, 256),
    ],
)
def test_noise_is_shrunk_by_whole_numbers_to_the_bit_alike(
    width: int, height: int, side: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    there, expected = shrunk(noise, side), fitted(noise, side)[0]
    assert len(expected["finer"].ravel()) == len(expected["image"].ravel()) * (
        1 if side == width else 4
    )
    assert np.array_equal(there, np.concatenate([part.ravel() for part in expected.values()]))


@pytest.mark.parametrize(("width", "height", "side"), [(960, 540, 320), (1280, 720, 256)])
def test_other_sizes_are_shrunk_alike_but_for_rounding(width: int, height: int, side: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    there, expected = shrunk(noise, side), fitted(noise, side)[0]
    whole = np.concatenate([part.ravel() for part in expected.values()])
    assert np.abs(there.astype(int) - whole).max() <= 1


def shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    """What the page makes of an (H, W, 3) uint8 picture: all bytes of both inputs."""
    node = node_binary()
    assert node is not None
    height, width = picture.shape[:2]
    done = subprocess.run(
        [node, "--no-warnings", "tests/letterbox.ts", str(width), str(height), str(side)],
        cwd=COMPANION, check=True, capture_output=True,
        input=np.dstack([picture, np.full((height, width), 255, np.uint8)]).tobytes(),
    )  # fmt: skip
    return np.frombuffer(done.stdout, np.uint8)
