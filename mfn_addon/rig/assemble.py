# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters from .blend files: found, appended side by side, and looked at by a camera."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ..capture.errors import InputError
from ..retarget import RigError
from ..retarget.skeleton import match_roles
from ..texts import Text
from .describe import CHANNELS_PROPERTY, PROFILE_PROPERTY, armature_of, describe, meshes_of
from .lookup import mesh_of

_LEFT_OUT = ("CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER")
_GAP = 0.06  # metres between neighbours


def append_character(path: str | Path, scene: bpy.types.Scene) -> bpy.types.Object:
    """Append the character of a .blend file to a scene, in a collection named after the file.

    Returns:
        The character's armature, or its mesh where it has none.

    Raises:
        InputError: the file is absent or no .blend file that this Blender can read.
        RigError: it holds nothing that a face can drive.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(Text("{path}: there is no such rig file", path=path))
    try:
        library: Any = bpy.data.libraries.load(str(path.resolve()), link=False)
        with library as (source, target):
            target.objects = list(source.objects)
    except OSError as error:
        raise InputError(
            Text(
                "{path}: not a .blend file that Blender can read ({error})", path=path, error=error
            )
        ) from error

    objects = [obj for obj in target.objects if obj is not None]
    kept = [obj for obj in objects if obj.type not in _LEFT_OUT]
    for obj in objects:
        if obj.type in _LEFT_OUT:
            bpy.data.objects.remove(obj)
    character = _character_among(kept, path)
    collection = bpy.data.collections.new(path.stem)
    scene.collection.children.link(collection)
    for obj in kept:
        collection.objects.link(obj)
    _read_channels_beside(path, character)
    return character


def _character_among(objects: Iterable[bpy.types.Object], path: Path) -> bpy.types.Object:
    """The object that says it is a character, or else the one with most to drive."""
    objects = list(objects)
    for obj in objects:
        if obj.get(PROFILE_PROPERTY):
            return obj
    roots = {armature_of(obj) or obj for obj in objects if obj.type in ("ARMATURE", "MESH")}
    if not roots:
        raise RigError("{path}: the file holds no armature and no mesh to drive", path=path)

    def wealth(obj: bpy.types.Object) -> tuple[int, int]:
        character = describe(obj)
        return sum(len(keys) for keys in character.meshes.values()), len(character.bones)

    return max(sorted(roots, key=lambda obj: obj.name), key=wealth)


def _read_channels_beside(path: Path, character: bpy.types.Object) -> None:
    """Bone channels may lie beside the rig as `<rig>.bones.json`."""
    beside = path.with_suffix(".bones.json")
    if beside.is_file() and not character.get(CHANNELS_PROPERTY):
        character[CHANNELS_PROPERTY] = json.dumps(json.loads(beside.read_text("utf-8")))


def place_side_by_side(characters: list[bpy.types.Object], scene: bpy.types.Scene) -> None:
    """Line characters up along X, the first at the picture's left, heads at one height."""
    scene.view_layers[0].update()
    bounds = [_bounds(character) for character in characters]
    tallest = max((high.z for _, high in bounds), default=0.0)
    x = 0.0
    for character, (low, high) in zip(characters, bounds, strict=True):
        for root in _roots(character):
            root.location.x += x - low.x
            root.location.z += tallest - high.z
        x += high.x - low.x + _GAP
    scene.view_layers[0].update()


def add_camera(characters: list[bpy.types.Object], scene: bpy.types.Scene) -> bpy.types.Object:
    """A camera that sees all the characters' heads and the shoulders between, and a soft light."""
    scene.view_layers[0].update()
    heads = [_bounds(character, above=_neck(character)) for character in characters]
    tall = max(high.z - low.z for low, high in heads)
    low = Vector([min(head[0][i] for head in heads) for i in range(3)])
    high = Vector([max(head[1][i] for head in heads) for i in range(3)])
    low.z, high.z = high.z - 1.45 * tall, high.z + 0.12 * tall
    low.x, high.x = low.x - 0.35 * tall, high.x + 0.35 * tall
    data = bpy.data.cameras.new("Camera")
    data.lens = 70.0
    camera = bpy.data.objects.new("Camera", data)
    aspect = scene.render.resolution_x / scene.render.resolution_y
    half_width = max((high.x - low.x) / 2, (high.z - low.z) / 2 * aspect)
    distance = half_width / (data.sensor_width / 2 / data.lens)
    camera.location = ((low.x + high.x) / 2, low.y - distance, (low.z + high.z) / 2)
    camera.rotation_euler = (1.5707963, 0.0, 0.0)
    data.clip_end = max(100.0, 4 * distance)
    scene.collection.objects.link(camera)
    scene.camera = camera

    light: Any = bpy.data.lights.new("Sun", "SUN")
    light.energy, light.angle = 3.0, 0.5
    sun = bpy.data.objects.new("Sun", light)
    sun.rotation_euler = (0.9, 0.2, 0.6)
    scene.collection.objects.link(sun)
    return camera


def _roots(character: bpy.types.Object) -> set[bpy.types.Object]:
    roots = set()
    for obj in (character, *meshes_of(character)):
        while obj.parent is not None:
            obj = obj.parent
        roots.add(obj)
    return roots


def _neck(character: bpy.types.Object) -> float:
    """How high the head begins, in the world; minus infinity for a character without a neck."""
    if character.type != "ARMATURE" or character.pose is None:
        return -np.inf
    roles = match_roles(character.pose.bones.keys()).all
    bone = roles.get("neck") or roles.get("head")
    if bone is None:
        return -np.inf
    return (character.matrix_world @ character.pose.bones[bone].head).z


def _bounds(character: bpy.types.Object, above: float = -np.inf) -> tuple[Vector, Vector]:
    """The corners of the box around a character's vertices above a height, in the world."""
    places = [character.matrix_world.translation]
    for obj in meshes_of(character):
        mesh = mesh_of(obj)
        if mesh is not None:
            points = np.empty(3 * len(mesh.vertices), np.float32)
            mesh.vertices.foreach_get("co", points)
            matrix = np.array(obj.matrix_world)
            world = points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]
            world = world[world[:, 2] > above]
            if len(world):
                places += [world.min(axis=0), world.max(axis=0)]
    corners = np.array(places[1:] or places)
    return Vector(corners.min(axis=0)), Vector(corners.max(axis=0))
