# SPDX-License-Identifier: GPL-3.0-or-later
"""Small characters and performances for the tests that run in Blender."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, Face, FaceFrame
from mfn_addon.take import TakeWriter

VRM_NAMES = ("aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "happy", "angry", "sad")
HUMAN_BONES = {
    "neck": ((0, 0, 1.4), (0, 0, 1.5)),
    "head": ((0, 0, 1.5), (0, 0, 1.7)),
    "eye.L": ((0.03, -0.08, 1.6), (0.03, -0.12, 1.6)),
    "eye.R": ((-0.03, -0.08, 1.6), (-0.03, -0.12, 1.6)),
}


def new_file() -> None:
    """An empty file with one scene at 24 frames a second."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def add_armature(name: str, bones: dict) -> bpy.types.Object:
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone_name, (head, tail) in bones.items():
        bone = armature.data.edit_bones.new(bone_name)
        bone.head, bone.tail = head, tail
        if bone_name != "neck":
            bone.parent = armature.data.edit_bones.get("head" if "eye" in bone_name else "neck")
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def add_mesh(
    name: str, keys: tuple[str, ...], armature: bpy.types.Object | None = None
) -> bpy.types.Object:
    """A triangle whose shape keys each lift it by one unit; it hangs on the head bone."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    if keys:
        obj.shape_key_add(name="Basis")
    for key in keys:
        block = obj.shape_key_add(name=key)
        block.value = 0.0  # 5.0's new keys start at 1
        for point in block.data:
            point.co.z += 1.0
    if armature is not None:
        obj.parent = armature
        obj.modifiers.new("Armature", "ARMATURE").object = armature
        obj.vertex_groups.new(name="head").add([0, 1, 2], 1.0, "REPLACE")
    return obj


def add_human(name: str = "Ada") -> bpy.types.Object:
    armature = add_armature(name, HUMAN_BONES)
    add_mesh(f"{name} face", EXPRESSIONS, armature)
    return armature


def add_robot(name: str = "Bo") -> bpy.types.Object:
    armature = add_armature(name, {"jaw": ((0, 0, 1), (0, -1, 1)), "ear": ((0, 0, 2), (0, 0, 3))})
    armature.pose.bones["jaw"].rotation_mode = "XYZ"
    armature["mfn_profile"] = "bones"
    channels = [
        {"bone": "jaw", "path": "rotation_euler", "axis": 0, "terms": {"jawOpen": 30.0}},
        {"bone": "ear", "path": "location", "axis": 1, "terms": {"browInnerUp": 0.1}},
    ]
    armature["mfn_bones"] = json.dumps({"channels": channels})
    return armature


def face(actor: int = 0, yaw: float = 0.0, **weights: float) -> Face:
    """A face turned by `yaw` degrees to the actor's left, with some weights."""
    expression = np.zeros(52, np.float32)
    for name, weight in weights.items():
        expression[EXPRESSION_INDEX[name]] = weight
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    return Face(
        id=actor,
        score=0.9,
        box=np.array((100, 100, 200, 220), np.float32),
        rotation=np.array([(c, 0, s), (0, 1, 0), (-s, 0, c)], np.float32),
        translation=np.array((0, 0, -0.6), np.float32),
        identity=np.zeros(40, np.float32),
        expression=expression,
        landmarks=np.full((68, 2), 150, np.float32),
    )


def frame(number: int, *faces: Face, time: float | None = None) -> FaceFrame:
    moment = number / 30 if time is None else time
    return FaceFrame(moment, "clip.mp4", number, 640, 360, list(faces))


def value(mesh: str, key: str) -> float:
    return bpy.data.objects[mesh].data.shape_keys.key_blocks[key].value


def write_take(path: Path, times: np.ndarray, faces_at: Callable[[float], list[Face]]) -> Path:
    """A take with `faces_at(time)` at each time."""
    with TakeWriter(path) as writer:
        for number, moment in enumerate(times):
            writer.add(frame(number, *faces_at(float(moment)), time=float(moment)))
    return path
