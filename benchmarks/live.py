# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""From a picture's capture to its value on the rig: footage played live into the add-on's own tick,
as often as Blender's main loop lets it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import bpy
import cv2
import numpy as np

from benchmarks.pictures import RIGS, SIZE, group_picture
from benchmarks.timing import Report, Row, Timing, measure
from mfn_addon import ui
from mfn_addon.capture.live import CameraProcess
from mfn_addon.network import FaceNetwork
from mfn_addon.rig.assemble import append_character
from mfn_addon.ui import live, session
from mfn_addon.ui.preview import SIDE

RATE = 30.0  # pictures a second, as of most cameras
FACES = 3
BLENDER_SLEEPS = 0.005
"""Seconds that Blender's main loop sleeps where there was nothing to do."""


def run(quick: bool) -> Report:
    """Measure the age of each picture once its faces are on the rigs and the scene is evaluated.

    The limit is the network's own time for a picture, and one frame.
    """
    picture, network = group_picture(FACES), FaceNetwork()
    repeat, seconds = (10, 3.0) if quick else (60, 20.0)
    # Before and after: the machine may be slower in the middle than at one end.
    bare = [measure(lambda: network.detect(picture), repeat)]
    with tempfile.TemporaryDirectory() as folder:
        ages, shown, frames = _ages(_footage(picture, Path(folder)), seconds)
    bare.append(measure(lambda: network.detect(picture), repeat))
    own = [float(np.mean([getattr(each, part) for each in bare])) for part in _PARTS]
    frame = 1000.0 / RATE
    low, median, high = (round(part + frame, 2) for part in own)
    limit = Timing(median, low, high, 2 * repeat)
    late = np.percentile(ages, 95, axis=0)
    note = (
        f"The network takes {own[1]:.1f} ms by itself, a frame {frame:.1f}. 95 % of values "
        f"are written within {late[0]:.1f} ms, and evaluated within {late[1]:.1f}. "
        f"{frames / seconds:.1f} pictures a second; the panel showed {shown:.0f} ms at the end."
    )
    rows = [
        Row(f"three faces on three rigs: {case}", _timing(age), limit)
        for case, age in zip(("written", "evaluated"), ages.T, strict=True)
    ]
    title, rest = "From a picture's capture to the rig", "the network's own time and one frame"
    return Report(title, rest, rows, [note])


_PARTS = ("low", "median", "high")


def _timing(age: np.ndarray) -> Timing:
    low, median, high = np.percentile(age, (10, 50, 90))
    return Timing(round(median, 2), round(low, 2), round(high, 2), len(age))


def _footage(picture: np.ndarray, folder: Path) -> Path:
    """A second of the picture, which sways."""
    path = folder / "sway.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, SIZE)
    for k in range(round(RATE)):
        shift = np.array([[1, 0, 8 * np.sin(2 * np.pi * k / RATE)], [0, 1, 0]], np.float32)
        video.write(cv2.warpAffine(picture[..., ::-1], shift, SIZE))
    video.release()
    return path


def _ages(footage: Path, seconds: float) -> tuple[np.ndarray, float, int]:
    """Milliseconds (N, 2) from capture until the values are written, and until the scene is
    evaluated; the latency that the panel shows at the end, and how many frames came."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    for path in RIGS[:FACES]:
        append_character(path, scene)
    bpy.context.view_layer.update()
    ages = []
    with _running(footage) as running:
        until = time.monotonic() + 60
        while len(running.bindings) < FACES:  # until the network is loaded and all are bound
            if live.tick(bpy.context) is None or time.monotonic() > until:
                raise RuntimeError(session.message.text or "no faces have come")
            _PAUSE.wait(BLENDER_SLEEPS)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            before = running.frame
            live.tick(bpy.context)
            if running.frame is before:
                _PAUSE.wait(BLENDER_SLEEPS)
                continue
            written = running.ages[running.frame.source][-1]
            evaluating = time.monotonic()
            bpy.context.view_layer.update()
            ages.append((written, written + time.monotonic() - evaluating))
        return np.array(ages) * 1000, running.latency() * 1000, len(ages)


_PAUSE = threading.Event()


@contextmanager
def _running(footage: Path) -> Iterator[session.Session]:
    """The interface with a session of the footage, again and again."""
    ui.register()
    try:
        source = CameraProcess(footage, loop=True, preview_side=SIDE)
        yield live.start(bpy.context, cast(session.Source, source), footage.name)
    finally:
        live.stop(bpy.context)
        ui.unregister()


if __name__ == "__main__":
    print(run(quick=False).to_markdown())
