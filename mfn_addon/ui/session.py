# SPDX-License-Identifier: GPL-3.0-or-later
"""What is going on right now: the running source, the faces in view, the recording.

Kept outside of Blender's data, so that undo, file load and saving never touch it, and panels
can draw from it without work. Nothing in here is a reference to Blender's data.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import bpy
import numpy as np

from ..face import Face, FaceFrame
from ..retarget import Report
from ..retarget.routing import Presence
from ..rig import Binding
from ..take import TakeWriter, ThumbnailStrip
from ..track import GuidedCalibration
from .overdubbing import Overdub
from .timeline import Playback, Timeline

_AGES = 30
"""Frames whose median is the latency that is shown: a single one's jumps too much to be read."""


class Source(Protocol):
    """What a live source offers; see `capture.live.LiveReceiver`, whose words these are."""

    @property
    def state(self) -> Any: ...
    @property
    def message(self) -> Any: ...
    @property
    def alive(self) -> Any: ...
    @property
    def preview_frame(self) -> Any: ...
    def poll(self) -> list[FaceFrame]: ...
    def captured(self, frame: FaceFrame, /) -> float | None: ...
    def preview(self) -> np.ndarray | None: ...
    def stop(self) -> None: ...


class Recorder(Protocol):
    """What records a take; see `take.TakeWriter`, whose words these are."""

    @property
    def path(self) -> Any: ...
    def add(self, frame: FaceFrame, /) -> None: ...
    def note(self, info: dict[str, str], wait: bool = True) -> None: ...
    def close(self) -> None: ...


@dataclass
class Recording:
    """What goes with the take under way beside its frames.

    Attributes:
        count_in: seconds, and begins: `time.monotonic()` when they are over; None until the
            source has sent its first frame.
        first: the time of the first frame that was recorded.
        timeline: where the scene's timeline is meanwhile, and playback: what plays it.
        clock_shift: `time.monotonic()` at frames' capture, less their times: the least that was
            seen, since frames may wait for a slow tick.
        strip: the small pictures that the user has asked to keep.
        over: what is recorded over an earlier take.
        output: the take that holds both, where the recording keeps a file of its own.
        notes: how often it was noted in the file where the timeline is.
    """

    count_in: float = 0.0
    begins: float | None = None
    first: float | None = None
    timeline: Timeline | None = None
    playback: Playback | None = None
    clock_shift: float | None = None
    strip: ThumbnailStrip | None = None
    over: Overdub | None = None
    output: Path | None = None
    notes: int = 0

    def left(self) -> float:
        """Seconds of the count-in that are left."""
        if self.begins is None:
            return self.count_in
        return max(0.0, self.begins - time.monotonic())

    def clock_at(self, time: float) -> float | None:
        """`time.monotonic()` at a frame's time; None while no frame was recorded."""
        return self.clock_shift + time if self.clock_shift is not None else None


@dataclass
class Session:
    """One run from Start to Stop.

    Attributes:
        source: where the faces come from.
        title: the source's name for people.
        scene: the driven scene's name and session id.
        shows_pictures: whether the source sends any.
        delivers_late: whether a take's frames may come after its end, and its time begins with
            it, as with phones; otherwise its time is that of its frames.
        bindings: character's session id -> binding, made anew when the character changes.
        driven_by: character's session id -> the row of the cast that drove it last.
        present: (source, actor) -> the face, of those in view.
        moved: character's session id -> where its actor's place has moved it, while a file is saved
            that has it at rest.
        presences: character's session id -> what it is shown of its actor.
        guided: the guided calibration under way, and guided_row: its row in the cast.
        problems: character's session id -> why it is not driven.
        recent: the last frames, the newest last: previews come a little later than frames.
        recorder: the take under way, and recording: what goes with it.
        open_recorder: begins a take in a file, after a count-in in seconds. Raises TakeError.
        arrivals: when the last frames came, for the rate.
        ages: source's name -> seconds from the capture of its last frames' pictures until their
            values were on the characters.
        previewed: the number of the frame that the preview shows, and drawn: when it was drawn.
    """

    source: Source
    title: str
    scene: tuple[str, int]
    shows_pictures: bool = True
    delivers_late: bool = False
    bindings: dict[int, Binding] = field(default_factory=dict)
    driven_by: dict[int, int] = field(default_factory=dict)
    present: dict[tuple[str, int], Face] = field(default_factory=dict)
    moved: dict[int, np.ndarray] = field(default_factory=dict)
    presences: dict[int, Presence] = field(default_factory=dict)
    guided: GuidedCalibration | None = None
    guided_row: int = -1
    problems: dict[int, str] = field(default_factory=dict)
    recent: deque[FaceFrame] = field(default_factory=lambda: deque(maxlen=90))
    recorder: Recorder | None = None
    open_recorder: Callable[[Path, float], Recorder] = lambda path, _: TakeWriter(path)
    recording: Recording | None = None
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=60))
    ages: dict[str, deque[float]] = field(default_factory=dict)
    previewed: int = -1
    drawn: float = 0.0

    def see(self, frames: list[FaceFrame]) -> None:
        """Take note of what has come in."""
        now = time.monotonic()
        self.arrivals.extend(now for _ in frames)
        self.recent.extend(frames)

    def applied(self, frame: FaceFrame) -> None:
        """Take note that the characters have the values of a frame."""
        captured = self.source.captured(frame)
        if captured is not None:
            ages = self.ages.setdefault(frame.source, deque(maxlen=_AGES))
            ages.append(time.monotonic() - captured)

    def latency(self) -> float:
        """Seconds from a picture's capture until its values are on the characters: the median of
        a source's last frames, the largest of the sources that send; 0 while unknown."""
        sending = {frame.source for frame in self.recent}
        medians = (median(ages) for name, ages in self.ages.items() if name in sending)
        return max(medians, default=0.0)

    @property
    def frame(self) -> FaceFrame | None:
        """The newest frame, None before the first."""
        return self.recent[-1] if self.recent else None

    def rate(self) -> float:
        """Frames a second over the last second or two."""
        if len(self.arrivals) < 2:
            return 0.0
        span = self.arrivals[-1] - self.arrivals[0]
        return (len(self.arrivals) - 1) / span if span > 0 else 0.0

    def faces(self) -> dict[int, Face]:
        """The faces in view by actor."""
        return {face.id: face for face in self.frame.faces} if self.frame is not None else {}

    def recorded(self) -> float:
        """Seconds recorded so far."""
        if self.frame is None or self.recording is None or self.recording.first is None:
            return 0.0
        return max(0.0, self.frame.time - self.recording.first)


def scene_of(live: Session) -> bpy.types.Scene | None:
    """The driven scene, found anew; None where it was deleted."""
    name, uid = live.scene
    scene = bpy.data.scenes.get(name)
    if scene is not None and scene.session_uid == uid:
        return scene
    return next((each for each in bpy.data.scenes if each.session_uid == uid), None)


@dataclass
class Message:
    """The last thing that happened, for the panel."""

    text: str = ""
    icon: str = "INFO"


current: Session | None = None
message = Message()
reports: dict[int, Report] = {}
"""Character's session id -> what its names matched, as last looked at."""
