# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of a take's second, better solve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import offline_pass
from .take_footage import chosen_footage
from .translation import iface_


class MFN_PT_offline(bpy.types.Panel):
    bl_label = "Offline Pass"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "MFN"
    bl_parent_id = "MFN_PT_takes"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = context.window_manager.mfn.take()
        return take is not None and not take.error

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        item, run = context.window_manager.mfn.take(), offline_pass.Running.now
        if run is not None:
            row = layout.row(align=True)
            text = iface_("Starting…")
            if run.total:
                text = iface_("{done} of {total}", done=run.done, total=run.total)
            row.progress(factor=run.progress, text=text)
            row.operator("mfn.offline_cancel", text="", icon="X")
        else:
            footage = chosen_footage(context)
            label = footage.name if footage else iface_("Its footage is not chosen above")
            layout.label(text=label, icon="FILE_MOVIE", translate=False)
            waiting = Path(f"{offline_pass.pair_of(Path(item.path))[1]}.partial").is_file()
            text = iface_("Go On with Offline Pass") if waiting else iface_("Offline Pass")
            layout.operator("mfn.offline", text=text, icon="MOD_SMOOTH")
        live, better = offline_pass.pair_of(Path(item.path))
        row = layout.row(align=True)
        for text, path in ((iface_("Before"), live), (iface_("After"), better)):
            shown = Path(item.path) == path
            row.operator("mfn.offline_compare", text=text, depress=shown).after = path == better
        layout.operator("mfn.footage_sound", icon="SOUND")


CLASSES = (MFN_PT_offline,)
