# SPDX-License-Identifier: GPL-3.0-or-later
"""The take store: one SQLite file a take (docs/take_format.md), import and export."""

from .errors import TakeError
from .layout import SUFFIX, VERSION
from .lines import export_lines, import_lines, read_lines, write_line
from .reader import Actor, Performance, Take
from .writer import TakeWriter

__all__ = [
    "SUFFIX",
    "VERSION",
    "Actor",
    "Performance",
    "Take",
    "TakeError",
    "TakeWriter",
    "export_lines",
    "import_lines",
    "read_lines",
    "write_line",
]
