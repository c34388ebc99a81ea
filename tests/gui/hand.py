# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's hand and eye on a Blender window that has no screen.

The hand is xdotool. The eye is a picture of the screen, and what `observer.py` tells from inside.
Buttons are found as a person finds them, by moving the mouse until the right one is under it:
no position is written down, so the test survives another layout and another Blender.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

State = dict[str, Any]
REPOSITORY = Path(__file__).resolve().parents[2]
"""Blender sees it as /repo, as it is the folder from which the tool runs."""

_TAB_WIDTH = 22  # px of the sidebar's column of tabs, at its right edge
_BLANK = 40_000  # bytes: a picture of an empty screen is far smaller
_STEP = 9  # px between two looks; a button is about 20 high


class Window:
    """One Blender window in one suite of the GUI tool."""

    def __init__(self, tool: Path, suite: str, share: Path, pictures: Path) -> None:
        self.tool, self.suite, self.share, self.pictures = tool, suite, share, pictures
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.blender: subprocess.Popen | None = None
        self._seen = 0.0

    # ---- the tool ----

    def run(self, verb: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess:
        """Run the GUI tool and wait for it."""
        command = [str(self.tool), verb, self.suite, *arguments]
        return subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=REPOSITORY,
            **options,
        )

    def open(self, *arguments: str) -> None:
        """Start Blender; its output goes to a file among the pictures."""
        (self.share / "state.json").unlink(missing_ok=True)
        log = (self.pictures / "blender.log").open("w")
        command = [str(self.tool), "blender", self.suite, *arguments]
        self.blender = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=REPOSITORY
        )

    def picture(self, name: str) -> None:
        """Save a picture of the screen."""
        self.run("shot", str(self.pictures / f"{name}.png"))

    def wait_for_picture(self, seconds: float = 240) -> None:
        """Wait until Blender has drawn: a first start compiles its shaders on a blank screen."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.picture("0 opened")
            if (self.pictures / "0 opened.png").stat().st_size > _BLANK:
                return
            self._alive()
            time.sleep(1)
        raise TimeoutError(f"Blender has drawn nothing in {seconds:.0f} s")

    # ---- the eye ----

    def state(self) -> State:
        """What the observer wrote last."""
        try:
            return json.loads((self.share / "state.json").read_text("utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def fresh_state(self) -> State:
        """What the observer sees from now on."""
        path = self.share / "state.json"
        self._seen = path.stat().st_mtime if path.exists() else 0.0
        for _ in range(400):
            if path.exists() and path.stat().st_mtime > self._seen:
                return self.state()
            self._alive()
            time.sleep(0.05)
        raise TimeoutError("Blender does not answer any more")

    def wait(self, what: str, true: Callable[[State], Any], seconds: float = 90) -> State:
        """Wait until something is true of the state."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            state = self.state()
            if state and "error" not in state and true(state):
                return state
            self._alive()
            time.sleep(0.1)
        self.picture("timeout")
        told = {key: value for key, value in self.state().items() if key != "characters"}
        raise TimeoutError(f"waited {seconds:.0f} s for: {what}; Blender tells {told}")

    def _alive(self) -> None:
        if self.blender is not None and self.blender.poll() is not None:
            log = (self.pictures / "blender.log").read_text(errors="replace")
            raise RuntimeError(f"Blender has ended ({self.blender.returncode}):\n{log[-2000:]}")

    # ---- the hand ----

    def xdo(self, *arguments: str | int) -> None:
        """Run xdotool."""
        self.run("do", "xdotool", *map(str, arguments))

    def move(self, x: float, y: float) -> None:
        # Two moves: Blender wants to see the mouse arrive.
        self.xdo("mousemove", int(x) - 1, int(y), "sleep", 0.05, "mousemove", int(x), int(y))

    def press(self, *keys: str) -> None:
        """Press keys one after the other, e.g. "ctrl+z"."""
        for key in keys:
            self.xdo("key", key)
            self.fresh_state()

    def type(self, text: str) -> None:
        self.xdo("type", "--delay", "40", text)

    def click(self, x: float | None = None, y: float | None = None, button: int = 1) -> None:
        if x is not None and y is not None:
            self.move(x, y)
        self.fresh_state()
        self.xdo("click", button)
        self.fresh_state()

    def over_view(self) -> tuple[float, float]:
        """Move over the free middle of the 3D view."""
        x, bottom, width, height = self.fresh_state()["view"]
        place = x + 0.4 * width, bottom - 0.5 * height
        self.move(*place)
        self.fresh_state()
        return place

    def choose_tab(self, tab: str) -> None:
        """Open the sidebar where it is closed, and click its tabs until the right one shows."""
        self.over_view()
        if self.fresh_state()["sidebar"][2] < 50:
            self.press("n")
        x, bottom, width, height = self.fresh_state()["sidebar"]
        for y in range(int(bottom - height) + 20, int(bottom), 22):
            self.click(x + width - _TAB_WIDTH / 2, y)
            if self.fresh_state()["tab"] == tab:
                return
        self.picture(f"no tab {tab}")
        raise LookupError(f"no tab {tab!r} in the sidebar")

    def scroll(self, notches: int) -> None:
        """Turn the mouse's wheel over the sidebar, down where positive, and move off it."""
        x, bottom, width, height = self.fresh_state()["sidebar"]
        self.move(x + (width - _TAB_WIDTH) / 2, bottom - height / 2)
        self.fresh_state()
        self.xdo("click", "--repeat", abs(notches), "--delay", 20, 5 if notches > 0 else 4)
        self.over_view()  # a look later: Blender has begun to scroll, which it does smoothly
        before = None
        while before != (before := self.fresh_state()["scrolled"]):
            pass

    def find(self, button: str, across: float = 0.3) -> tuple[float, float]:
        """Move down the sidebar until a button is under the mouse; returns where.

        Args:
            button: an operator's or a property's name, as `observer.hovered` gives it.
            across: where in the sidebar's width to go down, 0..1.
        """
        x, bottom, width, height = self.fresh_state()["sidebar"]
        place = x + across * (width - _TAB_WIDTH)
        for y in range(int(bottom - height) + 4, int(bottom), _STEP):
            self.move(place, y)
            if self.fresh_state().get("hovered") == button:
                self.move(place, y + 4)  # off its upper edge
                return place, y + 4
        self.picture(f"not found {button}")
        raise LookupError(f"no button {button!r} in the sidebar")

    def click_on(self, button: str, across: float = 0.3) -> None:
        """Find a button and click it."""
        self.find(button, across)
        self.click()

    def close(self) -> None:
        """End Blender: the tool is only its wrapper, so its own number is asked for."""
        pid = self.state().get("own_pid", 0) if self.blender is not None else 0
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if self.blender is not None:
            try:
                self.blender.wait(20)
            except subprocess.TimeoutExpired:
                self.blender.kill()
            self.blender = None
