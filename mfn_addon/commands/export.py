# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a take as lines of JSON, the same lines as `mfn solve` writes.

The samples are written as they were recorded; --corrected writes them as the take's layers of
corrections have them, as they are played and baked. With --import, the other way round: make a
take of a file of such lines."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..take import Take, corrected_frames, import_lines, write_line
from .common import note, output_file, progress

EXAMPLES = (
    "mfn export talk.mfntake --output talk.jsonl",
    "mfn export talk.mfntake --actor 2 --output second_actor.jsonl",
    "mfn export talk.mfntake --corrected --output talk.jsonl",
    "mfn export --import talk.jsonl --output talk.mfntake",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE", help="the take, or lines with --import")
    parser.add_argument("--output", required=True, metavar="OUT", help="- for standard output")
    parser.add_argument("--actor", type=int, metavar="ID", help="the faces of this actor alone")
    parser.add_argument(
        "--corrected", action="store_true", help="under the take's corrections, without them raw"
    )
    parser.add_argument(
        "--import", dest="reverse", action="store_true", help="from lines to a take"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the take that --import writes"
    )


def run(args: argparse.Namespace) -> int:
    """Export or import."""
    if args.reverse:
        count = import_lines(args.take, args.output, overwrite=args.overwrite)
        note("export", f"{args.output}: {count} frames")
        return 0
    with Take(args.take) as take, output_file(args.output) as lines:
        frames = corrected_frames(take) if args.corrected else take.frames()
        for frame in progress(frames, take.frame_count, args.take.name, "frame"):
            if args.actor is not None:
                frame.faces = [face for face in frame.faces if face.id == args.actor]
            write_line(lines, frame)
        if not take.finished:
            note(
                "export",
                f"{args.take}: recording was cut off; all {take.frame_count} frames that were "
                "saved are exported",
            )
    return 0
