# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's panels about one character: how its names match, and how it answers."""

from __future__ import annotations

from typing import Any

import bpy

from ..face import EXPRESSION_INDEX
from ..retarget import Report
from ..rig import armature_of
from ..rig.lookup import shape_keys_of
from . import session
from .character_operators import shown_character
from .characters import character_settings
from .translation import iface_, told

_SHOWN = 12  # names in a list before "… and 40 more"


class _CharacterPanel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"
    bl_options = {"DEFAULT_CLOSED"}
    layout: Any

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shown_character(context) is not None


class MFN_PT_character(_CharacterPanel, bpy.types.Panel):
    bl_label = "Character"
    bl_parent_id = "MFN_PT_capture"

    def draw(self, context: bpy.types.Context) -> None:
        layout, obj = self.layout, shown_character(context)
        assert obj is not None
        settings = character_settings(obj)
        layout.label(text=obj.name, icon="OUTLINER_OB_ARMATURE", translate=False)
        row = layout.row(align=True)
        row.prop(settings, "profile", icon="SORTALPHA")
        row.operator("mfn.match_names", text="", icon="VIEWZOOM")
        report = session.reports.get(obj.session_uid)
        if report is None:
            layout.label(text="Press the glass to match its names", icon="INFO")
            return
        layout.label(text=report.summary(iface_), icon="CHECKMARK", translate=False)
        for note in report.notes:
            layout.label(text=told(note), icon="DOT", translate=False)
        self._draw_fixes(layout, obj, settings)
        self._draw_names(layout, iface_("Guessed"), report.guessed, "QUESTION")
        missing = {name: "" for name in report.missing if not name.startswith("bone ")}
        self._draw_names(layout, iface_("Missing"), missing, "X")
        row = layout.row(align=True)
        row.operator("mfn.save_profile", icon="FILE_TICK")

    def _draw_fixes(self, layout: Any, obj: bpy.types.Object, settings: Any) -> None:
        keys = _richest_keys(obj, session.reports.get(obj.session_uid))
        for fix in settings.fixes:
            row = layout.row(align=True)
            row.label(text=fix.name, icon="TOOL_SETTINGS", translate=False)
            if keys is not None:
                row.prop_search(fix, "key", keys, "key_blocks", text="")
            else:
                row.prop(fix, "key", text="")
            row.operator("mfn.unfix_match", text="", icon="X").target = fix.name

    def _draw_names(self, layout: Any, title: str, names: dict[str, str], icon: str) -> None:
        if not names:
            return
        box = layout.box().column(align=True)
        box.label(text=f"{title}: {len(names)}", icon=icon)
        for target, key in list(names.items())[:_SHOWN]:
            row = box.row(align=True)
            row.label(text=f"{target}  =  {key}" if key else target, translate=False)
            row.operator("mfn.fix_match", text="", icon="GREASEPENCIL").target = target
        if len(names) > _SHOWN:
            box.label(text=iface_("… and {count} more", count=len(names) - _SHOWN))


class MFN_UL_responses(bpy.types.UIList):
    """A row an expression: its name, the actor's value, the character's value, mute, solo."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        row: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
    ) -> None:
        split = layout.split(factor=0.42, align=True)
        split.label(text=row.name, translate=False)
        meters: Any = split.row(align=True)
        raw, mapped = _levels(data.id_data, EXPRESSION_INDEX.get(row.name, 0))
        meters.progress(factor=raw, text=f"{raw:.2f}")
        meters.progress(factor=mapped, text=f"{mapped:.2f}")
        meters.prop(row, "mute", text="", icon="HIDE_ON" if row.mute else "HIDE_OFF", emboss=False)
        meters.prop(row, "solo", text="", icon="SOLO_ON" if row.solo else "SOLO_OFF", emboss=False)


class MFN_PT_response(_CharacterPanel, bpy.types.Panel):
    bl_label = "Response"
    bl_parent_id = "MFN_PT_character"

    def draw(self, context: bpy.types.Context) -> None:
        layout, obj = self.layout, shown_character(context)
        assert obj is not None
        settings: Any = character_settings(obj)
        if not settings.rows:
            layout.operator("mfn.edit_responses", icon="GREASEPENCIL")
            return
        layout.template_list(
            "MFN_UL_responses", "", settings, "rows", settings, "row_index", rows=6
        )
        layout.prop(settings, "pairs")
        if 0 <= settings.row_index < len(settings.rows):
            row = settings.rows[settings.row_index]
            column = layout.column(align=True)
            column.prop(row, "gain", slider=True)
            column.prop(row, "offset", slider=True)
            pair = column.row(align=True)
            pair.prop(row, "low")
            pair.prop(row, "high")
            column.prop(row, "soft", slider=True)
            column.prop(row, "curve", slider=True)
            column.prop(row, "smoothing")
        buttons = layout.row(align=True)
        buttons.operator("mfn.load_responses", text="Load", icon="IMPORT")
        buttons.operator("mfn.save_responses", text="Save", icon="EXPORT")
        buttons.operator("mfn.reset_responses", text="Reset", icon="LOOP_BACK")


class MFN_PT_motion(_CharacterPanel, bpy.types.Panel):
    bl_label = "Head, Eyes and Jaw"
    bl_parent_id = "MFN_PT_character"

    def draw(self, context: bpy.types.Context) -> None:
        layout, obj = self.layout, shown_character(context)
        assert obj is not None
        settings: Any = character_settings(obj)
        layout.prop(settings, "head")
        head = layout.column(align=True)
        head.active = settings.head
        head.prop(settings, "neck_share", slider=True)
        _gain_and_limit(head, settings, "head")
        for part in ("eyes", "jaw"):
            column = layout.column(align=True)
            column.prop(settings, part)
            _gain_and_limit(column, settings, "eye" if part == "eyes" else part)
        rig = armature_of(obj)
        column = layout.column(align=True)
        column.prop(settings, "position")
        if settings.position == "BONE" and rig is not None and rig.pose is not None:
            column.prop_search(settings, "position_bone", rig.pose, "bones", text="Bone")
        _gain_and_limit(column, settings, "position")


def _gain_and_limit(column: Any, settings: Any, part: str) -> None:
    row = column.row(align=True)
    row.prop(settings, f"{part}_gain", slider=True)
    row.prop(settings, f"{part}_limit", slider=True)


def _levels(obj: bpy.types.Object, index: int) -> tuple[float, float]:
    """The actor's newest value of an expression and the character's, 0..1, for the meters."""
    live = session.current
    binding = live.bindings.get(obj.session_uid) if live is not None else None
    presence = live.presences.get(obj.session_uid) if live is not None else None
    face = presence.shown if presence is not None else None
    if binding is None or face is None:
        return 0.0, 0.0
    raw, mapped = face.expression[index], binding.plan.answered(face.expression)[index]
    return min(max(float(raw), 0.0), 1.0), min(max(float(mapped), 0.0), 1.0)


def _richest_keys(obj: bpy.types.Object, report: Report | None) -> bpy.types.Key | None:
    """The shape keys to offer: of the character's mesh with the most."""
    root = armature_of(obj) or obj
    family = [each for each in (root, *root.children_recursive) if shape_keys_of(each) is not None]
    known = [keys for each in family if (keys := shape_keys_of(each)) is not None]
    return max(known, key=lambda keys: len(keys.key_blocks), default=None) if report else None


CLASSES = (MFN_UL_responses, MFN_PT_character, MFN_PT_response, MFN_PT_motion)
