# SPDX-License-Identifier: GPL-3.0-or-later
"""Videos that phones hand over: over real TLS on the loopback address, into real takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from mfn_addon.phone import video
from mfn_addon.phone.server import PhoneServer, ServerOptions
from mfn_addon.take import Take
from mfn_addon.take.videos import videos_in
from tests.phone.conftest import frame_at, sender_to, wait_until
from tests.phone.test_limits import ask

VIDEO = bytes(range(256)) * 1000
LATE = 0.25
"""Seconds after the take's start at which the video begins."""


class Phone:
    """A sender with a take under way, and the video that it hands over."""

    def __init__(self, server: PhoneServer, path: Path) -> None:
        self.server = server
        self.sender = sender_to(server, "Anna's phone")
        server.start_recording(path)
        wait_until(lambda: self.sender._span is not None)
        self.sender.send_frame(frame_at(self.sender.clock()))
        wait_until(lambda: not self.sender.unsaved)
        self.take, start, _ = self.sender._span
        self.facts = {
            "take": self.take, "video": 7, "stream": self.sender._hello.stream,
            "start": start + LATE, "type": "video/webm", "size": len(VIDEO), "offset": 0,
        }  # fmt: skip

    def hand_over(self, body: bytes, **facts):
        """Status and JSON of the answer to a piece."""
        header = json.dumps({**self.facts, **facts})
        key = f"Bearer {self.sender._hello.token}"
        status, _, answer = ask(
            self.server, "POST", "/video", body, Authorization=key, MFN_Video=header
        )
        return status, json.loads(answer)


@pytest.fixture
def phone(server, tmp_path):
    connected = Phone(server, tmp_path / "take.mfntake")
    yield connected
    connected.sender.close()


def test_a_video_comes_in_pieces_and_the_take_knows_when_it_began(server, phone, tmp_path):
    assert phone.hand_over(VIDEO[:100_000]) == (200, {"have": 100_000})
    lost = phone.hand_over(VIDEO[:100_000])  # its answer was lost, so it comes again
    assert (lost[0], lost[1]["have"]) == (409, 100_000)
    assert phone.hand_over(VIDEO[100_000:], offset=100_000) == (200, {"have": len(VIDEO)})
    assert phone.hand_over(b"") == (200, {"have": len(VIDEO)})
    assert server.news() == ["take: the video of Anna's phone has come, take_Anna_s_phone.webm"]
    assert (tmp_path / "take_Anna_s_phone.webm").read_bytes() == VIDEO
    assert not list(tmp_path.glob("*.part"))
    server.stop()
    with Take(tmp_path / "take.mfntake") as take:
        [known] = videos_in(take.info)
    assert (known.name, known.source) == ("take_Anna_s_phone.webm", "Anna's phone")
    assert abs(known.start - LATE) < 0.005


def test_a_video_goes_on_where_a_killed_server_had_it(server, phone, tmp_path):
    phone.hand_over(VIDEO[:5])
    server.stop()
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as again:
        phone.server = again
        assert phone.hand_over(b"")[1]["have"] == 5
        assert phone.hand_over(VIDEO[5:], offset=5) == (200, {"have": len(VIDEO)})
        assert phone.hand_over(VIDEO, video=8) == (200, {"have": len(VIDEO)})
    names = sorted(path.name for path in tmp_path.glob("take_*"))
    assert names == ["take_Anna_s_phone.webm", "take_Anna_s_phone_2.webm"]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"take": 1}, 404),
        ({"type": "text/html"}, 400),
        ({"size": video.LARGEST + 1}, 400),
        ({"size": 0}, 400),
        ({"offset": -1}, 400),
        ({"video": "../../x"}, 400),
        ({"start": float("nan")}, 400),
        ({"size": 3}, 409),
    ],
)
def test_what_is_no_video_of_a_take_is_refused(phone, tmp_path, facts, status):
    assert phone.hand_over(b"more than three", **facts)[0] == status
    assert not list(tmp_path.glob("*.part"))


def test_strangers_and_long_pieces_are_refused(server, phone):
    header = json.dumps(phone.facts)
    assert ask(server, "POST", "/video", b"", MFN_Video=header)[0] == 401
    assert ask(server, "POST", "/video", bytes(5000), MFN_Video=header)[0] == 413
    long = bytes(video.LONGEST_PIECE + 1)
    key = f"Bearer {phone.sender._hello.token}"
    assert ask(server, "POST", "/video", long, Authorization=key, MFN_Video=header)[0] == 413


def test_a_full_disk_is_told(phone, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    status, answer = phone.hand_over(VIDEO)
    assert (status, answer["code"]) == (507, "disk_full")
    assert str(tmp_path) in answer["reason"]
    assert not list(tmp_path.glob("*.part"))
