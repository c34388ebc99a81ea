# SPDX-License-Identifier: GPL-3.0-or-later
"""From a face's weights to one character's shape keys and bones. Plain numpy, no Blender."""

from .plan import BoneTrack, Character, Options, Plan, Pose, Report, RigError, ShapeTrack, make_plan
from .profile import Profile, load_profiles
from .response import Response
from .skeleton import BoneRest, Channel, read_channels

__all__ = [
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
    "RigError",
    "ShapeTrack",
    "load_profiles",
    "make_plan",
    "read_channels",
]
