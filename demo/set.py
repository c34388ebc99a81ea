# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""The room that the demo's people sit in: a wall, shelves with books, a window's light, a camera.

The camera stands at the origin and looks along +y; the people are about a metre away, the wall
three. What is behind them is out of focus.
"""

from __future__ import annotations

import math

import bpy
import numpy as np

from sample_rigs.builder.materials import linear, material

WALL = 2.9  # metres from the camera
FOCUS = 1.05
BOOKS = ("#7d3b34", "#c28f4e", "#33556b", "#5b6d4f", "#d8c9a8", "#8a5a6b", "#3d3d4d", "#a8743f")


def build_set(scene: bpy.types.Scene, lens: float) -> list[bpy.types.Object]:
    """Build the room, its lights and the camera into the scene; other cameras and suns go.

    Returns:
        The room's objects, without lights and camera.
    """
    for obj in [o for o in scene.objects if o.type in ("CAMERA", "LIGHT")]:
        bpy.data.objects.remove(obj)
    others = set(scene.objects)
    random = np.random.default_rng(4)
    _box(scene, "Wall", (0, WALL + 0.05, 0), (6, 0.1, 4), material("Wall", "#8fa3a0", 0.9))
    wood = material("Shelf", "#6f4e37", 0.6)
    books = [material(f"Book {k}", colour, 0.7) for k, colour in enumerate(BOOKS)]
    for height in (-0.42, 0.02, 0.46):
        _box(scene, "Board", (0.55, WALL - 0.15, height), (1.6, 0.3, 0.03), wood)
        _fill_shelf(scene, height + 0.015, books, random)
    _box(scene, "Frame", (-0.85, WALL - 0.02, 0.28), (0.62, 0.04, 0.46), wood)
    picture = material("Picture", "#d9b26a", 0.8)
    _box(scene, "Picture", (-0.85, WALL - 0.05, 0.28), (0.54, 0.02, 0.38), picture)

    room = [obj for obj in scene.objects if obj not in others]

    _lamp(scene, "Window", (-1.5, 0.1, 0.9), (0, 1.1, -0.05), 26.0, 0.9, (1.0, 0.96, 0.9))
    _lamp(scene, "Fill", (1.4, 0.0, 0.2), (0, 1.1, 0), 11.0, 1.0, (0.8, 0.9, 1.0))
    _lamp(scene, "Rim", (0.7, 2.2, 1.2), (0, 1.0, 0.1), 18.0, 0.5, (1.0, 0.9, 0.78))
    _lamp(scene, "Wall light", (0.4, 1.9, 1.5), (0.2, WALL, 0.1), 22.0, 0.6, (1.0, 0.88, 0.7))
    world = bpy.data.worlds.new("Room")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (*linear("#9aa7b0"), 1)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.25
    scene.world = world

    data = bpy.data.cameras.new("Camera")
    data.lens, data.sensor_width = lens, 36.0
    data.dof.use_dof, data.dof.focus_distance, data.dof.aperture_fstop = True, FOCUS, 2.2
    camera = bpy.data.objects.new("Camera", data)
    camera.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return room


def _fill_shelf(
    scene: bpy.types.Scene,
    height: float,
    books: list[bpy.types.Material],
    random: np.random.Generator,
) -> None:
    x = -0.2
    while x < 1.25:
        thick, tall = random.uniform(0.025, 0.06), random.uniform(0.2, 0.34)
        if random.random() > 0.12:  # else a gap
            place = (x + thick / 2, WALL - 0.16, height + tall / 2)
            _box(scene, "Book", place, (thick, 0.2, tall), books[random.integers(len(books))])
        x += thick + 0.003


def _box(
    scene: bpy.types.Scene, name: str, place: tuple, size: tuple, look: bpy.types.Material
) -> None:
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata((np.array(corners) * size + place).tolist(), [], sides)
    mesh.materials.append(look)
    scene.collection.objects.link(bpy.data.objects.new(name, mesh))


def _lamp(
    scene: bpy.types.Scene,
    name: str,
    place: tuple,
    goal: tuple,
    power: float,
    size: float,
    colour: tuple,
) -> None:
    lamp = bpy.data.lights.new(name, "AREA")
    lamp.energy, lamp.size, lamp.color = power, size, colour
    made = bpy.data.objects.new(name, lamp)
    made.location = place
    way = made.location.copy()
    way.xyz = np.subtract(goal, place)
    made.rotation_euler = way.to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(made)
