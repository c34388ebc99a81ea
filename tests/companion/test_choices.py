# SPDX-License-Identifier: GPL-3.0-or-later
"""What the phone's user decides on the page: battery saver, and what becomes of a lost take; and
the battery that Blender shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfn_addon.phone.server import PhoneServer, ServerOptions
from mfn_addon.take import Take
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())

SAVER_RATE = 15.0
"""Pictures a second, as companion/src/main.ts has it."""


def test_battery_saver_takes_fifteen_pictures_a_second(tmp_path: Path) -> None:
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", "-t", "2")
    path = tmp_path / "take.mfntake"
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        phone = Phone(server.url, clip, tmp_path)
        try:
            for command in ("connected", "seen", "saver"):
                phone.do(command)
            server.start_recording(path)
            for command in ("kept 45", "end_camera"):
                phone.do(command)
            server.finish_recording()
            phone.do("delivered")
        finally:
            phone.end()
    with Take(path) as take:
        times = np.array([frame.time for frame in take.frames()])
    assert len(times) >= 45
    assert (len(times) - 1) / (times[-1] - times[0]) < SAVER_RATE * 1.1


def test_frames_of_a_lost_take_are_deleted_when_the_user_says_so(tmp_path: Path) -> None:
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", "-t", "2")
    path = tmp_path / "take.mfntake"
    folder = tmp_path / "server"
    with PhoneServer(ServerOptions(folder, port=0)) as server:
        port = server.port
        phone = Phone(server.url, clip, tmp_path)
        for command in ("connected", "seen"):
            phone.do(command)
        server.start_recording(path)
        phone.do("kept")
    try:
        for command in ("lost", "pending"):
            phone.do(command)
        path.unlink()
        with PhoneServer(ServerOptions(folder, port=port)) as server:
            for command in ("connected", "asked"):
                phone.do(command)
            assert int(phone.ask("stored")) > 0  # nothing goes unasked
            phone.do("delete")
            wait_until(lambda: phone.ask("stored") == "0", "the frames are deleted")
            for command in ("reload", "connected", "delivered"):
                phone.do(command)
            assert not server.problem()
    finally:
        phone.end()


def test_blender_knows_the_battery_that_the_browser_tells(tmp_path: Path) -> None:
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", "-t", "1")
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        phone = Phone(server.url, clip, tmp_path)
        try:
            phone.do("connected")
            level = float(phone.ask("battery"))
            wait_until(lambda: server.phones()[0].battery == level, "the battery")
        finally:
            phone.end()
