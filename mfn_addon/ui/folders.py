# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes are kept, and what is there."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

from ..take import SUFFIX

EXTENSION = (__package__ or "").rpartition(".mfn_addon.")[0]
"""The extension's own package, e.g. `bl_ext.user_default.mfn_face_capture`; "" in a checkout."""

SAMPLE_RIGS = Path(__file__).resolve().parents[2] / "sample_rigs"


def user_folder(name: str) -> Path:
    """A folder of the extension's own, in the user's files."""
    if EXTENSION.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(EXTENSION, path=name))
    return Path(bpy.utils.user_resource("DATAFILES")) / "mfn_face_capture" / name


def takes_folder(location: str) -> Path:
    """The folder of takes.

    Args:
        location: "USER" for the extension's own folder, "BLEND" for `takes` beside the .blend
            (the user's where it has not been saved yet).
    """
    if location == "BLEND" and bpy.data.filepath:
        return Path(bpy.data.filepath).parent / "takes"
    return user_folder("takes")


def take_files(folder: Path) -> list[Path]:
    """The takes in a folder, newest first."""
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file()]
    return sorted(files, key=lambda path: (path.stat().st_mtime, path.name), reverse=True)


def next_take(folder: Path, name: str) -> Path:
    """A new take's file: the name with the next free number."""
    clean = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", name).strip(" .") or "Take"
    numbers = [
        int(found[1])
        for path in take_files(folder)
        if (found := re.fullmatch(re.escape(clean) + r" (\d+)", path.stem))
    ]
    return folder / f"{clean} {max(numbers, default=0) + 1:03d}{SUFFIX}"


def sample_rigs() -> list[Path]:
    """The bundled characters."""
    return sorted(SAMPLE_RIGS.glob("*.blend"))
