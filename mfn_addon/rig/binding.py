# SPDX-License-Identifier: GPL-3.0-or-later
"""A character bound to a face: matched once, written every tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..face import Face
from ..retarget import BoneTrack, Options, Plan, Pose, Report, Rest, make_plan
from ..retarget.smoothing import WeightFilter
from ..texts import Text
from .describe import armature_of, describe, meshes_of
from .lookup import ObjectRef, mesh_of, shape_keys_of
from .place import hold, own_delta, release
from .profiles import known_profiles

_LENGTHS = {
    "location": 3,
    "delta_location": 3,
    "rotation_euler": 3,
    "rotation_quaternion": 4,
    "rotation_axis_angle": 4,
    "scale": 3,
}
"""How many numbers each property has that a track may drive."""


class BindingLostError(LookupError):
    """The character was deleted, or its shape keys or bones changed: bind it again."""


@dataclass(frozen=True)
class _MeshTarget:
    """The driven shape keys of one mesh: `slots` are their places among all its key blocks."""

    ref: ObjectRef
    names: list[str]
    slots: np.ndarray


@dataclass(frozen=True)
class _Place:
    """A track that moves with the head's place.

    Attributes:
        values: (3,) of it before anything moved it.
        own: (3,) the delta location that is the animator's, where the object moves.
    """

    track: BoneTrack
    values: np.ndarray
    own: np.ndarray


@dataclass(frozen=True)
class Binding:
    """How faces are written to one character. Holds names and numbers, nothing of Blender's.

    Attributes:
        ref: the character's armature, or its mesh where it has none.
        plan: what is driven by what; `plan.report` tells it to people.
        rest: where the actor's head rests.
        lowpass: the responses' extra smoothing, where there is any.
        place: where what moves with the head's place was when it was bound, if anything does.
    """

    ref: ObjectRef
    plan: Plan
    meshes: tuple[_MeshTarget, ...]
    rest: Rest
    lowpass: WeightFilter | None = None
    place: _Place | None = None

    @property
    def report(self) -> Report:
        return self.plan.report

    def apply(self, face: Face, time: float = 0.0) -> None:
        """Let the character do what the face does.

        Args:
            time: seconds of the source's clock, for the responses' smoothing.

        Raises:
            BindingLostError: the character is gone or was changed.
        """
        expression = self.lowpass(face.expression, time) if self.lowpass else face.expression
        offset = self.rest.offset(face.translation) if self.plan.options.moves else None
        self.write(self.plan.solve(expression, face.rotation, offset))

    def write(self, pose: Pose) -> None:
        """Write one solved frame. Raises BindingLostError as `apply` does."""
        for target, values in zip(self.meshes, pose.shapes, strict=True):
            _write_shapes(target, values)
        if self.place is not None:
            hold(self.ref.uid, self.place.own)
        if self.plan.bones:
            root = self.ref.find()
            if root is None:
                raise BindingLostError(Text("the character {name!r} is gone", name=self.ref.name))
            posed = _posed(root)
            for track, values in zip(self.plan.bones, pose.bones, strict=True):
                owner = posed.get(track.bone) if track.bone else root
                if owner is None:
                    raise BindingLostError(
                        Text(
                            "the bone {bone!r} of {character!r} is gone",
                            bone=track.bone,
                            character=root.name,
                        )
                    )
                _write_track(owner, track, values)

    def put_back(self) -> np.ndarray | None:
        """Bring what moved with the head's place back to where it was; faces stay as they are.

        Returns:
            (3,) where it has moved to, for `move_to`; None where nothing moves, or it is gone.
        """
        release(self.ref.uid)
        owner = self._moving()
        if owner is None or self.place is None:
            return None
        moved = np.array(getattr(owner, self.place.track.path))
        _write_track(owner, self.place.track, self.place.values)
        return moved

    def move_to(self, values: np.ndarray) -> None:
        """Undo a `put_back`, which has returned these values."""
        owner = self._moving()
        if owner is not None and self.place is not None:
            hold(self.ref.uid, self.place.own)
            _write_track(owner, self.place.track, values)

    def _moving(self) -> bpy.types.Object | bpy.types.PoseBone | None:
        """What moves with the head's place; None where nothing does, or it is gone."""
        root = self.ref.find()
        return _owner_of(self.place.track, root) if self.place and root is not None else None

    def find(self) -> bpy.types.Object | None:
        """The character now, or None where it is gone."""
        return self.ref.find()


def bind(obj: bpy.types.Object, options: Options | None = None) -> Binding:
    """Match a character and make it ready to be driven.

    Args:
        obj: an armature, or a mesh with or without one.

    Raises:
        RigError: it has no shape key and no bone that a face can drive, or its bone channels
            are malformed.
    """
    character = describe(obj)
    profiles, problems = known_profiles()
    plan = make_plan(character, options, profiles)
    plan.report.notes.extend(problems)
    # Not by name from the whole file: an object may have the same name as the linked one that it
    # overrides.
    objects = {mesh.name: mesh for mesh in meshes_of(obj)}
    meshes = []
    for track in plan.shapes:
        mesh = objects[track.mesh]
        keys = shape_keys_of(mesh)
        names = keys.key_blocks.keys() if keys is not None else []
        slots = np.array([names.index(key) for key in track.keys])
        meshes.append(_MeshTarget(ObjectRef.to(mesh), names, slots))
    _note_obstacles(plan, objects)
    seconds = plan.table.smoothing
    lowpass = WeightFilter(seconds) if seconds.any() else None
    root = armature_of(obj) or obj
    place = _place_of(plan, root)
    return Binding(ObjectRef.to(root), plan, tuple(meshes), Rest(plan), lowpass, place)


def _place_of(plan: Plan, root: bpy.types.Object) -> _Place | None:
    if plan.place is None:
        return None
    owner = _owner_of(plan.place, root)
    if owner is None:
        return None
    return _Place(plan.place, np.array(getattr(owner, plan.place.path)), own_delta(root))


def _write_shapes(target: _MeshTarget, values: np.ndarray) -> None:
    keys = shape_keys_of(target.ref.find())
    blocks = keys.key_blocks if keys is not None else None
    if keys is None or blocks is None or blocks.keys() != target.names:
        raise BindingLostError(
            Text("the shape keys of {mesh!r} are gone or changed", mesh=target.ref.name)
        )
    weights = np.empty(len(target.names), np.float32)
    blocks.foreach_get("value", weights)
    weights[target.slots] = values
    blocks.foreach_set("value", weights)
    keys.update_tag()  # 4.2's foreach_set does not tell the dependency graph


def _posed(root: bpy.types.Object) -> Any:
    """An object's pose bones by name; nothing where it has none."""
    return root.pose.bones if root.pose is not None else {}


def _owner_of(
    track: BoneTrack, root: bpy.types.Object
) -> bpy.types.Object | bpy.types.PoseBone | None:
    """What has a track's property: a pose bone, or the object itself; None where it is gone."""
    return _posed(root).get(track.bone) if track.bone else root


def _write_track(
    owner: bpy.types.Object | bpy.types.PoseBone, track: BoneTrack, values: np.ndarray
) -> None:
    numbers = values.tolist()  # Blender takes plain numbers faster than numpy's
    if len(numbers) == _LENGTHS[track.path]:
        setattr(owner, track.path, numbers)
        return
    vector = getattr(owner, track.path)
    for index, number in zip(track.indices, numbers, strict=True):
        vector[index] = number


def _note_obstacles(plan: Plan, objects: Mapping[str, bpy.types.Object]) -> None:
    """Tell what would keep a shape key of the character's meshes from moving."""
    for name, obj in objects.items():
        keys = shape_keys_of(obj)
        if keys is not None and not keys.is_editable:
            plan.report.notes.append(
                Text(
                    "{mesh}: its shape keys are linked from another file: make a library override "
                    "of its mesh data too",
                    mesh=name,
                )
            )
    for track in plan.shapes:
        mesh = mesh_of(objects[track.mesh])
        keys = mesh.shape_keys if mesh is not None else None
        if mesh is None or keys is None:
            continue
        if mesh.users > 1:
            text = Text("{mesh}: its mesh is shared with another object", mesh=track.mesh)
            plan.report.notes.append(text)
        if keys.animation_data is not None and keys.animation_data.drivers:
            driven = {driver.data_path for driver in keys.animation_data.drivers}
            ours = {f'key_blocks["{key}"].value' for key in track.keys}
            if driven & ours:
                plan.report.notes.append(
                    Text(
                        "{mesh}: {count} shape keys have drivers, which win",
                        mesh=track.mesh,
                        count=len(driven & ours),
                    )
                )
        muted = [key for key in track.keys if keys.key_blocks[key].mute]
        if muted:
            plan.report.notes.append(
                Text("{mesh}: muted shape keys: {names}", mesh=track.mesh, names=", ".join(muted))
            )
