# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn bake`: a take and rig files become one .blend with the performance on the rigs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..capture.errors import InputError
from ..retarget import Options, RigError
from ..retarget.reduction import Tolerance
from ..retarget.timing import nominal_rate
from ..take import Take
from .assemble import add_camera, append_character, place_side_by_side
from .bake import BakeReport, Progress, bake_take

Rig = tuple[Path, int | None]


def main(args: Any) -> int:
    """Run `mfn bake`.

    Args:
        args: `take` and `output` are paths; `rig` (or `rigs`) holds `RIG.blend[=face id]` texts
            or (path, face id or None) pairs.

    Raises:
        InputError, TakeError: unusable input; one line says what and where.
    """
    rigs = args.rigs if hasattr(args, "rigs") else args.rig
    report = bake_file(
        args.take,
        [_rig(each) for each in rigs],
        args.output,
        options=Options(responses=args.responses),
        tolerance=Tolerance(*args.tolerance) if args.tolerance else None,
        as_strips=args.strips,
        rate=args.fps,
    )
    for name, matched in report.characters.items():
        print(f"mfn bake: {name}: {matched}", file=sys.stderr)
    print(f"mfn bake: {report.summary()}: {args.output}", file=sys.stderr)
    return 0


def bake_file(
    take_path: str | Path,
    rigs: Sequence[Rig],
    output: str | Path,
    progress: Progress | None = None,
    *,
    options: Options | None = None,
    tolerance: Tolerance | None = None,
    as_strips: bool = False,
    rate: float | None = None,
) -> BakeReport:
    """Bake a take onto rigs in a new file; replaces whatever this Blender has open.

    Args:
        rigs: .blend files, each with the actor that drives it. Rigs without one take the actors
            that no other rig names, in the order of their ids: the first one seen drives the
            first rig.
        output: the .blend to write; its folder is made.
        options: how every character is driven.
        tolerance, as_strips: as in `bake_take`.
        rate: the scene's frames a second; the footage's own unless given.

    Raises:
        InputError: a rig file or the output is unusable, or a rig finds no actor.
        TakeError: the take is unusable or lacks a named actor.
    """
    output = Path(output)
    with Take(take_path) as take:
        cast = _cast(take, rigs)
        with _quiet():
            bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        scene.name = take.path.stem
        try:
            characters = [append_character(path, scene) for path, _ in rigs]
            place_side_by_side(characters, scene)
            _set_rate(scene, rate or _footage_rate(take))
            report = bake_take(
                take,
                dict(zip(cast, characters, strict=True)),
                scene,
                options=dict.fromkeys(cast, options) if options else None,
                tolerance=tolerance,
                as_strips=as_strips,
                progress=progress,
            )
        except RigError as error:
            raise InputError(str(error)) from error
    scene.frame_end = max(report.frame_end, scene.frame_start)
    scene.render.resolution_x, scene.render.resolution_y = 1280, 720
    add_camera(characters, scene)
    scene.frame_set(scene.frame_start)
    _save(output)
    return report


def _rig(text: str | Path | Rig) -> Rig:
    """`ada.blend=1` is the rig ada.blend, driven by actor 1."""
    if isinstance(text, tuple):
        return Path(text[0]), text[1]
    path, equals, actor = str(text).rpartition("=")
    if not equals:
        return Path(text), None
    try:
        return Path(path), int(actor)
    except ValueError:
        return Path(text), None  # a path with an equals sign in it


def _cast(take: Take, rigs: Sequence[Rig]) -> list[int]:
    """An actor for each rig."""
    named = [actor for _, actor in rigs if actor is not None]
    if len(set(named)) < len(named):
        raise InputError("two rigs name the same face: give each rig its own")
    known = [actor.id for actor in take.actors()]
    free = iter([actor for actor in known if actor not in named])
    cast = []
    for path, actor in rigs:
        chosen = next(free, None) if actor is None else actor
        if chosen is None:
            faces = "1 face" if len(known) == 1 else f"{len(known)} faces"
            raise InputError(f"{path}: no face is left to drive it; {take.path} has {faces}")
        cast.append(chosen)
    return cast


def _footage_rate(take: Take) -> float:
    """The footage's own frames a second, so that an animation frame is a picture."""
    return nominal_rate(np.array([frame.time for frame in take.frames()]))


def _set_rate(scene: bpy.types.Scene, rate: float) -> None:
    whole = max(round(rate), 1)
    exact = abs(rate - whole) < 1e-6
    scene.render.fps = whole
    scene.render.fps_base = 1.0 if exact else whole / rate
    scene.frame_start = 1


def _save(output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with _quiet():
            bpy.ops.wm.save_as_mainfile(filepath=str(output.resolve()), compress=True)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().removeprefix("Error: ")
        raise InputError(f"{output}: cannot be written ({reason})") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Blender's own chatter (`Info: Saved …`) off the standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
