# SPDX-License-Identifier: GPL-3.0-or-later
"""Find every face in pictures and videos: head pose, identity, 52 expression weights.

Writes one JSON object a line, a frame each. In a video the faces are followed: an actor's id
stays. Pictures, also those of one folder, are unrelated unless --sequence says that they are
successive: their faces are numbered anew in each, the surest first, and are not smoothed. A take
stands for the videos that phones have handed over with it, in the take's time."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TextIO

from ..capture.errors import InputError
from ..capture.footage import Footage, Input, Picture, find_inputs
from ..capture.overlay_writer import OverlayWriter
from ..capture.solve import Detector, solve_picture
from ..face import FaceFrame
from ..take import SUFFIX, Take, TakeWriter, write_line
from ..take.stamps import stamp_info
from ..take.videos import videos_in
from ..track import Tracker
from ..track.offline import smooth_performance
from .common import (
    add_network_arguments,
    load_network,
    note,
    offline_options,
    output_file,
    progress,
    tracker_options,
)

NAME = "solve"
EXAMPLES = (
    "mfn solve talk.mp4 --output talk.jsonl",
    "mfn solve talk.mp4 --output talk.jsonl --take talk.mfntake --overlay talk_faces.mp4",
    "mfn solve talk.mp4 --offline --output talk.jsonl",
    "mfn solve phones.mfntake --offline --output again.jsonl --take again.mfntake",
    "mfn solve photographs/ portrait.png --output faces.jsonl",
    "mfn solve render_frames/ --sequence 24 --output faces.jsonl",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="pictures, videos, folders, takes"
    )
    parser.add_argument(
        "--output", required=True, metavar="OUT.jsonl", help="the lines; - for standard output"
    )
    parser.add_argument("--take", type=Path, metavar="OUT.mfntake", help="keep a take as well")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the take if it exists already"
    )
    parser.add_argument(
        "--overlay", type=Path, metavar="OUT.mp4",
        help="draw boxes and head meshes over the footage; for several inputs, a folder",
    )  # fmt: skip
    parser.add_argument(
        "--sequence", type=float, metavar="FPS",
        help="a folder's pictures are successive, so many a second: follow the faces",
    )  # fmt: skip
    parser.add_argument(
        "--offline", action="store_true",
        help="take time: read each face again, large and in the mirror, and smooth forward and "
        "backward over the whole video, without lag, one identity an actor (--smoothing sets how "
        "strongly; nothing is written before the end)",
    )  # fmt: skip
    add_network_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Solve the inputs. An unusable one among several is told and left out.

    Returns:
        0, or 2 where an input was left out.
    """
    if args.sequence is not None and not args.sequence > 0:
        raise InputError(f"--sequence {args.sequence:g}: pictures a second must be above 0")
    takes = [Path(name) for name in args.inputs if Path(name).suffix == SUFFIX]
    others = [name for name in args.inputs if Path(name).suffix != SUFFIX]
    inputs = [video for take in takes for video in _videos_of(take)]
    inputs += find_inputs(others, sequences=args.sequence is not None)
    left_out: list[Input] = []
    usable = _open_each(inputs, args, left_out)
    first = next(usable, None)  # nothing is created or overwritten where nothing can be solved
    if first is None:
        return 2
    network = load_network(args, close_ups=args.offline)
    with ExitStack() as stack:
        take = args.take and TakeWriter(args.take, overwrite=args.overwrite)
        if take:
            stack.enter_context(take)
        lines = stack.enter_context(output_file(args.output))
        options = tracker_options(args)
        whole = offline_options(args) if args.offline else None
        if whole:
            options = replace(options, smoothing=None)
        for footage in chain([first], usable):
            tracker = None if footage.still else Tracker(options)
            if take:
                take.note(stamp_info(footage.name, footage.path))
            with ExitStack() as for_this:
                overlay = args.overlay and _overlay(args.overlay, footage, len(inputs) > 1)
                if overlay:
                    for_this.enter_context(overlay)
                solved = _solved(footage, network, tracker)
                if whole and tracker:
                    frames = smooth_performance([frame for _, frame in solved], whole)
                    _write(footage, ((None, frame) for frame in frames), lines, take, None)
                    # Keeping the pictures would take more memory than a computer has.
                    for picture, frame in zip(footage, frames, strict=False) if overlay else ():
                        overlay.add(picture, frame)
                else:
                    _write(footage, solved, lines, take, overlay)
            if tracker:  # ids go on from one video to the next: in a take, each is one actor
                options = replace(options, first_id=tracker.next_id)
    return 2 if left_out else 0


def _videos_of(path: Path) -> list[Input]:
    """The videos that phones kept beside a take, in its time. Raises InputError, TakeError."""
    with Take(path) as take:
        videos = videos_in(take.info)
    if not videos:
        raise InputError(f"{path}: no phone has handed over a video of this take")
    return [Input(path.parent / video.name, video.source, video.start) for video in videos]


def _open_each(
    inputs: list[Input], args: argparse.Namespace, left_out: list[Input]
) -> Iterator[Footage]:
    """The inputs, opened; those that cannot be are told and put into `left_out`."""
    for item in inputs:
        try:
            footage = Footage(item.path, args.sequence or 25.0)
            footage.name, footage.start = item.name, item.start
            if footage.still and args.take:
                raise InputError(
                    f"{item.path}: a take needs moving pictures; give a video, or a folder and "
                    "--sequence"
                )
        except InputError as error:
            note(NAME, str(error))
            left_out.append(item)
            continue
        yield footage


def _solved(
    footage: Footage, network: Detector, tracker: Tracker | None
) -> Iterator[tuple[Picture, FaceFrame]]:
    """Each picture and the faces in it."""
    for picture in progress(footage, footage.frame_count, footage.name, "picture"):
        yield picture, solve_picture(picture, network, tracker, footage.name)


def _write(
    footage: Footage,
    solved: Iterable[tuple[Picture | None, FaceFrame]],
    lines: TextIO,
    take: TakeWriter | None,
    overlay: OverlayWriter | None,
) -> None:
    """Write the frames out, and tell who was seen."""
    seen: set[int] = set()
    count = 0
    for picture, frame in solved:
        write_line(lines, frame)
        if take:
            take.add(frame)
        if overlay and picture:
            overlay.add(picture, frame)
        seen.update(face.id for face in frame.faces)
        count += 1
    if footage.warning:
        note(NAME, footage.warning)
    if not seen:
        note(NAME, f"{footage.path}: no face was found (pictures: {count})")
    elif not footage.still:
        ids = ", ".join(map(str, sorted(seen)))
        note(NAME, f"{footage.path}: {count} pictures, actors: {ids}")


def _overlay(path: Path, footage: Footage, several: bool) -> OverlayWriter:
    """Where this footage's overlay goes: the named file, or a file in the named folder."""
    if several or path.is_dir():
        path = path / f"{Path(footage.name).stem}_faces{'.png' if footage.still else '.mp4'}"
    return OverlayWriter(path, footage)
