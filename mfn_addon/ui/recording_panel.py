# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of how takes to come are recorded."""

from __future__ import annotations

from typing import Any

import bpy


class MFN_PT_recording(bpy.types.Panel):
    bl_label = "Recording"
    bl_parent_id = "MFN_PT_takes"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings = context.scene.mfn
        wanted = settings.recording
        column = layout.column(align=True)
        column.prop(settings, "take_name")
        column.prop(settings, "takes_location")
        layout.prop(wanted, "count_in")
        column = layout.column(align=True)
        column.prop(wanted, "timeline")
        column.prop(wanted, "thumbnails")
        layout.prop(wanted, "over")
        if not wanted.over:
            return
        column = layout.column(align=True)
        column.row(align=True).prop(wanted, "channels")
        column.prop(wanted, "punch", toggle=True)
        row = column.row(align=True)
        row.active = wanted.punch
        row.prop(wanted, "punch_in")
        row.prop(wanted, "punch_out")


CLASSES = (MFN_PT_recording,)
