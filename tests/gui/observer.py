# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside Blender beside the extension (`blender --python observer.py -- STATE.json`) and only
looks: a few times a second it writes what a person could see into a JSON file.
"""

import json
import os
import sys
from importlib import import_module

import bpy

STATE = sys.argv[sys.argv.index("--") + 1]
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


def hovered(window, area, region):
    """What the button under the mouse does: an operator's or a property's name."""
    with bpy.context.temp_override(window=window, area=area, region=region):
        operator = getattr(bpy.context, "button_operator", None)
        if operator is not None:
            return operator.bl_rna.identifier
        prop = getattr(bpy.context, "button_prop", None)
        return prop.identifier if prop is not None else ""


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


def look():
    session = import_module(EXTENSION + ".ui.session")
    window, area, region = sidebar()
    live, scene = session.current, bpy.context.scene
    told = {
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
        "characters": characters(),
    }
    if region is not None:
        told["sidebar"] = [region.x, window.height - region.y, region.width, region.height]
        told["tab"] = getattr(region, "active_panel_category", "")
        told["view"] = [area.x, window.height - area.y, area.width, area.height]
        told["hovered"] = hovered(window, area, region)
    return told


def write():
    try:
        told = look()
    except Exception as error:
        told = {"error": repr(error)}
    with open(STATE + ".new", "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.replace(STATE + ".new", STATE)
    return 0.1


bpy.app.timers.register(write, persistent=True)
