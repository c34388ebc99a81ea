# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch a camera, or footage at its own pace, and send the faces on as they come.

Blender starts this by itself. By hand, --connect with --pin joins a Blender whose "Add Phone" runs,
or an `mfn serve`, also on another computer, as a phone does: address, PIN and fingerprint are shown
there, and only faces travel. Later runs need no PIN. --take and --output record without Blender.
The camera is opened when this starts and released when it ends."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import cv2

from ..capture.camera import LiveSource, list_cameras, open_source
from ..capture.errors import InputError
from ..capture.footage import Picture
from ..capture.protocol import TOKEN_VARIABLE, Preview
from ..capture.sender import Sender
from ..capture.solve import solve_picture
from ..take import TakeWriter, write_line
from ..take.stamps import stamp_info
from ..track import Tracker
from .common import add_network_arguments, load_network, note, output_file, tracker_options

if TYPE_CHECKING:
    from ..face import FaceFrame
    from ..phone.known_servers import KnownServers
    from ..phone.remote_sender import RemoteSender

_GRACE = 2.0
"""Seconds that this process has to end in good order once the receiver is gone."""

EXAMPLES = (
    "mfn camera --list",
    "mfn camera --source 0 --take evening.mfntake",
    "mfn camera --source talk.mp4 --loop --output -",
    "mfn camera --source 0 --connect 192.168.1.20:8443 --pin 123456 --fingerprint AA:BB:…",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--list", action="store_true", help="list the cameras and end")
    parser.add_argument(
        "--source", default="0", metavar="NUMBER|FILE", help="a camera or footage (default: 0)"
    )
    parser.add_argument("--loop", action="store_true", help="play footage again and again")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="ask the camera for this")
    parser.add_argument("--rate", type=float, default=30.0, help="ask the camera for this many/s")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after this long")
    parser.add_argument("--connect", metavar="HOST:PORT", help="send to a Blender that waits there")
    parser.add_argument("--pin", help="the PIN that it shows, needed once; the key is kept")
    parser.add_argument(
        "--forget", action="store_true", help="delete the key for --connect's server and end"
    )
    parser.add_argument(
        "--fingerprint", help="the certificate that it has to show (default: any, and it is noted)"
    )
    parser.add_argument(
        "--preview", type=int, default=320, metavar="PX",
        help="longer side of the preview pictures that are sent; 0 for none (default: 320)",
    )  # fmt: skip
    parser.add_argument("--no-landmarks", action="store_true", help="send less")
    parser.add_argument("--output", metavar="OUT.jsonl", help="write lines of faces")
    parser.add_argument("--take", type=Path, metavar="OUT.mfntake", help="record a take")
    add_network_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Watch the source until it ends, the receiver is gone, or the user stops it."""
    if args.list:
        print("\n".join(f"{number}" for number in list_cameras()) or "no camera found")
        return 0
    if args.forget:
        return _forget(args.connect)
    signal.signal(signal.SIGTERM, _interrupt)  # so that a take is finished in good order
    with ExitStack() as stack:
        sender = None
        if args.connect:  # first of all: from here on this process ends with the receiver
            sender = _connect(args)
            stack.callback(sender.close)
        try:
            _watch(args, sender, stack)
        except (ValueError, OSError) as error:  # InputError and TakeError are ValueErrors
            if sender:
                sender.send_status("failed", str(error))
            raise
        except KeyboardInterrupt:
            if sender:
                sender.send_status("ended", "The capture process was ended")
            raise
    return 0


def _connect(args: argparse.Namespace) -> Sender | RemoteSender:
    """To the Blender that started this process and gave it a token, or else as phones do."""
    name = f"Camera {args.source}" if args.source.isdecimal() else Path(args.source).name
    token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and not args.pin:
        landmarks = not args.no_landmarks
        return Sender(args.connect, token, name, landmarks=landmarks, when_gone=_end_soon)
    from ..phone.client import parse_fingerprint
    from ..phone.known_servers import join

    fingerprint = parse_fingerprint(args.fingerprint) if args.fingerprint else None
    if fingerprint is None and args.pin:
        note("camera", "without --fingerprint, whoever answers at that address is trusted")
    return join(args.connect, name, _known_servers(), fingerprint, args.pin)


def _known_servers() -> KnownServers:
    from ..phone.folder import user_folder
    from ..phone.known_servers import KnownServers

    return KnownServers(user_folder() / "servers.json")


def _forget(address: str | None) -> int:
    """Delete the keys of a server."""
    if address is None:
        raise InputError("--forget: say --connect HOST:PORT too, whose key is to be deleted")
    gone = _known_servers().forget(address)
    note("camera", f"{address}: {'its key is deleted' if gone else 'no key was kept'}")
    return 0


def _watch(
    args: argparse.Namespace, sender: Sender | RemoteSender | None, stack: ExitStack
) -> None:
    stop = sender.stop if sender else threading.Event()
    source = _open(args)
    stack.callback(source.close)
    network = load_network(args)
    tracker = Tracker(tracker_options(args))
    take = stack.enter_context(_recorder(args, source)) if args.take else None
    lines = stack.enter_context(output_file(args.output)) if args.output else None
    count, last = 0, 0.0
    for picture in source.pictures(stop):
        if args.seconds is not None and picture.time > args.seconds:
            break
        if sender and not count:
            sender.send_status("running", **_facts(source))
        frame = solve_picture(picture, network, tracker, source.name)
        _hand_on(frame, sender, take, lines)
        if sender and args.preview:
            sender.send_preview(_preview(picture, args.preview))
        count, last = count + 1, picture.time
    if sender:
        sender.send_status("ended", f"{source.name} has ended")
    else:
        pace = f", {(count - 1) / last:.1f} a second" if last else ""
        note("camera", f"{source.name}: {count} pictures{pace}")


def _open(args: argparse.Namespace) -> LiveSource:
    width, separator, height = args.size.partition("x")
    if not (separator and width.isdecimal() and height.isdecimal()):
        raise InputError(f"--size {args.size}: write it as 1280x720")
    return open_source(args.source, loop=args.loop, size=(int(width), int(height)), rate=args.rate)


def _recorder(args: argparse.Namespace, source: LiveSource) -> TakeWriter:
    footage = not args.source.isdecimal()
    return TakeWriter(args.take, info=stamp_info(source.name, Path(args.source)) if footage else {})


def _facts(source: LiveSource) -> dict[str, Any]:
    return {
        "width": source.width,
        "height": source.height,
        "duration": source.duration,
        "epoch": source.epoch,
    }


def _hand_on(
    frame: FaceFrame,
    sender: Sender | RemoteSender | None,
    take: TakeWriter | None,
    lines: TextIO | None,
) -> None:
    if sender:
        sender.send_frame(frame)
    if take:
        take.add(frame)
    if lines:
        write_line(lines, frame)
        lines.flush()


def _preview(picture: Picture, side: int) -> Preview:
    height, width = picture.image.shape[:2]
    scale = min(side / max(width, height), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(picture.image, size, interpolation=cv2.INTER_AREA)
    return Preview(picture.frame, *size, "rgb", small.tobytes())


def _end_soon() -> None:
    """End this process even where a camera driver hangs: without a receiver nobody else would."""
    timer = threading.Timer(_GRACE, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
