# SPDX-License-Identifier: GPL-3.0-or-later
"""What a character object offers, in plain names and numbers for `retarget.make_plan`."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from ..retarget import BoneRest, Channel, Character, RigError, read_channels
from .lookup import mesh_of, shape_keys_of
from .place import own_delta

PROFILE_PROPERTY = "mfn_profile"
CHANNELS_PROPERTY = "mfn_bones"
_MOVED = 1e-4  # of the mesh's size: what counts as moved by a shape key


def armature_of(obj: bpy.types.Object) -> bpy.types.Object | None:
    """The armature that moves an object, or the object itself if it is one."""
    if obj.type == "ARMATURE":
        return obj
    for modifier in obj.modifiers:
        if isinstance(modifier, bpy.types.ArmatureModifier) and modifier.object is not None:
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

    Shape keys that are linked from another file cannot be written and are left out.

    Raises:
        RigError: its bone channels are malformed, or all of it is linked.
    """
    armature = armature_of(obj)
    root = armature or obj
    if not root.is_editable:
        raise RigError(
            "{character!r} is linked from another file: make a library override of it first",
            character=root.name,
        )
    meshes = {mesh.name: mesh for mesh in meshes_of(obj)}
    return Character(
        name=root.name,
        meshes={
            name: _shape_names(keys)
            for name, mesh in meshes.items()
            if (keys := shape_keys_of(mesh)) and keys.is_editable
        },
        bones=_bones(armature) if armature is not None else {},
        profile=str(root.get(PROFILE_PROPERTY, "")),
        channels=_channels(root),
        up=_up(armature) if armature is not None else "Z",
        stance=np.array(root.matrix_basis.to_3x3()),
        delta=own_delta(root),
        moves=_Moved(meshes),
    )


def _shape_names(keys: bpy.types.Key) -> tuple[str, ...]:
    return tuple(block.name for block in keys.key_blocks if block != keys.reference_key)


def _bones(armature: bpy.types.Object) -> dict[str, BoneRest]:
    if armature.pose is None:
        return {}
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


def axes_of(obj: bpy.types.Object) -> np.ndarray:
    """(3, 3) an object's own axes, scaled, as columns in the world.

    Blender works out no world matrix for what lies in an excluded or hidden collection since the
    file was opened, and leaves it at the identity: then it is put together of the object's own
    transform and its parents'.
    """
    axes = np.array(obj.matrix_world.to_3x3())
    if not np.array_equal(axes, np.eye(3)):
        return axes
    own = np.array(obj.matrix_basis.to_3x3())
    if obj.parent is None:
        return own
    return axes_of(obj.parent) @ np.array(obj.matrix_parent_inverse.to_3x3()) @ own


def _up(armature: bpy.types.Object) -> str:
    """Which of the armature's own axes points up in the world: FBX files come in with Y up."""
    axes = axes_of(armature)
    up = axes[2] / np.linalg.norm(axes, axis=0)
    return "Y" if up[1] > 0.9 else "Z"


class _Moved:
    """Answers `retarget.Character.moves` about the character's meshes.

    Each shape key's moved vertices and each vertex's carrier are found out once: every eye is
    asked about under every shape key of the gaze. Lives no longer than the binding is made.
    """

    def __init__(self, meshes: Mapping[str, bpy.types.Object]) -> None:
        self._meshes = meshes
        self._moved: dict[tuple[str, str], list[int]] = {}
        self._rest: dict[tuple[str, str], np.ndarray] = {}
        self._carriers: dict[tuple[str, int], int] = {}

    def __call__(self, mesh: str, key: str, bone: str) -> bool:
        obj = self._meshes[mesh]
        data, keys = mesh_of(obj), shape_keys_of(obj)
        group = obj.vertex_groups.get(bone)
        if data is None or keys is None or (group is None and obj.parent_bone != bone):
            return False
        moved = self._vertices(mesh, keys.key_blocks[key])
        if group is None:
            return len(moved) > 0
        # A shape key moves few of a mesh's vertices: only these are asked who carries them.
        return any(self._carrier(mesh, data, vertex) == group.index for vertex in moved)

    def _vertices(self, mesh: str, block: bpy.types.ShapeKey) -> list[int]:
        """The numbers of the vertices that a shape key moves."""
        found = self._moved.get((mesh, block.name))
        if found is None:
            basis = block.relative_key
            rest = self._rest.get((mesh, basis.name))
            if rest is None:
                rest = self._rest[mesh, basis.name] = _points(basis)
            far = np.abs(_points(block) - rest).max(axis=1) > _MOVED * np.ptp(rest, axis=0).max()
            found = self._moved[mesh, block.name] = np.flatnonzero(far).tolist()
        return found

    def _carrier(self, mesh: str, data: bpy.types.Mesh, vertex: int) -> int:
        """The group with more than half of a vertex's weight, -1 for none."""
        found = self._carriers.get((mesh, vertex))
        if found is None:
            groups = data.vertices[vertex].groups
            found = next((each.group for each in groups if each.weight > 0.5), -1)
            self._carriers[mesh, vertex] = found
        return found


def _points(block: bpy.types.ShapeKey) -> np.ndarray:
    points = np.empty(3 * len(block.data), np.float32)
    block.data.foreach_get("co", points)
    return points.reshape(-1, 3)
