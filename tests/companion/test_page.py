# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in headless Chromium against the real server: what a phone performs is in the take."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mfn_addon.face import Face, FaceFrame
from mfn_addon.network.mfn import DEFAULT_PATH, FaceNetwork
from mfn_addon.take import Take
from mfn_addon.track import Tracker
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.companion.node import ROOT

PICTURE_SIZES = (320, 256, 192)
"""Px of the longer side of what the page gives the network (companion/src/page/pace.ts)."""
NETWORKS = (DEFAULT_PATH, DEFAULT_PATH.with_name("mfn_light.onnx"))
"""What the page may read with: the second where the first cannot hold 30 pictures a second."""

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())


def serve(folder: Path, port: int = 0) -> tuple[subprocess.Popen, str]:
    """`mfn serve` and the address that its code would hold."""
    arguments = [
        sys.executable, "-m", "mfn_addon.cli", "serve", "--address", "127.0.0.1",
        "--port", str(port), "--output", str(folder / "take.mfntake"),
        "--folder", str(folder / "server"),
    ]  # fmt: skip
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, json.loads(process.stdout.readline())["url"]


def stop(server: subprocess.Popen) -> None:
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


@pytest.fixture
def still(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A clip that shows one picture all the time, and that picture, RGB: every frame of the
    camera is then known, whichever ones the browser takes."""
    video = cv2.VideoCapture(str(CLIP))
    video.read()
    cv2.imwrite(str(tmp_path / "still.png"), video.read()[1])
    clip = camera_clip(tmp_path / "still.png", tmp_path / "still.y4m", "-loop", "1", "-t", "1")
    return clip, cv2.VideoCapture(str(clip)).read()[1][..., ::-1].copy()


def readings(picture: np.ndarray) -> list[list[Face]]:
    """What the page may have read of a picture: by either network, in each size."""
    return [solved(picture, size, path) for size in PICTURE_SIZES for path in NETWORKS]


def solved(picture: np.ndarray, size: int, network: Path) -> list[Face]:
    """The faces that Python follows in a picture which it sees for a second; what the network only
    takes for a face with doubt is not among them."""
    height, width = picture.shape[:2]
    found, tracker, faces = FaceNetwork(network).detect(picture, size), Tracker(), []
    for number in range(30):
        faces = tracker.update(FaceFrame(number / 30, "still", number, width, height, found)).faces
    return faces


def agree(seen: list[Face], expected: list[Face]) -> bool:
    """Whether the page's faces are those that Python reads."""
    if len(seen) != len(expected):
        return False
    pairs = zip(*(sorted(faces, key=lambda f: f.box[0]) for faces in (seen, expected)), strict=True)
    return all(
        np.abs(one.expression - other.expression).max() < 0.05
        and np.abs(one.box - other.box).max() < 3.0
        for one, other in pairs
    )


def test_take_holds_what_the_phone_saw_through_reload_and_restart(still, tmp_path: Path) -> None:
    clip, picture = still
    server, url = serve(tmp_path)
    port = int(url.split(":")[2].split("/")[0])
    phone = Phone(url, clip, tmp_path)
    try:
        for command in (
            "connected",
            "seen",
            "calibrate",
            "recording",
            "reload",
            "connected",
            "seen",
        ):
            phone.do(command)
        server.kill()
        server.wait()
        phone.do("lost")
        phone.do("pending")  # frames gather on the phone
        server, _ = serve(tmp_path, port)
        for command in ("connected", "recording", "end_camera", "delivered"):
            phone.do(command)
        assert phone.ask("threads") == str(min(os.cpu_count() or 1, 2))  # its origin is isolated
        recorded = int(phone.ask("recorded"))
    finally:
        phone.end()
        stop(server)

    with Take(tmp_path / "take.mfntake") as take:
        frames = list(take.frames())
    # The page turns to the light network, then shrinks the picture, where this machine cannot hold
    # 30 a second.
    expected = readings(picture)
    assert any(agree(frame.faces, faces) for frame in frames[-8:] for faces in expected)
    assert len(frames) == recorded
    assert missing_sequences(tmp_path / "take.mfntake") == []


def test_page_uses_https_where_a_websocket_is_refused(still, tmp_path: Path) -> None:
    clip, _ = still
    server, url = serve(tmp_path)
    phone = Phone(f"{url}&carrier=https", clip, tmp_path)
    try:
        for command in ("connected", "recording", "kept", "end_camera", "delivered"):
            phone.do(command)
        assert phone.ask("carrier") == "HTTPS"
        recorded = int(phone.ask("recorded"))
    finally:
        phone.end()
        stop(server)
    with Take(tmp_path / "take.mfntake") as take:
        assert len(list(take.frames())) == recorded > 0
    assert missing_sequences(tmp_path / "take.mfntake") == []


@pytest.mark.parametrize("fault", ["no-threads", "stuck-threads"])
def test_page_goes_on_with_one_thread_where_threads_fail(still, tmp_path: Path, fault) -> None:
    clip, _ = still
    server, url = serve(tmp_path)
    phone = Phone(url, clip, tmp_path, fault)
    try:
        for command in ("connected", "seen"):
            phone.do(command)
        assert phone.ask("threads") == "1"
    finally:
        phone.end()
        stop(server)


def missing_sequences(path: Path) -> list[int]:
    """Sequence numbers that lie between those of a stream and are not in the take."""
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT stream, sequence FROM delivery").fetchall()
    assert rows
    missing = []
    for stream in {stream for stream, _ in rows}:
        have = {sequence for each, sequence in rows if each == stream}
        missing += sorted(set(range(min(have), max(have) + 1)) - have)
    return missing
