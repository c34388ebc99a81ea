# SPDX-License-Identifier: GPL-3.0-or-later
"""Bake a take to keyframes on characters, and save them as one .blend file.

Each --rig is a .blend with one character. Which actor drives it follows after `=`; without, the
rigs take the actors in the order of their ids."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..capture.errors import InputError
from ..take import Take

EXAMPLES = (
    "mfn bake talk.mfntake --rig human.blend --rig robot.blend --output scene.blend",
    "mfn bake talk.mfntake --rig robot.blend=2 --output scene.blend",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE", help="the take")
    parser.add_argument(
        "--rig", action="append", required=True, dest="rigs", metavar="RIG.blend[=ID]",
        help="a character, and the id of the actor who drives it; may be repeated",
    )  # fmt: skip
    parser.add_argument("--output", required=True, type=Path, metavar="OUT.blend")


def run(args: argparse.Namespace) -> int:
    """Check what can be checked without Blender, then bake."""
    args.rigs = [_rig(text) for text in args.rigs]
    with Take(args.take) as take:
        known = [actor.id for actor in take.actors()]
    for path, actor in args.rigs:
        if actor is not None and actor not in known:
            there = ", ".join(map(str, known)) or "none"
            raise InputError(f"{path}={actor}: {args.take} has no actor {actor} (it has: {there})")
    try:
        from ..rig import bake_cli
    except ModuleNotFoundError as error:
        if error.name != "bpy":
            raise
        raise InputError(
            "baking needs Blender's Python module: `pip install bpy` for this Python, or bake "
            "inside Blender"
        ) from error
    return bake_cli.main(args) or 0


def _rig(text: str) -> tuple[Path, int | None]:
    """`RIG.blend` or `RIG.blend=ID`. Raises InputError."""
    path, separator, actor = text.rpartition("=")
    if not separator or not actor.strip().isdecimal():
        path, actor = text, ""
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such rig")
    return Path(path), int(actor) if actor else None
