# SPDX-License-Identifier: GPL-3.0-or-later
"""What a face is, for every other folder. Plain numpy, no Blender."""

from .camera import place, project, project_local, unplace
from .frame import NO_ID, Face, FaceFrame
from .head_model import HeadModel, load_head_model
from .names import EXPRESSION_INDEX, EXPRESSIONS, IDENTITY_COUNT, LANDMARK_COUNT, LANDMARK_PARTS

__all__ = [
    "EXPRESSIONS",
    "EXPRESSION_INDEX",
    "IDENTITY_COUNT",
    "LANDMARK_COUNT",
    "LANDMARK_PARTS",
    "NO_ID",
    "Face",
    "FaceFrame",
    "HeadModel",
    "load_head_model",
    "place",
    "project",
    "project_local",
    "unplace",
]
