# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone's video, recorded in headless Chromium and handed over to the real server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.face import FaceFrame
from mfn_addon.network.mfn import FaceNetwork
from mfn_addon.phone.server import PhoneServer, ServerOptions
from mfn_addon.take import Take
from mfn_addon.take.videos import videos_in
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until

NETWORK = FaceNetwork()
PAN = "crop=iw*0.9:ih:x='(iw-ow)/2*(1+sin(2*PI*t))'"
"""To and fro once a second, up to 13 px a picture: people alone move too little to tell two
pictures apart."""
pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())


def test_a_video_survives_a_cut_and_lies_where_it_belongs(tmp_path: Path) -> None:
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", filters=PAN)
    path = tmp_path / "take.mfntake"
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        phone = Phone(server.url, clip, tmp_path)
        try:
            for command in ("connected", "seen", "film"):
                phone.do(command)
            server.start_recording(path)
            for command in ("filming", "filmed 1500000", "cut_videos"):
                phone.do(command)
            server.finish_recording()
            phone.do("videos_cut")
            [part] = tmp_path.glob("take_*.part")
            assert part.stat().st_size > 0
            for command in ("reload", "connected", "uncut_videos"):
                phone.do(command)
            news: list[str] = []
            wait_until(lambda: news.extend(server.news()) or news, "the video")
            for command in ("end_camera", "delivered"):
                phone.do(command)
        finally:
            phone.end()
    assert not list(tmp_path.glob("*.part"))
    with Take(path) as take:
        [video] = videos_in(take.info)
        frames = [frame for frame in take.frames() if frame.faces][::2]
    footage = [(video.start + each.time, each.image) for each in Footage(tmp_path / video.name)]
    apart = [pictures_apart(frames, footage, shift) for shift in range(-5, 6)]
    assert abs(int(np.argmin(apart)) - 5) <= 1, apart  # within a picture, a thirtieth of a second


def pictures_apart(frames: list[FaceFrame], footage: list, shift: int) -> float:
    """How far the faces of a take's frames lie from the nearest ones of the video's pictures that
    are so many pictures later than they should be: mean px."""
    times = np.array([time for time, _ in footage])
    apart = []
    for frame in frames:
        number = int(np.abs(times - frame.time).argmin()) + shift
        if 0 <= number < len(footage):
            shown = np.array([face.box for face in NETWORK.detect(footage[number][1])])
            if not len(shown):
                continue
            apart += [np.abs(shown - face.box).mean(1).min() for face in frame.faces]
    return float(np.mean(apart))
