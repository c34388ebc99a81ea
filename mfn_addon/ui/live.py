# SPDX-License-Identifier: GPL-3.0-or-later
"""Live capture: start, the tick that moves the characters, record, stop.

`tick` is a plain function that a timer calls; it finds everything anew each time, pushes no
undo step, and ends the session by itself when the source is over.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from pathlib import Path
from typing import cast

import bpy

from ..face import FaceFrame
from ..take import TakeError
from ..take.stamps import stamp_info
from . import preview, recording, session
from .actors import drive
from .notice import say
from .properties import MFN_SceneSettings, refresh_takes
from .session import Session, Source
from .translation import rpt_, told

INTERVAL = 1 / 250
"""Seconds between ticks. Blender's main loop looks at its timers each 5 ms where nothing else
happens: a tick in each of its rounds finds a frame as soon as Blender can, and one without news
costs about a hundredth of a millisecond."""


def open_source(settings: MFN_SceneSettings) -> tuple[Source, str]:
    """Start the capture process of the chosen source; returns it and its name for people.

    Raises:
        ValueError: no footage is chosen, or it is not there.
        OSError: the process cannot be started.
    """
    if settings.source == "CAMERA":
        return _process(settings.camera, settings), f"Camera {settings.camera}"
    if not settings.footage:
        raise ValueError(rpt_("choose a video file first"))
    path = Path(bpy.path.abspath(settings.footage))
    if not path.is_file():
        raise ValueError(rpt_("there is no file {path}", path=path))
    return _process(path, settings), path.name


def _process(source: int | Path, settings: MFN_SceneSettings) -> Source:
    from ..capture.live import CameraProcess

    options = ("--input-size", settings.input_size)
    return cast(Source, CameraProcess(source, preview_side=preview.SIDE, options=options))


def start(context: bpy.types.Context, source: Source, title: str) -> Session:
    """Begin a session on the context's scene; one that runs is stopped first."""
    stop(context)
    scene = context.scene
    session.current = Session(source, title, (scene.name, scene.session_uid))
    facts = _facts(scene.mfn, title)
    session.current.open_recorder = lambda path, _: recording.open_take(facts, path)
    session.message.text = ""
    if not bpy.app.timers.is_registered(_timer):
        bpy.app.timers.register(_timer, persistent=True)
    return session.current


def _facts(settings: MFN_SceneSettings, title: str) -> dict[str, str]:
    """What a take of the source with this title says from its beginning on."""
    facts = {"title": title}
    footage = Path(bpy.path.abspath(settings.footage))
    if settings.source == "FOOTAGE" and footage.name == title:
        with suppress(OSError):  # the capture process tells why it cannot be read
            facts |= stamp_info(title, footage)
    return facts


def stop(context: bpy.types.Context | None = None) -> str:
    """End the session: its capture process and its recording. Returns what happened, or ""."""
    live = session.current
    if live is None:
        return ""
    return _and_recorded(rpt_("Stopped {source}", source=live.title), _close(live, context))


def _close(live: Session, context: bpy.types.Context | None) -> Path | None:
    """End a session; returns the take that it has recorded, if any."""
    session.current = None
    recorded = recording.finish(live)
    live.source.stop()
    for binding in live.bindings.values():
        binding.put_back()
    preview.clear()
    if bpy.app.timers.is_registered(_timer):
        bpy.app.timers.unregister(_timer)
    if context is not None:
        if recorded:
            refresh_takes(context, choose=str(recorded))
        redraw(context)
    return recorded


def _and_recorded(text: str, recorded: Path | None) -> str:
    """What happened, and the take that was recorded."""
    if recorded is None:
        return text
    return rpt_("{text}; recorded {take}", text=text, take=recorded.stem)


def before_saving() -> None:
    """Bring what moves with the actors' places to rest: a file that is opened again would take
    where it was saved for its rest."""
    live = session.current
    if live is not None:
        moved = {uid: binding.put_back() for uid, binding in live.bindings.items()}
        live.moved = {uid: values for uid, values in moved.items() if values is not None}


def after_saving() -> None:
    """Move it again."""
    live = session.current
    if live is not None:
        for uid, values in live.moved.items():
            if uid in live.bindings:
                live.bindings[uid].move_to(values)
        live.moved.clear()


def tick(context: bpy.types.Context) -> float | None:
    """Move the characters by what has arrived. Returns seconds to the next tick, or None."""
    live = session.current
    if live is None:
        return None
    scene = session.scene_of(live)
    if scene is None:
        say(rpt_("{text}: its scene was deleted", text=stop(context)), "WARNING")
        return None
    frames = live.source.poll()
    if frames:
        live.see(frames)
    _record(live, scene, frames)
    for frame in {frame.source: frame for frame in frames}.values():  # each one's newest
        drive(live, scene, recording.shown(live, scene, frame))
        live.applied(frame)
    if recording.is_over(live, scene):
        _finish_over(context)
    drawn = preview.update(live) or _counts(live)
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


def _finish_over(context: bpy.types.Context) -> None:
    """What was to be recorded over a take has been."""
    try:
        path = recording.stop_recording(context)
    except TakeError as error:
        say(told(error), "ERROR")
        return
    if path is not None:
        say(rpt_("Recorded {take}", take=path.stem))


def _counts(live: Session) -> bool:
    """Whether a count-in is under way, which the panel shows."""
    return live.recording is not None and live.recording.left() > 0


def _timer() -> float | None:
    try:
        return tick(bpy.context)
    except Exception as error:  # a timer that raises dies silently and leaves the process
        traceback.print_exc()
        stop(bpy.context)
        say(rpt_("Live capture stopped: {error}", error=told(error)), "ERROR")
        return None


def _record(live: Session, scene: bpy.types.Scene, frames: list[FaceFrame]) -> None:
    try:
        recording.record(live, scene, frames)
    except TakeError as error:
        recording.finish(live)
        refresh_takes(bpy.context)
        say(rpt_("Recording stopped: {error}", error=told(error)), "ERROR")


def _end(live: Session, context: bpy.types.Context) -> None:
    """The source is over, or broke."""
    failed, reason = live.source.state == "failed", live.source.message
    recorded = _close(live, context)
    if failed:
        say(_and_recorded(reason or rpt_("The capture process broke"), recorded), "ERROR")
    else:
        say(_and_recorded(rpt_("{source} has ended", source=live.title), recorded))
