# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the table of actors and characters, as a scene keeps them."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty, PointerProperty, StringProperty

from ..rig import armature_of
from ..rig.lookup import shape_keys_of
from .characters import look


def is_character(_: object, obj: bpy.types.Object) -> bool:
    """Whether the picker offers an object: armatures, and meshes with keys but no armature."""
    if obj.type == "ARMATURE":
        return True
    return shape_keys_of(obj) is not None and armature_of(obj) is None


def _match(row: MFN_CastRow, _: bpy.types.Context) -> None:
    """Look at a newly chosen character, and keep what was found for the panel."""
    row.report, row.usable = "", False
    if row.character is None:
        return
    row.report, row.usable = look(row.character)


class MFN_CastRow(bpy.types.PropertyGroup):
    """An actor and the character that the actor drives."""

    actor: IntProperty(name="Actor", description="The actor's number, as tracked")
    character: PointerProperty(
        type=bpy.types.Object,
        name="Character",
        description="The armature or mesh that this actor drives",
        poll=is_character,
        update=_match,
    )
    source: StringProperty(
        name="Source", description="The source that sees the actor; empty for whichever does"
    )
    priority: IntProperty(
        name="Priority",
        description="Of several actors in view for one character, the highest drives it",
        min=-99, max=99,
    )  # fmt: skip
    label: StringProperty(name="Name", description="The actor's name, for people")
    locked: BoolProperty(
        name="Lock", description="Neither forget this actor nor assign the row automatically"
    )
    calibration: StringProperty(
        name="Calibration", description="What the actor's face reads at rest, and its range",
        options={"HIDDEN"},
    )  # fmt: skip
    report: StringProperty(name="Match", description="What the character's names matched")
    usable: BoolProperty(name="Usable", description="Whether a face can drive the character")
