# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the chosen take's corrections."""

from __future__ import annotations

from typing import Any

import bpy

from .translation import iface_


class MFN_UL_layers(bpy.types.UIList):
    """A row a layer: its switch, name and actor."""

    def draw_item(
        self,
        _context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: Any,
        layer: Any,
        _icon: int,
        _active_data: Any,
        _active_property: str,
    ) -> None:
        row = layout.row(align=True)
        icon = "HIDE_OFF" if layer.enabled else "HIDE_ON"
        row.prop(layer, "enabled", text="", icon=icon, emboss=False)
        row.prop(layer, "name", text="", emboss=False)
        actor = row.row()
        actor.alignment = "RIGHT"
        actor.label(text=str(layer.actor) if layer.actor else iface_("all"), icon="USER")


class MFN_PT_corrections(bpy.types.Panel):
    bl_label = "Corrections"
    bl_parent_id = "MFN_PT_takes"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = context.window_manager.mfn.take()
        return take is not None and not take.error

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        rows: Any = context.window_manager.mfn.corrections
        if rows.problem:
            layout.label(text=rows.problem, icon="ERROR", translate=False)
            return
        row = layout.row()
        row.template_list("MFN_UL_layers", "", rows, "layers", rows, "index", rows=2)
        side = row.column(align=True)
        side.operator("mfn.layer_add", text="", icon="ADD")
        side.operator("mfn.layer_remove", text="", icon="REMOVE")
        if len(rows.layers) > 1:
            side.operator("mfn.layer_move", text="", icon="TRIA_UP").step = -1
            side.operator("mfn.layer_move", text="", icon="TRIA_DOWN").step = 1
        layer = rows.layer()
        if layer is not None:
            self._draw_layer(layout.column(), layer)

    def _draw_layer(self, layout: Any, layer: Any) -> None:
        layout.active = layer.enabled
        column = layout.column(align=True)
        column.prop(layer, "actor")
        column.prop(layer, "smoothing")
        column.prop(layer, "offset")
        for name in ("start", "end"):
            row = layout.row(align=True)
            row.prop(layer, f"use_{name}", text="")
            value = row.row(align=True)
            value.active = getattr(layer, f"use_{name}")
            value.prop(layer, name)
        for shape in layer.shapes:
            box = layout.column(align=True)
            row = box.row(align=True)
            icon = "HIDE_ON" if shape.mute else "HIDE_OFF"
            row.prop(shape, "mute", text="", icon=icon)
            row.label(text=shape.name, translate=False)
            remove = row.operator("mfn.layer_shape_remove", text="", icon="X", emboss=False)
            remove.shape = shape.name
            row = box.row(align=True)
            row.active = not shape.mute
            row.prop(shape, "gain")
            row.prop(shape, "offset")
        layout.operator("mfn.layer_shape_add", icon="ADD")


CLASSES = (MFN_UL_layers, MFN_PT_corrections)
