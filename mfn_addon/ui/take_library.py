# SPDX-License-Identifier: GPL-3.0-or-later
"""What one does with takes as files: rename, rate, delete and restore, export, import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..take import SUFFIX, TakeError
from ..take.library import (
    BIN,
    copy_take,
    delete_take,
    import_take,
    rename_take,
    restore_take,
    take_files,
)
from . import correction_rows, properties
from .operators import Telling
from .properties import refresh_takes
from .take_list import MOST_STARS
from .translation import n_, rpt_

_GLOB = f"*{SUFFIX}"


class _OfTake(Telling):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.window_manager.mfn.take() is not None


def _chosen(context: bpy.types.Context) -> Path:
    correction_rows.flush()
    return Path(context.window_manager.mfn.take().path)


def _folder(context: bpy.types.Context) -> Path:
    return properties.takes_folder(context.scene.mfn.takes_location)


class MFN_OT_take_rename(_OfTake, bpy.types.Operator):
    """Give the chosen take another name"""

    bl_idname = "mfn.take_rename"
    bl_label = "Rename Take"

    name: StringProperty(name="Name", description="The take's new name")

    def invoke(self, context: bpy.types.Context, _: bpy.types.Event) -> set[str]:
        self.name = _chosen(context).stem
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = _chosen(context)
        try:
            renamed = rename_take(path, self.name)
        except TakeError as error:
            return self.failed(error)
        refresh_takes(context, choose=str(renamed))
        return self.done(rpt_("Renamed {old} to {new}", old=path.stem, new=renamed.stem))


class MFN_OT_take_rate(_OfTake, bpy.types.Operator):
    """Rate the chosen take; the same number of stars again takes the rating back"""

    bl_idname = "mfn.take_rate"
    bl_label = "Rate Take"

    stars: IntProperty(name="Stars", description="How good it is", min=0, max=MOST_STARS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        item = context.window_manager.mfn.take()
        if item.error:
            return self.failed(item.error)
        item.rating = 0 if item.rating == self.stars else self.stars
        return {"FINISHED"}


class MFN_OT_take_delete(_OfTake, bpy.types.Operator):
    """Move the chosen take to the bin beside the takes, from where it can be restored"""

    bl_idname = "mfn.take_delete"
    bl_label = "Delete Take"

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = _chosen(context)
        correction_rows.show(context.window_manager.mfn.corrections, "")
        try:
            delete_take(path)
        except TakeError as error:
            refresh_takes(context)
            return self.failed(error)
        refresh_takes(context)
        return self.done(rpt_("{take} is in the bin", take=path.stem))


def _binned(_: object, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    if context is not None:
        names = sorted(path.stem for path in take_files(_folder(context) / BIN))
        _names[:] = [(name, name, n_("Put it back among the takes")) for name in names]
    return _names


_names: list[tuple[str, str, str]] = []
"""Blender keeps no copy of the texts of a dynamic enum, so they live here."""


class MFN_OT_take_restore(Telling, bpy.types.Operator):
    """Put a deleted take back among the takes"""

    bl_idname = "mfn.take_restore"
    bl_label = "Restore from Bin"

    take: EnumProperty(name="Take", description="Which one", items=_binned)

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self.take:
            return self.failed(rpt_("the bin is empty"))
        try:
            path = restore_take(_folder(context) / BIN / f"{self.take}{SUFFIX}")
        except TakeError as error:
            return self.failed(error)
        refresh_takes(context, choose=str(path))
        return self.done(rpt_("Restored {take}", take=path.stem))


class MFN_OT_take_export(_OfTake, bpy.types.Operator, ExportHelper):
    """Save a copy of the chosen take elsewhere, with its corrections and facts, as one file"""

    bl_idname = "mfn.take_export"
    bl_label = "Export Take"
    filename_ext = SUFFIX
    filter_glob: StringProperty(
        name="Files", description="What is listed", default=_GLOB, options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        operator: Any = self
        operator.filepath = str(Path.home() / _chosen(context).name)
        return ExportHelper.invoke(operator, context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = _chosen(context)
        to = Path(self.filepath)  # pyright: ignore[reportAttributeAccessIssue] ExportHelper's
        try:
            copy_take(path, to)
        except TakeError as error:
            return self.failed(error)
        return self.done(rpt_("Exported {take} to {path}", take=path.stem, path=to))


class MFN_OT_take_import(Telling, bpy.types.Operator, ImportHelper):
    """Copy a take from elsewhere into the folder of takes"""

    bl_idname = "mfn.take_import"
    bl_label = "Import Take"
    filename_ext = SUFFIX
    filter_glob: StringProperty(
        name="Files", description="What is listed", default=_GLOB, options={"HIDDEN"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)  # pyright: ignore[reportAttributeAccessIssue] ImportHelper's
        try:
            imported = import_take(path, _folder(context))
        except TakeError as error:
            return self.failed(error)
        refresh_takes(context, choose=str(imported))
        return self.done(rpt_("Imported {take}", take=imported.stem))


CLASSES = (
    MFN_OT_take_rename,
    MFN_OT_take_rate,
    MFN_OT_take_delete,
    MFN_OT_take_restore,
    MFN_OT_take_export,
    MFN_OT_take_import,
)
