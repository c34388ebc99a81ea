# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Blender windows, used as a user would: `make test-gui`, or `python tests/gui/run.py`.

For each Blender that the GUI tool has set up (MFN_GUI_TOOL, by default
../shared/tools/blender_gui.sh; MFN_GUI_SUITES, by default "trixie sid"): install the built zip,
add two characters, open a clip, Start, see both move, undo and redo meanwhile, Stop, Record to the
clip's end, Bake, scrub the timeline, undo the bake, redo it, start once more and quit. Pictures
of the screen go to build/gui/SUITE; look at them too.

Where there is no such Blender, it says so and passes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.gui.hand import State, Window  # noqa: E402, the path comes first

TOOL = Path(os.environ.get("MFN_GUI_TOOL", REPOSITORY.parent / "shared/tools/blender_gui.sh"))
SUITES = os.environ.get("MFN_GUI_SUITES", "trixie sid").split()
CHROOTS = Path(os.environ.get("GUI_ROOT", "/var/tmp/blender_gui"))
SHARE = Path(os.environ.get("GUI_SHARE", "/tmp/blender_gui_share"))
PICTURES = REPOSITORY / "build" / "gui"
MOVED = 0.05  # of a shape key, or of a bone's rotation


def main() -> int:
    """Run in every suite there is; returns the exit status."""
    reason = missing()
    if reason:
        print(f"skipped: {reason}")
        return 0
    failed = 0
    for suite in SUITES:
        if not (CHROOTS / suite / "usr/bin/blender").exists():
            print(f"{suite}: skipped: not set up (run `{TOOL} setup {suite}`)")
            continue
        window = Window(TOOL, suite, SHARE, PICTURES / suite)
        try:
            perform(window)
            print(f"{suite}: passed with Blender {window.state()['version']}")
        except Exception as error:
            failed += 1
            print(f"{suite}: FAILED: {error}\n  pictures: {window.pictures}", file=sys.stderr)
        finally:
            window.close()
    return 1 if failed else 0


def missing() -> str:
    """Why nothing can be tested here, or ""."""
    if not TOOL.is_file():
        return f"no GUI tool at {TOOL} (set MFN_GUI_TOOL)"
    if os.geteuid() != 0:
        return f"{TOOL.name} needs root"
    if not the_zip():
        return "the extension is not built (run `make extension`)"
    if not the_clip():
        return "no footage (demo/*.mp4)"
    return ""


def the_zip() -> Path | None:
    """The newest built extension."""
    zips = sorted(
        (REPOSITORY / "dist").glob("*linux_x64.zip"), key=lambda path: path.stat().st_mtime
    )
    return zips[-1] if zips else None


def the_clip() -> Path | None:
    """Footage with several people: the demo's, or what MFN_GUI_CLIP names."""
    if "MFN_GUI_CLIP" in os.environ:
        return Path(os.environ["MFN_GUI_CLIP"])
    return next(iter(sorted((REPOSITORY / "demo").glob("*.mp4"))), None)


def perform(window: Window) -> None:
    """The whole way of a user."""
    start(window)
    set_the_stage(window)
    see_two_characters_move(window)
    undo_while_live(window)
    record_to_the_end(window)
    bake_scrub_and_undo(window)
    close_while_live(window)


def step(text: str) -> None:
    print(f"  {text}", flush=True)


def start(window: Window) -> None:
    step("install and open")
    clip, archive = the_clip(), the_zip()
    assert clip is not None
    assert archive is not None
    SHARE.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(clip, SHARE / "clip.mp4")
    # A Blender that nobody has used: takes of earlier runs would be listed, and push buttons down.
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


def set_the_stage(window: Window) -> None:
    step("two characters, and a clip")
    window.press("a", "Delete")
    window.choose_tab("MFN")
    for number in (1, 2):
        x, y = window.find("auto_cast")
        window.click(x, y - 26)  # Add Sample Character: a menu, which has no name to find
        window.press(*["Down"] * (number + 1), "Return")  # the menu's next character
        window.wait("a character", lambda state, n=number: len(state["characters"]) == n)
    window.find("footage")
    window.xdo("click", "--repeat", 2, "--delay", 60, 1)
    window.fresh_state()
    window.press("ctrl+a")
    window.type("/share/clip.mp4")
    window.press("Return")
    window.wait("the clip's path", lambda state: state["footage"] == "/share/clip.mp4")
    window.picture("1 stage")


def see_two_characters_move(window: Window) -> None:
    step("start: two characters move")
    window.click_on("mfn.start")
    state = window.wait(
        "two faces on two characters",
        lambda s: s["live"] == "running" and len(set(s["cast"].values())) == 2,
    )
    before = state["characters"]
    window.wait("both to move", lambda state: len(movers(before, state["characters"])) == 2)
    window.over_view()
    window.picture("2 live")


def undo_while_live(window: Window) -> None:
    step("undo and redo while live")
    pid = window.fresh_state()["pid"]
    there = len(window.state()["characters"])
    window.over_view()
    for _ in range(2):
        window.press("ctrl+z", "ctrl+z")
        window.press("ctrl+shift+z", "ctrl+shift+z")
    state = window.wait("the characters back", lambda state: len(state["characters"]) == there)
    if state["live"] == "running":  # else the clip has ended meanwhile
        assert state["pid"] == pid, "the capture process changed"
        try:
            window.click_on("mfn.stop")
        except LookupError:
            if window.fresh_state()["live"]:
                raise
            # The clip has ended while the hand was looking, and Stop is Start again.
    window.wait("the end", lambda state: state["live"] == "")
    assert gone(pid), "the capture process goes on after Stop"


def record_to_the_end(window: Window) -> None:
    step("record to the clip's end")
    known = len(window.fresh_state()["takes"])
    window.click_on("mfn.record", across=0.8)
    window.wait("recording", lambda state: state["recording"] and state["frames"] > 5)
    window.picture("3 recording")
    state = window.wait("the clip's end", lambda state: state["live"] == "", 180)
    assert len(state["takes"]) == known + 1, state["message"]
    assert "recorded" in state["message"], state["message"]


def bake_scrub_and_undo(window: Window) -> None:
    step("bake, scrub, undo, redo")
    window.click_on("mfn.bake")
    state = window.wait("the bake", lambda state: state["actions"])
    assert state["message"].startswith("Baked"), state["message"]
    window.picture("4 baked")

    first = scrub(window, 0.10)
    second = scrub(window, 0.35)
    assert first["frame"] < second["frame"], "the timeline did not move"
    assert len(movers(first["characters"], second["characters"])) == 2, "scrubbing moves nobody"
    again = scrub(window, 0.10)
    assert again["frame"] == first["frame"]
    assert not movers(first["characters"], again["characters"]), "a frame is not always the same"
    window.picture("5 scrubbed")

    window.over_view()
    window.press("ctrl+z")
    for _ in range(6):  # scrubbing makes undo steps in some versions
        if not window.fresh_state()["animated"]:
            break
        window.press("ctrl+z")
    assert not window.fresh_state()["animated"], "undo has not taken the bake back"
    window.picture("6 undone")
    for _ in range(8):
        if window.fresh_state()["animated"]:
            break
        window.press("ctrl+shift+z")
    assert window.fresh_state()["animated"], "redo has not brought the bake back"


def scrub(window: Window, across: float) -> State:
    """Drag the playhead to a place of the timeline; returns the state there."""
    x, bottom, width, height = window.fresh_state()["timeline"]
    y = bottom - height + 38  # the strip of frame numbers below the header
    window.move(x + (across - 0.03) * width, y)
    window.xdo("mousedown", 1)
    for part in (0.02, 0.01, 0.0):
        window.move(x + (across - part) * width, y)
        window.fresh_state()
    window.xdo("mouseup", 1)
    window.fresh_state()
    return window.fresh_state()


def close_while_live(window: Window) -> None:
    step("quit while live")
    window.click_on("mfn.start")
    pid = window.wait("live again", lambda s: s["live"] == "running" and s["pid"])["pid"]
    window.over_view()
    window.xdo("key", "ctrl+q")
    assert window.blender is not None
    status = window.blender.wait(60)
    assert status == 0, f"Blender has ended with {status}"
    assert gone(pid), "the capture process outlives Blender"


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


if __name__ == "__main__":
    sys.exit(main())
