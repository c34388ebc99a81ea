# SPDX-License-Identifier: GPL-3.0-or-later
"""Two browsers at once drive three characters in Blender."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from mfn_addon.ui import live, phones
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until
from tests.rig.characters import add_human, value
from tests.ui.conftest import interface  # noqa: F401

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())

WATCHED = ("jawOpen", "eyeBlinkLeft", "browInnerUp", "mouthSmileLeft")
PARTS = {1001: "Ada", 1002: "Ben", 2001: "Cleo"}
"""Who plays whom: two of the clip's people as the first phone sees them, one as the second."""


@pytest.mark.usefixtures("interface")
def test_two_phones_drive_three_characters(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(phones, "user_folder", lambda name: tmp_path / name)
    clip = camera_clip(CLIP, tmp_path / "clip.y4m")
    context = bpy.context
    settings = context.scene.mfn
    settings.auto_cast = False
    server = phones.start(context, "127.0.0.1")
    characters = {name: add_human(name) for name in PARTS.values()}
    opened = []
    try:
        for _ in range(2):  # a code pairs one phone, and is then replaced
            opened.append(Phone(server.url, clip, tmp_path))
            opened[-1].do("connected")
        for phone in opened:
            phone.do("seen")

        def everybody() -> bool:
            live.tick(context)
            return set(PARTS) <= {row.actor for row in settings.cast}

        wait_until(everybody, "three actors")
        for row in settings.cast:
            row.character = characters.get(PARTS.get(row.actor, ""))
        seen: dict[str, set] = {name: set() for name in characters}

        def all_move() -> bool:
            live.tick(context)
            for name, poses in seen.items():
                poses.add(tuple(round(value(f"{name} face", key), 3) for key in WATCHED))
            return all(len(poses) >= 4 for poses in seen.values())

        wait_until(all_move, "three characters that move")
    finally:
        for phone in opened:
            phone.end()
        live.stop(context)
