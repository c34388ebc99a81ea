# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of actors and characters, and the actors' calibration, in the sidebar."""

from __future__ import annotations

from typing import Any

import bpy

from ..face import Face
from . import preview, session
from .cast_rows import MFN_CastRow
from .translation import iface_


class MFN_UL_cast(bpy.types.UIList):
    """A row an actor: colour, name, state, character."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: Any,
        row: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
    ) -> None:
        face = _face_of(row)
        split = layout.split(factor=0.5, align=True)
        left = split.row(align=True)
        left.active = session.current is None or face is not None
        text = f"{row.label or row.actor}{_state(row, face)}"
        icon = preview.dot_icon(row.actor)
        if icon:
            left.label(text=text, icon_value=icon, translate=False)
        else:
            left.label(text=text, icon="USER", translate=False)
        split.prop(row, "character", text="")


class MFN_PT_cast(bpy.types.Panel):
    bl_label = "Actors and Characters"
    bl_parent_id = "MFN_PT_capture"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = context.scene.mfn
        if settings.cast:
            table = layout.row()
            table.template_list(
                "MFN_UL_cast", "", settings, "cast", settings, "cast_index", rows=2, maxrows=6
            )
            side = table.column(align=True)
            side.operator("mfn.cast_add", text="", icon="ADD")
            side.operator("mfn.cast_swap", text="", icon="ARROW_LEFTRIGHT")
            index = settings.cast_index
            if 0 <= index < len(settings.cast):
                self._draw_row(layout, settings.cast[index])
        else:
            layout.label(text="Actors appear here as they are seen", icon="USER")
        layout.operator_menu_enum("mfn.add_character", "name", icon="ADD")
        column = layout.column(align=True)
        column.prop(settings, "auto_cast")
        column.prop(settings, "mirror")
        layout.prop(settings, "lost")

    def _draw_row(self, layout: Any, row: MFN_CastRow) -> None:
        if row.report:
            icon = "CHECKMARK" if row.usable else "CANCEL"
            layout.label(text=row.report, icon=icon, translate=False)
        column = layout.column(align=True)
        line = column.row(align=True)
        line.prop(row, "label")
        line.prop(row, "locked", text="", icon="LOCKED" if row.locked else "UNLOCKED")
        line.operator("mfn.cast_remove", text="", icon="X").actor = row.actor
        line = column.row(align=True)
        line.prop(row, "source", text="", placeholder="Any source")
        line.prop(row, "priority")


class MFN_PT_calibration(bpy.types.Panel):
    bl_label = "Calibration"
    bl_parent_id = "MFN_PT_cast"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.mfn.cast)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        live, settings = session.current, context.scene.mfn
        guided = live.guided if live is not None else None
        if guided is not None and guided.step is not None:
            layout.label(text=iface_(guided.step.ask), icon="INFO")
            layout.progress(factor=guided.progress, text=f"{guided.progress:.0%}")
            layout.operator("mfn.calibrate_range", text="Give Up", icon="CANCEL")
            return
        column = layout.column(align=True)
        column.operator("mfn.calibrate_neutral", icon="USER")
        column.operator("mfn.calibrate_from_take", icon="FILE_MOVIE")
        column.operator("mfn.calibrate_range", icon="TRACKER")
        if 0 <= settings.cast_index < len(settings.cast):
            row = settings.cast[settings.cast_index]
            if row.calibration:
                layout.operator("mfn.calibrate_clear", icon="X")


def _face_of(row: MFN_CastRow) -> Face | None:
    """The row's actor, where in view."""
    live = session.current
    if live is None:
        return None
    return next(
        (
            face
            for (source, actor), face in live.present.items()
            if actor == row.actor and row.source in ("", source)
        ),
        None,
    )


def _state(row: MFN_CastRow, face: Face | None) -> str:
    live = session.current
    if live is None:
        return ""
    if face is None:
        return f"   {iface_('lost')}"
    uid = row.character.session_uid if row.character is not None else 0
    presence = live.presences.get(uid)
    back = presence is not None and presence.state == "re-acquired"
    return f"   {iface_('back')}" if back else f"   {face.score:.0%}"


CLASSES = (MFN_UL_cast, MFN_PT_cast, MFN_PT_calibration)
