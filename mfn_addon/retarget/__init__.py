# SPDX-License-Identifier: GPL-3.0-or-later
"""From a face's weights to one character's shape keys and bones. Plain numpy, no Blender."""

from .character import Character, Options, Report, RigError
from .plan import Plan, Pose, make_plan
from .profile import Profile, load_profiles
from .response import Response
from .skeleton import BoneRest, Channel, read_channels
from .tracks import BoneTrack, ShapeTrack

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
