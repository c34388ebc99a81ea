# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""From a picture's capture to its value on the rig: footage played live, polled as Blender does."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

import bpy
import cv2
import numpy as np

from benchmarks.pictures import RIGS, SIZE, group_picture
from benchmarks.timing import Report, Row, Timing, measure
from mfn_addon.capture.live import CameraProcess
from mfn_addon.network import FaceNetwork
from mfn_addon.rig import bind
from mfn_addon.rig.assemble import append_character
from mfn_addon.ui.live import INTERVAL

RATE = 30.0  # pictures a second, as of most cameras
FACES = 3


def run(quick: bool) -> Report:
    """Measure the age of each picture once its faces are on the rigs and the scene is evaluated.

    The limit is the network's own time for a picture, and one frame.
    """
    picture, network = group_picture(FACES), FaceNetwork()
    bare = measure(lambda: network.detect(picture), 10 if quick else 60)
    frame = 1000.0 / RATE
    with tempfile.TemporaryDirectory() as folder:
        ages = np.array(_ages(_footage(picture, Path(folder)), 3.0 if quick else 20.0)) * 1000
    low, median, high = (round(part + frame, 2) for part in (bare.low, bare.median, bare.high))
    limit = Timing(median, low, high, bare.count)
    late = np.percentile(ages, 95, axis=0)
    note = (
        f"The network takes {bare.median:.1f} ms by itself, a frame {frame:.1f}. 95 % of values "
        f"are written within {late[0]:.1f} ms, and evaluated within {late[1]:.1f}."
    )
    rows = [
        Row(f"three faces on three rigs: {case}", _timing(age), limit)
        for case, age in zip(("written", "evaluated"), ages.T, strict=True)
    ]
    title, rest = "From a picture's capture to the rig", "the network's own time and one frame"
    return Report(title, rest, rows, [note])


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


def _ages(footage: Path, seconds: float) -> list[tuple[float, float]]:
    """Seconds from capture until the values are written, and until the scene is evaluated."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    bindings = [bind(append_character(path, scene)) for path in RIGS[:FACES]]
    pause, ages = threading.Event(), []
    with CameraProcess(footage, loop=True) as capture:
        while not capture.poll():  # until the network is loaded
            if not capture.alive:
                raise RuntimeError(capture.message)
            pause.wait(INTERVAL)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            due = time.monotonic() + INTERVAL
            if frames := capture.poll():
                for binding, face in zip(bindings, frames[-1].faces, strict=False):
                    binding.apply(face)
                captured, written = capture.info["epoch"] + frames[-1].time, time.monotonic()
                bpy.context.view_layer.update()
                ages.append((written - captured, time.monotonic() - captured))
            pause.wait(max(0.0, due - time.monotonic()))
    return ages


if __name__ == "__main__":
    print(run(quick=False).to_markdown())
