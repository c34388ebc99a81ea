# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's tab. Drawing only reads: settings, and what the session has noted."""

from __future__ import annotations

import math
from typing import Any

import bpy

from . import preview, session

_STATES = {
    "waiting": "Starting…",
    "opening": "Opening the source…",
    "running": "Live",
    "ended": "Ended",
    "failed": "Broken",
    "stopped": "Stopped",
}


class _Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"


class MFN_PT_capture(_Sidebar, bpy.types.Panel):
    bl_label = "Face Capture"
    bl_idname = "MFN_PT_capture"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        settings, live = context.scene.mfn, session.current
        column = layout.column()
        column.enabled = live is None
        column.row().prop(settings, "source", expand=True)
        if settings.source == "CAMERA":
            column.prop(settings, "camera")
        else:
            column.prop(settings, "footage", text="")
        column.prop(settings, "input_size")

        row = layout.row(align=True)
        row.scale_y = 1.4
        if live is None:
            row.operator("mfn.start", icon="PLAY")
            row.operator("mfn.record", icon="REC")
        else:
            row.operator("mfn.stop", icon="SNAP_FACE")
            row.operator(
                "mfn.record", text=_recording(live), icon="REC", depress=live.recorder is not None
            )
        if live is not None:
            layout.label(text=_status(live), icon="RADIOBUT_ON")
        elif session.message.text:
            _message(layout, context)
        # With nothing in it at first, so that the panels below stay put.
        if live is not None and live.shows_pictures:
            layout.template_icon(icon_value=preview.picture_icon(), scale=_picture_scale(context))


def _recording(live: session.Session) -> str:
    """What the button of recording says."""
    if live.recorder is None or live.recording is None:
        return "Record"
    left = live.recording.left()
    return f"In {math.ceil(left)} …" if left > 0 else f"Finish Take  {live.recorded():.0f} s"


def _status(live: session.Session) -> str:
    if live.source.state != "running" or live.frame is None:
        return _STATES.get(live.source.state, live.source.state)
    count = len(live.present)  # of all phones, where there are several
    faces = f"{count} face{'' if count == 1 else 's'}" if count else "no face in view"
    latency = f", {1000 * live.source.latency:.0f} ms" if live.source.latency > 0 else ""
    return f"{_STATES['running']}: {faces}, {live.rate():.0f} fps{latency}"


def _message(layout: Any, context: bpy.types.Context) -> None:
    """The last message, broken into lines that fit."""
    system = context.preferences.system
    fits = max(16, int((context.region.width / system.ui_scale - 80) / 7))
    lines, line = [], ""
    for word in session.message.text.split():
        if line and len(line) + 1 + len(word) > fits:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, text in enumerate([*lines, line][:5]):
        column.label(text=text, icon=session.message.icon if number == 0 else "BLANK1")


def _picture_scale(context: bpy.types.Context) -> float:
    """The sidebar's width in units of the interface's rows."""
    return max(4.0, (context.region.width / context.preferences.system.ui_scale - 50) / 20)
