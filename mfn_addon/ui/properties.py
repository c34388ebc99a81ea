# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's properties: what a scene remembers, and the window's list of takes."""

from __future__ import annotations

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..retarget import Options
from . import characters, correction_rows, recording_settings, take_thumbnails
from .cast_rows import MFN_CastRow
from .characters import options_of
from .folders import takes_folder
from .take_list import MFN_TakeItem, describe_take, takes_in
from .translation import CONTEXT

ATTRIBUTE = "mfn"
"""Scene.mfn and WindowManager.mfn."""

_LOCATIONS = [
    ("USER", "Extension", "In the extension's own folder, shared by all files"),
    ("BLEND", "Beside File", "In a folder `takes` beside the .blend file"),
]
_LOST = [
    ("HOLD", "Hold", "Keep the last face, and ease over when the actor is back"),
    ("EASE", "Ease to Neutral", "Come to rest within a second"),
    ("FREEZE", "Freeze", "Write nothing, so that the character can be posed meanwhile"),
]
_INPUT_SIZES = [
    ("320", "Near", "Faces from a twentieth of the picture's longer side: the quickest"),
    ("480", "Far", "Faces from a thirtieth of it: takes twice as long"),
    ("640", "Very Far", "Faces from a fortieth of it: takes four times as long"),
]
_SOURCES = [
    ("FOOTAGE", "Footage", "A video file", "FILE_MOVIE", 0),
    ("CAMERA", "Camera", "A camera of this computer", "CAMERA_DATA", 1),
]


def refresh_takes(context: bpy.types.Context, choose: str = "") -> None:
    """Read the folder of takes anew; keeps the chosen take chosen, or chooses another by path."""
    correction_rows.flush()
    state = context.window_manager.mfn
    chosen = state.take()
    choose = choose or (chosen.path if chosen is not None else "")
    state.takes.clear()
    for path in takes_in(takes_folder(context.scene.mfn.takes_location)):
        describe_take(state.takes.add(), path)
    paths = [item.path for item in state.takes]
    state.take_index = paths.index(choose) if choose in paths else 0


def _list_takes(_: object, context: bpy.types.Context) -> None:
    refresh_takes(context)


def _show_take(state: MFN_WindowState, context: bpy.types.Context) -> None:
    """Give every actor of the chosen take a row in the cast, and show the take's corrections."""
    take = state.take()
    settings = context.scene.mfn
    path = take.path if take is not None and not take.error else ""
    correction_rows.show(state.corrections, path)
    take_thumbnails.show(path)
    for actor in take.actor_ids() if take is not None else ():
        if settings.row(actor) is None:
            settings.cast.add().actor = actor


class MFN_SceneSettings(bpy.types.PropertyGroup):
    """What a scene remembers of its capture."""

    source: EnumProperty(name="Source", description="Where the faces come from", items=_SOURCES)
    footage: StringProperty(
        name="Footage", description="The video file whose faces drive the characters",
        subtype="FILE_PATH",
    )  # fmt: skip
    camera: IntProperty(
        name="Camera", description="Which of the computer's cameras, from 0", min=0, max=63
    )
    input_size: EnumProperty(
        name="Faces", description="How far away the faces are that the network is to find",
        items=_INPUT_SIZES, translation_context=CONTEXT,
    )  # fmt: skip
    mirror: BoolProperty(
        name="Mirror", description="Characters move as in a looking glass: left becomes right"
    )
    auto_cast: BoolProperty(
        name="Assign Automatically",
        description="Give each new face the next free character of the scene, from left to right",
        default=True,
    )
    lost: EnumProperty(
        name="When Lost", description="What a character does while its actor is away",
        items=_LOST, translation_context=CONTEXT,
    )  # fmt: skip
    cast: CollectionProperty(
        type=MFN_CastRow, name="Cast", description="Which actor drives which character"
    )
    cast_index: IntProperty(name="Actor", description="The chosen actor")
    take_name: StringProperty(
        name="Name", description="What new takes are called; a number follows", default="Take"
    )
    takes_location: EnumProperty(
        name="Folder", description="Where takes are kept", items=_LOCATIONS,
        update=_list_takes,
    )  # fmt: skip
    recording: PointerProperty(
        type=recording_settings.MFN_RecordingSettings,
        name="Recording",
        description="How takes to come are recorded",
    )
    bake_timeline: BoolProperty(
        name="Where Recorded",
        description="Bake a take that was recorded along the timeline to where it was then",
        default=True,
    )
    bake_start: IntProperty(
        name="First Frame", description="The frame on which the take's first picture falls",
        default=1,
    )  # fmt: skip
    bake_strips: BoolProperty(
        name="As NLA Strips",
        description="Push the bake onto NLA tracks, and leave the character's own action",
    )
    bake_reduce: BoolProperty(
        name="Reduce Keys",
        description="Leave out keys where curves stay within 0.5 % of a shape, 0.2 degrees and "
        "0.1 mm without them",
    )
    bake_range: BoolProperty(
        name="Set Range", description="Let the scene's frame range span the bake", default=True
    )

    def options(self, character: bpy.types.Object, calibration: str = "") -> Options:
        """How one of the scene's characters is driven, by an actor with a calibration."""
        return options_of(character, self.mirror, calibration)

    def row(self, actor: int) -> MFN_CastRow | None:
        """The cast's row of an actor."""
        return next((row for row in self.cast if row.actor == actor), None)


class MFN_WindowState(bpy.types.PropertyGroup):
    """What the windows show; never saved."""

    takes: CollectionProperty(
        type=MFN_TakeItem, name="Takes", description="The takes in the folder"
    )
    take_index: IntProperty(
        name="Take",
        description="The chosen take",
        update=_show_take,
    )
    search: StringProperty(
        name="Search",
        description="Words of the names, slates, dates, sources, actors or notes of takes",
        options={"TEXTEDIT_UPDATE"},
    )
    corrections: PointerProperty(
        type=correction_rows.MFN_Corrections,
        name="Corrections",
        description="The chosen take's layers of corrections",
    )

    def take(self) -> MFN_TakeItem | None:
        """The chosen take."""
        return self.takes[self.take_index] if 0 <= self.take_index < len(self.takes) else None


CLASSES = (
    *recording_settings.CLASSES,
    *correction_rows.CLASSES,
    MFN_CastRow,
    MFN_SceneSettings,
    MFN_TakeItem,
    MFN_WindowState,
)


def settings_of(scene: bpy.types.Scene) -> MFN_SceneSettings:
    """What a scene remembers of its capture."""
    return getattr(scene, ATTRIBUTE)


def register() -> None:
    characters.register()
    for each in CLASSES:
        bpy.utils.register_class(each)
    of_scene = PointerProperty(
        type=MFN_SceneSettings, name="MFN Face Capture",
        description="What the scene remembers of its capture",
    )  # fmt: skip
    of_windows = PointerProperty(
        type=MFN_WindowState, name="MFN Face Capture", description="What the windows show",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    setattr(bpy.types.Scene, ATTRIBUTE, of_scene)
    setattr(bpy.types.WindowManager, ATTRIBUTE, of_windows)


def unregister() -> None:
    correction_rows.flush()
    delattr(bpy.types.WindowManager, ATTRIBUTE)
    delattr(bpy.types.Scene, ATTRIBUTE)
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)
    characters.unregister()
