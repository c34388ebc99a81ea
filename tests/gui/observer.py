# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender beside the extension (`blender --python observer.py -- STATE.json`) and only
looks: a few times a second it writes what a person could see into a JSON file.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

import bpy

STATE = Path(sys.argv[sys.argv.index("--") + 1])
EXTENSION = "bl_ext.user_default.mfn_face_capture.mfn_addon"


def sidebar():
    """The 3D view's area and its sidebar region."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        return window, area, region
    return None, None, None


def timeline():
    """The timeline's place: x, bottom, width, height; y counts down as on the screen."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.ui_type == "TIMELINE" or area.type == "DOPESHEET_EDITOR":
                return [area.x, window.height - area.y, area.width, area.height]
    return None


def animated():
    """Whether any character has an action."""
    owners = [
        owner
        for obj in bpy.data.objects
        for owner in (obj, getattr(obj.data, "shape_keys", None))
        if owner is not None
    ]
    return any(each.animation_data and each.animation_data.action for each in owners)


def hovered(window, area, region):
    """What the button under the mouse does: an operator's or a property's name.

    Blender tells Python of the property; of an operator it tells by Copy Python Command.
    """
    with bpy.context.temp_override(window=window, area=area, region=region):
        prop = getattr(bpy.context, "property", None)
        if prop is not None:
            return prop[1].rpartition(".")[2]
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.ops.ui.copy_python_command_button()
            return bpy.context.window_manager.clipboard.partition("(")[0].removeprefix("bpy.ops.")
    return ""


def characters():
    """The driven numbers of each character: its shape keys and its head's turn."""
    told = {}
    for obj in bpy.data.objects:
        if obj.type == "ARMATURE" and obj.get("mfn_profile"):
            pose = {
                f"{bone.name} {path}": list(getattr(bone, path))
                for bone in obj.pose.bones
                for path in ("rotation_quaternion", "rotation_euler", "location")
            }
            keys = {
                f"{child.name} {key.name}": key.value
                for child in obj.children_recursive
                if child.type == "MESH" and child.data.shape_keys is not None
                for key in child.data.shape_keys.key_blocks
            }
            told[obj.name] = {"pose": pose, "keys": keys}
    return told


def phones():
    """The running server's address and its paired phones; "" and none without a server."""
    server = import_module(EXTENSION + ".ui.phones").server()
    if server is None:
        return {"phone_server": "", "phones": []}
    told = [{"connected": each.connected, "faces": each.faces} for each in server.phones()]
    return {"phone_server": server.options.address, "phones": told}


def look():
    session = import_module(EXTENSION + ".ui.session")
    window, area, region = sidebar()
    live, scene = session.current, bpy.context.scene
    told = {
        "own_pid": os.getpid(),
        "version": bpy.app.version_string,
        "mode": bpy.context.mode,
        "frame": scene.frame_current,
        "frame_range": [scene.frame_start, scene.frame_end],
        "objects": [obj.name for obj in bpy.data.objects],
        "playing": any(w.screen.is_animation_playing for w in bpy.context.window_manager.windows),
        "message": session.message.text,
        "live": live.source.state if live is not None else "",
        "faces": sorted(live.faces()) if live is not None else [],
        "frames": live.frame.frame if live is not None and live.frame is not None else -1,
        "pid": getattr(live.source, "pid", 0) if live is not None else 0,
        "recording": live is not None and live.recorder is not None,
        "cast": {row.actor: row.character.name for row in scene.mfn.cast if row.character},
        "takes": [take.name for take in bpy.context.window_manager.mfn.takes],
        "footage": scene.mfn.footage,
        "actions": [action.name for action in bpy.data.actions],
        "animated": animated(),
        "timeline": timeline(),
        "characters": characters(),
        **phones(),
    }
    if region is not None:
        told["sidebar"] = [region.x, window.height - region.y, region.width, region.height]
        told["tab"] = getattr(region, "active_panel_category", "")
        told["view"] = [area.x, window.height - area.y, area.width, area.height]
        told["scrolled"] = region.view2d.region_to_view(0, 0)[1]
        told["hovered"] = hovered(window, area, region)
    return told


def write():
    try:
        told = look()
    except Exception as error:
        told = {"error": repr(error)}
    fresh = STATE.with_suffix(".new")
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(STATE)  # whoever reads it never sees half a file
    return 0.1


bpy.app.timers.register(write, persistent=True)
