# SPDX-License-Identifier: GPL-3.0-or-later
"""From the chosen take to keyframes: on the characters of the table, or on any others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy
from bpy.props import IntProperty

from ..retarget.reduction import Tolerance
from ..rig import RigError, armature_of, bake_take
from ..rig.lookup import shape_keys_of
from ..take import Take, TakeError
from . import correction_rows
from .operators import Telling
from .timeline import first_frame
from .translation import rpt_


class _OfTake(Telling):
    """An operator that bakes the chosen take."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.window_manager.mfn.take() is None:
            cls.poll_message_set(rpt_("Record a take, or choose one"))  # type: ignore[attr-defined]
            return False
        return True

    def bake(self, context: bpy.types.Context, cast: Mapping[int, bpy.types.Object]) -> set[str]:
        """Bake actors to characters as the scene's settings say, and tell what was done."""
        scene, item = context.scene, context.window_manager.mfn.take()
        settings = scene.mfn
        calibrations = {row.actor: row.calibration for row in settings.cast}
        options = {
            actor: settings.options(obj, calibrations.get(actor, "")) for actor, obj in cast.items()
        }
        correction_rows.flush()
        try:
            with Take(item.path) as take:
                report = bake_take(
                    take, cast, scene, start=first_frame(take, scene), options=options,
                    tolerance=Tolerance() if settings.bake_reduce else None,
                    as_strips=settings.bake_strips,
                )  # fmt: skip
        except (RigError, TakeError) as error:
            return self.failed(error)
        if settings.bake_range:
            scene.frame_start, scene.frame_end = report.frame_start, report.frame_end
        scene.frame_set(scene.frame_current)  # show the bake at once
        return self.done(report.summary(rpt_))


class MFN_OT_bake(_OfTake, bpy.types.Operator):
    """Turn the chosen take into keyframes on the characters of the table; baking again replaces"""

    bl_idname = "mfn.bake"
    bl_label = "Bake to Characters"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        item = context.window_manager.mfn.take()
        if item.error:
            return self.failed(item.error)
        present = item.actor_ids()
        rows = [r for r in context.scene.mfn.cast if r.actor in present and r.character is not None]
        if not rows:
            actors = ", ".join(map(str, present)) or rpt_("nobody")
            return self.failed(
                rpt_(
                    "{take}: give its actors ({actors}) a character first",
                    take=item.name, actors=actors,
                )
            )  # fmt: skip
        return self.bake(context, {row.actor: row.character for row in rows})


class MFN_OT_retarget(_OfTake, bpy.types.Operator):
    """Turn the chosen take into keyframes on the selected characters, whomever it was made for; \
the table stays as it is"""

    bl_idname = "mfn.retarget"
    bl_label = "Bake to Selected"
    bl_options = {"REGISTER", "UNDO"}

    actor: IntProperty(
        name="Actor",
        description="Who of the take drives a single selected character; -1 for the actor that is "
        "chosen in the table, or else the first. Several characters take the actors in order, "
        "from left to right",
        default=-1, min=-1,
    )  # fmt: skip

    def execute(self, context: bpy.types.Context) -> set[str]:
        item = context.window_manager.mfn.take()
        if item.error:
            return self.failed(item.error)
        characters = selected_characters(context)
        if not characters:
            return self.failed(
                rpt_("select the character that the take is for: an armature or a mesh")
            )
        actors = item.actor_ids()
        if len(characters) == 1 and actors:
            actors = [self._actor_of(context.scene.mfn, actors)]
        if self.actor >= 0 and self.actor not in item.actor_ids():
            return self.failed(
                rpt_("{take}: no actor {number} in this take", take=item.name, number=self.actor)
            )
        if len(characters) > len(actors):
            text = rpt_("{take}: {count} characters are selected, but the take has {actors} actors")
            if len(actors) == 1:
                text = rpt_("{take}: {count} characters are selected, but the take has one actor")
            counts = {"count": len(characters), "actors": len(actors)}
            return self.failed(text.format(take=item.name, **counts))
        return self.bake(context, dict(zip(actors, characters, strict=False)))

    def _actor_of(self, settings: Any, present: list[int]) -> int:
        if self.actor in present:
            return self.actor
        chosen = settings.cast[settings.cast_index].actor if settings.cast else -1
        return chosen if chosen in present else present[0]


def selected_characters(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The characters that the selected objects belong to, from left to right in the world."""
    found = {
        armature_of(obj) or obj
        for obj in context.view_layer.objects
        if obj.select_get()
        and obj.type in ("ARMATURE", "MESH")
        and (armature_of(obj) is not None or shape_keys_of(obj) is not None)
    }
    return sorted(found, key=lambda obj: (obj.matrix_world.translation.x, obj.name))


CLASSES = (MFN_OT_bake, MFN_OT_retarget)
