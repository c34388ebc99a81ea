# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding objects again. Between two ticks Blender may undo, reload or delete, and a kept
reference to what it freed crashes (https://projects.blender.org/blender/blender/issues/77557),
so only names and session ids are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy

_Mesh = bpy.types.Mesh  # the type that never changes; to look it up takes longer than to ask it


@dataclass(frozen=True)
class ObjectRef:
    """An object by name, and by the session id that survives renaming."""

    name: str
    uid: int

    @classmethod
    def to(cls, obj: bpy.types.Object) -> ObjectRef:
        return cls(obj.name, obj.session_uid)

    def find(self) -> bpy.types.Object | None:
        """The object now, or None where it is gone."""
        obj = bpy.data.objects.get(self.name)
        if obj is not None and obj.session_uid == self.uid:
            return obj
        return next((each for each in bpy.data.objects if each.session_uid == self.uid), None)


def mesh_of(obj: bpy.types.Object) -> bpy.types.Mesh | None:
    """An object's mesh, or None where it is of another kind."""
    data = obj.data
    return data if isinstance(data, _Mesh) else None


def shape_keys_of(obj: bpy.types.Object | None) -> bpy.types.Key | None:
    """An object's shape keys, or None where it has none."""
    mesh = mesh_of(obj) if obj is not None else None
    return mesh.shape_keys if mesh is not None else None
