# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons of a take's corrections: layers and the shapes in them; and playing the take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..face import EXPRESSIONS
from ..take import TakeError
from . import live
from .correction_rows import edited, flush
from .operators import Telling
from .take_playback import TakeSource
from .translation import data_, rpt_


def _rows(context: bpy.types.Context) -> Any:
    return context.window_manager.mfn.corrections


class MFN_OT_take_play(Telling, bpy.types.Operator):
    """Play the chosen take on its characters, with its corrections; edits show while it plays"""

    bl_idname = "mfn.take_play"
    bl_label = "Play Take"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = context.window_manager.mfn.take()
        return take is not None and not take.error

    def execute(self, context: bpy.types.Context) -> set[str]:
        flush()
        path = Path(context.window_manager.mfn.take().path)
        try:
            source = TakeSource(path)
        except TakeError as error:
            return self.failed(error)
        live.start(context, source, path.stem).shows_pictures = False
        return self.done(rpt_("Playing {take}", take=path.stem))


class _OfTake(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        rows = _rows(context)
        return bool(rows.path) and not rows.problem


class _OfLayer(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _rows(context).layer() is not None


class MFN_OT_layer_add(_OfTake, bpy.types.Operator):
    """Add a layer of corrections to the chosen take"""

    bl_idname = "mfn.layer_add"
    bl_label = "Add Corrections"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rows = _rows(context)
        layer = rows.layers.add()
        layer.name = data_("Corrections {number}", number=len(rows.layers))
        rows.index = len(rows.layers) - 1
        edited()
        return {"FINISHED"}


class MFN_OT_layer_remove(_OfLayer, bpy.types.Operator):
    """Take the chosen layer off the take; what was recorded shows again"""

    bl_idname = "mfn.layer_remove"
    bl_label = "Remove Corrections"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rows = _rows(context)
        rows.layers.remove(rows.index)
        rows.index = max(0, min(rows.index, len(rows.layers) - 1))
        edited()
        return {"FINISHED"}


class MFN_OT_layer_move(_OfLayer, bpy.types.Operator):
    """Change the order of the layers: later ones work on what earlier ones have left"""

    bl_idname = "mfn.layer_move"
    bl_label = "Move Corrections"

    step: IntProperty(name="Step", description="-1 for up, 1 for down", default=1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        rows = _rows(context)
        to = rows.index + self.step
        if not 0 <= to < len(rows.layers):
            return {"CANCELLED"}
        rows.layers.move(rows.index, to)
        rows.index = to
        edited()
        return {"FINISHED"}


class MFN_OT_layer_shape_add(_OfLayer, bpy.types.Operator):
    """Edit one expression in the chosen layer"""

    bl_idname = "mfn.layer_shape_add"
    bl_label = "Edit Shape"
    bl_property = "shape"

    shape: EnumProperty(
        name="Shape", description="The expression", items=[(name, name, "") for name in EXPRESSIONS]
    )

    def invoke(self, context: bpy.types.Context, _: bpy.types.Event) -> set[str]:
        context.window_manager.invoke_search_popup(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        shapes = _rows(context).layer().shapes
        if self.shape in shapes:
            return self.failed(rpt_("{shape} is edited in this layer already", shape=self.shape))
        shapes.add().name = self.shape
        edited()
        live.redraw(context)
        return {"FINISHED"}


class MFN_OT_layer_shape_remove(_OfLayer, bpy.types.Operator):
    """Leave this expression as it was recorded"""

    bl_idname = "mfn.layer_shape_remove"
    bl_label = "Remove Edit"

    shape: StringProperty(name="Shape", description="The expression")

    def execute(self, context: bpy.types.Context) -> set[str]:
        shapes = _rows(context).layer().shapes
        found = shapes.find(self.shape)
        if found < 0:
            return self.failed(rpt_("{shape} is not edited in this layer", shape=self.shape))
        shapes.remove(found)
        edited()
        return {"FINISHED"}


CLASSES = (
    MFN_OT_take_play,
    MFN_OT_layer_add,
    MFN_OT_layer_remove,
    MFN_OT_layer_move,
    MFN_OT_layer_shape_add,
    MFN_OT_layer_shape_remove,
)
