# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone's page in headless Chromium, from its camera to characters in Blender.

    python -m benchmarks.page                    frames a second, bytes, picture to rig
    python -m benchmarks.page --soak 1800        memory of the page and of the server

The camera is a clip of 1, 4 or 8 people who sway. A picture's time is the one that the camera
gives it; it is on the rig once the face is written and Blender has evaluated the scene. Browser,
server and Blender share this machine's cores, which a phone and a computer do not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bpy
import cv2
import numpy as np

from benchmarks.link import resident_memory
from benchmarks.pictures import RIGS, group_picture
from benchmarks.timing import Report, Row, Timing
from mfn_addon.face import FaceFrame
from mfn_addon.phone.server import PhoneServer, ServerOptions
from mfn_addon.rig import bind
from mfn_addon.rig.assemble import append_character
from tests.companion.browser import Phone, camera_clip, why_no_browser
from tests.phone.proxy import Proxy

FACES = (1, 4, 8)
CAMERA_RATE = 60  # pictures a second, so that the camera is not what limits the page
SOAK_RATE = 30  # what a phone's page asks for by itself
SWAY = "crop=iw-16:ih-16:8+8*sin(2*PI*t):8+8*cos(2*PI*t),scale=1280:720"
MEMORY_EVERY = 30.0  # seconds
HOLDERS = ("the page", "the server with Blender")
RELEASE = 3.0  # seconds in which the page gives back what it was asked for
SETTLING = 12.0
"""Seconds until the clock's questions and the choice of the picture's size have come to rest."""


def run(quick: bool, soak: float = 0) -> Report:
    """Each number of faces with each number of threads; or one face for so many seconds."""
    if reason := why_no_browser():
        sys.exit(f"benchmarks.page {reason}")
    rows, notes = [], []
    for threads in (2,) if soak else (1, 2):
        for faces in (1,) if soak else FACES:
            with _phone(faces, threads, SOAK_RATE if soak else CAMERA_RATE) as opened:
                server, proxy, phone = opened
                seconds = soak or (3.0 if quick else 20.0)
                row, note = _case(faces, server, proxy, phone, seconds)
            rows.append(row)
            notes += note
    return Report("A phone's page, from its camera's picture to the rig", "–", rows, notes)


@contextmanager
def _phone(faces: int, threads: int, rate: int) -> Iterator[tuple[PhoneServer, Proxy, Phone]]:
    """A server and a page that is connected to it and sees its first faces."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        still = folder / "people.png"
        cv2.imwrite(str(still), cv2.cvtColor(group_picture(faces), cv2.COLOR_RGB2BGR))
        loop = ("-loop", "1", "-framerate", str(rate), "-t", "1")
        clip = camera_clip(still, folder / "clip.y4m", *loop, filters=SWAY, rate=rate)
        server = stack.enter_context(PhoneServer(ServerOptions(folder / "server", port=0)))
        proxy = stack.enter_context(Proxy(server))
        url = server.url.replace(f"127.0.0.1:{server.port}", proxy.address)
        phone = Phone(url, clip, folder, *(["no-threads"] if threads == 1 else []))
        stack.callback(phone.end)
        for command in ("connected", f"rate {rate}", "seen"):
            phone.do(command)
        yield server, proxy, phone


def _case(
    faces: int, server: PhoneServer, proxy: Proxy, phone: Phone, seconds: float
) -> tuple[Row, list[str]]:
    """What one page did in so many seconds, in a table's row and in words."""
    rigs = _Rigs(faces)
    rigs.follow(server, SETTLING)
    begun = time.monotonic()
    latencies: list[float] = []
    memory: list[tuple[int, int]] = []
    spent, sent = 0.0, 0  # seconds and bytes of when the rigs followed
    while time.monotonic() < begun + seconds:
        asked, before = time.monotonic(), proxy.sent
        latencies += rigs.follow(server, min(MEMORY_EVERY, seconds))
        spent, sent = spent + time.monotonic() - asked, sent + proxy.sent - before
        if seconds > MEMORY_EVERY:
            phone.do("give_back")
            rigs.follow(server, RELEASE)
            memory.append((phone.memory(), resident_memory()))
    case = f"{phone.ask('threads')} threads, {faces} people ({phone.ask('faces')})"
    low, median, high, late = np.percentile(np.array(latencies) * 1000, (10, 50, 90, 95))
    timing = Timing(round(median, 2), round(low, 2), round(high, 2), len(latencies))
    rate, weight = len(latencies) / spent, sent / spent / 1000
    speed = (
        f"{case}: {rate:.1f} pictures a second, {phone.ask('reading')}; picture to rig "
        f"p50 {median:.0f} ms, p95 {late:.0f} ms; {weight:.1f} kB/s, TLS included"
    )
    return Row(case, timing), [speed, *_growth(np.array(memory) / 1e6)]


def _growth(memory: np.ndarray) -> list[str]:
    """How memory fared, (N, 2) MB of HOLDERS' processes, where that was long enough.

    A browser keeps what it may need again as long as memory is plenty, so the page has given that
    back each time. Levels are medians of some measurements.
    """
    if len(memory) < 8:
        return []
    part = max(3, len(memory) // 10)
    starts = (0, (len(memory) - part) // 2, len(memory) - part)
    levels = np.array([np.median(memory[start : start + part], axis=0) for start in starts])
    return [
        f"memory of {who}: {level[0]:.1f} MB, then {level[1] - level[0]:+.1f} MB in the first half "
        f"and {level[2] - level[1]:+.1f} MB in the second"
        for who, level in zip(HOLDERS, levels.T, strict=True)
    ]


class _Rigs:
    """Characters in Blender, a face each, and no more than there are sample characters."""

    def __init__(self, faces: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        assert scene is not None
        self._bindings = [bind(append_character(path, scene)) for path in RIGS[:faces]]

    def follow(self, server: PhoneServer, seconds: float) -> list[float]:
        """Apply what comes; returns how old each picture was when it was on the rigs, seconds."""
        pause, ages = threading.Event(), []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            frames = server.poll()
            for frame in frames:
                self._apply(frame)
                ages.append(server.hub.clock() - server.hub.started - frame.time)
            pause.wait(0.0005)
        return ages

    def _apply(self, frame: FaceFrame) -> None:
        for binding, face in zip(self._bindings, frame.faces, strict=False):
            binding.apply(face)
        layer = bpy.context.view_layer
        assert layer is not None
        layer.update()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--soak", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(run(options.quick, options.soak).to_markdown())


if __name__ == "__main__":
    main()
