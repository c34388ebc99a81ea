# SPDX-License-Identifier: GPL-3.0-or-later
"""What a character object offers, in plain names and numbers for `retarget.make_plan`."""

from __future__ import annotations

from functools import lru_cache

import bpy
import numpy as np

from ..retarget import BoneRest, Channel, Character, RigError, read_channels

PROFILE_PROPERTY = "mfn_profile"
CHANNELS_PROPERTY = "mfn_bones"
_MOVED = 1e-4  # of the mesh's size: what counts as moved by a shape key


def armature_of(obj: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that moves an object, or the object itself if it is one."""
    if obj.type == "ARMATURE":
        return obj
    for modifier in obj.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None:
            return modifier.object
    parent = obj.parent
    while parent is not None:
        if parent.type == "ARMATURE":
            return parent
        parent = parent.parent
    return None


def meshes_of(obj: bpy.types.Object) -> list[bpy.types.Object]:
    """The meshes of the character that an object belongs to, by name."""
    armature = armature_of(obj)
    if armature is None:
        family = [obj, *obj.children_recursive]
    else:
        family = [each for each in bpy.data.objects if armature_of(each) == armature]
    return sorted((o for o in family if o.type == "MESH"), key=lambda o: o.name)


def describe(obj: bpy.types.Object) -> Character:
    """The character of an armature or of any of its meshes.

    Raises:
        RigError: its bone channels are malformed.
    """
    armature = armature_of(obj)
    root = armature or obj
    meshes = {mesh.name: mesh for mesh in meshes_of(obj) if mesh.data.shape_keys is not None}
    return Character(
        name=root.name,
        meshes={name: _shape_names(mesh) for name, mesh in meshes.items()},
        bones=_bones(armature) if armature is not None else {},
        profile=str(root.get(PROFILE_PROPERTY, "")),
        channels=_channels(root),
        up=_up(armature) if armature is not None else "Z",
        moves=_mover(meshes, root.name),
    )


def _shape_names(mesh: bpy.types.Object) -> tuple[str, ...]:
    keys = mesh.data.shape_keys
    basis = keys.reference_key.name
    return tuple(name for name in keys.key_blocks.keys() if name != basis)


def _bones(armature: bpy.types.Object) -> dict[str, BoneRest]:
    return {
        pose_bone.name: BoneRest(
            name=pose_bone.name,
            axes=np.array(pose_bone.bone.matrix_local.to_3x3()),
            head=np.array(pose_bone.bone.head_local),
            rotation_mode=pose_bone.rotation_mode,
            inherits_rotation=pose_bone.bone.use_inherit_rotation,
        )
        for pose_bone in armature.pose.bones
    }


def _channels(root: bpy.types.Object) -> tuple[Channel, ...]:
    text = root.get(CHANNELS_PROPERTY)
    if not text:
        return ()
    try:
        return read_channels(str(text))
    except ValueError as error:
        raise RigError(f"{root.name!r}: {error}") from error


def _up(armature: bpy.types.Object) -> str:
    """Which of the armature's own axes points up in the world: FBX files come in with Y up."""
    world_up = armature.matrix_world.to_3x3().normalized().inverted().col[2]
    return "Y" if world_up.y > 0.9 else "Z"


class _mover:  # noqa: N801, a function with a memory
    """moves(mesh, shape key, bone): see `retarget.Character`."""

    def __init__(self, meshes: dict[str, bpy.types.Object], name: str) -> None:
        self.meshes = meshes
        self.vertices = lru_cache(maxsize=None)(self._vertices)

    def __call__(self, mesh: str, key: str, bone: str) -> bool:
        vertices = self.vertices(mesh, bone)
        if not len(vertices):
            return False
        blocks = self.meshes[mesh].data.shape_keys.key_blocks
        block = blocks[key]
        moved = _points(block) - _points(block.relative_key)
        size = max(self.meshes[mesh].dimensions)
        return bool(np.abs(moved[vertices]).max() > _MOVED * size)

    def _vertices(self, mesh: str, bone: str) -> np.ndarray:
        """The vertices that a bone mostly carries."""
        obj = self.meshes[mesh]
        if obj.parent_type == "BONE" and obj.parent_bone == bone:
            return np.arange(len(obj.data.vertices))
        group = obj.vertex_groups.get(bone)
        if group is None:
            return np.empty(0, int)
        index = group.index
        return np.array(
            [
                vertex.index
                for vertex in obj.data.vertices
                if any(g.group == index and g.weight > 0.5 for g in vertex.groups)
            ],
            int,
        )


def _points(block: bpy.types.ShapeKey) -> np.ndarray:
    points = np.empty(3 * len(block.data), np.float32)
    block.data.foreach_get("co", points)
    return points.reshape(-1, 3)
