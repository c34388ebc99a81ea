# SPDX-License-Identifier: GPL-3.0-or-later
"""The naming profiles of this Blender: the bundled ones and the user's own, which lie in the
extension's folder and survive its updates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import bpy

from ..retarget import Profile, Report, load_profiles, read_profile
from ..retarget.profile import resolve
from ..texts import Text

_EXTENSION = (__package__ or "").rpartition(".mfn_addon.")[0]


def profiles_folder() -> Path:
    """Where the user's profiles are kept."""
    if _EXTENSION.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(_EXTENSION, path="profiles"))
    return Path(bpy.utils.user_resource("DATAFILES")) / "mfn_face_capture" / "profiles"


def known_profiles() -> tuple[dict[str, Profile], list[str]]:
    """All profiles by name, the user's over the bundled; and what is wrong with those that could
    not be read, a line each."""
    folder = profiles_folder()
    bundled = load_profiles()
    own, problems = {}, []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            profile = read_profile(path)
            own[profile.name] = resolve({**bundled, profile.name: profile})[profile.name]
        except ValueError as error:
            problems.append(f"naming profile {error}")
    return {**bundled, **own}, problems


def save_profile(title: str, report: Report, fixes: Mapping[str, str]) -> Path:
    """Keep a character's profile with what was said by hand as a new one of the user's.

    Args:
        title: what people call it; its file and name follow from it.
        report: of the character's binding.

    Raises:
        ValueError: the title holds no letter or figure.
        OSError: the file cannot be written.
    """
    name = "_".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    if not name:
        raise ValueError(Text("give the profile a name with letters"))
    base = known_profiles()[0][report.profile]
    shapes = []
    for shape in base.shapes:
        key = fixes.get(shape.name, report.guessed.get(shape.name))
        if key == "":
            continue
        aliases = (key, *(a for a in shape.aliases if a != key)) if key else shape.aliases
        shapes.append(replace(shape, aliases=aliases))
    profile = replace(
        base,
        name=name,
        title=title,
        description=f"Made from {base.title} in Blender.",
        shapes=tuple(shapes),
        extends="",
    )
    path = profiles_folder() / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(profile.to_json(), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path
