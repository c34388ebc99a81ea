# SPDX-License-Identifier: GPL-3.0-or-later
"""How a scene records its takes."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, IntProperty

MOST_COUNT_IN = 10


class MFN_RecordingSettings(bpy.types.PropertyGroup):
    """How takes to come are recorded."""

    count_in: IntProperty(
        name="Count-In", description="Seconds between Record and the take's start", min=0,
        max=MOST_COUNT_IN, subtype="TIME",
    )  # fmt: skip
    timeline: BoolProperty(
        name="Play Timeline",
        description="Play the scene, with its sound, while recording; the take remembers where "
        "on the timeline it lies, and is baked there",
    )
    thumbnails: BoolProperty(
        name="Keep Thumbnails",
        description="Keep a few small pictures of the recording in the take's file. They show "
        "the actors' faces; off, no picture is written anywhere",
    )


CLASSES = (MFN_RecordingSettings,)
