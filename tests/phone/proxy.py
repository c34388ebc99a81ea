# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that can be broken: a TCP relay on the loopback address, and a lossy carrier."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress
from typing import Self

from mfn_addon.capture.protocol import Kind, MessageReader, pack
from mfn_addon.phone.client import WebSocketClient
from mfn_addon.phone.link import LONGEST
from mfn_addon.phone.server import PhoneServer

_CHUNK = 64 << 10


class Proxy:
    """Relays connections to a server; a context manager.

    Attributes:
        address: "host:port" to connect to instead.
        sent: bytes that came from clients.
    """

    def __init__(self, server: PhoneServer) -> None:
        self.sent = 0
        self._port = server.port
        self._open = threading.Event()  # bytes pass while it is set
        self._open.set()
        self._refusing = False
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        server._routes._hosts |= {self.address}  # what clients name as Host
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        """As a phone out of reach: connections stay, and nothing comes through."""
        self._open.clear()

    def cut(self) -> None:
        """As a router that restarts: connections break, and new ones break as well."""
        self._refusing = True
        self._hang_up()

    def mend(self) -> None:
        """Relay again, and what was swallowed comes late."""
        self._refusing = False
        self._open.set()

    def close(self) -> None:
        self._open.set()
        _end(self._listener)
        self._hang_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hang_up(self) -> None:
        for each in list(self._sockets):
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                try:
                    self._join(client)
                except OSError:  # the server is down, and that is all a client hears
                    _end(client)

    def _join(self, client: socket.socket) -> None:
        if self._refusing:
            raise OSError("the network is cut")
        server = socket.create_connection(("127.0.0.1", self._port))
        self._sockets |= {client, server}
        for source, target, counted in ((client, server, True), (server, client, False)):
            relay = threading.Thread(
                target=self._relay, args=(source, target, counted), daemon=True
            )
            relay.start()

    def _relay(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self.sent += len(data) * counted
                self._open.wait()
                target.sendall(data)
        for each in (source, target):
            _end(each)
            self._sockets.discard(each)


class LossyWebSocket(WebSocketClient):
    """Loses, doubles and reorders what belongs to the stream of samples, both ways.

    TCP does none of this to bytes, but a chain of carriers (batches that are tried again, a
    connection that is made anew) does it to messages.

    Attributes:
        spoilt: messages that were lost, doubled or held back.
    """

    _SAMPLES = (Kind.FRAME, Kind.RECORDED, Kind.SAVED)

    def __init__(self, address: str, fingerprint: bytes | None, chance: random.Random) -> None:
        self.spoilt = 0
        self._chance = chance
        self._held: list[bytes] = []
        super().__init__(address, fingerprint)

    def send(self, data: bytes) -> None:
        spoilt = b"".join(self._spoil(data))
        if spoilt:
            super().send(spoilt)

    def receive(self) -> bytes | None:
        data = super().receive()
        if data is None:
            return None
        return b"".join(self._spoil(data, may_hold=False))

    def _spoil(self, data: bytes, may_hold: bool = True) -> list[bytes]:
        passed = []
        for kind, payload in MessageReader(LONGEST).feed(data):
            message = pack(kind, payload)
            luck = self._chance.random() if kind in self._SAMPLES else 1.0
            self.spoilt += luck < 0.15
            if luck < 0.05:
                continue
            if luck < 0.10:
                passed += [message, message]
            elif luck < 0.15 and may_hold:
                self._held.append(message)
            else:
                passed.append(message)
        if passed and self._held and self._chance.random() < 0.5:
            passed.append(self._held.pop(0))  # after what was sent later
        return passed


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
