# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones as a live source: the server runs from "Add Phone" until the session ends.

A session whose source is `PhoneSource` is stopped as any other: by Stop, another file, disabling
the extension, and the end of Blender; the server stops with it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..face import FaceFrame
from ..phone.hub import slot_of
from ..take import TakeError
from . import late_passes, live, preview, recording, session
from .actor_operators import take_neutral
from .actors import name_of
from .folders import takes_folder, user_folder
from .notice import say
from .panels import faces_in_view
from .translation import iface_, rpt_, told

if TYPE_CHECKING:  # its wheels are loaded once a phone is added
    from ..phone.server import PhoneServer, PhoneState

TITLE = "Phones"
CODE = "phone code"
"""The name of the code's icon."""
_INTERVAL = 0.25
"""Seconds between looks at what phones ask for."""
_BORDER = 4  # modules of quiet zone, as the standard has it
_MODULE = 6  # px


class PhoneSource:
    """A server as a live source (see `session.Source`)."""

    message = ""
    preview_frame = -1

    def __init__(self, server: PhoneServer) -> None:
        self.server = server
        self.alive = True
        self._drawn_version = -1

    @property
    def state(self) -> str:
        """ "waiting" until a phone is connected, then "running"."""
        if not self.alive:
            return "stopped"
        return "running" if self.server.hub.links else "waiting"

    def poll(self) -> list[FaceFrame]:
        """The frames of all phones that have come since the last poll."""
        return self.server.poll()

    def captured(self, frame: FaceFrame) -> float | None:
        """`time.monotonic()` when a frame's picture was captured, by what is known of the phone's
        clock."""
        hub = self.server.hub
        return time.monotonic() - (hub.clock() - hub.started - frame.time)

    def preview(self) -> np.ndarray | None:
        """Phones keep their pictures to themselves."""
        return None

    def stop(self) -> None:
        """Stop the server."""
        self.alive = False
        self.server.stop()
        late_passes.look(at_once=True)  # now that all that has come is on the disk

    def draw_code(self) -> None:
        """Paint the code anew where its secret has changed."""
        version = self.server.hub.pairing.version
        if version != self._drawn_version:
            self._drawn_version = version
            preview.write_icon(CODE, code_picture(self.server.url))


class PhoneRecorder:
    """Stands where a TakeWriter stands for other sources: the server itself writes the take,
    also what comes late."""

    def __init__(self, server: PhoneServer, path: Path, count_in: float) -> None:
        """Begin. Raises TakeError."""
        self.path = path
        self._server = server
        server.start_recording(path, count_in)

    def add(self, _: FaceFrame) -> None:
        """Raises TakeError where the server cannot write the take any more."""
        problem = self._server.problem()
        if problem:
            raise TakeError(problem)

    def note(self, info: dict[str, str], wait: bool = False) -> None:
        """Add metadata, without waiting for it."""
        self._server.note(info)

    def close(self) -> None:
        """End the recording."""
        self._server.finish_recording()


def start(context: bpy.types.Context, address: str) -> PhoneServer:
    """Start the server on an interface, and a session with it. Raises OSError."""
    from ..phone.server import PhoneServer, ServerOptions

    live.stop(context)
    server = PhoneServer(ServerOptions(user_folder("phones"), address))
    source = PhoneSource(server)
    current = live.start(context, source, TITLE)
    current.shows_pictures, current.delivers_late = False, True
    current.open_recorder = lambda path, count_in: PhoneRecorder(server, path, count_in)
    source.draw_code()
    late_passes.find(takes_folder(context.scene.mfn.takes_location))
    if not bpy.app.timers.is_registered(_timer):
        bpy.app.timers.register(_timer, persistent=True)
    return server


def source() -> PhoneSource | None:
    """The running server's source; None where the session has another, or there is none."""
    current = session.current
    return current.source if current and isinstance(current.source, PhoneSource) else None


def server() -> PhoneServer | None:
    """The running server."""
    running = source()
    return running.server if running else None


def tick(context: bpy.types.Context) -> float | None:
    """Do what phones ask for. Returns seconds to the next tick, or None without a server."""
    running = source()
    if running is None:
        return None
    running.draw_code()
    for request in running.server.requests():
        try:
            _answer(context, running.server, request)
        except TakeError as error:
            running.server.tell(request["device"], told(error))
            say(told(error), "ERROR")
    for line in running.server.news():
        say(line)
    late_passes.look()
    live.redraw(context)
    return _INTERVAL


def code_picture(url: str) -> np.ndarray:
    """(S, S, 4) uint8 the code of an address, dark on light."""
    import segno

    modules = np.array(
        [list(row) for row in segno.make(url, error="m").matrix_iter(border=_BORDER)]
    )
    light = np.kron(1 - modules, np.ones((_MODULE, _MODULE), int)) * 255
    opaque = np.full_like(light, 255)
    return np.stack([light, light, light, opaque], axis=-1).astype(np.uint8)


def describe(phone: PhoneState) -> str:
    """One line on how a phone is."""
    if not phone.connected:
        return iface_("not connected")
    parts = [faces_in_view(phone.faces), iface_("{rate:.0f} fps", rate=phone.rate)]
    if phone.latency > 0:
        parts.append(f"{1000 * phone.latency:.0f} ms")
    parts.append(iface_("signal {bars}/4", bars=phone.signal))
    if phone.battery is not None:
        parts.append(iface_("battery {charge:.0%}", charge=phone.battery))
    if phone.pending:
        parts.append(iface_("{count} to deliver", count=phone.pending))
    return phone.message or ", ".join(parts)


def _answer(context: bpy.types.Context, server: PhoneServer, request: dict) -> None:
    current = session.current
    wanted = request.get("request")
    if wanted == "calibrate":
        server.tell(request["device"], _calibrate(context, server, request["device"]))
    elif wanted == "record" and current is not None and current.recorder is None:
        count_in = request.get("count_in", 0)
        recording.start_recording(context, count_in if isinstance(count_in, (int, float)) else 0)
    elif wanted == "finish":
        recording.stop_recording(context)


def _calibrate(context: bpy.types.Context, server: PhoneServer, device: str) -> str:
    """Take the neutral of the actors whom a phone has in view; returns a line for the phone."""
    current = session.current
    slot = next((phone.slot for phone in server.phones() if phone.device == device), None)
    done: list[str] = []
    for row in context.scene.mfn.cast:
        if current is not None and slot_of(row.actor) == slot:
            with suppress(ValueError):  # not in view
                take_neutral(current, row)
                done.append(name_of(row))
    if not done:
        return rpt_("Blender has no face of this phone: no neutral was taken")
    return rpt_("Blender took the neutral of {actors}", actors=", ".join(dict.fromkeys(done)))


def _timer() -> float | None:
    return tick(bpy.context)
