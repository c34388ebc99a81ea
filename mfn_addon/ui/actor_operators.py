# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons of the table of actors and characters: rows, and the actors' calibration."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from bpy.props import IntProperty

from ..rig.bake import scene_rate
from ..take import Take, TakeError
from ..track import Calibration, GuidedCalibration
from . import session
from .actors import name_of
from .operators import Telling
from .timeline import first_frame
from .translation import rpt_, told

_HOLD = 1.0
"""Seconds of the actor's face that make a neutral."""


def chosen_row(context: bpy.types.Context) -> Any:
    """The chosen row of the cast, or None."""
    settings = context.scene.mfn
    inside = 0 <= settings.cast_index < len(settings.cast)
    return settings.cast[settings.cast_index] if inside else None


class _OfRow(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return chosen_row(context) is not None


class _OfLiveRow(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.current is not None and chosen_row(context) is not None


class MFN_OT_cast_remove(Telling, bpy.types.Operator):
    """Forget an actor: take the row out of the table"""

    bl_idname = "mfn.cast_remove"
    bl_label = "Remove Actor"
    bl_options = {"REGISTER", "UNDO"}

    actor: IntProperty(name="Actor", description="The actor's number", default=-1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        cast = context.scene.mfn.cast
        index = next((i for i, row in enumerate(cast) if row.actor == self.actor), None)
        if index is None:
            return self.failed(rpt_("there is no actor {number} in the table", number=self.actor))
        name = name_of(cast[index])
        if cast[index].locked:
            return self.failed(rpt_("{actor} is locked: unlock the row first", actor=name))
        cast.remove(index)
        return self.done(rpt_("Removed {actor}", actor=name))


class MFN_OT_cast_add(_OfRow, bpy.types.Operator):
    """Let this actor drive another character as well"""

    bl_idname = "mfn.cast_add"
    bl_label = "Drive Another Character"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, row = context.scene.mfn, chosen_row(context)
        kept = {key: getattr(row, key) for key in ("actor", "source", "label", "calibration")}
        new = settings.cast.add()  # which may move the rows in memory
        for key, value in kept.items():
            setattr(new, key, value)
        settings.cast_index = len(settings.cast) - 1
        return self.done(rpt_("Choose another character for {actor}", actor=name_of(new)))


class MFN_OT_cast_swap(_OfRow, bpy.types.Operator):
    """Exchange the characters of this actor and the next: the tracker had taken one for the \
other, or the roles change"""

    bl_idname = "mfn.cast_swap"
    bl_label = "Swap with Next"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.mfn
        if len(settings.cast) < 2:
            return self.failed(rpt_("there is only one actor in the table"))
        first = settings.cast[settings.cast_index]
        second = settings.cast[(settings.cast_index + 1) % len(settings.cast)]
        first.character, second.character = second.character, first.character
        names = name_of(first), name_of(second)
        return self.done(
            rpt_("Swapped the characters of {first} and {second}", first=names[0], second=names[1])
        )


class MFN_OT_calibrate_neutral(_OfLiveRow, bpy.types.Operator):
    """Take the last second of this actor, who has held still and looked ahead, as neutral"""

    bl_idname = "mfn.calibrate_neutral"
    bl_label = "Set Neutral"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        live, row = session.current, chosen_row(context)
        assert live is not None  # poll has seen it
        try:
            count = take_neutral(live, row)
        except ValueError as error:
            return self.failed(f"{name_of(row)}: {told(error)}")
        return self.done(
            rpt_("{actor}: neutral from {count} frames", actor=name_of(row), count=count)
        )


class MFN_OT_calibrate_range(_OfLiveRow, bpy.types.Operator):
    """Guide this actor through rest, open, smile, pucker, brows, blinks and looks, and bring the \
actor's range to the character's"""

    bl_idname = "mfn.calibrate_range"
    bl_label = "Guided Calibration"

    def execute(self, context: bpy.types.Context) -> set[str]:
        live = session.current
        assert live is not None  # poll has seen it
        if live.guided is not None:
            live.guided = None
            return self.done(rpt_("Calibration given up; nothing was changed"))
        live.guided, live.guided_row = GuidedCalibration(), context.scene.mfn.cast_index
        return self.done(rpt_("Calibrating {actor}", actor=name_of(chosen_row(context))))


class MFN_OT_calibrate_from_take(_OfRow, bpy.types.Operator):
    """Take the second around the current frame of the chosen take as this actor's neutral"""

    bl_idname = "mfn.calibrate_from_take"
    bl_label = "Neutral from Take"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, row = context.scene, chosen_row(context)
        item = context.window_manager.mfn.take()
        if item is None or item.error:
            return self.failed(item.error if item is not None else rpt_("choose a take first"))
        try:
            with Take(item.path) as take:
                played = take.performance(row.actor)
                into = scene.frame_current - first_frame(take, scene)
                moment = take.start + into / scene_rate(scene)
        except TakeError as error:
            return self.failed(error)
        held = np.abs(played.time - moment) <= _HOLD / 2
        if not held.any():
            return self.failed(
                rpt_(
                    "{take}: {actor} is not in view at this frame",
                    take=item.name, actor=name_of(row),
                )
            )  # fmt: skip
        calibration = Calibration.from_arrays(
            played.expression[held], played.rotation[held], played.translation[held]
        )
        _keep(row, calibration)
        return self.done(rpt_("{actor}: neutral from {take}", actor=name_of(row), take=item.name))


class MFN_OT_calibrate_clear(_OfRow, bpy.types.Operator):
    """Show this actor's values as they were read"""

    bl_idname = "mfn.calibrate_clear"
    bl_label = "Clear Calibration"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        row = chosen_row(context)
        row.calibration = ""
        return self.done(rpt_("{actor}: no calibration", actor=name_of(row)))


def take_neutral(live: session.Session, row: Any) -> int:
    """Take the last second of a row's actor as neutral; returns of how many frames it was made.

    Raises:
        ValueError: the actor was not in view.
    """
    last = live.frame.time if live.frame is not None else 0.0
    held = [
        face
        for frame in live.recent
        if last - frame.time <= _HOLD and (not row.source or frame.source == row.source)
        for face in frame.faces
        if face.id == row.actor
    ]
    _keep(row, Calibration.from_faces(held))
    return len(held)


def _keep(row: Any, calibration: Calibration) -> None:
    """Set a new neutral; the range that was measured stays."""
    if row.calibration:
        calibration.peak = Calibration.from_text(row.calibration).peak
    row.calibration = calibration.to_text()


CLASSES = (
    MFN_OT_cast_remove,
    MFN_OT_cast_add,
    MFN_OT_cast_swap,
    MFN_OT_calibrate_neutral,
    MFN_OT_calibrate_range,
    MFN_OT_calibrate_from_take,
    MFN_OT_calibrate_clear,
)
