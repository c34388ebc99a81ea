# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes are kept, and what is there."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..take import SUFFIX
from ..take.library import BIN, clean_name, slate_of, take_files

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


def next_take(folder: Path, name: str) -> Path:
    """A new take's file: the name with the next free number."""
    clean = clean_name(name) or "Take"
    slates = [slate_of(path) for path in (*take_files(folder), *take_files(folder / BIN))]
    numbers = [number for slate, number in slates if slate == clean]
    return folder / f"{clean} {max(numbers, default=0) + 1:03d}{SUFFIX}"


def sample_rigs() -> list[Path]:
    """The bundled characters."""
    return sorted(SAMPLE_RIGS.glob("*.blend"))
