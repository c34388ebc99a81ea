# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording over the chosen take: where in it the performance is, and what the characters show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..face import Face, FaceFrame
from ..rig.bake import scene_rate
from ..take import Pass, Performance, Take, TakeError, corrected_performances
from ..take.late import LatePass
from ..take.passes import with_channels
from .timeline import first_frame
from .translation import rpt_

_PREROLL = 2.0
"""Seconds before a punched range from which the take plays, without a timeline that does."""
_POSTROLL = 0.3
"""Seconds after the range in which frames are still awaited."""
_SEEN_FOR = 0.2
"""Seconds from the nearest sample within which an actor counts as in view."""


@dataclass
class Overdub:
    """A recording over a take.

    Attributes:
        base: the take's file.
        channels: what is recorded anew.
        start, end: the take's time between which it is; None for no limit.
        begins: the take's time at the first recorded frame, unless the timeline says more.
        ends: the take's last moment.
        lies_at: the timeline's time, in seconds, of the take's time 0.
    """

    base: Path
    channels: tuple[str, ...]
    start: float | None
    end: float | None
    begins: float
    ends: float
    lies_at: float
    performances: dict[int, Performance]

    def as_pass(self, timeline_at_first: float | None) -> Pass:
        """What has been recorded, by where the timeline was at its first frame, if it played."""
        at = self.begins if timeline_at_first is None else timeline_at_first - self.lies_at
        return Pass(at, self.channels, self.start, self.end)

    def as_late_pass(self, output: Path, timeline_at_zero: float | None) -> LatePass:
        """The same of a recording that goes on growing, by where the timeline was at its time 0."""
        zero = self.begins if timeline_at_zero is None else timeline_at_zero - self.lies_at
        base = str(self.base.resolve())
        return LatePass(base, output.name, zero, self.channels, self.start, self.end)

    def moment(self, scene: bpy.types.Scene, along: bool, since: float) -> float:
        """The take's time now.

        Args:
            along: the timeline plays along.
            since: seconds since the first recorded frame, or the recording's time 0.
        """
        if along:
            return scene.frame_current / scene_rate(scene) - self.lies_at
        return self.begins + since

    def is_over(self, moment: float) -> bool:
        """Whether everything that is to be recorded has been."""
        return moment > (self.ends if self.end is None else min(self.end, self.ends)) + _POSTROLL

    def shown(self, frame: FaceFrame, moment: float) -> FaceFrame:
        """The frame's faces as the new take will have them."""
        within = (self.start is None or moment >= self.start) and (
            self.end is None or moment <= self.end
        )
        channels = self.channels if within else ()
        alone = len(frame.faces) == len(self.performances) == 1
        faces = [self._laid_over(face, moment, channels, alone) for face in frame.faces]
        return replace(frame, faces=faces)

    def _laid_over(self, face: Face, moment: float, channels: tuple[str, ...], alone: bool) -> Face:
        played = self.performances.get(face.id)
        if played is None and alone:
            played = next(iter(self.performances.values()))
        if played is None:
            return face
        nearest = int(np.argmin(np.abs(played.time - moment)))
        if abs(played.time[nearest] - moment) > _SEEN_FOR:
            return face
        return with_channels(played.face(nearest), face, channels).with_(id=face.id)


def over_chosen(context: bpy.types.Context) -> Overdub:
    """The recording over the chosen take that the scene's settings ask for.

    Raises:
        TakeError: none is chosen, it cannot be read, or the settings leave nothing to record.
    """
    scene, item = context.scene, context.window_manager.mfn.take()
    wanted = scene.mfn.recording
    if item is None or item.error:
        raise TakeError(item.error if item else rpt_("choose the take to record over first"))
    if not wanted.channels:
        raise TakeError(rpt_("choose what to record: mouth, brows, eyes or head"))
    if wanted.punch and wanted.punch_out <= wanted.punch_in:
        raise TakeError(rpt_("the range to record ends before it begins: set In before Out"))
    with Take(item.path) as take:
        performances = corrected_performances(take, [actor.id for actor in take.actors()])
        start = take.start + wanted.punch_in if wanted.punch else None
        begins = take.start if start is None else max(take.start, start - _PREROLL)
        return Overdub(
            base=take.path,
            channels=tuple(sorted(name.lower() for name in wanted.channels)),
            start=start,
            end=take.start + wanted.punch_out if wanted.punch else None,
            begins=begins,
            ends=take.start + take.duration,
            lies_at=first_frame(take, scene) / scene_rate(scene) - take.start,
            performances=performances,
        )
