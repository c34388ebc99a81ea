# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's interface, registered in an empty file, with a source that the test feeds."""

import atexit
import os
import sys
import time

import bpy
import numpy as np
import pytest

from mfn_addon import ui
from mfn_addon.ui import live, properties, recording, session
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import face, new_file, write_take


def pytest_sessionfinish(exitstatus):
    """As a module, bpy 4.2 crashes at the end of its process once any property has had a Python
    callback; the tests' result would be lost."""
    if bpy.app.version < (5, 0):
        atexit.register(_leave, int(exitstatus))


def _leave(status):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class FakeSource:
    """Yields what the test puts in."""

    def __init__(self):
        self.waiting, self.state, self.message, self.latency = [], "running", "", 0.0
        self.picture, self.preview_frame, self.stopped = None, -1, False

    @property
    def alive(self):
        return self.state == "running"

    def give(self, *frames, picture=False):
        self.waiting.extend(frames)
        if picture:
            self.picture = np.full((180, 320, 3), 90, np.uint8)
            self.preview_frame = frames[-1].frame

    def end(self, state="ended", message=""):
        self.state, self.message = state, message

    def poll(self):
        frames, self.waiting = self.waiting, []
        return frames

    def captured(self, _):
        return time.monotonic() - self.latency if self.latency else None

    def preview(self):
        return self.picture

    def stop(self):
        self.stopped = True
        self.state = "stopped"


@pytest.fixture(autouse=True)
def interface(tmp_path, monkeypatch):
    new_file()
    monkeypatch.setattr(properties, "takes_folder", lambda _: tmp_path / "takes")
    monkeypatch.setattr(recording, "takes_folder", lambda _: tmp_path / "takes")
    session.message.text = ""
    ui.register()
    yield
    if hasattr(bpy.types.Scene, "mfn"):
        ui.unregister()


@pytest.fixture
def base(interface, tmp_path):
    """Four seconds of an open mouth and rising brows."""
    path = write_take(
        tmp_path / "takes" / "Take 001.mfntake",
        5 + np.arange(97) / 24,
        lambda time: [face(1, jawOpen=0.2, browInnerUp=(time - 5) / 4)],
    )
    refresh_takes(bpy.context)
    return path


@pytest.fixture
def source():
    return FakeSource()


@pytest.fixture
def running(source, interface):
    live.start(bpy.context, source, "test")
    return source
