# SPDX-License-Identifier: GPL-3.0-or-later
"""From a face's weights to one character's shape keys and bones. Plain numpy, no Blender."""

from .character import Character, Options, Report, RigError
from .plan import Plan, Pose, Rest, make_plan
from .presets import read_preset, write_preset
from .profile import Profile, load_profiles, read_profile
from .response import Response, opposite
from .skeleton import BoneRest, Channel, read_channels
from .tracks import OBJECT_PLACE, BoneTrack, ShapeTrack

__all__ = [
    "OBJECT_PLACE",
    "BoneRest",
    "BoneTrack",
    "Channel",
    "Character",
    "Options",
    "Plan",
    "Pose",
    "Profile",
    "Report",
    "Response",
    "Rest",
    "RigError",
    "ShapeTrack",
    "load_profiles",
    "make_plan",
    "opposite",
    "read_channels",
    "read_preset",
    "read_profile",
    "write_preset",
]
