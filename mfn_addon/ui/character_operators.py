# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons of the character's panels: match its names, fix a match, and share its responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..retarget import read_preset, write_preset
from ..rig import armature_of
from ..rig.profiles import save_profile
from . import session
from .characters import character_settings, look
from .operators import Telling
from .response_rows import as_responses, fill_rows
from .translation import rpt_


def shown_character(context: bpy.types.Context) -> bpy.types.Object | None:
    """The character of the chosen row of the cast, or else the active object's."""
    settings = context.scene.mfn
    if 0 <= settings.cast_index < len(settings.cast):
        chosen = settings.cast[settings.cast_index].character
        if chosen is not None:
            return armature_of(chosen) or chosen
    active = context.active_object
    if active is None or active.type not in ("ARMATURE", "MESH"):
        return None
    return armature_of(active) or active


class _OfCharacter(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shown_character(context) is not None


def _shown(context: bpy.types.Context) -> tuple[bpy.types.Object, Any]:
    obj = shown_character(context)
    assert obj is not None  # poll has seen it
    return obj, character_settings(obj)


class MFN_OT_match_names(_OfCharacter, bpy.types.Operator):
    """Match the character's shape keys and bones anew, and report what was found"""

    bl_idname = "mfn.match_names"
    bl_label = "Match Names"

    def execute(self, context: bpy.types.Context) -> set[str]:
        line, usable = look(_shown(context)[0])
        return self.done(line) if usable else self.failed(line)


class MFN_OT_fix_match(_OfCharacter, bpy.types.Operator):
    """Say by hand which shape key this target is"""

    bl_idname = "mfn.fix_match"
    bl_label = "Fix Match"
    bl_options = {"REGISTER", "UNDO"}

    target: StringProperty(name="Target", description="The name that the profile wants")
    key: StringProperty(name="Shape Key", description="The character's; empty leaves it alone")

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj, settings = _shown(context)
        fix = settings.fixes.get(self.target) or settings.fixes.add()
        fix.name, fix.key = self.target, self.key
        return self.done(
            rpt_("{character}: {name} is said by hand", character=obj.name, name=self.target)
        )


class MFN_OT_unfix_match(_OfCharacter, bpy.types.Operator):
    """Let the names decide about this target again"""

    bl_idname = "mfn.unfix_match"
    bl_label = "Forget Fix"
    bl_options = {"REGISTER", "UNDO"}

    target: StringProperty(name="Target", description="The name that the profile wants")

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj, settings = _shown(context)
        index = settings.fixes.find(self.target)
        if index < 0:
            return self.failed(rpt_("{name} was not said by hand", name=self.target))
        settings.fixes.remove(index)
        look(obj)
        return self.done(
            rpt_("{character}: names decide about {name}", character=obj.name, name=self.target)
        )


class MFN_OT_save_profile(_OfCharacter, bpy.types.Operator):
    """Keep this character's matches as a new naming profile, for others of its kind"""

    bl_idname = "mfn.save_profile"
    bl_label = "Save as Naming Profile"

    title: StringProperty(name="Name", description="What the profile is called", default="Mine")

    def invoke(self, context: bpy.types.Context, _: bpy.types.Event) -> Any:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj, settings = _shown(context)
        line, usable = look(obj)
        if not usable:
            return self.failed(line)
        fixes = {fix.name: fix.key for fix in settings.fixes}
        try:
            path = save_profile(self.title, session.reports[obj.session_uid], fixes)
        except (ValueError, OSError) as error:
            return self.failed(error)
        return self.done(rpt_("Saved {path}", path=path))


class MFN_OT_edit_responses(_OfCharacter, bpy.types.Operator):
    """Set how strongly this character answers each expression"""

    bl_idname = "mfn.edit_responses"
    bl_label = "Edit Responses"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj, settings = _shown(context)
        fill_rows(settings, as_responses(settings.responses))
        return self.done(rpt_("{character}: every expression can be set", character=obj.name))


class MFN_OT_reset_responses(_OfCharacter, bpy.types.Operator):
    """Let the character answer every expression as it is"""

    bl_idname = "mfn.reset_responses"
    bl_label = "Reset Responses"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj, settings = _shown(context)
        fill_rows(settings, {})
        return self.done(rpt_("{character}: plain responses", character=obj.name))


class MFN_OT_save_responses(_OfCharacter, bpy.types.Operator, ExportHelper):
    """Write the character's responses to a file, to be used on others"""

    bl_idname = "mfn.save_responses"
    bl_label = "Save Responses"
    filename_ext = ".json"
    filter_glob: StringProperty(
        name="Files", description="What is listed", default="*.json", options={"HIDDEN"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        _, settings = _shown(context)
        path = Path(self.filepath)  # pyright: ignore[reportAttributeAccessIssue] ExportHelper's
        try:
            write_preset(path, as_responses(settings.responses))
        except OSError as error:
            return self.failed(error)
        return self.done(rpt_("Saved {path}", path=path.name))


class MFN_OT_load_responses(_OfCharacter, bpy.types.Operator, ImportHelper):
    """Read responses from a file"""

    bl_idname = "mfn.load_responses"
    bl_label = "Load Responses"
    bl_options = {"REGISTER", "UNDO"}
    filename_ext = ".json"
    filter_glob: StringProperty(
        name="Files", description="What is listed", default="*.json", options={"HIDDEN"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj, settings = _shown(context)
        path = Path(self.filepath)  # pyright: ignore[reportAttributeAccessIssue] ImportHelper's
        try:
            fill_rows(settings, read_preset(path))
        except ValueError as error:
            return self.failed(error)
        return self.done(
            rpt_("{character}: responses of {file}", character=obj.name, file=path.stem)
        )


CLASSES = (
    MFN_OT_match_names,
    MFN_OT_fix_match,
    MFN_OT_unfix_match,
    MFN_OT_save_profile,
    MFN_OT_edit_responses,
    MFN_OT_reset_responses,
    MFN_OT_save_responses,
    MFN_OT_load_responses,
)
