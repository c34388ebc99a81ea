# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera on the face, three lights and a plain backdrop colour, in each file."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Vector


def set_stage(face: np.ndarray, width: float, backdrop: tuple[float, float, float]) -> None:
    """Camera, lights and world around the face.

    Args:
        face: (3,) the point that the camera looks at, metres.
        width: how many metres the picture is wide at the face.
        backdrop: linear RGB behind the character.
    """
    scene = bpy.context.scene
    stage = bpy.data.collections.new("Stage")
    scene.collection.children.link(stage)
    camera = bpy.data.cameras.new("Camera")
    camera.lens, camera.sensor_width = 85.0, 36.0
    eye = bpy.data.objects.new("Camera", camera)
    distance = width * camera.lens / camera.sensor_width
    eye.location = Vector(face) + Vector((0, -distance, 0.02))
    _look(eye, face)
    stage.objects.link(eye)
    scene.camera = eye
    for name, place, power, size, colour in (
        ("Key", (-0.8, -1.2, 0.7), 22.0, 0.6, (1.0, 0.94, 0.88)),
        ("Fill", (1.1, -0.9, 0.1), 8.0, 0.9, (0.85, 0.92, 1.0)),
        ("Rim", (0.5, 1.0, 0.9), 24.0, 0.5, (1.0, 1.0, 1.0)),
    ):
        lamp = bpy.data.lights.new(name, "AREA")
        lamp.energy, lamp.size, lamp.color = power, size, colour
        made = bpy.data.objects.new(name, lamp)
        made.location = Vector(face) + Vector(place)
        _look(made, face)
        stage.objects.link(made)
    world = bpy.data.worlds.new("World")
    world.color = backdrop
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (*backdrop, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.7
    scene.world = world
    scene.render.resolution_x = scene.render.resolution_y = 640
    scene.render.fps = 30
    scene.view_settings.view_transform = "Standard"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "VERTEX"
    shading.studio_light = "paint.sl"  # of Blender's own lights the kindest to skin
    shading.background_type = "WORLD"
    shading.show_cavity, shading.cavity_type = True, "SCREEN"
    shading.curvature_ridge_factor = shading.curvature_valley_factor = 0.6
    shading.show_specular_highlight = True
    scene.display.render_aa = "5"


def _look(made: bpy.types.Object, goal: np.ndarray) -> None:
    direction = Vector(goal) - made.location
    made.rotation_euler = direction.to_track_quat("-Z", "Y").to_euler()
    made.rotation_euler.z %= 2 * math.pi
