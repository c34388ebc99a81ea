# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's face in Blender: properties, operators, panels, and the end of all sessions."""

from __future__ import annotations

import atexit

import bpy

from . import (
    actor_operators,
    actor_panels,
    bake_operators,
    character_operators,
    character_panels,
    correction_operators,
    correction_panels,
    correction_rows,
    live,
    notice,
    offline_operators,
    offline_panel,
    offline_pass,
    operators,
    panels,
    phone_panel,
    preview,
    properties,
    recording_panel,
    take_library,
    take_panels,
    translation,
    upgrade,
)
from .properties import refresh_takes

_CLASSES = (
    *notice.CLASSES,
    *operators.CLASSES,
    *bake_operators.CLASSES,
    *offline_operators.CLASSES,
    *actor_operators.CLASSES,
    *character_operators.CLASSES,
    *correction_operators.CLASSES,
    *take_library.CLASSES,
    panels.MFN_PT_capture,
    *actor_panels.CLASSES,
    *character_panels.CLASSES,
    *take_panels.CLASSES,
    *correction_panels.CLASSES,
    *offline_panel.CLASSES,
    *recording_panel.CLASSES,
    *phone_panel.CLASSES,
)


@bpy.app.handlers.persistent
def _before_load(*_: object) -> None:
    """Another file is opened: its scene is not the one that is being driven."""
    live.stop()
    correction_rows.flush()


@bpy.app.handlers.persistent
def _after_load(*_: object) -> None:
    upgrade.mend_all()
    refresh_takes(bpy.context)


@bpy.app.handlers.persistent
def _before_save(*_: object) -> None:
    live.before_saving()


@bpy.app.handlers.persistent
def _after_save(*_: object) -> None:
    live.after_saving()


_HANDLERS = {
    "load_pre": _before_load,
    "load_post": _after_load,
    "save_pre": _before_save,
    "save_post": _after_save,
    "save_post_fail": _after_save,
}


def _first_look() -> None:
    """Look at the file that is open once Blender is up: registering has no scene to ask."""
    if hasattr(bpy.types.WindowManager, "mfn"):
        upgrade.mend_all()
        refresh_takes(bpy.context)


def register() -> None:
    """Add everything to Blender."""
    translation.register()
    properties.register()
    preview.register()
    for each in _CLASSES:
        bpy.utils.register_class(each)
    for moment, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, moment).append(handler)
    bpy.app.timers.register(_first_look, first_interval=0.1)
    atexit.register(live.stop)
    atexit.register(offline_pass.cancel)


def unregister() -> None:
    """End the capture process, then take everything out of Blender."""
    live.stop()
    offline_pass.cancel()
    atexit.unregister(live.stop)
    atexit.unregister(offline_pass.cancel)
    if bpy.app.timers.is_registered(_first_look):
        bpy.app.timers.unregister(_first_look)
    for moment, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, moment).remove(handler)
    for each in reversed(_CLASSES):
        bpy.utils.unregister_class(each)
    preview.unregister()
    properties.unregister()
    translation.unregister()
