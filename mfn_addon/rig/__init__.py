# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender characters: bind one, write a frame to it, bake a take. The names to use from outside."""

from ..retarget import Options, RigError
from .bake import BakeReport, bake_take
from .binding import Binding, BindingLostError, bind
from .describe import armature_of, describe
from .lookup import ObjectRef

__all__ = [
    "BakeReport",
    "Binding",
    "BindingLostError",
    "ObjectRef",
    "Options",
    "RigError",
    "armature_of",
    "bake_take",
    "bind",
    "describe",
]
