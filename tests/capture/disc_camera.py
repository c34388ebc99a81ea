# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn` with stand-ins: the network finds discs, and camera 9 is a film of discs that breaks off.

Run by tests as a process: `python tests/capture/disc_camera.py camera --source 9 …`. The camera
gives the number of pictures in MFN_TEST_PICTURES and then fails; `hang` never gives any."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mfn_addon import cli
from mfn_addon.capture import camera
from tests.capture.marks import DiscNetwork, draw


class FilmCamera:
    """As much of cv2.VideoCapture as Camera uses."""

    def __init__(self) -> None:
        self._left = int(os.environ.get("MFN_TEST_PICTURES", "1000000"))
        self._number = 0

    def read(self):
        if self._left <= 0:
            return False, None
        self._left -= 1
        self._number += 1
        time.sleep(1 / 60)
        picture = draw({"red": (80 + self._number % 100, 80), "blue": (240, 150)})
        return True, picture[:, :, ::-1]

    def release(self) -> None:
        self._left = 0


def open_film(number: int, size: tuple[int, int], rate: float) -> FilmCamera:
    if os.environ.get("MFN_TEST_PICTURES") == "hang":
        time.sleep(1000)
    if number != 9:
        return real_open(number, size, rate)
    return FilmCamera()


real_open = camera._open_camera
camera._open_camera = open_film
network = ModuleType("mfn_addon.network")
network.FaceNetwork = DiscNetwork
sys.modules["mfn_addon.network"] = network

if __name__ == "__main__":
    sys.exit(cli.main())
