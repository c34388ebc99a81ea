# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera of another computer: previews live, and every recorded frame until it is saved."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..capture.errors import InputError
from ..capture.protocol import (
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    Preview,
    ProtocolError,
    pack_hello,
    pack_json,
    unpack_json,
)
from ..face import FaceFrame
from .backlog import AGAIN_AFTER, Backlog
from .client import WebSocketClient
from .hub import OurClock
from .link import LONGEST
from .messages import pack_clock_answer, pack_recorded, unpack_clock, unpack_saved

_HEAD = 5  # bytes of a message before its payload
_REJOIN_EVERY = 1.0  # seconds between tries to connect
_KEPT = 600
"""Frames that are kept in case a recording has begun before they were sent."""
_LAST_WORDS = 5.0
"""Seconds that a closing sender waits for its recorded frames to be saved."""


Connect = Callable[[str, bytes | None], WebSocketClient]
"""Makes a connection to "host:port" with a pinned certificate; raises OSError, InputError."""


class RemoteSender:
    """A connection to the server that is made again when it breaks.

    Attributes:
        stop: set when the server asks to stop, or refuses.
        refusal: why the server refuses, "" where it does not.
        unsaved: the recorded frames that the server has not confirmed yet.
    """

    def __init__(
        self,
        address: str,
        key: str,
        source: str,
        fingerprint: bytes | None = None,
        clock: Callable[[], float] | None = None,
        connect: Connect = WebSocketClient,
        again_after: float = AGAIN_AFTER,
    ) -> None:
        """Connect and say hello.

        Args:
            address: "host:port".
            key: from pairing.
            source: this camera's name.
            fingerprint: of the server's certificate.
            clock: gives seconds that run steadily (default: those of this computer).
            connect: makes the connections.
            again_after: seconds after which a recorded frame that was not confirmed is sent again.

        Raises:
            InputError: nobody listens there, or the server refuses.
        """
        self.stop = threading.Event()
        self.clock = clock or OurClock()
        self.refusal = ""
        self.unsaved = Backlog(again_after)
        self._address, self._fingerprint, self._connect = address, fingerprint, connect
        self._epoch = 0.0
        self._hello = Hello(key, source, stream=secrets.randbits(32))
        self._encoder = FrameEncoder(landmarks=False, compact=True)
        self._sequence = 0
        self._recent: deque[tuple[float, int, bytes]] = deque(maxlen=_KEPT)
        self._span: tuple[int, float, float] | None = None  # take, start, end
        self._lock = threading.Lock()
        self._all_saved = threading.Condition(self._lock)
        self._status: bytes = b""
        self._closing = False
        self._socket: WebSocketClient | None = None
        try:
            self._socket = self._join()
        except (OSError, ProtocolError) as error:
            raise InputError(f"{address}: no MFN server answers there ({error})") from error
        threading.Thread(target=self._listen, name="remote sender", daemon=True).start()

    def send_frame(self, frame: FaceFrame) -> None:
        """Send a frame; a recorded one is kept until it is saved.

        Its time is in seconds since the `epoch` that `send_status` told, as `Sender` has it, or
        of `clock` where none was told.
        """
        frame = replace(frame, time=frame.time + self._epoch)
        connection = self._socket
        can_leave = connection is not None and connection.writable()
        with self._lock:
            message = self._encoder.encode(frame, waited=self.clock() - frame.time)
            sequence, self._sequence = self._sequence, self._sequence + 1
            if self._span is not None and self._span[1] <= frame.time <= self._span[2]:
                message = self._record(sequence, message, self.clock() if can_leave else None)
            else:
                self._recent.append((frame.time, sequence, message))
        if can_leave:  # otherwise a preview is lost, and what is recorded goes later
            self._send(message)

    def send_status(self, state: str, message: str = "", **facts: Any) -> None:
        """Tell how the source is; the server hears it again after a break."""
        if "epoch" in facts:  # of the monotonic clock, which means nothing on another computer
            self._epoch = self.clock() - (time.monotonic() - facts.pop("epoch"))
        self._status = pack_json(Kind.STATUS, {"state": state, "message": message, **facts})
        self._send(self._status)

    def send_preview(self, preview: Preview) -> None:
        """Pictures stay on this computer."""

    def close(self) -> None:
        """Wait a little for what is not saved yet, then hang up."""
        with self._all_saved:
            self._all_saved.wait_for(lambda: not self.unsaved or self.stop.is_set(), _LAST_WORDS)
            self._closing = True
        if self._socket is not None:
            self._socket.close()

    def _send(self, data: bytes) -> None:
        connection = self._socket
        if connection is None:
            return
        try:
            connection.send(data)
        except OSError:
            connection.close()  # the listener makes a new one

    def _join(self) -> WebSocketClient:
        """A connection on which the server has said welcome.

        Raises:
            OSError, ProtocolError: it cannot be had now.
            InputError: the server refuses, or is another one.
        """
        connection = self._connect(self._address, self._fingerprint)
        reader = MessageReader(LONGEST)
        connection.send(pack_hello(self._hello))
        data = connection.receive()
        if data is None:
            raise OSError("the server closed the connection")
        messages = reader.feed(data)
        if not messages:
            raise ProtocolError("the server said nothing that is whole")
        (kind, payload), *rest = messages
        if kind != Kind.WELCOME:
            reason = unpack_json(payload).get("reason", "no reason given")
            raise InputError(f"{self._address}: the server refuses ({reason})")
        with self._lock:
            self._encoder = FrameEncoder(False, self._sequence, compact=True)
        for each in rest:
            self._handle(connection, *each)
        return connection

    def _listen(self) -> None:
        while not self._closing and not self.stop.is_set():
            connection = self._socket
            if connection is None:
                self._join_again()
                continue
            data = connection.receive()
            if data is None:
                self._socket = None
                connection.close()
                continue
            try:
                for kind, payload in MessageReader(LONGEST).feed(data):
                    self._handle(connection, kind, payload)
            except (OSError, ProtocolError):
                connection.close()
            self._send_unsaved()  # CLOCK comes five times a second, so nothing waits longer

    def _join_again(self) -> None:
        try:
            self._socket = self._join()
            with self._lock:
                self.unsaved.send_all_again()
            self._send(self._status)
            self._send_unsaved()
        except (OSError, ProtocolError):
            time.sleep(_REJOIN_EVERY)  # in a thread of its own
        except InputError as error:
            self.refusal = str(error)
            self.stop.set()

    def _send_unsaved(self) -> None:
        """Send what of the recording is due, as far as it can leave at once."""
        while (connection := self._socket) is not None and connection.writable():
            with self._lock:
                batch = self.unsaved.next_batch(self.clock())
            if not batch:
                return
            self._send(batch)

    def _handle(self, connection: WebSocketClient, kind: Kind, payload: bytes) -> None:
        if kind == Kind.CLOCK:
            asked, now = unpack_clock(payload), self.clock()
            connection.send(pack_clock_answer(asked, now, self.clock()))
        elif kind == Kind.SAVED:
            take, stream, ranges = unpack_saved(payload)
            with self._all_saved:
                self.unsaved.confirm(take, stream, ranges)
                self._all_saved.notify_all()
        elif kind == Kind.CONTROL:
            self._obey(unpack_json(payload))
        elif kind == Kind.REFUSED:
            self.refusal = str(unpack_json(payload).get("reason", ""))
            self.stop.set()

    def _record(self, sequence: int, message: bytes, sent: float | None) -> bytes:
        """Turn a FRAME into one of the present recording, and keep it (see `Backlog.keep`)."""
        assert self._span is not None
        take, stream = self._span[0], self._hello.stream
        recorded = pack_recorded(take, stream, message[_HEAD:])
        self.unsaved.keep((take, stream, sequence), recorded, sent)
        return recorded

    def _begin(self, take: int, start: float) -> None:
        """Record from `start` on, also what was sent before this was heard."""
        if self._span is not None and self._span[0] == take:
            return
        self._span = (take, start, float("inf"))
        for time_, sequence, message in self._recent:
            if time_ >= start:
                self._record(sequence, message, None)
        self._recent.clear()

    def _obey(self, control: dict[str, Any]) -> None:
        """Do what a CONTROL says. Raises ProtocolError."""
        command = control.get("command")
        with self._lock:
            try:
                if command == "stop":
                    self.stop.set()
                elif command == "record":
                    self._begin(int(control["take"]), float(control["start"]))
                elif command == "finish" and self._span is not None:
                    self._span = (*self._span[:2], float(control["end"]))
                elif command == "unknown_take":
                    self.unsaved.drop(int(control["take"]))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise ProtocolError(f"a malformed CONTROL ({command})") from error
