# SPDX-License-Identifier: GPL-3.0-or-later
"""Two browsers at once drive three characters in Blender."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from mfn_addon.ui import live, phones, session
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until
from tests.rig.characters import add_human, value
from tests.ui.conftest import interface  # noqa: F401

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())

WATCHED = ("jawOpen", "eyeBlinkLeft", "browInnerUp", "mouthSmileLeft")
NAMES = ("Ada", "Ben", "Cleo")
OF_A_PHONE = 1000
"""Between the numbers of one phone's actors and the next one's."""


def three_actors(live: session.Session) -> list[int]:
    """Two people whom the first phone has just seen and one whom the second has, if they have.

    Their numbers depend on how busy the machine is: where a page sees the clip at a few pictures a
    second, its people jump, and come back under new ones.
    """
    faces: dict[int, list[int]] = {1: [], 2: []}
    for frame in live.recent:  # the newest last
        for phone in {face.id // OF_A_PHONE for face in frame.faces}:
            faces[phone] = [face.id for face in frame.faces]
    return faces[1][:2] + faces[2][:1] if len(faces[1]) >= 2 else []


def cast_as(rows, actors: list[int], characters: dict) -> None:
    """Let these actors play the characters, and nobody else."""
    parts = dict(zip(actors, characters.values(), strict=True))
    for row in rows:
        if row.character != parts.get(row.actor):
            row.character = parts.get(row.actor)


@pytest.mark.usefixtures("interface")
def test_two_phones_drive_three_characters(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(phones, "user_folder", lambda name: tmp_path / name)
    clip = camera_clip(CLIP, tmp_path / "clip.y4m")
    context = bpy.context
    settings = context.scene.mfn
    settings.auto_cast = False
    server = phones.start(context, "127.0.0.1")
    characters = {name: add_human(name) for name in NAMES}
    opened = []
    try:
        for _ in range(2):  # a code pairs one phone, and is then replaced
            opened.append(Phone(server.url, clip, tmp_path))
            opened[-1].do("connected")
        for phone in opened:
            phone.do("seen")

        seen: dict[str, set] = {name: set() for name in NAMES}

        def all_move() -> bool:
            live.tick(context)
            assert session.current is not None
            actors = three_actors(session.current)
            if len(actors) == len(NAMES):
                cast_as(settings.cast, actors, characters)
                live.tick(context)
                for name, poses in seen.items():
                    poses.add(tuple(round(value(f"{name} face", key), 3) for key in WATCHED))
            return all(len(poses) >= 4 for poses in seen.values())

        wait_until(all_move, "three characters that move")
    finally:
        for phone in opened:
            phone.end()
        live.stop(context)
