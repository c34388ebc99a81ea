# SPDX-License-Identifier: GPL-3.0-or-later
"""How a scene records its takes."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from .translation import CONTEXT

MOST_COUNT_IN = 10

_CHANNELS = [
    ("MOUTH", "Mouth", "Jaw, lips, tongue, cheeks and nose", 1),
    ("BROWS", "Brows", "Brows", 2),
    ("EYES", "Eyes", "Lids and gaze", 4),
    ("HEAD", "Head", "How the head is held and turned", 8),
]


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
    over: BoolProperty(
        name="Over Chosen Take",
        description="Record over the chosen take: the new take has both, the chosen one stays",
    )
    channels: EnumProperty(
        name="Channels", description="What is recorded anew; the rest is the chosen take's",
        items=_CHANNELS, options={"ENUM_FLAG"}, default={"MOUTH"},
    )  # fmt: skip
    punch: BoolProperty(
        name="Punch In", description="Record only between In and Out; the take plays before"
    )
    punch_in: FloatProperty(
        name="In", description="Seconds from the take's first picture", min=0.0,
        subtype="TIME_ABSOLUTE", translation_context=CONTEXT,
    )  # fmt: skip
    punch_out: FloatProperty(
        name="Out", description="Seconds from the take's first picture", min=0.0, default=1.0,
        subtype="TIME_ABSOLUTE", translation_context=CONTEXT,
    )  # fmt: skip


CLASSES = (MFN_RecordingSettings,)
