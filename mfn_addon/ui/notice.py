# SPDX-License-Identifier: GPL-3.0-or-later
"""Saying what happened outside of an operator: in the panel, and in the status bar as Blender's
operators do.
"""

from __future__ import annotations

from typing import Any, cast

import bpy
from bpy.props import EnumProperty, StringProperty

from . import session

_ICONS = {"INFO": "INFO", "WARNING": "ERROR", "ERROR": "CANCEL"}
_LEVELS = [
    ("INFO", "Info", "What was done"),
    ("WARNING", "Warning", "What may not have been wished"),
    ("ERROR", "Error", "What could not be done"),
]


def say(text: str, level: str = "INFO") -> None:
    """Tell the user something.

    Args:
        text: one line.
        level: "INFO", "WARNING" or "ERROR".
    """
    remember(text, level)
    manager, operators = bpy.context.window_manager, cast(Any, bpy.ops)
    window = next(iter(manager.windows), None) if manager is not None else None
    if not bpy.app.background and window is not None:
        with bpy.context.temp_override(window=window):
            operators.mfn.notice("INVOKE_DEFAULT", text=text, level=level)
    else:
        print(f"MFN Face Capture: {text}")


def remember(text: str, level: str = "INFO") -> None:
    """Keep it for the panel alone."""
    session.message.text, session.message.icon = text, _ICONS[level]


class MFN_OT_notice(bpy.types.Operator):
    """Tell in the status bar what happened in the background"""

    bl_idname = "mfn.notice"
    bl_label = "Face Capture Notice"
    bl_options = {"INTERNAL"}

    text: StringProperty(name="Text", description="What happened", options={"SKIP_SAVE"})
    level: EnumProperty(
        name="Level", description="How much it matters", items=_LEVELS, options={"SKIP_SAVE"}
    )

    # Reports of an operator that Python calls stay in Python; those of a modal one reach the
    # status bar. So it waits for one timer event, reports, and is done.

    def invoke(self, context: bpy.types.Context, _: bpy.types.Event) -> set[str]:
        self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        context.window_manager.event_timer_remove(self._timer)
        self.report({self.level}, self.text)
        return {"FINISHED"}


CLASSES = (MFN_OT_notice,)
