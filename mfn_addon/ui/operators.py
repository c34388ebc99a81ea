# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sidebar's buttons do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ..capture.errors import InputError
from ..rig import RigError
from ..rig.assemble import append_character
from ..take import Take, TakeError
from . import live, recording, session
from .folders import sample_rigs
from .notice import remember
from .properties import refresh_takes
from .translation import n_, rpt_, told


class Telling:
    """Reports to the status bar and the panel alike."""

    report: Callable[[set[str], str], None]  # Operator's own

    def done(self, text: str) -> set[str]:
        remember(text)
        self.report({"INFO"}, text)
        return {"FINISHED"}

    def failed(self, error: str | Exception) -> set[str]:
        text = told(error)
        remember(text, "ERROR")
        self.report({"ERROR"}, text)
        return {"CANCELLED"}


def start(operator: Telling, context: bpy.types.Context, record: bool) -> set[str]:
    """Start the chosen source for an operator, and record from its first frame if asked."""
    try:
        source, title = live.open_source(context.scene.mfn)
    except (ValueError, OSError) as error:
        return operator.failed(error)
    live.start(context, source, title)
    if not record:
        return operator.done(rpt_("Starting {source}", source=title))
    try:
        # Footage runs from its first picture on: there is nobody to count in.
        count_in = 0.0 if context.scene.mfn.source == "FOOTAGE" else None
        path = recording.start_recording(context, count_in)
    except TakeError as error:
        live.stop(context)
        return operator.failed(error)
    return operator.done(rpt_("Recording {take} from {source}", take=path.stem, source=title))


class MFN_OT_start(Telling, bpy.types.Operator):
    """Start capturing: each face in the picture drives its character"""

    bl_idname = "mfn.start"
    bl_label = "Start"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return start(self, context, record=False)


class MFN_OT_stop(Telling, bpy.types.Operator):
    """Stop capturing, and recording with it"""

    bl_idname = "mfn.stop"
    bl_label = "Stop"

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        return session.current is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.done(live.stop(context))


class MFN_OT_record(Telling, bpy.types.Operator):
    """Keep the performance as a take, or finish the take that is being recorded"""

    bl_idname = "mfn.record"
    bl_label = "Record"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if session.current is None:
            return start(self, context, record=True)
        try:
            if session.current.recorder is None:
                path = recording.start_recording(context)
                return self.done(rpt_("Recording {take}", take=path.stem))
            seconds = session.current.recorded()
            path = recording.stop_recording(context)
        except TakeError as error:
            return self.failed(error)
        name = path.stem if path is not None else ""
        return self.done(rpt_("Recorded {take}, {seconds:.1f} s", take=name, seconds=seconds))


class MFN_OT_takes_refresh(Telling, bpy.types.Operator):
    """Look for takes in their folder again"""

    bl_idname = "mfn.takes_refresh"
    bl_label = "Refresh Takes"

    def execute(self, context: bpy.types.Context) -> set[str]:
        refresh_takes(context)
        count = len(context.window_manager.mfn.takes)
        return self.done(rpt_("1 take") if count == 1 else rpt_("{count} takes", count=count))


class MFN_OT_take_open(Telling, bpy.types.Operator, ImportHelper):
    """Add a take from another place, such as one that `mfn solve` made, to the list"""

    bl_idname = "mfn.take_open"
    bl_label = "Open Take"
    filename_ext = ".mfntake"
    filter_glob: StringProperty(
        name="Files", description="What is listed", default="*.mfntake", options={"HIDDEN"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        from .take_list import describe_take

        state = context.window_manager.mfn
        path = Path(self.filepath)  # pyright: ignore[reportAttributeAccessIssue] ImportHelper's
        try:
            Take(path).close()
        except TakeError as error:
            return self.failed(error)
        describe_take(state.takes.add(), path)
        state.take_index = len(state.takes) - 1
        return self.done(rpt_("Opened {take}", take=path.stem))


def _samples(_: object, __: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    return _SAMPLES


_SAMPLES = [
    (path.stem, path.stem.replace("_", " ").title(), n_("A character that is ready to be driven"))
    for path in sample_rigs()
]  # Blender keeps no copy of the texts of a dynamic enum, so they live here


class MFN_OT_add_character(Telling, bpy.types.Operator):
    """Add one of the bundled characters, ready to be driven, beside those that are there"""

    bl_idname = "mfn.add_character"
    bl_label = "Add Sample Character"
    bl_options = {"REGISTER", "UNDO"}

    name: EnumProperty(name="Character", description="Which one", items=_samples)

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        path = next((path for path in sample_rigs() if path.stem == self.name), None)
        if path is None:
            return self.failed(rpt_("the sample characters are missing from this installation"))
        there = [obj for obj in scene.objects if obj.get("mfn_profile")]
        try:
            character = append_character(path, scene)
        except (InputError, RigError) as error:
            return self.failed(error)
        scene.view_layers[0].update()
        character.location.x += 0.6 * len(there)
        character.show_in_front = False  # the face is what one looks at
        _look_at_characters(context)
        return self.done(rpt_("Added {character}", character=character.name))


def _look_at_characters(context: bpy.types.Context) -> None:
    """Show all characters from the front in the 3D view, and nothing else selected."""
    area = context.area
    if area is None or area.type != "VIEW_3D":
        return
    for obj in context.view_layer.objects:
        obj.select_set(obj.get("mfn_profile") is not None or _stands_on_character(obj))
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(area=area, region=region):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
    for obj in context.view_layer.objects:
        obj.select_set(False)


def _stands_on_character(obj: bpy.types.Object) -> bool:
    return obj.parent is not None and obj.parent.get("mfn_profile") is not None


CLASSES = (
    MFN_OT_start,
    MFN_OT_stop,
    MFN_OT_record,
    MFN_OT_takes_refresh,
    MFN_OT_take_open,
    MFN_OT_add_character,
)
