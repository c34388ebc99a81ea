# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen take's corrections as rows that people edit.

The rows are for the panel; what counts is in the take's file. An edit is written a moment after
the last one, so that dragging a slider writes once, and at once where something is about to read.
"""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, IntProperty, StringProperty

from ..take import Layer, ShapeEdit, Take, TakeError, write_layers
from . import take_playback
from .notice import say
from .translation import CONTEXT, told

_WRITE_AFTER = 0.4
"""Seconds after the last edit."""


class _Filling:
    """While rows are filled by code, their updates are no edits."""

    now = False


def _edited(_: object, __: bpy.types.Context) -> None:
    if not _Filling.now:
        edited()


class MFN_ShapeEditRow(bpy.types.PropertyGroup):
    """What a layer does to one expression; `name` is the expression."""

    gain: FloatProperty(
        name="Gain", description="Factor on the recorded weight", default=1.0, soft_min=0.0,
        soft_max=3.0, min=-10.0, max=10.0, update=_edited,
    )  # fmt: skip
    offset: FloatProperty(
        name="Offset", description="Added after the gain", min=-1.0, max=1.0, update=_edited
    )
    mute: BoolProperty(name="Mute", description="Leave the expression at rest", update=_edited)


class MFN_LayerRow(bpy.types.PropertyGroup):
    """A layer of corrections."""

    name: StringProperty(name="Name", description="What the layer is called", update=_edited)
    enabled: BoolProperty(
        name="Enabled", description="Whether the layer counts", default=True, update=_edited
    )
    actor: IntProperty(
        name="Actor", description="The number of the actor whom the layer corrects; 0 for all",
        min=0, update=_edited,
    )  # fmt: skip
    smoothing: FloatProperty(
        name="Smoothing",
        description="Takes out jitter, looking forward and backward, so that nothing is delayed; "
        "1 is what the offline pass does",
        min=0.0, max=5.0, update=_edited,
    )  # fmt: skip
    offset: FloatProperty(
        name="Time Offset", description="Seconds by which the actor comes later; below 0 earlier",
        soft_min=-1.0, soft_max=1.0, step=1, precision=3, subtype="TIME_ABSOLUTE", update=_edited,
    )  # fmt: skip
    use_start: BoolProperty(
        name="Trim In", description="Leave out what lies before", update=_edited
    )
    start: FloatProperty(
        name="In", description="Seconds from the take's first picture", min=0.0, precision=2,
        subtype="TIME_ABSOLUTE", translation_context=CONTEXT, update=_edited,
    )  # fmt: skip
    use_end: BoolProperty(name="Trim Out", description="Leave out what lies after", update=_edited)
    end: FloatProperty(
        name="Out", description="Seconds from the take's first picture", min=0.0, precision=2,
        subtype="TIME_ABSOLUTE", translation_context=CONTEXT, update=_edited,
    )  # fmt: skip
    shapes: CollectionProperty(
        type=MFN_ShapeEditRow, name="Shapes", description="Edits of single expressions"
    )


class MFN_Corrections(bpy.types.PropertyGroup):
    """The layers of the take at `path`, whose first picture is at `origin` seconds."""

    path: StringProperty(name="File", description="The take's file", subtype="FILE_PATH")
    origin: FloatProperty(name="Origin", description="The time of the take's first picture")
    problem: StringProperty(name="Problem", description="Why the layers cannot be shown")
    layers: CollectionProperty(
        type=MFN_LayerRow, name="Layers", description="Later layers lie over earlier ones"
    )
    index: IntProperty(name="Layer", description="The chosen layer")

    def layer(self) -> MFN_LayerRow | None:
        """The chosen layer."""
        return self.layers[self.index] if 0 <= self.index < len(self.layers) else None


def show(rows: Any, path: str) -> None:
    """Fill the rows from a take's file; "" for no take."""
    flush()
    _Filling.now = True
    try:
        rows.path, rows.problem = path, ""
        rows.layers.clear()
        if path:
            with Take(path) as take:
                rows.origin = take.start
                for layer in take.layers():
                    _fill(rows.layers.add(), layer, take.start)
    except TakeError as error:
        rows.problem = told(error)
    finally:
        _Filling.now = False
    rows.index = min(rows.index, max(len(rows.layers) - 1, 0))


def edited() -> None:
    """Have the rows written soon."""
    if bpy.app.timers.is_registered(_write):
        bpy.app.timers.unregister(_write)
    bpy.app.timers.register(_write, first_interval=_WRITE_AFTER)


def flush() -> None:
    """Write the rows now, if they have been edited."""
    if bpy.app.timers.is_registered(_write):
        bpy.app.timers.unregister(_write)
        _write()


def _write() -> None:
    rows: Any = bpy.context.window_manager.mfn.corrections
    if not rows.path or rows.problem:
        return
    try:
        write_layers(rows.path, [_layer_of(row, rows.origin) for row in rows.layers])
    except TakeError as error:
        say(told(error), "ERROR")
    take_playback.reload(rows.path)


def _fill(row: Any, layer: Layer, origin: float) -> None:
    row.name, row.enabled, row.actor = layer.name, layer.enabled, layer.actor or 0
    row.smoothing, row.offset = layer.smoothing, layer.offset
    row.use_start, row.use_end = layer.start is not None, layer.end is not None
    row.start = 0.0 if layer.start is None else layer.start - origin
    row.end = 0.0 if layer.end is None else layer.end - origin
    for name, edit in layer.shapes.items():
        shape = row.shapes.add()
        shape.name, shape.gain, shape.offset, shape.mute = name, edit.gain, edit.offset, edit.mute


def _layer_of(row: Any, origin: float) -> Layer:
    """Numbers without the noise of the single precision in which Blender keeps them."""
    return Layer(
        name=row.name,
        enabled=row.enabled,
        actor=row.actor or None,
        smoothing=round(row.smoothing, 6),
        offset=round(row.offset, 6),
        start=round(row.start + origin, 4) if row.use_start else None,
        end=round(row.end + origin, 4) if row.use_end else None,
        shapes={
            shape.name: ShapeEdit(round(shape.gain, 6), round(shape.offset, 6), shape.mute)
            for shape in row.shapes
        },
    )


CLASSES = (MFN_ShapeEditRow, MFN_LayerRow, MFN_Corrections)
