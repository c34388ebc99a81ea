# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people in footage, and a network that finds discs instead of faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.capture.marks import DiscNetwork, draw


@pytest.fixture(autouse=True)
def disc_network(monkeypatch):
    """The network finds discs."""
    monkeypatch.setattr("mfn_addon.network.FaceNetwork", DiscNetwork)


@pytest.fixture
def no_close_ups(monkeypatch):
    """Discs are found no better close up: the network that reads faces has no face to read."""
    monkeypatch.setattr("mfn_addon.network.closeup.CloseUps", lambda network, **_: network)


@pytest.fixture
def video(tmp_path) -> Path:
    """Two seconds: red crosses the picture, blue stays; 20 pictures a second."""
    path = tmp_path / "talk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    for number in range(40):
        picture = draw({"red": (60 + 4 * number, 70), "blue": (250, 180)})
        writer.write(picture[:, :, ::-1].copy())
    writer.release()
    return path
