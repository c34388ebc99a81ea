# SPDX-License-Identifier: GPL-3.0-or-later
"""Bake a take to keyframes on characters, and save them as one .blend file.

Each --rig is a .blend with one character. Which actor drives it follows after `=`; without, the
rigs take the actors in the order of their ids."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from ..capture.errors import InputError
from ..retarget import Response
from ..retarget.presets import read_preset
from ..take import Take

_SLOWEST, _FASTEST = 1, 1000  # frames a second

EXAMPLES = (
    "mfn bake talk.mfntake --rig human.blend --rig robot.blend --output scene.blend",
    "mfn bake talk.mfntake --rig robot.blend=2 --output scene.blend",
    "mfn bake talk.mfntake --rig human.blend --settings ada.json --output scene.blend",
    "mfn bake talk.mfntake --rig human.blend --tolerance 0.5 0.2 0.1 --output scene.blend",
    "mfn bake talk.mfntake --rig human.blend --fps 29.97 --strips --output scene.blend",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE", help="the take")
    parser.add_argument(
        "--rig", action="append", required=True, dest="rigs", metavar="RIG.blend[=ID]",
        help="a character, and the id of the actor who drives it; may be repeated",
    )  # fmt: skip
    parser.add_argument("--output", required=True, type=Path, metavar="OUT.blend")
    parser.add_argument(
        "--settings", type=Path, metavar="RESPONSES.json",
        help="how strongly the characters answer: a preset that was saved in the Response panel",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=float, nargs=3, metavar=("PERCENT", "DEGREES", "MM"),
        help="leave out keys, off by at most so much: of a shape, a bone's turn, a bone's way",
    )  # fmt: skip
    parser.add_argument(
        "--strips", action="store_true", help="bake to NLA strips instead of active actions"
    )
    parser.add_argument(
        "--fps", type=float, metavar="RATE",
        help="frames a second of the scene; the footage's own unless given",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Check what can be checked without Blender, then bake."""
    args.rigs = [_rig(text) for text in args.rigs]
    args.responses = _responses(args.settings) if args.settings else {}
    if args.fps is not None and not _SLOWEST <= args.fps <= _FASTEST:
        raise InputError(f"--fps {args.fps:g}: expected {_SLOWEST} to {_FASTEST} frames a second")
    if args.tolerance and not all(0 < limit < math.inf for limit in args.tolerance):
        told = " ".join(f"{limit:g}" for limit in args.tolerance)
        raise InputError(f"--tolerance {told}: expected three numbers above 0")
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


def _responses(path: Path) -> dict[str, Response]:
    try:
        return read_preset(path)
    except ValueError as error:
        raise InputError(f"--settings {error}") from error


def _rig(text: str) -> tuple[Path, int | None]:
    """`RIG.blend` or `RIG.blend=ID`. Raises InputError."""
    path, separator, actor = text.rpartition("=")
    if not separator or not actor.strip().isdecimal():
        path, actor = text, ""
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such rig")
    return Path(path), int(actor) if actor else None
