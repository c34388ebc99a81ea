# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays into Blender: mesh objects with shape keys and weights, armatures, collections."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from .arrays import Mesh

RIG_VERSION = 1
COLOUR_LAYER = "Colour"


def empty_scene() -> None:
    """Start from nothing, not from the start-up file's cube."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.unit_settings.system = "METRIC"


def collection(name: str) -> bpy.types.Collection:
    """The character's own collection, linked to the scene."""
    made = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(made)
    return made


def mesh_object(
    name: str,
    mesh: Mesh,
    materials: list[bpy.types.Material],
    group: bpy.types.Collection,
    rig: bpy.types.Object | None = None,
    smooth: bool = True,
) -> bpy.types.Object:
    """A mesh object of `mesh`, parented to the rig by an armature modifier when it has weights."""
    data = bpy.data.meshes.new(name)
    faces = [[int(v) for v in f] for f in mesh.faces]
    faces = [f[:3] if len(f) == 4 and f[2] == f[3] else f for f in faces]
    data.from_pydata(mesh.vertices.tolist(), [], faces)
    for material in materials:
        data.materials.append(material)
    if mesh.material is not None:
        data.polygons.foreach_set("material_index", mesh.material.astype(np.int32))
    data.polygons.foreach_set("use_smooth", np.full(len(faces), smooth))
    if mesh.uv is not None:
        corners = [uv[: len(f)] for f, uv in zip(faces, mesh.uv, strict=True)]
        data.uv_layers.new(name="UVMap").data.foreach_set("uv", np.concatenate(corners).ravel())
    if mesh.colours is not None:
        flat, domain = mesh.colours, "POINT"
        if flat.ndim == 3:
            flat, domain = (
                np.concatenate([c[: len(f)] for f, c in zip(faces, flat, strict=True)]),
                "CORNER",
            )
        layer = data.color_attributes.new(COLOUR_LAYER, "BYTE_COLOR", domain)
        rgba = np.concatenate([flat, np.ones((len(flat), 1))], 1)
        layer.data.foreach_set("color", np.clip(rgba, 0, 1).astype(np.float32).ravel())
    data.vertices.foreach_set("co", _coordinates(mesh.vertices))
    data.update()
    made = bpy.data.objects.new(name, data)
    group.objects.link(made)
    _add_shapes(made, mesh)
    for bone, weight in mesh.weights.items():
        vertex_group = made.vertex_groups.new(name=bone)
        for level in np.unique(np.round(weight[weight > 1e-3], 3)):
            at = np.flatnonzero(np.round(weight, 3) == level)
            vertex_group.add(at.tolist(), float(level), "REPLACE")
    if rig is not None:
        made.parent = rig
        if mesh.weights:
            modifier = made.modifiers.new("Armature", "ARMATURE")
            modifier.object = rig
    return made


def _add_shapes(made: bpy.types.Object, mesh: Mesh) -> None:
    if not mesh.shapes:
        return
    made.shape_key_add(name="Basis", from_mix=False)
    for name, offset in mesh.shapes.items():
        key = made.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", _coordinates(mesh.vertices + offset))
        key.value = 0.0  # Blender 5 would start it at 1
        key.slider_min, key.slider_max = 0.0, 1.0
    made.data.shape_keys.name = made.name


def _coordinates(points: np.ndarray) -> np.ndarray:
    """Flat float32, rounded to 1/2**17 m (8 micrometres): the file compresses to half."""
    return (np.round(points * 2.0**17) / 2.0**17).astype(np.float32).ravel()


def soften(made: bpy.types.Object, view: int = 0, render: int = 1) -> None:
    """Subdivide for renders; the viewport stays light so that live capture keeps its pace."""
    modifier = made.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.render_levels = view, render


@dataclass(frozen=True)
class Bone:
    """A control bone. All stand upright, so each bone's axes are the head's: x the character's
    left, y up, z out of the face; a head rotation can be given to the bone as it is.

    Attributes:
        at: (3,) where it turns, metres.
        parent: another bone's name, or None.
        length: metres, for the eye only.
        deform: whether meshes follow it.
    """

    at: np.ndarray
    parent: str | None
    length: float = 0.05
    deform: bool = True


def armature(
    name: str,
    bones: dict[str, Bone],
    group: bpy.types.Collection,
    properties: dict[str, object],
) -> bpy.types.Object:
    """An armature object with upright bones in Euler XYZ and the properties that the add-on
    reads: `mfn_profile`, `mfn_rig_version` and what else `properties` holds."""
    data = bpy.data.armatures.new(name)
    made = bpy.data.objects.new(name, data)
    group.objects.link(made)
    bpy.context.view_layer.objects.active = made
    bpy.ops.object.mode_set(mode="EDIT")
    for bone_name, bone in bones.items():
        edit = data.edit_bones.new(bone_name)
        edit.head = bone.at
        edit.tail = np.asarray(bone.at) + (0, 0, bone.length)
        edit.roll = 0.0
        edit.use_deform = bone.deform
        if bone.parent:
            edit.parent = data.edit_bones[bone.parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    for pose in made.pose.bones:
        pose.rotation_mode = "XYZ"
    data.display_type = "STICK"
    made.show_in_front = True
    made["mfn_rig_version"] = RIG_VERSION
    for key, value in properties.items():
        made[key] = value
    return made


def save(path: str) -> None:
    """Write the file compressed, with nothing that no object uses."""
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    bpy.context.preferences.filepaths.save_version = 0  # no .blend1 beside it
    bpy.ops.wm.save_as_mainfile(filepath=path, compress=True)
