# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending end of the live protocol: it connects to Blender and ends when Blender does."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from ..face import FaceFrame
from .errors import InputError
from .protocol import (
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    Preview,
    ProtocolError,
    encode_preview,
    pack_hello,
    pack_json,
    unpack_json,
)

_CONNECT_TIMEOUT = 10.0
_LAST_WORDS = 2.0
"""Seconds that a closing sender waits for what is still to be sent."""


class Sender:
    """A connection to a receiver.

    Attributes:
        stop: set when the receiver asks to stop, or is gone.
    """

    def __init__(
        self,
        address: str,
        token: str,
        source: str,
        *,
        landmarks: bool = True,
        when_gone: Callable[[], None] | None = None,
    ) -> None:
        """Connect and say hello.

        Args:
            address: "host:port" of the receiver.
            token: what the receiver expects.
            source: the name that the frames carry.
            landmarks: whether to send the landmarks.
            when_gone: called once, from another thread, when the receiver has gone.

        Raises:
            InputError: nobody listens there, or the receiver refuses; the message has its reason.
        """
        self.stop = threading.Event()
        self._when_gone = when_gone
        self._encoder = FrameEncoder(landmarks)
        self._socket = _connect(address)
        self._reader = MessageReader()
        self._socket.sendall(pack_hello(Hello(token, source)))
        self._await_welcome(address)
        self._work = threading.Condition()
        self._frames: deque[bytes] = deque()
        self._preview: bytes | None = None
        self._closing = False
        self._writer = threading.Thread(target=self._write, name="sender", daemon=True)
        self._writer.start()
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def send_frame(self, frame: FaceFrame) -> None:
        """Queue a frame; none is ever dropped."""
        self._queue(self._encoder.encode(frame))

    def send_status(self, state: str, message: str = "", **facts: Any) -> None:
        """Tell how the source is: "opening", "running", "ended" or "failed"."""
        self._queue(pack_json(Kind.STATUS, {"state": state, "message": message, **facts}))

    def send_preview(self, preview: Preview) -> None:
        """Put a preview in the place of the one that still waits, if any."""
        with self._work:
            self._preview = encode_preview(preview)
            self._work.notify()

    def close(self) -> None:
        """Send what waits, then close."""
        with self._work:
            self._closing = True
            self._preview = None
            self._work.notify()
        self._writer.join(timeout=_LAST_WORDS)
        self._socket.close()

    def _queue(self, message: bytes) -> None:
        with self._work:
            self._frames.append(message)
            self._work.notify()

    def _write(self) -> None:
        while True:
            with self._work:
                self._work.wait_for(lambda: self._frames or self._preview or self._closing)
                if self._frames:
                    message = self._frames.popleft()
                elif self._preview:
                    message, self._preview = self._preview, None
                else:
                    return
            try:
                self._socket.sendall(message)
            except OSError:
                self.stop.set()
                return

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(4096)
                messages = self._reader.feed(data)
            except (OSError, ProtocolError):
                data, messages = b"", []
            for kind, payload in messages:
                if kind == Kind.CONTROL and unpack_json(payload).get("command") == "stop":
                    self.stop.set()
            if not data:
                break
        self.stop.set()
        if self._when_gone and not self._closing:
            self._when_gone()

    def _await_welcome(self, address: str) -> None:
        try:
            while True:
                data = self._socket.recv(4096)
                if not data:
                    raise InputError(f"{address}: the receiver closed the connection")
                for kind, payload in self._reader.feed(data):
                    if kind == Kind.WELCOME:
                        self._socket.settimeout(None)
                        return
                    if kind == Kind.REFUSED:
                        reason = unpack_json(payload).get("reason", "no reason given")
                        raise InputError(f"{address}: the receiver refuses ({reason})")
        except (OSError, ProtocolError) as error:
            raise InputError(f"{address}: no MFN receiver answers there ({error})") from error


def _connect(address: str) -> socket.socket:
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal():
        raise InputError(f"{address}: not an address; write host:port, as Blender shows it")
    try:
        connection = socket.create_connection((host, int(port)), timeout=_CONNECT_TIMEOUT)
    except (OSError, OverflowError) as error:
        raise InputError(f"{address}: nobody listens there ({error})") from error
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
