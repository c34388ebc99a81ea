# SPDX-License-Identifier: GPL-3.0-or-later
"""Live capture: start, the tick that moves the characters, record, stop.

`tick` is a plain function that a timer calls; it finds everything anew each time, pushes no
undo step, and ends the session by itself when the source is over.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import cast

import bpy

from ..face import NO_ID, Face, FaceFrame
from ..rig import BindingLostError, Options, RigError, bind
from ..take import TakeError, TakeWriter
from . import preview, session
from .folders import next_take, takes_folder
from .notice import say
from .properties import MFN_CastRow, MFN_SceneSettings, refresh_takes, settings_of
from .session import Session, Source

INTERVAL = 1 / 60
"""Seconds between ticks."""


def open_source(settings: MFN_SceneSettings) -> tuple[Source, str]:
    """Start the capture process of the chosen source; returns it and its name for people.

    Raises:
        ValueError: no footage is chosen, or it is not there.
        OSError: the process cannot be started.
    """
    if settings.source == "CAMERA":
        return _process(settings.camera), f"Camera {settings.camera}"
    if not settings.footage:
        raise ValueError("choose a video file first")
    path = Path(bpy.path.abspath(settings.footage))
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return _process(path), path.name


def _process(source: int | Path) -> Source:
    from ..capture.live import CameraProcess

    return cast(Source, CameraProcess(source, preview_side=preview.SIDE))


def start(context: bpy.types.Context, source: Source, title: str) -> Session:
    """Begin a session on the context's scene; one that runs is stopped first."""
    stop(context)
    scene = context.scene
    session.current = Session(source, title, (scene.name, scene.session_uid))
    session.message.text = ""
    if not bpy.app.timers.is_registered(_timer):
        bpy.app.timers.register(_timer, persistent=True)
    return session.current


def stop(context: bpy.types.Context | None = None) -> str:
    """End the session: its capture process and its recording. Returns what happened, or ""."""
    live, session.current = session.current, None
    if live is None:
        return ""
    ended = f"Stopped {live.title}"
    recorded = _finish_recording(live)
    live.source.stop()
    preview.clear()
    if bpy.app.timers.is_registered(_timer):
        bpy.app.timers.unregister(_timer)
    if context is not None:
        if recorded:
            refresh_takes(context, choose=str(recorded))
        redraw(context)
    return f"{ended}; recorded {recorded.stem}" if recorded else ended


def start_recording(context: bpy.types.Context) -> Path:
    """Record from the next frame on.

    Raises:
        TakeError: the take cannot be created.
    """
    live = session.current
    assert live is not None
    settings = context.scene.mfn
    path = next_take(takes_folder(settings.takes_location), settings.take_name)
    live.recorder = TakeWriter(path, info={"title": live.title})
    live.recording_from = None
    return path


def stop_recording(context: bpy.types.Context) -> Path | None:
    """Finish the take and list it; None where nothing was recorded.

    Raises:
        TakeError: the end of the take could not be written.
    """
    live = session.current
    if live is None or live.recorder is None:
        return None
    recorder, live.recorder = live.recorder, None
    try:
        recorder.close()
    finally:
        refresh_takes(context, choose=str(recorder.path))
    return recorder.path


def tick(context: bpy.types.Context) -> float | None:
    """Move the characters by what has arrived. Returns seconds to the next tick, or None."""
    live = session.current
    if live is None:
        return None
    scene = _scene_of(live)
    if scene is None:
        say(stop(context) + ": its scene was deleted", "WARNING")
        return None
    frames = live.source.poll()
    if frames:
        live.see(frames)
        _record(live, frames, context)
        _drive(live, scene, frames[-1])
    drawn = preview.update(live)
    if frames or drawn:
        redraw(context, sidebars=drawn)
    if not live.source.alive:
        _end(live, context)
        return None
    return INTERVAL


def redraw(context: bpy.types.Context, sidebars: bool = True) -> None:
    """Ask for a new picture of the 3D views."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "WINDOW" or (sidebars and region.type == "UI"):
                        region.tag_redraw()


def _timer() -> float | None:
    try:
        return tick(bpy.context)
    except Exception as error:  # a timer that raises dies silently and leaves the process
        traceback.print_exc()
        stop(bpy.context)
        say(f"Live capture stopped: {error}", "ERROR")
        return None


def _scene_of(live: Session) -> bpy.types.Scene | None:
    name, uid = live.scene
    scene = bpy.data.scenes.get(name)
    if scene is not None and scene.session_uid == uid:
        return scene
    return next((each for each in bpy.data.scenes if each.session_uid == uid), None)


def _record(live: Session, frames: list[FaceFrame], context: bpy.types.Context) -> None:
    if live.recorder is None:
        return
    if live.recording_from is None:
        live.recording_from = frames[0].time
    try:
        for frame in frames:
            live.recorder.add(frame)
    except TakeError as error:
        _finish_recording(live)
        refresh_takes(context)
        say(f"Recording stopped: {error}", "ERROR")


def _finish_recording(live: Session) -> Path | None:
    """Close the take under way; an error is told, what was committed stays."""
    recorder, live.recorder = live.recorder, None
    if recorder is None:
        return None
    try:
        recorder.close()
    except TakeError as error:
        say(str(error), "ERROR")
    return recorder.path


def _drive(live: Session, scene: bpy.types.Scene, frame: FaceFrame) -> None:
    """Let each face move its character."""
    if bpy.app.is_job_running("RENDER"):
        return  # the renderer reads what we would change
    settings = settings_of(scene)
    rows = {row.actor: row for row in settings.cast}
    preview.add_dots([face.id for face in frame.faces])
    # From left to right, so that new faces meet their characters in the same order.
    for face in sorted(frame.faces, key=lambda face: face.box[0] + face.box[2]):
        if face.id == NO_ID:
            continue
        row = rows.get(face.id)
        if row is None:
            row = settings.cast.add()
            row.actor = face.id
        if row.character is None and settings.auto_cast:
            _cast_automatically(scene, row)
        character = row.character
        if character is not None:
            live.driven_by[character.session_uid] = face.id
            problem = _apply(live, character, face, frame.time, settings.options(character))
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
                binding = live.bindings[uid] = bind(character, options)
            binding.apply(face, time)
            return ""
        except BindingLostError as error:
            del live.bindings[uid]
            problem = str(error)
        except RigError as error:
            return str(error)
    return problem


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


def _end(live: Session, context: bpy.types.Context) -> None:
    """The source is over, or broke."""
    failed, reason = live.source.state == "failed", live.source.message
    recorded = stop(context).removeprefix(f"Stopped {live.title}")  # "; recorded …" or ""
    if failed:
        say(f"{reason or 'The capture process broke'}{recorded}", "ERROR")
    else:
        say(f"{live.title} has ended{recorded}")
