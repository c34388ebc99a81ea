# SPDX-License-Identifier: GPL-3.0-or-later
"""However a browser hands the camera's pictures over, the page reads them as they are shown."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.companion.test_page import agree, readings
from tests.phone.conftest import wait_until

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())


@pytest.fixture(scope="module")
def still(tmp_path_factory) -> tuple[Path, np.ndarray]:
    """A camera that shows one picture all the time, and that picture, RGB."""
    folder = tmp_path_factory.mktemp("still")
    video = cv2.VideoCapture(str(CLIP))
    cv2.imwrite(str(folder / "still.png"), video.read()[1])
    clip = camera_clip(folder / "still.png", folder / "still.y4m", "-loop", "1", "-t", "1")
    return clip, cv2.VideoCapture(str(clip)).read()[1][..., ::-1].copy()


@pytest.mark.parametrize(
    ("browser", "way"),
    [
        ("usual", "frames"),
        ("copies-no-rgba", "frames"),  # older ones take the camera's own format instead
        ("turned-frames", "bitmaps"),  # a camera that lies otherwise than the phone is held
        ("no-frames", "bitmaps"),
    ],
)
def test_faces_are_where_python_finds_them(still, tmp_path: Path, browser: str, way: str) -> None:
    clip, picture = still
    expected = readings(picture)
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        phone = Phone(server.url, clip, tmp_path, browser)
        try:
            for command in ("connected", "seen"):
                phone.do(command)

            def found() -> bool:
                return any(
                    agree(frame.faces, faces) for frame in server.poll() for faces in expected
                )

            wait_until(found, "the faces")
            assert phone.ask("pictures") == way
        finally:
            phone.end()
