# SPDX-License-Identifier: GPL-3.0-or-later
"""What files of other versions have stored: what is known is kept, the rest takes its default.

Blender itself passes over what it does not know and fills in what is missing. It keeps a choice
that is no longer offered, though, and reads it as "" (with a warning at each look); that is put
right here once, when the file is opened.
"""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..face import EXPRESSION_INDEX
from ..track import Calibration

_AHEAD = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def mend_all() -> None:
    """Put right what the scenes and characters of the open file have stored."""
    for owner in (*bpy.data.scenes, *bpy.data.objects):
        # What is linked is its own file's, and unset it would only come back as it is there.
        if owner.library is None and owner.is_property_set("mfn"):
            mend(getattr(owner, "mfn"))  # noqa: B009 (bpy's stubs do not know it)
    for scene in bpy.data.scenes:
        if scene.library is None:
            for row in getattr(scene, "mfn").cast:  # noqa: B009
                if row.calibration:
                    row.calibration = readable_calibration(row.calibration)


def mend(group: Any) -> None:
    """Unset the choices of a property group, and of those in it, that are no longer offered."""
    for each in group.bl_rna.properties:
        name = each.identifier
        if name == "rna_type" or not group.is_property_set(name):
            continue
        if each.type == "COLLECTION":
            for item in getattr(group, name):
                mend(item)
        elif each.type == "POINTER" and isinstance(getattr(group, name), bpy.types.PropertyGroup):
            mend(getattr(group, name))
        elif each.type == "ENUM" and not each.is_enum_flag and getattr(group, name) == "":
            group.property_unset(name)


def readable_calibration(text: str) -> str:
    """A calibration of any version as this one reads it; "" where nothing of it can be used."""
    try:
        Calibration.from_text(text)
        return text
    except ValueError:
        pass
    try:
        told: Any = json.loads(text)
        kept = {
            "neutral": _known(told.get("neutral")),
            "peak": _known(told.get("peak")),
            "rotation": told.get("rotation", _AHEAD),
            "position": told.get("position"),
        }
        return Calibration.from_text(json.dumps(kept)).to_text()
    except (AttributeError, ValueError):
        return ""


def _known(named: Any) -> dict[str, float]:
    """The numbers of expressions that this version has."""
    return {name: value for name, value in (named or {}).items() if name in EXPRESSION_INDEX}
