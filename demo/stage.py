# SPDX-License-Identifier: GPL-3.0-or-later
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
    scene.display.render_aa = "8"
    scene.world = scene.world or bpy.data.worlds.new("Stage")
    scene.world.color = BACKDROP
    places = _frame(scene)
    bpy.context.preferences.filepaths.save_version = 0  # no .blend1 beside it
    with quiet():
        bpy.ops.wm.save_mainfile(compress=True)
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
    """Bring the characters close together and point the camera at their heads."""
    groups = [group for group in scene.collection.children if group.all_objects]
    boxes = [_head_box(group) for group in groups]
    order = sorted(range(len(groups)), key=lambda k: boxes[k][0].x)
    widest = max(high.x - low.x for low, high in boxes)
    tallest = max(high.z - low.z for low, high in boxes)
    middle = sum((boxes[k][0].z + boxes[k][1].z) / 2 for k in order) / len(order)
    step = max(widest, 0.8 * tallest) * 1.25
    front = min(low.y for low, _ in boxes)
    for place, k in enumerate(order):
        low, high = boxes[k]
        goal = (place - (len(order) - 1) / 2) * step
        for root in [obj for obj in groups[k].all_objects if obj.parent is None]:
            root.location.x += goal - (low.x + high.x) / 2
            root.location.z += middle - (low.z + high.z) / 2
    camera = scene.camera
    aspect = scene.render.resolution_x / scene.render.resolution_y
    wide = max(step * len(order), tallest * 1.55 * aspect)
    camera.data.lens, camera.data.sensor_width = 70.0, 36.0
    distance = wide * camera.data.lens / camera.data.sensor_width
    camera.location = (0.0, front - distance, middle - 0.05 * wide / aspect)
    scene.view_layers[0].update()
    width = scene.render.resolution_x
    return [
        Place(
            _name(groups[k]),
            world_to_camera_view(scene, camera, _middle(_head_box(groups[k]))).x * width,
        )
        for k in order
    ]


def _name(group: bpy.types.Collection) -> str:
    """The character's own name, or else its file's."""
    rigs = [obj for obj in group.all_objects if obj.type == "ARMATURE"]
    return rigs[0].name if rigs else group.name


def _head_box(group: bpy.types.Collection) -> tuple[Vector, Vector]:
    """The corners, in the world, of what is above a character's neck; of all of it without one."""
    meshes = [obj for obj in group.all_objects if obj.type == "MESH"]
    points = np.concatenate([_world_points(obj) for obj in meshes])
    rigs = [obj for obj in group.all_objects if obj.type == "ARMATURE"]
    heads = [
        rig.matrix_world @ b.head_local for rig in rigs for b in rig.data.bones if b.name == "head"
    ]
    if heads:
        points = points[points[:, 2] > heads[0].z]
    return Vector(points.min(0)), Vector(points.max(0))


def _world_points(obj: bpy.types.Object) -> np.ndarray:
    flat = np.empty(len(obj.data.vertices) * 3, np.float32)
    obj.data.vertices.foreach_get("co", flat)
    matrix = np.array(obj.matrix_world)
    return flat.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def _middle(box: tuple[Vector, Vector]) -> Vector:
    return (box[0] + box[1]) / 2
