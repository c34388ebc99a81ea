# SPDX-License-Identifier: GPL-3.0-or-later
"""The take store: one SQLite file a take (docs/take_format.md), import and export."""

from .corrections import (
    Layer,
    ShapeEdit,
    corrected,
    corrected_frames,
    corrected_performances,
    trimmed,
)
from .edit import write_info
from .errors import TakeError
from .layers import write_layers
from .layout import SUFFIX, VERSION
from .lines import export_lines, import_lines, read_lines, write_line
from .passes import CHANNELS, Pass
from .performance import Performance
from .reader import Actor, Take
from .thumbnails import ThumbnailStrip, write_thumbnails
from .writer import TakeWriter

__all__ = [
    "CHANNELS",
    "SUFFIX",
    "VERSION",
    "Actor",
    "Layer",
    "Pass",
    "Performance",
    "ShapeEdit",
    "Take",
    "TakeError",
    "TakeWriter",
    "ThumbnailStrip",
    "corrected",
    "corrected_frames",
    "corrected_performances",
    "export_lines",
    "import_lines",
    "read_lines",
    "trimmed",
    "write_info",
    "write_layers",
    "write_line",
    "write_thumbnails",
]
