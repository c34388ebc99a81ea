# SPDX-License-Identifier: GPL-3.0-or-later
"""What the window tests share: a fresh Blender with the built extension, characters, and whether
those move."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from tests.gui.hand import REPOSITORY, State, Window

SHARE = Path(os.environ.get("GUI_SHARE", "/tmp/blender_gui_share"))
"""Blender sees it as /share."""
MOVED = 0.05  # of a shape key, or of a bone's rotation


def step(text: str) -> None:
    """Say what comes now."""
    print(f"  {text}", flush=True)


def built_extension() -> Path | None:
    """The newest built extension for this platform."""
    zips = (REPOSITORY / "dist").glob("*linux_x64.zip")
    return max(zips, key=lambda path: path.stat().st_mtime, default=None)


def people_clip() -> Path | None:
    """Footage with several people: the demo's, or what MFN_GUI_CLIP names."""
    if "MFN_GUI_CLIP" in os.environ:
        return Path(os.environ["MFN_GUI_CLIP"])
    return next(iter(sorted((REPOSITORY / "demo").glob("*.mp4"))), None)


def open_blender(window: Window) -> None:
    """Install the extension for a user who has never run Blender, and open an empty scene."""
    step("install and open")
    archive = built_extension()
    assert archive is not None
    SHARE.mkdir(parents=True, exist_ok=True)
    # Takes of earlier runs would be listed, and push buttons down.
    shutil.rmtree(SHARE / "user", ignore_errors=True)
    os.environ["BLENDER_USER_RESOURCES"] = "/share/user"
    window.run("start")
    inside = f"/repo/{archive.relative_to(REPOSITORY)}"
    window.run(
        "blender", "--command", "extension", "install-file", "-r", "user_default", "-e", inside
    )
    window.open(
        "--factory-startup", "--window-geometry", "0", "0", "1600", "900",
        "--python-expr", "import bpy; bpy.context.preferences.view.use_save_prompt = False",
        "--addons", "bl_ext.user_default.mfn_face_capture",
        "--python", "/repo/tests/gui/observer.py", "--", "/share/state.json",
    )  # fmt: skip
    window.wait("Blender's window", lambda state: state.get("view"), 120)
    window.wait_for_picture()
    window.over_view()
    window.press("Escape")  # the splash screen
    window.press("a", "Delete")
    window.choose_tab("MFN")


def add_characters(window: Window, count: int) -> None:
    """Add so many of the sample characters with the sidebar's menu."""
    for number in range(1, count + 1):
        x, y = window.find("auto_cast")
        window.click(x, y - 26)  # Add Sample Character: a menu, which has no name to find
        window.press(*["Down"] * (number + 1), "Return")  # the menu's next character
        window.wait("a character", lambda state, n=number: len(state["characters"]) == n)


def movers(before: State, after: State) -> list[str]:
    """The characters whose face or head differs between two looks."""
    return [
        name
        for name, now in after.items()
        if name in before and _difference(before[name], now) > MOVED
    ]


def _difference(before: State, now: State) -> float:
    keys = [abs(value - before["keys"].get(name, 0.0)) for name, value in now["keys"].items()]
    pose = [
        abs(a - b)
        for name, values in now["pose"].items()
        for a, b in zip(values, before["pose"].get(name, values), strict=True)
    ]
    return max([*keys, *pose], default=0.0)


def gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    for _ in range(50):
        try:
            status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return True
        if "State:\tZ" in status:
            return True
        time.sleep(0.1)
    return False
