# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending end for another computer: TLS with a pinned certificate, pairing, a WebSocket."""

from __future__ import annotations

import hmac
import http.client
import json
import select
import socket
import ssl
import threading
from contextlib import suppress

import wsproto
from wsproto import events
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from ..capture.errors import InputError
from .certificate import fingerprint_of, readable

_TIMEOUT = 10.0
"""Seconds in which the server has to be heard: it asks for the time five times a second."""
_CHUNK = 64 << 10
_OUTGOING = 64 << 10
"""Bytes that may wait in the system to leave: what is live should not grow old there."""


def pair(address: str, fingerprint: bytes | None, name: str, **secret: str) -> str:
    """Pair with a server.

    Args:
        address: "host:port".
        fingerprint: SHA-256 of the certificate that it has to show; None to trust any.
        name: what this sender is called there.
        secret: `pin`, or `secret` from a code's address.

    Returns:
        The key to connect with.

    Raises:
        InputError: nobody listens there, the certificate is another one, or it refuses.
    """
    host, port = split_address(address)
    connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT)
    try:
        connection.sock = _connect(host, port, fingerprint)
        connection.request(
            "POST", "/pair", json.dumps({**secret, "name": name}),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        response = connection.getresponse()
        data = json.loads(response.read(64 << 10))
    except InputError:  # the certificate is another one
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(f"{address}: no MFN server answers there ({error})") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise InputError(f"{address}: {data.get('reason', 'the server refuses to pair')}")
    return data["key"]


def shown_fingerprint(address: str, fingerprint: bytes | None = None) -> bytes:
    """SHA-256 of the certificate that a server shows.

    Args:
        address: "host:port".
        fingerprint: what it has to be; None for any.

    Raises:
        InputError: nobody listens there, or the certificate is another one.
    """
    try:
        connection = _connect(*split_address(address), fingerprint)
    except OSError as error:
        raise InputError(f"{address}: nobody listens there ({error})") from error
    with connection:
        return fingerprint_of(connection.getpeercert(binary_form=True) or b"")


class WebSocketClient:
    """A WebSocket to `/live`; sending and receiving may happen in two threads."""

    def __init__(self, address: str, fingerprint: bytes | None, timeout: float = _TIMEOUT) -> None:
        """Connect.

        Args:
            address: "host:port".
            fingerprint: SHA-256 of the certificate that it has to show; None to trust any.
            timeout: seconds without a word from the server after which the connection counts as
                broken.

        Raises:
            OSError: nobody answers.
            InputError: the certificate is another one.
        """
        host, port = split_address(address)
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._socket = _connect(host, port, fingerprint, timeout)
        self._protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._write(events.Request(host=f"{host}:{port}", target="/live"))
        self._messages: list[bytes] = []
        self._partial = bytearray()
        self._accepted = False
        while not self._accepted:
            if not self._read():
                raise OSError("the server closed the connection")

    def writable(self) -> bool:
        """Whether a message would leave at once."""
        try:
            return bool(select.select([], [self._socket], [], 0)[1])
        except (OSError, ValueError):  # it is closed
            return False

    def send(self, data: bytes) -> None:
        """Send one binary message. Raises OSError."""
        self._write(events.BytesMessage(data=data))

    def receive(self) -> bytes | None:
        """The next binary message; None once the connection has ended."""
        while not self._messages:
            if not self._read():
                return None
        return self._messages.pop(0)

    def close(self) -> None:
        """Hang up; a waiting `receive` ends."""
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        with self._reading, self._lock:  # else a waiting read goes on with the number's next owner
            self._socket.close()

    def _write(self, event: events.Event) -> None:
        with self._lock:
            try:
                self._socket.sendall(self._protocol.send(event))
            except LocalProtocolError as error:
                raise OSError("the connection was closed") from error

    def _read(self) -> bool:
        """Take in what comes; False once nothing more will."""
        try:
            with self._reading:
                data = self._socket.recv(_CHUNK)
            with self._lock:
                self._protocol.receive_data(data or None)
                happened = list(self._protocol.events())
        except (OSError, RemoteProtocolError):
            return False
        for event in happened:
            if isinstance(event, events.AcceptConnection):
                self._accepted = True
            elif isinstance(event, events.BytesMessage):
                self._partial += event.data
                if event.message_finished:
                    self._messages.append(bytes(self._partial))
                    self._partial.clear()
            elif isinstance(event, events.Ping):
                self._write(event.response())
            elif isinstance(event, events.RejectConnection):
                raise OSError(f"it refuses this connection, with HTTP status {event.status_code}")
            elif isinstance(event, events.CloseConnection):
                return bool(self._messages)
        return bool(data)


def split_address(address: str) -> tuple[str, int]:
    """Host and port of "host:port". Raises InputError."""
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise InputError(f"{address}: not an address; write host:port, as Blender shows it")
    return host, int(port)


def parse_fingerprint(text: str) -> bytes:
    """The 32 bytes of AA:BB:… or aabb…. Raises InputError."""
    try:
        value = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        value = b""
    if len(value) != 32:
        raise InputError(f"{text}: no fingerprint; it has 32 pairs of digits, as Blender shows it")
    return value


def _connect(
    host: str, port: int, fingerprint: bytes | None, timeout: float = _TIMEOUT
) -> ssl.SSLSocket:
    """A TLS connection to a server whose certificate is known by its fingerprint alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # self-signed: the fingerprint is compared instead
    plain = socket.create_connection((host, port), timeout=timeout)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _OUTGOING)
    connection = context.wrap_socket(plain, server_hostname=host)
    shown = fingerprint_of(connection.getpeercert(binary_form=True) or b"")
    if fingerprint is not None and not hmac.compare_digest(shown, fingerprint):
        connection.close()
        raise InputError(
            f"{host}:{port}: shows another certificate ({readable(shown)}); "
            "compare the fingerprint with the one on that computer"
        )
    return connection
