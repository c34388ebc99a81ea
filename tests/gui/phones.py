# SPDX-License-Identifier: GPL-3.0-or-later
"""Two phones and a real window: Add Phone, scan the code off the screen, twice; one phone sees one
person, the other three; three characters move. A take is recorded from the first phone's button.

The phones are headless Chromium with a clip for a camera, and reach Blender over HTTPS on the
loopback address. Pictures are taken of their pages, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from tests.companion.browser import Phone, camera_clip, why_no_browser
from tests.gui.hand import Window
from tests.gui.stage import SHARE, add_characters, movers, open_blender, people_clip, step

PORTRAIT = "crop=ih*9/16:ih:(iw-ow)/2:0,scale=720:1280:flags=lanczos"
"""The clip's middle as a phone that is held upright sees it: one person."""
_CODE_ZOOM = 3  # the code's modules are 3 px on the screen: a camera comes nearer


def why_not() -> str:
    """Why this cannot be done here, or ""."""
    return why_no_browser() or ("" if people_clip() else "no footage (demo/*.mp4)")


def perform(window: Window) -> None:
    """From Add Phone to a take."""
    open_blender(window)
    step("three characters, and a server for phones")
    add_characters(window, 3)
    add_phone(window)
    with phones(window) as opened:
        join(window, opened)
        see_three_characters_move(window)
        look_at_pages(opened)
        record_from_the_phone(window, opened[0])
        stop(window, opened)


def add_phone(window: Window) -> None:
    """Press the arrow beside Add Phone, and choose the loopback address, the last of the menu."""
    window.scroll(30)
    _, y = window.find("mfn.phones_start")
    x, _, width, _ = window.fresh_state()["sidebar"]
    window.click(x + width - 45, y)
    window.press("Up", "Return")
    window.wait("a server on the loopback address", lambda s: s["phone_server"] == "127.0.0.1")
    window.scroll(30)
    window.picture("1 code")


@contextmanager
def phones(window: Window) -> Iterator[list[Phone]]:
    """The list of open phones, which is filled meanwhile; all are closed in the end."""
    opened: list[Phone] = []
    try:
        yield opened
    finally:
        for phone in opened:
            phone.end()


def join(window: Window, opened: list[Phone]) -> None:
    """Let two phones scan the code, one after the other; the first sees one person."""
    footage = people_clip()
    assert footage is not None
    upright = camera_clip(footage, SHARE / "upright.y4m", filters=PORTRAIT)
    level = camera_clip(footage, SHARE / "level.y4m")
    used = ""
    for number, people, clip, held in ((1, 1, upright, ["upright"]), (2, 3, level, [])):
        step(f"phone {number} scans the code")
        used = scan(window, used)
        opened.append(Phone(used, clip, window.pictures, *held))
        opened[-1].do("connected")
        window.wait(
            f"phone {number} and the faces that it sees",
            lambda s, n=number, p=people: [each["faces"] for each in s["phones"]][n - 1 :] == [p],
        )
    window.scroll(30)
    window.picture("2 phones")


def scan(window: Window, used: str) -> str:
    """The address of the code on the screen, once it is another than the one that was used."""
    for _ in range(10):
        window.picture("code")
        screen = cv2.imread(str(window.pictures / "code.png"))
        near = cv2.resize(screen, None, fx=_CODE_ZOOM, fy=_CODE_ZOOM)
        address, _, _ = cv2.QRCodeDetector().detectAndDecode(near)
        if address and address != used:
            return address
        window.fresh_state()
    raise TimeoutError("no new code can be read off the screen")


def see_three_characters_move(window: Window) -> None:
    step("three characters move, driven by two phones")
    state = window.wait(
        "two phones on three characters",
        lambda s: {int(actor) // 1000 for actor in s["cast"]} == {1, 2} and len(s["cast"]) == 3,
    )
    before = state["characters"]
    window.wait("all three to move", lambda state: len(movers(before, state["characters"])) == 3)
    window.scroll(-30)
    window.picture("3 live")


def look_at_pages(opened: list[Phone]) -> None:
    step("pictures of the pages")
    upright, level = opened
    upright.do("shot page_upright 390 844")
    upright.do("settings")
    upright.do("shot page_settings 390 844")
    upright.do("settings")
    level.do("shot page_level 844 390")


def record_from_the_phone(window: Window, phone: Phone) -> None:
    step("record from the phone")
    phone.do("record")
    window.wait("the recording", lambda state: state["recording"])
    phone.do("kept")
    phone.do("shot page_recording 390 844")
    window.picture("4 recording")
    phone.do("record")
    window.wait("the take", lambda state: not state["recording"] and state["takes"])
    phone.do("delivered")


def stop(window: Window, opened: list[Phone]) -> None:
    step("stop: the server is gone")
    window.scroll(-30)
    window.click_on("mfn.stop")
    window.wait("the end", lambda state: state["live"] == "" and not state["phone_server"])
    for phone in opened:
        phone.do("lost")
    window.picture("5 stopped")
