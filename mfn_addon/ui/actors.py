# SPDX-License-Identifier: GPL-3.0-or-later
"""From the faces in view to the characters of the scene's table, once a tick."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import bpy
import numpy as np

from ..face import NO_ID, Face, FaceFrame
from ..retarget.routing import Presence, Route, choose
from ..rig import BindingLostError, Options, RigError, bind
from ..track import Calibration
from . import preview
from .cast_rows import MFN_CastRow
from .notice import say
from .properties import MFN_SceneSettings, settings_of
from .session import Session
from .translation import iface_, rpt_, told


def drive(live: Session, scene: bpy.types.Scene, frame: FaceFrame) -> None:
    """Let each character do what its actor does, by a source's newest frame."""
    if bpy.app.is_job_running("RENDER"):
        return  # the renderer reads what we would change
    settings = settings_of(scene)
    faces = [face for face in frame.faces if face.id != NO_ID]
    preview.add_dots([face.id for face in faces])
    _take_in(live, frame.source, faces)
    _meet(scene, settings, faces)
    _guide(live, settings, frame.time)
    characters = {r.character.session_uid: r.character for r in settings.cast if r.character}
    for uid, found in choose(_routes(settings), live.present).items():
        row = settings.cast[found[0].row] if found else None
        face = live.present[found[1]] if found else None
        if found:
            live.driven_by[uid] = found[0].row
        elif uid in live.driven_by and live.driven_by[uid] < len(settings.cast):
            row = settings.cast[live.driven_by[uid]]
        calibration: str = row.calibration if row is not None else ""
        presence = live.presences.setdefault(uid, Presence())
        shown = presence.see(face, frame.time, settings.lost, _ahead(calibration))
        if shown is not None:
            options = settings.options(characters[uid], calibration)
            _show(live, characters[uid], shown, frame.time, options)


def _take_in(live: Session, source: str, faces: list[Face]) -> None:
    """Who is in view now, of this source; the others' faces stay."""
    for key in [key for key in live.present if key[0] == source]:
        del live.present[key]
    live.present.update({(source, face.id): face for face in faces})


def _routes(settings: MFN_SceneSettings) -> list[Route]:
    return [
        Route(number, row.source, row.actor, row.character.session_uid, row.priority)
        for number, row in enumerate(settings.cast)
        if row.character is not None
    ]


def _meet(scene: bpy.types.Scene, settings: MFN_SceneSettings, faces: list[Face]) -> None:
    """Give new actors a row, and a character where that is wished.

    From left to right, so that new faces meet their characters in the same order.
    """
    rows = {row.actor: row for row in settings.cast}
    for face in sorted(faces, key=lambda face: face.box[0] + face.box[2]):
        row = rows.get(face.id)
        if row is None:
            row = settings.cast.add()
            row.actor = face.id
        if row.character is None and settings.auto_cast and not row.locked:
            _cast_automatically(scene, row)


def _cast_automatically(scene: bpy.types.Scene, row: MFN_CastRow) -> None:
    """Give the actor the scene's first free character, from the viewer's left to right."""
    taken = {each.character for each in settings_of(scene).cast if each.character is not None}
    free = [
        obj
        for obj in scene.objects
        if obj.get("mfn_profile") and obj.type in ("ARMATURE", "MESH") and obj not in taken
    ]
    if free:
        row.character = min(free, key=lambda obj: (obj.matrix_world.translation.x, obj.name))


def _guide(live: Session, settings: MFN_SceneSettings, time: float) -> None:
    """Feed the guided calibration under way, and keep its result."""
    guided = live.guided
    if guided is None or not 0 <= live.guided_row < len(settings.cast):
        return
    row: Any = settings.cast[live.guided_row]
    key = Route(0, row.source, row.actor, 0).seen_in(live.present)
    if key is not None:
        guided.see(live.present[key], time)
    if guided.done:
        live.guided = None
        row.calibration = guided.result().to_text()
        say(rpt_("{actor} is calibrated", actor=name_of(row)))


@lru_cache(maxsize=64)
def _ahead(calibration: str) -> np.ndarray:
    """(3, 3) how the head is held at rest."""
    return Calibration.from_text(calibration).rotation if calibration else np.eye(3)


def name_of(row: MFN_CastRow) -> str:
    """What people call a row's actor."""
    return str(row.label) or iface_("Actor {number}", number=row.actor)


def _show(
    live: Session, character: bpy.types.Object, face: Face, time: float, options: Options
) -> None:
    problem = _apply(live, character, face, time, options)
    if problem and live.problems.get(character.session_uid) != problem:
        say(problem, "ERROR")
    live.problems[character.session_uid] = problem


def _apply(
    live: Session, character: bpy.types.Object, face: Face, time: float, options: Options
) -> str:
    """Write a face to a character; returns why not, or ""."""
    uid, problem = character.session_uid, ""
    for _ in range(2):  # once more where the rig was changed under us
        binding = live.bindings.get(uid)
        try:
            if binding is None or binding.plan.options != options:
                if binding is None and live.problems.get(uid):
                    return live.problems[uid]  # it is told once, not sixty times a second
                if binding is not None:
                    binding.put_back()  # or the new one would take for rest where it was moved
                binding = live.bindings[uid] = bind(character, options)
            binding.apply(face, time)
            return ""
        except BindingLostError as error:
            live.bindings.pop(uid).put_back()
            problem = told(error)
        except RigError as error:
            return told(error)
    return problem
