# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive faces from phones and other computers' cameras, and record them into a take.

The server that Blender's "Add Phone" starts, without Blender. Once it listens it prints one JSON
line with `url` (the address that a phone's code would hold), `pin` and `fingerprint`, and another
whenever the code or the PIN has been used or is too old. Ctrl-C, SIGTERM or --seconds end it; a
take that is there already is gone on with, so that phones deliver what they still hold."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from pathlib import Path

from ..capture.errors import InputError
from ..phone.addresses import LOOPBACK, local_addresses
from ..phone.folder import user_folder
from ..phone.server import PORT, PhoneServer, ServerOptions
from .common import note

_EVERY = 0.1
"""Seconds between looks at what has come."""

EXAMPLES = (
    "mfn serve --output take.mfntake",
    "mfn serve --address 192.168.1.20 --port 9000 --output take.mfntake",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--output", type=Path, metavar="OUT.mfntake", help="record all senders")
    parser.add_argument(
        "--address", metavar="IP",
        help="the interface to listen on (default: that of the local network)",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=int, default=PORT, help=f"any free one where it is taken (default: {PORT})"
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="end after this long")
    parser.add_argument(
        "--folder", type=Path, help="where the certificate and the paired devices are kept"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until the end."""
    address = args.address or next(iter(local_addresses()), LOOPBACK)
    options = ServerOptions(args.folder or user_folder(), address, args.port)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        server = PhoneServer(options)
    except OSError as error:
        raise InputError(f"{address}:{args.port}: cannot listen there ({error})") from error
    with server:
        if args.output:
            server.start_recording(args.output, resume=args.output.exists())
        frames = _serve(server, ending, args.seconds)
    if problem := server.problem():
        raise InputError(problem)
    note("serve", f"{frames} frames" + (f" in {args.output}" if args.output else ""))
    return 0


def _serve(server: PhoneServer, ending: threading.Event, seconds: float | None) -> int:
    """Tell each new code, until the end. Returns how many frames came for the eye."""
    told, frames = -1, 0
    until = None if seconds is None else time.monotonic() + seconds
    while not ending.is_set() and (until is None or time.monotonic() < until):
        pairing = server.hub.pairing
        if told != pairing.version:
            told = pairing.version
            facts = {"url": server.url, "pin": pairing.pin, "fingerprint": server.fingerprint}
            print(json.dumps(facts), flush=True)
        frames += len(server.poll())
        _answer_requests(server)
        for line in server.news():
            note("serve", line)
        ending.wait(_EVERY)
    return frames


def _answer_requests(server: PhoneServer) -> None:
    """What phones ask for: nothing of it can be had without Blender."""
    for request in server.requests():
        calibrate = request.get("request") == "calibrate"
        reason = (
            "This server keeps faces as they are: take the neutral in Blender, from the take"
            if calibrate
            else "This server records all the time it runs"
        )
        server.tell(request["device"], reason)
