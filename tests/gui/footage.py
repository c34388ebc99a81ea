# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage in a real window: two characters and a clip, Start, see both move, undo and redo
meanwhile, Stop, Record to the clip's end, Bake, scrub the timeline, undo the bake, redo it, start
once more and quit."""

from __future__ import annotations

import subprocess

from imageio_ffmpeg import get_ffmpeg_exe

from tests.gui.hand import State, Window
from tests.gui.stage import SHARE, add_characters, gone, movers, open_blender, people_clip, step


def why_not() -> str:
    """Why this cannot be done here, or ""."""
    return "" if people_clip() else "no footage (demo/*.mp4)"


def perform(window: Window) -> None:
    """The whole way of a user."""
    open_blender(window)
    set_the_stage(window)
    see_two_characters_move(window)
    undo_while_live(window)
    record_to_the_end(window)
    bake_scrub_and_undo(window)
    close_while_live(window)


def set_the_stage(window: Window) -> None:
    step("two characters, and a clip")
    clip = people_clip()
    assert clip is not None
    longer = ["-stream_loop", "2", "-i", str(clip), "-c", "copy", str(SHARE / "clip.mp4")]
    subprocess.run([get_ffmpeg_exe(), "-y", "-loglevel", "error", *longer], check=True)
    add_characters(window, 2)
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
    state = window.wait("the clip's end", lambda state: state["live"] == "", 240)
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
