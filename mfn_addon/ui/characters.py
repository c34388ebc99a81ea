# SPDX-License-Identifier: GPL-3.0-or-later
"""What a character remembers of how it is driven: `Object.mfn`, saved with the object."""

from __future__ import annotations

from typing import Any, cast

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..rig import Options, RigError, armature_of, bind
from ..rig.profiles import known_profiles
from . import session
from .response_rows import MFN_ResponseRow, as_responses
from .translation import iface_, told
from .upgrade import mend

ATTRIBUTE = "mfn"

_BY = [
    ("AUTO", "Automatic", "Shape keys where they move what the bone carries, bones otherwise"),
    ("SHAPES", "Shape Keys", "Shape keys alone"),
    ("BONES", "Bones", "Bones alone"),
]
_PLACES = [
    ("BONE", "Bone", "The position bone, where one is chosen"),
    (
        "OBJECT", "Object",
        "The object itself, by its delta location: its own location and keys stay as they are",
    ),
]  # fmt: skip


def _profiles(_: object, __: bpy.types.Context, typed: str) -> list[str]:
    return [name for name in known_profiles()[0] if typed.lower() in name]


def look(obj: bpy.types.Object) -> tuple[str, bool]:
    """Match a character anew and keep the report for the panels.

    Returns:
        One line on what was found, and whether a face can drive the character.
    """
    root = armature_of(obj) or obj
    session.reports.pop(root.session_uid, None)
    if root.library is None:
        mend(getattr(root, ATTRIBUTE))  # it may have been appended from another version's file
    try:
        report = bind(obj, options_of(obj, mirror=False)).report
    except RigError as error:
        return told(error), False
    session.reports[root.session_uid] = report
    return report.summary(iface_), True


def _look_again(of: Any, _: bpy.types.Context) -> None:
    look(of.id_data)


class MFN_Fix(bpy.types.PropertyGroup):
    """A match said by hand: `name` is the target."""

    key: StringProperty(
        name="Shape Key", description="The shape key for this target; empty leaves it alone",
        update=_look_again,
    )  # fmt: skip


def _turn(name: str, what: str) -> Any:
    return FloatProperty(
        name=name, description=f"Factor on {what}", default=1.0, min=0.0, max=4.0, soft_max=2.0
    )


def _limit(name: str, what: str) -> Any:
    return FloatProperty(
        name=name, description=f"Degrees that {what} never exceeds", default=180.0, min=0.0,
        max=180.0,
    )  # fmt: skip


class MFN_Character(bpy.types.PropertyGroup):
    """How one character is driven."""

    profile: StringProperty(
        name="Names",
        description="The naming convention of its shape keys and bones; empty for the one that "
        "matches best",
        search=_profiles, update=_look_again,
    )  # fmt: skip
    fixes: CollectionProperty(
        type=MFN_Fix, name="Fixes", description="Matches that were said by hand"
    )
    rows: CollectionProperty(
        type=MFN_ResponseRow, name="Responses", description="A row for each expression"
    )
    row_index: IntProperty(name="Expression", description="The chosen expression")
    pairs: BoolProperty(
        name="Left and Right Together",
        description="An edit of one side is taken over to the other", default=True,
    )  # fmt: skip
    responses: StringProperty(
        name="Responses", description="What the rows say, as the text that drives the character",
        options={"HIDDEN"},
    )  # fmt: skip
    head: BoolProperty(
        name="Head Follows", description="Head and neck bones turn with the actor", default=True
    )
    neck_share: FloatProperty(
        name="Neck", description="The part of the head's turn that the neck takes",
        default=0.35, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    head_gain: _turn("Head", "the head's turn")
    head_limit: _limit("Limit", "the head's turn")
    eyes: EnumProperty(name="Eyes By", description="What moves the eyes", items=_BY)
    eye_gain: _turn("Eyes", "the turn of eye bones")
    eye_limit: _limit("Limit", "the turn of an eye bone")
    jaw: EnumProperty(name="Jaw By", description="What opens the mouth", items=_BY)
    jaw_gain: _turn("Jaw", "the turn of a jaw bone")
    jaw_limit: _limit("Limit", "the turn of a jaw bone")
    position: EnumProperty(
        name="Position", description="What moves as the actor's head moves through space, "
        "from where Set Neutral found it",
        items=_PLACES,
    )  # fmt: skip
    position_bone: StringProperty(
        name="Position Bone",
        description="The bone, often the root or the hips, that moves as the actor's head moves "
        "through space; empty for none",
    )
    position_gain: FloatProperty(
        name="Way", description="Factor on how far the character moves",
        default=1.0, min=0.0, soft_max=4.0,
    )  # fmt: skip
    position_limit: FloatProperty(
        name="Limit", description="The farthest that the actor's head counts as moved",
        default=0.5, min=0.0, max=5.0, subtype="DISTANCE", unit="LENGTH",
    )  # fmt: skip


def character_settings(obj: bpy.types.Object) -> MFN_Character:
    """The settings of the character that an object belongs to; its armature carries them."""
    return cast(MFN_Character, getattr(armature_of(obj) or obj, ATTRIBUTE))


def options_of(obj: bpy.types.Object, mirror: bool, calibration: str = "") -> Options:
    """How a character is driven, `mirror` being the scene's and `calibration` the actor's."""
    settings: Any = character_settings(obj)
    return Options(
        profile=settings.profile,
        fixes={fix.name: fix.key for fix in settings.fixes},
        calibration=calibration,
        mirror=mirror,
        neck_share=settings.neck_share,
        eyes=settings.eyes,
        jaw=settings.jaw,
        head=settings.head,
        head_gain=settings.head_gain,
        head_limit=settings.head_limit,
        eye_gain=settings.eye_gain,
        eye_limit=settings.eye_limit,
        jaw_gain=settings.jaw_gain,
        jaw_limit=settings.jaw_limit,
        position=settings.position,
        position_bone=settings.position_bone,
        position_gain=settings.position_gain,
        position_limit=settings.position_limit,
        responses=as_responses(settings.responses),
    )


PROPERTY_CLASSES = (MFN_Fix, MFN_ResponseRow, MFN_Character)


def register() -> None:
    for each in PROPERTY_CLASSES:
        bpy.utils.register_class(each)
    setattr(
        bpy.types.Object,
        ATTRIBUTE,
        PointerProperty(
            type=MFN_Character, name="MFN Face Capture", description="How the character is driven"
        ),
    )


def unregister() -> None:
    delattr(bpy.types.Object, ATTRIBUTE)
    for each in reversed(PROPERTY_CLASSES):
        bpy.utils.unregister_class(each)
