# SPDX-License-Identifier: GPL-3.0-or-later
"""What several commands share: the network, smoothing, output files and progress."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from ..capture.errors import InputError

if TYPE_CHECKING:
    from ..capture.solve import Detector
    from ..track import TrackerOptions
    from ..track.offline import OfflineOptions

Item = TypeVar("Item")

INPUT_SIZES = (320, 480, 640)
_STRENGTHS = {"off": 0.0, "light": 0.5, "normal": 1.0, "strong": 2.5}


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """--network, --threads, --input-size and --smoothing."""
    parser.add_argument(
        "--network", type=Path, metavar="FILE", help="the network to use (default: the shipped one)"
    )
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N",
        help="processor threads for the network (default: as many as help)",
    )  # fmt: skip
    parser.add_argument(
        "--input-size", type=int, choices=INPUT_SIZES, default=INPUT_SIZES[0],
        help="px of the picture's longer side that the network sees: the larger ones find smaller "
        "faces, and take two and four times as long (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--smoothing", choices=_STRENGTHS, default="normal",
        help="how much jitter is taken out over time (default: normal)",
    )  # fmt: skip


def load_network(args: argparse.Namespace, *, close_ups: bool = False) -> Detector:
    """The network that the arguments name, if asked with SFN to read close-ups of what it finds.

    Raises:
        InputError: one of them cannot be loaded.
    """
    from ..capture.solve import TRACKED_SCORE
    from ..network import FaceNetwork

    try:
        network = FaceNetwork(
            args.network, args.threads, least_score=TRACKED_SCORE, long_side=args.input_size
        )
        if not close_ups:
            return network
        from ..network.closeup import CloseUps

        return CloseUps(network, threads=args.threads)
    except (FileNotFoundError, ValueError) as error:
        raise InputError(str(error)) from error


def networks_stamp(args: argparse.Namespace) -> str:
    """What tells the networks that close-ups are found and read with from all others."""
    from ..network import mfn, sfn
    from ..take.stamps import stamp_of

    return f"{stamp_of(args.network or mfn.DEFAULT_PATH)} {stamp_of(sfn.DEFAULT_PATH)}"


def tracker_options(args: argparse.Namespace, first_id: int = 1) -> TrackerOptions:
    """The tracker's options under the chosen smoothing."""
    from ..track import Smoothing, TrackerOptions

    strength = _STRENGTHS[args.smoothing]
    smoothing = Smoothing().scaled(strength) if strength else None
    return TrackerOptions(first_id=first_id, smoothing=smoothing)


def offline_options(args: argparse.Namespace) -> OfflineOptions | None:
    """How a whole performance is smoothed under the chosen smoothing; None for not at all."""
    from ..track.offline import OfflineOptions

    strength = _STRENGTHS[args.smoothing]
    return OfflineOptions(span=OfflineOptions.span * strength) if strength else None


@contextmanager
def output_file(path: str | Path) -> Iterator[TextIO]:
    """A text file to write, its folder made; `-` is the standard output."""
    if str(path) == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w", encoding="utf-8") as file:
        yield file


def progress(items: Iterable[Item], total: int | None, what: str, unit: str) -> Iterable[Item]:
    """The items, with a progress bar on stderr where someone can watch it (and tqdm is there)."""
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, what, total, unit=unit, leave=False, disable=None, dynamic_ncols=True)


def note(command: str, text: str) -> None:
    """One line for the user on stderr."""
    print(f"mfn {command}: {text}", file=sys.stderr)
