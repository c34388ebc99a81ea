# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar's tab. Drawing only reads: settings, and what the session has noted."""

from __future__ import annotations

import math
from typing import Any

import bpy

from . import preview, session
from .translation import iface_, n_

_STATES = {
    "waiting": n_("Starting…"),
    "opening": n_("Opening the source…"),
    "running": n_("Live"),
    "ended": n_("Ended"),
    "failed": n_("Broken"),
    "stopped": n_("Stopped"),
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
        return iface_("Record")
    left = live.recording.left()
    if left > 0:
        return iface_("In {seconds} …", seconds=math.ceil(left))
    return iface_("Finish Take  {seconds:.0f} s", seconds=live.recorded())


def _status(live: session.Session) -> str:
    if live.source.state != "running" or live.frame is None:
        return iface_(_STATES.get(live.source.state, live.source.state))
    count = len(live.present)  # of all phones, where there are several
    parts = [faces_in_view(count) if count else iface_("no face in view")]
    parts.append(iface_("{rate:.0f} fps", rate=live.rate()))
    latency = live.latency()
    if latency > 0:
        parts.append(f"{1000 * latency:.0f} ms")
    return f"{iface_(_STATES['running'])}: {', '.join(parts)}"


def faces_in_view(count: int) -> str:
    """How many faces there are, in words."""
    return iface_("1 face") if count == 1 else iface_("{count} faces", count=count)


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
        icon = session.message.icon if number == 0 else "BLANK1"
        column.label(text=text, icon=icon, translate=False)


def _picture_scale(context: bpy.types.Context) -> float:
    """The sidebar's width in units of the interface's rows."""
    return max(4.0, (context.region.width / context.preferences.system.ui_scale - 50) / 20)
