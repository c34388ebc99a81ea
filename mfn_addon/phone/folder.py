# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the server keeps its certificate and the paired devices when Blender does not say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "mfn-face-capture"


def user_folder() -> Path:
    """The user's folder for such things, by the system's custom."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / _NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / _NAME
