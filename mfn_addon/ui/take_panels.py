# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of takes: the list with its search, the chosen take's facts, and the bake."""

from __future__ import annotations

from typing import Any

import bpy

from . import take_thumbnails
from .take_list import MOST_STARS
from .translation import iface_

_THUMBNAIL_SCALE = 2.6


class _Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"


class MFN_UL_takes(bpy.types.UIList):
    """A row a take: name, stars, length, actors."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: Any,
        take: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
    ) -> None:
        if take.error:
            layout.label(text=take.name, icon="ERROR", translate=False)
            return
        row = layout.row()
        row.label(text=take.name, icon="FILE_MOVIE", translate=False)
        right = row.row()
        right.alignment = "RIGHT"
        stars = f"★{take.rating}  " if take.rating else ""
        right.label(text=f"{stars}{take.duration:.1f} s")
        right.label(text=str(len(take.actors.split())), icon="USER")

    def filter_items(
        self, context: bpy.types.Context, data: Any, name: str
    ) -> tuple[list[int], list[int]]:
        """Show the takes that the search finds, in the list's order."""
        search = f"{context.window_manager.mfn.search} {self.filter_name}"
        shown = self.bitflag_filter_item
        return [shown if take.matches(search) else 0 for take in getattr(data, name)], []


class MFN_MT_takes(bpy.types.Menu):
    bl_label = "Takes"
    bl_description = "What one does with takes as files"

    def draw(self, _: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.operator("mfn.take_rename", icon="GREASEPENCIL")
        layout.operator("mfn.take_export", icon="EXPORT")
        layout.operator("mfn.take_delete", icon="TRASH")
        layout.separator()
        layout.operator("mfn.take_import", icon="IMPORT")
        layout.operator("mfn.take_open", icon="FILE_FOLDER")
        layout.operator_menu_enum("mfn.take_restore", "take", icon="LOOP_BACK")
        layout.separator()
        layout.operator("mfn.takes_refresh", icon="FILE_REFRESH")


class MFN_PT_takes(_Sidebar, bpy.types.Panel):
    bl_label = "Takes"
    bl_parent_id = "MFN_PT_capture"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings, state = context.scene.mfn, context.window_manager.mfn
        if len(state.takes) > 1:
            layout.prop(state, "search", text="", icon="VIEWZOOM", placeholder=iface_("Search"))
        row = layout.row()
        row.template_list("MFN_UL_takes", "", state, "takes", state, "take_index", rows=3)
        side = row.column(align=True)
        side.menu("MFN_MT_takes", text="", icon="DOWNARROW_HLT")
        side.operator("mfn.take_play", text="", icon="PLAY")
        side.operator("mfn.take_delete", text="", icon="TRASH")
        take = state.take()
        if take is not None and take.error:
            layout.label(text=take.error, icon="INFO", translate=False)
        box = layout.column(align=True)
        bake = box.column(align=True)
        bake.scale_y = 1.2
        bake.operator("mfn.bake", icon="KEYFRAME_HLT")
        bake.operator("mfn.retarget", icon="OUTLINER_OB_ARMATURE")
        row = box.row(align=True)
        along = take is not None and take.along
        if along:
            row.prop(settings, "bake_timeline", toggle=True)
        start = row.row(align=True)
        start.active = not (along and settings.bake_timeline)
        start.prop(settings, "bake_start")
        row.prop(settings, "bake_range", toggle=True)
        row = box.row(align=True)
        row.prop(settings, "bake_strips", toggle=True)
        row.prop(settings, "bake_reduce", toggle=True)


class MFN_PT_take(_Sidebar, bpy.types.Panel):
    bl_label = "Take"
    bl_parent_id = "MFN_PT_takes"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = context.window_manager.mfn.take()
        return take is not None and not take.error

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        take = context.window_manager.mfn.take()
        row = layout.row(align=True)
        row.label(text=take.name, icon="FILE_MOVIE", translate=False)
        row.operator("mfn.take_rename", text="", icon="GREASEPENCIL", emboss=False)
        stars = layout.row(align=True)
        for number in range(1, MOST_STARS + 1):
            icon = "SOLO_ON" if number <= take.rating else "SOLO_OFF"
            stars.operator("mfn.take_rate", text="", icon=icon, emboss=False).stars = number
        row = layout.row(align=True)
        row.prop(take, "slate")
        row.prop(take, "number", text="Take")
        layout.prop(take, "note")
        column = layout.column(align=True)
        column.scale_y = 0.8
        text = iface_("Recorded {date}, {seconds:.1f} s", date=take.date, seconds=take.duration)
        column.label(text=text, icon="TIME")
        if take.sources:
            column.label(text=take.sources, icon="CAMERA_DATA", translate=False)
        if take.actors:
            text = iface_("Actors {numbers}", numbers=", ".join(take.actors.split()))
            column.label(text=text, icon="USER")
        icons = take_thumbnails.icons()
        if icons:
            strip = layout.row(align=True)
            for icon in icons:
                strip.template_icon(icon_value=icon, scale=_THUMBNAIL_SCALE)


CLASSES = (MFN_UL_takes, MFN_MT_takes, MFN_PT_takes, MFN_PT_take)
