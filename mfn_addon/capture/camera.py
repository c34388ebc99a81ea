# SPDX-License-Identifier: GPL-3.0-or-later
"""Live pictures: a camera, or footage played at its own pace. Latest wins: whoever is slower
than the source misses pictures, and never falls behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from .errors import InputError
from .footage import Footage, Picture

STALLED_AFTER = 5.0
"""Seconds without a picture after which a camera counts as gone."""

BUSY_FOR = 2.0
"""Seconds for which a camera may be busy when it is opened."""

_STILL_RATE = 10.0
"""Pictures a second of a still that is played."""


class LiveSource(Protocol):
    """What can be watched live.

    Attributes:
        name: what its frames carry as their source.
        width, height: px.
        epoch: `time.monotonic()` at the pictures' time 0; set with the first picture.
        duration: seconds of one round of footage; 0 for a camera.
    """

    name: str
    width: int
    height: int
    epoch: float
    duration: float

    def pictures(self, stop: threading.Event) -> Iterator[Picture]:
        """Pictures until `stop` or the end. Raises InputError where the source fails."""
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...


def open_source(
    name: str, *, loop: bool = False, size: tuple[int, int] = (1280, 720), rate: float = 30.0
) -> LiveSource:
    """A camera by its number ("0"), or footage by its path.

    Args:
        name: the camera's number or the footage's path.
        loop: play footage again and again; its times go on rising.
        size, rate: what to ask a camera for; it may give something else.

    Raises:
        InputError: no such camera or footage, or it may not be opened.
    """
    if name.isdecimal():
        return Camera(int(name), size, rate)
    return PlayedFootage(Footage(name), loop)


class Camera:
    """A camera, read by a thread of its own so that no picture waits in the driver's queue."""

    duration = 0.0

    def __init__(self, number: int, size: tuple[int, int], rate: float) -> None:
        """Open it, and ask for pictures of this size and rate. Raises InputError."""
        self.name = f"Camera {number}"
        self._number = number
        self._capture, image = _first_picture(number, size, rate)
        self._news = threading.Condition()
        self._latest: tuple[float, int, np.ndarray] | None = None
        self._failed = False
        self._closing = False
        self.height, self.width = image.shape[:2]
        self.epoch = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._thread.start()

    def pictures(self, stop: threading.Event) -> Iterator[Picture]:
        """The newest picture each time. Raises InputError when the camera vanishes."""
        while not stop.is_set():
            with self._news:
                self._news.wait_for(lambda: self._failed or self._latest, STALLED_AFTER)
                latest, self._latest = self._latest, None
            if latest:
                stamp, number, image = latest
                yield Picture(stamp - self.epoch, number, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            else:
                raise InputError(
                    f"camera {self._number} has stopped giving pictures "
                    "(unplugged, or taken by another program); connect it and start again"
                )

    def close(self) -> None:
        """Release the camera, unless its driver hangs."""
        self._closing = True
        self._thread.join(timeout=2.0)
        if not self._thread.is_alive():
            self._capture.release()

    def _read(self) -> None:
        number = 0
        while not self._closing:
            found, image = self._capture.read()
            with self._news:
                if found:
                    self._latest = (time.monotonic(), number, image)
                    number += 1
                self._failed = not found
                self._news.notify_all()
            if not found:
                return


class PlayedFootage:
    """Footage at its own pace; pictures that come too late are left out."""

    def __init__(self, footage: Footage, loop: bool = False) -> None:
        self._footage = footage
        self._loop = loop
        self.name = footage.name
        self.width, self.height = footage.width, footage.height
        self.duration = footage.duration
        self.epoch = 0.0

    def pictures(self, stop: threading.Event) -> Iterator[Picture]:
        """Each picture when it is due. With `loop`, times go on where the last round ended."""
        self.epoch = 0.0
        step = 1.0 / (_STILL_RATE if self._footage.still else self._footage.rate)
        offset = last = 0.0
        while not stop.is_set():
            for picture in self._footage:
                last = offset + picture.time
                self.epoch = self.epoch or time.monotonic()  # the clock starts with a picture
                late = time.monotonic() - self.epoch - last
                if late > step and not self._footage.still:
                    continue
                if late < 0 and stop.wait(-late):
                    return
                yield Picture(last, picture.frame, picture.image)
                if stop.is_set():
                    return
            if not self._loop:
                return
            offset = last + step

    def close(self) -> None:
        """Nothing stays open between pictures."""


def _first_picture(
    number: int, size: tuple[int, int], rate: float
) -> tuple[cv2.VideoCapture, np.ndarray]:
    """Open a camera and wait for it to show something: one that was closed a moment ago may
    still be busy. Raises InputError."""
    until = time.monotonic() + BUSY_FOR
    while True:
        try:
            opened = _open_camera(number, size, rate)
            found, image = opened.read()
            if found:
                return opened, image
            opened.release()
            raise InputError(
                f"camera {number} opens but gives no picture: another program may be using it"
            )
        except InputError:
            if time.monotonic() > until or not _may_appear(number):
                raise
        time.sleep(0.2)


def _may_appear(number: int) -> bool:
    return not sys.platform.startswith("linux") or Path(f"/dev/video{number}").exists()


def list_cameras() -> list[int]:
    """The numbers of the cameras that seem to be there. Off Linux this opens each briefly."""
    if sys.platform.startswith("linux"):
        found = (path.name.removeprefix("video") for path in Path("/dev").glob("video*"))
        return sorted(int(number) for number in found if number.isdecimal())
    numbers = []
    for number in range(6):
        capture = cv2.VideoCapture(number, _backend())
        if capture.isOpened():
            numbers.append(number)
        capture.release()
    return numbers


def _open_camera(number: int, size: tuple[int, int], rate: float) -> cv2.VideoCapture:
    if sys.platform.startswith("linux"):
        device = Path(f"/dev/video{number}")
        if not device.exists():
            there = ", ".join(map(str, list_cameras())) or "none"
            raise InputError(f"no camera {number} on this computer (found: {there})")
        if not os.access(device, os.R_OK | os.W_OK):
            raise InputError(
                f"camera {number} may not be opened: {device} is not readable for this user "
                "(add the user to the group `video`)"
            )
    capture = cv2.VideoCapture(number, _backend())
    if not capture.isOpened():
        hint = "not connected, or another program is using it"
        if sys.platform == "darwin":
            hint = (
                "not connected, or not permitted: allow it under System Settings > Privacy & "
                "Security > Camera, or start `mfn camera` in a terminal"
            )
        elif sys.platform == "win32":
            hint += "; see also Settings > Privacy > Camera"
        raise InputError(f"camera {number} cannot be opened ({hint})")
    # Motion JPEG: raw pictures of this size do not fit through USB 2 at 30 a second.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    capture.set(cv2.CAP_PROP_FPS, rate)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _backend() -> int:
    # DirectShow opens in a second where Media Foundation may take half a minute.
    return {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_V4L2)
