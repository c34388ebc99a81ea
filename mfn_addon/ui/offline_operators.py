# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen take's offline pass, its comparison with the live take, and its footage's sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from ..rig.bake import scene_rate
from ..rig.curves import Origin
from ..take import Take, TakeError
from . import offline_pass
from .operators import Telling
from .properties import refresh_takes
from .take_footage import chosen_footage
from .timeline import first_frame
from .translation import rpt_


class _OfFootage(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if chosen_footage(context) is None:
            cls.poll_message_set(  # type: ignore[attr-defined]
                rpt_("Choose a take that was made from footage, and the footage above")
            )
            return False
        return True


class MFN_OT_offline(_OfFootage, bpy.types.Operator):
    """Read the take's footage again, with time, into a steadier take beside it; a cancelled pass \
goes on"""

    bl_idname = "mfn.offline"
    bl_label = "Offline Pass"

    def execute(self, context: bpy.types.Context) -> set[str]:
        footage, item = chosen_footage(context), context.window_manager.mfn.take()
        assert footage is not None  # poll has seen it
        live, _ = offline_pass.pair_of(Path(item.path))
        if not live.is_file():
            return self.failed(
                rpt_("{take}: the live take {live} is gone", take=item.name, live=live.stem)
            )
        try:
            offline_pass.start(live, footage, context.scene.mfn.input_size)
        except OSError as error:
            return self.failed(error)
        return self.done(rpt_("Reading {footage} again", footage=footage.name))


class MFN_OT_offline_cancel(Telling, bpy.types.Operator):
    """End the offline pass; what it has found is kept, and the next one goes on there"""

    bl_idname = "mfn.offline_cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _: bpy.types.Context) -> bool:
        return offline_pass.Running.now is not None

    def execute(self, _: bpy.types.Context) -> set[str]:
        offline_pass.cancel()
        return self.done(rpt_("Offline pass cancelled; press it again to go on"))


class MFN_OT_offline_compare(Telling, bpy.types.Operator):
    """Show the live take or the improved one: it is chosen, and baked in the other's place"""

    bl_idname = "mfn.offline_compare"
    bl_label = "Before or After"
    bl_options = {"REGISTER", "UNDO"}

    after: BoolProperty(name="After", description="The improved take, not the live one")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        item = context.window_manager.mfn.take()
        return item is not None and all(
            path.is_file() for path in offline_pass.pair_of(Path(item.path))
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        pair = offline_pass.pair_of(Path(context.window_manager.mfn.take().path))
        wanted, other = (pair[1], pair[0]) if self.after else pair
        refresh_takes(context, choose=str(wanted))
        item = context.window_manager.mfn.take()
        if Path(item.path) != wanted:
            return self.failed(
                rpt_("{take} is not in the list: put both takes into its folder", take=wanted.stem)
            )
        with Take(other) as take:
            origin = Origin.of(take)
        if _plays(context, origin):
            operators: Any = bpy.ops
            operators.mfn.bake()
        return self.done(rpt_("Showing {take}", take=wanted.stem))


def _plays(context: bpy.types.Context, take: Origin) -> bool:
    """Whether a character of the table plays a bake of a take."""
    actors = {row.character for row in context.scene.mfn.cast if row.character is not None}
    owners: list[Any] = [*actors, *(mesh.data.shape_keys for a in actors for mesh in _meshes(a))]
    data = [owner.animation_data for owner in owners if owner is not None]
    return any(each is not None and take.made(each.action) for each in data)


def _meshes(character: bpy.types.Object) -> list[Any]:
    return [obj for obj in (character, *character.children_recursive) if obj.type == "MESH"]


class MFN_OT_footage_sound(_OfFootage, bpy.types.Operator):
    """Put the footage's sound into the sequencer, where the take's bake begins"""

    bl_idname = "mfn.footage_sound"
    bl_label = "Add Sound"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        footage, scene = chosen_footage(context), context.scene
        assert footage is not None  # poll has seen it
        try:
            with Take(context.window_manager.mfn.take().path) as take:
                # Times of a take from footage are the footage's: its second 0 lies before.
                at = first_frame(take, scene) - take.start * scene_rate(scene)
        except TakeError as error:
            return self.failed(error)
        editor: Any = scene.sequence_editor or scene.sequence_editor_create()
        strips = editor.strips if hasattr(editor, "strips") else editor.sequences
        for strip in list(strips):
            if strip.get(_SOUND_PROPERTY) == footage.name:
                strips.remove(strip)  # once more replaces, never doubles
        channel = 1 + max((strip.channel for strip in strips), default=0)
        try:
            sound = strips.new_sound(footage.stem, str(footage), channel, round(at))
        except RuntimeError as error:
            reason = str(error).strip().removeprefix("Error: ")
            return self.failed(
                rpt_(
                    "{footage} has no sound that can be read ({reason})",
                    footage=footage.name, reason=reason,
                )
            )  # fmt: skip
        sound[_SOUND_PROPERTY] = footage.name
        return self.done(
            rpt_("{footage}: sound from frame {frame}", footage=footage.name, frame=round(at))
        )


_SOUND_PROPERTY = "mfn_sound"

CLASSES = (MFN_OT_offline, MFN_OT_offline_cancel, MFN_OT_offline_compare, MFN_OT_footage_sound)
