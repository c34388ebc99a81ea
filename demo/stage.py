# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""The baked characters on a stage: what `mfn bake` wrote, made ready to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import cv2
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from demo.quiet import quiet

BACKDROP = (0.052, 0.066, 0.078)  # linear RGB


@dataclass(frozen=True)
class Place:
    """Where a character stands in the picture.

    Attributes:
        name: the character's name.
        x: px of its middle.
    """

    name: str
    x: float


def open_stage(path: Path, width: int, height: int) -> list[Place]:
    """Open a baked .blend, light it for Workbench, frame it, save it, and say who stands where.

    Returns:
        The characters from left to right, which is the order in which they were baked.
    """
    with quiet():
        bpy.ops.wm.open_mainfile(filepath=str(path.resolve()))
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.compression = 0
    scene.view_settings.view_transform = "Standard"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "VERTEX"
    shading.show_cavity, shading.cavity_type = True, "SCREEN"
    shading.curvature_ridge_factor = shading.curvature_valley_factor = 0.5
    shading.show_specular_highlight = True
    shading.background_type = "WORLD"
    scene.display.render_aa = "5"
    scene.world = scene.world or bpy.data.worlds.new("Stage")
    scene.world.color = BACKDROP
    places = _frame(scene)
    bpy.context.preferences.filepaths.save_version = 0  # no .blend1 beside it
    with quiet():
        bpy.ops.wm.save_mainfile(compress=True)
    for obj in scene.objects:  # subdividing would take longer than drawing
        for modifier in obj.modifiers:
            if modifier.type == "SUBSURF":
                modifier.show_render = False
    return places


def render(number: int) -> np.ndarray:
    """Draw the stage at one scene frame; (H, W, 3) uint8 RGB."""
    scene = bpy.context.scene
    scene.frame_set(number)
    path = Path(bpy.app.tempdir) / "stage.png"
    scene.render.filepath = str(path)
    with quiet():
        bpy.ops.render.render(write_still=True)
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def _frame(scene: bpy.types.Scene) -> list[Place]:
    """Bring the characters close together and point the camera at their heads.

    Necks stand at one height; the frame's lower edge hides where the shortest bust ends.
    """
    groups = [group for group in scene.collection.children if group.all_objects]
    groups.sort(key=lambda group: _head(group).low.x)
    heads = [_head(group) for group in groups]
    gap = 0.3 * sum(head.width for head in heads) / len(heads)
    wide = sum(head.width + gap for head in heads)
    x = -wide / 2
    for group, head in zip(groups, heads, strict=True):
        move = Vector((x + (head.width + gap) / 2 - (head.low.x + head.high.x) / 2, 0, -head.neck))
        for root in [obj for obj in group.all_objects if obj.parent is None]:
            root.location += move
        x += head.width + gap
    scene.view_layers[0].update()
    heads = [_head(group) for group in groups]
    aspect = scene.render.resolution_x / scene.render.resolution_y
    top = max(head.high.z for head in heads)
    bottom = max(head.foot for head in heads) + 0.02
    wide = max(wide, (top - bottom) * 1.04 * aspect)
    lens, sensor = 70.0, 36.0
    camera = scene.camera
    camera.data.lens, camera.data.sensor_width = lens, sensor
    front = min(head.low.y for head in heads)
    camera.location = (0.0, front - wide * lens / sensor, bottom + wide / aspect / 2)
    scene.view_layers[0].update()
    width = scene.render.resolution_x
    return [
        Place(_name(group), world_to_camera_view(scene, camera, head.middle).x * width)  # pyright: ignore[reportArgumentType]
        for group, head in zip(groups, heads, strict=True)
    ]


@dataclass(frozen=True)
class _Head:
    """A character's head in the world, metres.

    Attributes:
        low, high: the corners of the box around it.
        neck: the height at which it begins.
        foot: the height at which the character ends below.
    """

    low: Vector
    high: Vector
    neck: float
    foot: float

    @property
    def width(self) -> float:
        return self.high.x - self.low.x

    @property
    def middle(self) -> Vector:
        return (self.low + self.high) / 2


def _head(group: bpy.types.Collection) -> _Head:
    """What is above a character's head bone; without one, all of it."""
    meshes = [obj for obj in group.all_objects if obj.type == "MESH"]
    points = np.concatenate([_world_points(obj) for obj in meshes])
    foot = float(points[:, 2].min())
    rigs = [obj for obj in group.all_objects if obj.type == "ARMATURE"]
    bones = [(rig, rig.data.bones.get("head")) for rig in rigs]
    heights = [(rig.matrix_world @ bone.head_local).z for rig, bone in bones if bone]
    neck = heights[0] if heights else foot
    points = points[points[:, 2] >= neck]
    return _Head(Vector(points.min(0)), Vector(points.max(0)), neck, foot)


def _name(group: bpy.types.Collection) -> str:
    """The character's own name, or else its file's."""
    rigs = [obj for obj in group.all_objects if obj.type == "ARMATURE"]
    return rigs[0].name if rigs else group.name


def _world_points(obj: bpy.types.Object) -> np.ndarray:
    flat = np.empty(len(obj.data.vertices) * 3, np.float32)
    obj.data.vertices.foreach_get("co", flat)
    matrix = np.array(obj.matrix_world)
    return flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
