# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording the live session: count-in, the timeline that plays along, and what a take keeps
beside its frames."""

from __future__ import annotations

import time
from pathlib import Path

import bpy

from ..face import FaceFrame
from ..rig.bake import scene_rate
from ..take import TakeError, TakeWriter, ThumbnailStrip, late, write_info, write_thumbnails
from ..take.library import slate_of
from ..take.overdub import overdub
from . import late_passes, session
from .folders import next_take, takes_folder
from .notice import say
from .overdubbing import over_chosen
from .properties import refresh_takes
from .session import Recorder, Recording, Session
from .timeline import Playback, Timeline
from .translation import told

_NOTED_AFTER = (0.0, 2.0)
"""Seconds of recording after which it is noted where the timeline is: at once, though playing may
not have begun yet, and when enough was seen of it."""


def open_take(facts: dict[str, str], path: Path) -> Recorder:
    """Begin a take of frames as they arrive, with what is known of it. Raises TakeError."""
    return TakeWriter(path, info={**facts, **_slate_info(path)})


def start_recording(context: bpy.types.Context, count_in: float | None = None) -> Path:
    """Begin a take, and record after a count-in.

    Args:
        count_in: seconds; None for what the scene's settings say. It begins once the source has
            sent its first frame.

    Raises:
        TakeError: the take cannot be created, or not be recorded over the chosen one.
    """
    live = session.current
    assert live is not None
    settings = context.scene.mfn
    wanted = settings.recording
    seconds = float(wanted.count_in if count_in is None else count_in)
    over = over_chosen(context) if wanted.over else None
    path = next_take(takes_folder(settings.takes_location), settings.take_name)
    output = path if over is not None and live.delivers_late else None
    live.recorder = live.open_recorder(late.file_for(path) if output else path, seconds)
    if over is not None and output is not None:  # a crash leaves a recording that can be merged
        late.note(live.recorder.path, over.as_late_pass(output, None))
    live.recording = Recording(
        seconds,
        timeline=Timeline(scene_rate(context.scene)) if wanted.timeline else None,
        strip=ThumbnailStrip() if wanted.thumbnails and live.shows_pictures else None,
        over=over,
        output=output,
    )
    if live.frame is not None or live.delivers_late:  # phones count in by themselves
        live.recording.begins = time.monotonic() + seconds
    return path


def stop_recording(context: bpy.types.Context) -> Path | None:
    """Finish the take and list it; None where nothing was being recorded.

    Raises:
        TakeError: the end of the take could not be written.
    """
    live = session.current
    if live is None or live.recorder is None:
        return None
    recorder, live.recorder = live.recorder, None
    path = _take_of(live, recorder)
    try:
        recorder.close()
        _write_extras(live, recorder)
    finally:
        live.recording = None
        refresh_takes(context, choose=str(path))
    return path


def finish(live: Session) -> Path | None:
    """Close the take under way; an error is told, what was committed stays."""
    recorder, live.recorder = live.recorder, None
    if recorder is None:
        return None
    path = _take_of(live, recorder)
    try:
        recorder.close()
        _write_extras(live, recorder)
    except TakeError as error:
        say(told(error), "ERROR")
    live.recording = None
    return path


def record(live: Session, scene: bpy.types.Scene, frames: list[FaceFrame]) -> None:
    """Once a tick: count in, begin, and record what has arrived.

    Raises:
        TakeError: the take cannot be written any more.
    """
    recorder, under_way = live.recorder, live.recording
    if recorder is None or under_way is None:
        return
    now = time.monotonic()
    if under_way.begins is None:
        if not frames:
            return
        under_way.begins = now + under_way.count_in
    if now < under_way.begins:
        return
    if under_way.timeline is not None:
        if under_way.playback is None:
            under_way.playback = Playback(scene)
        under_way.timeline.look(scene.frame_current, now)
    if frames:
        _take_down(live, recorder, under_way, frames)
        _note_early(live, recorder, under_way)


def _take_down(
    live: Session, recorder: Recorder, under_way: Recording, frames: list[FaceFrame]
) -> None:
    if under_way.first is None:
        under_way.first = frames[0].time
    for frame in frames:
        recorder.add(frame)
    newest = frames[-1]
    captured = live.source.captured(newest)
    shift = (time.monotonic() if captured is None else captured) - newest.time
    known = under_way.clock_shift
    under_way.clock_shift = shift if known is None else min(shift, known)
    if under_way.strip is not None and under_way.strip.wants(newest.time):
        picture = live.source.preview()
        if picture is not None:
            under_way.strip.add(newest.time, picture)


def shown(live: Session, scene: bpy.types.Scene, frame: FaceFrame) -> FaceFrame:
    """A frame as the take under way will have it."""
    moment = _moment_in_base(live, scene)
    if moment is None or live.recording is None or live.recording.over is None:
        return frame
    return live.recording.over.shown(frame, moment)


def is_over(live: Session, scene: bpy.types.Scene) -> bool:
    """Whether a recording over a take has come to its end."""
    moment = _moment_in_base(live, scene)
    if moment is None or live.recording is None or live.recording.over is None:
        return False
    return live.recording.over.is_over(moment)


def _moment_in_base(live: Session, scene: bpy.types.Scene) -> float | None:
    """The time in the take that is recorded over; None before the first frame, or without one."""
    under_way = live.recording
    if under_way is None or under_way.over is None:
        return None
    since = live.recorded()
    if live.delivers_late:
        if under_way.begins is None or time.monotonic() < under_way.begins:
            return None
        since = time.monotonic() - under_way.begins
    elif under_way.first is None:
        return None
    return under_way.over.moment(scene, under_way.timeline is not None, since)


def _note_early(live: Session, recorder: Recorder, under_way: Recording) -> None:
    """Note where the timeline is soon after it has begun, and once more when that is surely known:
    a recording that breaks off has it too."""
    if under_way.begins is None or under_way.notes == len(_NOTED_AFTER):
        return
    if time.monotonic() - under_way.begins < _NOTED_AFTER[under_way.notes]:
        return
    if facts := _place_of(live, under_way):
        recorder.note(facts, wait=False)
        under_way.notes += 1


def _place_of(live: Session, under_way: Recording) -> dict[str, str]:
    """What a take says of where its time 0 is on the timeline, or in the take that it lies over;
    nothing where no timeline plays along, or it does not play yet."""
    if under_way.over is not None and under_way.output is not None:
        zero = _on_timeline(under_way, under_way.begins)
        known = under_way.over.as_late_pass(under_way.output, zero)
        return late.as_info(known) if zero is not None else {}
    if under_way.over is not None:
        return {}  # it becomes part of the take at its end
    zero = under_way.begins if live.delivers_late else under_way.clock_at(0.0)
    lies_at = _on_timeline(under_way, zero)
    return {"timeline": repr(round(lies_at, 6))} if lies_at is not None else {}


def _write_extras(live: Session, recorder: Recorder) -> None:
    """What is known only at the end: where the timeline was, and the pictures. Raises TakeError."""
    under_way = live.recording
    if under_way is None:
        return
    if under_way.playback is not None:
        under_way.playback.end(session.scene_of(live))
    if under_way.strip is not None and (pictures := under_way.strip.pictures()):
        write_thumbnails(recorder.path, pictures)
    if facts := _place_of(live, under_way):
        write_info(recorder.path, facts)
    if under_way.output is not None:
        late_passes.begin(recorder.path)
    elif under_way.over is not None and under_way.first is not None:
        first = _on_timeline(under_way, under_way.clock_at(under_way.first))
        overdub(under_way.over.base, recorder.path, under_way.over.as_pass(first))


def _take_of(live: Session, recorder: Recorder) -> Path:
    """The take that the user is to see."""
    output = live.recording.output if live.recording is not None else None
    return output or recorder.path


def _on_timeline(under_way: Recording, clock: float | None) -> float | None:
    """Where the timeline was at a moment, seconds; None where none played along."""
    if under_way.timeline is None or clock is None:
        return None
    return under_way.timeline.at(clock)


def _slate_info(path: Path) -> dict[str, str]:
    slate, number = slate_of(path)
    return {"slate": slate, "take_number": str(number)}
