# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve the footage of a take again, with time, into an improved take.

The take was made live, in one pass; this one reads each face again, large, and smooths forward
and backward over the whole of it, as `mfn solve --offline` does. Actors keep their numbers, and the
take's corrections and facts go along. The take itself stays as it is. What an interrupted run has
found lies in OUT.partial, from which the next run on the same footage goes on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from pathlib import Path

from ..capture.errors import InputError
from ..capture.footage import Footage
from ..capture.solve import Detector
from ..face import FaceFrame
from ..take import Take, TakeError, TakeWriter, read_lines, write_layers, write_line
from ..take.stamps import is_other, stamp_of, stamps_in
from ..track import Tracker
from ..track.offline import smooth_performance
from ..track.renumber import renumbered
from .common import (
    add_network_arguments,
    load_network,
    networks_stamp,
    note,
    offline_options,
    progress,
    tracker_options,
)

NAME = "refine"
EXAMPLES = (
    "mfn refine live.mfntake --footage talk.mp4 --output better.mfntake",
    "mfn refine live.mfntake --footage talk.mp4 --output better.mfntake --overwrite",
)
_OWN_FACTS = ("created", "id", "expressions", "finished")  # which each take has of its own


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("take", type=Path, metavar="TAKE", help="the take")
    parser.add_argument("--footage", required=True, type=Path, metavar="FILE", help="its video")
    parser.add_argument("--output", required=True, type=Path, metavar="OUT.mfntake")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the output if it exists already"
    )
    parser.add_argument(
        "--count", action="store_true",
        help="tell pictures done and in all on standard output, for a program that watches",
    )  # fmt: skip
    add_network_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Refine the take. Raises InputError, TakeError."""
    if args.output.exists() and not args.overwrite:
        raise InputError(f"{args.output}: exists already; give another name or --overwrite")
    footage = Footage(args.footage)
    with Take(args.take) as take:
        footage.name = _source_of(take, args.footage) or footage.name
        earlier = list(take.frames(footage.name))
        others = [frame for frame in take.frames() if frame.source != footage.name]
        layers = take.layers()
        info = {key: text for key, text in take.info.items() if key not in _OWN_FACTS}
        if not earlier:
            known = ", ".join(take.sources) or "nothing"
            raise InputError(f"{args.footage}: the take is of {known}, not of this footage")
        if is_other(take.info, footage.name, args.footage):
            raise InputError(
                f"{args.footage}: another file than the {footage.name} that the take was made "
                "from; give that one"
            )
    partial = Path(f"{args.output}.partial")
    frames = _read_again(footage, earlier, partial, args)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with TakeWriter(
        args.output, overwrite=args.overwrite, info={**info, "refined": args.take.name}
    ) as writer:
        for frame in merge(frames, others, key=lambda frame: frame.time):
            writer.add(frame)
    write_layers(args.output, layers)
    partial.unlink(missing_ok=True)
    note(NAME, f"{args.output}: {len(frames)} pictures")
    return 0


def _source_of(take: Take, path: Path) -> str | None:
    """What the take calls a file that has been renamed since; None for one that keeps its name."""
    if path.name in take.sources or not path.is_file():
        return None
    stamp = stamp_of(path)
    return next((source for source, known in stamps_in(take.info).items() if known == stamp), None)


def _read_again(
    footage: Footage, earlier: list[FaceFrame], partial: Path, args: argparse.Namespace
) -> list[FaceFrame]:
    """The part of the footage that the take is of, solved with time, with the take's actors."""
    span = range(earlier[0].frame, earlier[-1].frame + 1)
    network = load_network(args, close_ups=True)
    tracker = Tracker(replace(tracker_options(args), smoothing=None))
    stamp = stamp_of(args.footage) if args.footage.is_file() else ""
    named = f"{footage.name} {stamp} {args.input_size} {networks_stamp(args)}"
    found = _detections(footage, span, network, partial, named)
    frames: list[FaceFrame] = []
    for frame in progress(found, len(span), footage.name, "picture"):
        frames.append(tracker.update(frame))
        if args.count:
            print(len(frames), len(span), flush=True)
    options = offline_options(args)
    whole = smooth_performance(frames, options) if options else frames
    return renumbered(whole, earlier)


def _detections(
    footage: Footage, span: range, network: Detector, partial: Path, named: str
) -> Iterator[FaceFrame]:
    """The faces in each picture, without ids: those of an interrupted run, then the rest.

    Args:
        named: the source of what lies in `partial`, if it is of this footage, read the same way.
    """
    done = _already(partial, named)
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("w", encoding="utf-8") as file:
        for frame in done.values():  # without a last line that was cut off
            write_line(file, replace(frame, source=named))
        for picture in footage:
            if picture.frame >= span.stop:
                return
            if picture.frame < span.start:
                continue
            frame = done.get(picture.frame)
            if frame is not None:
                frame = replace(frame, source=footage.name)
            else:
                height, width = picture.image.shape[:2]
                faces = network.detect(picture.image)
                frame = FaceFrame(picture.time, footage.name, picture.frame, width, height, faces)
                write_line(file, replace(frame, source=named))
                file.flush()
            yield frame


def _already(partial: Path, source: str) -> dict[int, FaceFrame]:
    """What an interrupted run has found, by picture; its last line may be cut off."""
    found: dict[int, FaceFrame] = {}
    if partial.is_file():
        try:
            for frame in read_lines(partial):
                if frame.source == source:
                    found[frame.frame] = frame
        except TakeError as error:
            print(f"mfn {NAME}: {error}: goes on from there", file=sys.stderr)
    return found
