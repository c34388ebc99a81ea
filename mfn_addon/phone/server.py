# SPDX-License-Identifier: GPL-3.0-or-later
"""The server that phones connect to: one TLS port, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import h11
from wsproto.utilities import ProtocolError

from ..face import FaceFrame
from .addresses import LOOPBACK
from .certificate import Certificate, readable
from .connection import Connection, Limits
from .devices import Devices
from .hub import Hub
from .link import PhoneLink
from .pages import ROOT, Page, list_pages
from .routes import Routes

PORT = 8443
"""The port that is tried first; any free one serves where it is taken."""
_TICK = 0.05
_ANSWER = 5.0
"""Seconds that the server's thread has for a call."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class ServerOptions:
    """How the server listens and where it keeps its few files.

    Attributes:
        folder: for the certificate, the paired devices and the takes' numbers.
        address: the interface's address that it listens on and that the code names.
        port: the first to try; 0 for any free one.
        others: further host names and addresses that it may be reached by.
    """

    folder: Path
    address: str = LOOPBACK
    port: int = PORT
    others: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class PhoneState:
    """A paired device as the panel shows it.

    Attributes:
        rate: frames a second; latency: seconds from capture to here; faces: in its last frame.
        battery: 0..1, None while unknown; pending: recorded frames that it still holds.
        round_trip: seconds there and back over the network, at best.
        signal: bars, 0 to 4 (see `reception`).
    """

    device: str
    name: str
    slot: int
    connected: bool = False
    transport: str = ""
    state: str = ""
    message: str = ""
    rate: float = 0.0
    latency: float = 0.0
    faces: int = 0
    battery: float | None = None
    pending: int = 0
    round_trip: float = 0.0
    signal: int = 0


class PhoneServer:
    """Listens from its making until `stop`; a context manager. May be used from any thread.

    Attributes:
        hub: what the senders share.
        port: the port it listens on.
        fingerprint: SHA-256 of its certificate, AA:BB:….
        root_fingerprint: that of the root, which people may install on their phones.
    """

    def __init__(self, options: ServerOptions) -> None:
        """Start it.

        Raises:
            OSError: the address cannot be listened on, or the folder not be written.
        """
        self.options = options
        folder = options.folder
        hosts = list(dict.fromkeys([options.address, LOOPBACK, "localhost", *options.others]))
        certificate = Certificate(folder, hosts)
        self._certificate = certificate.fingerprint
        self.fingerprint = readable(certificate.fingerprint)
        self.root_fingerprint = readable(certificate.root_fingerprint)
        self.hub = Hub(Devices(folder / "devices.json"), folder / "takes.json")
        listener = _listen(options.address, options.port)
        self.port: int = listener.getsockname()[1]
        names = [f"{host}:{self.port}" for host in hosts]
        if self.port == 443:  # browsers leave the standard port out
            names += hosts
        pages = {**list_pages(), ROOT: Page(certificate.root)}
        self._routes = Routes(self.hub, pages, names, self.fingerprint, self.root_fingerprint)
        self._connections: set[asyncio.Task] = set()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listener, certificate.context()), name="phones", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The code's address, with the one-time secret."""
        fragment = f"s={self.hub.pairing.secret}&f={self._certificate.hex()}"
        return f"https://{self.options.address}:{self.port}/#{fragment}"

    def poll(self) -> list[FaceFrame]:
        """The frames that have come since the last poll, in the order of their coming."""
        frames = []
        with suppress(IndexError):
            while True:
                frames.append(self.hub.frames.popleft())
        return frames

    def phones(self) -> list[PhoneState]:
        """The paired devices and how they are."""
        links = dict(self.hub.links)
        return [
            _state(device.id, device.name, device.slot, links.get(device.id), self.hub.clock())
            for device in self.hub.devices.all()
        ]

    def start_recording(self, path: Path, count_in: float = 0.0, resume: bool = False) -> None:
        """Record all senders into a take. Raises TakeError."""
        self._call(self.hub.start_recording, path, count_in, resume)

    def finish_recording(self) -> Path | None:
        """End the take; None where there was none."""
        return self._call(self.hub.finish_recording)

    def note(self, info: dict[str, str]) -> None:
        """Add metadata to the take under way; it is safe on the disk soon."""
        self._loop.call_soon_threadsafe(self.hub.recordings.note, info)

    def problem(self) -> str:
        """Why a take could not be written, once; "" where all is well."""
        problem, self.hub.recordings.problem = self.hub.recordings.problem, ""
        return problem

    def rename(self, device: str, name: str) -> None:
        """Call a device otherwise."""
        self._call(self.hub.rename, device, name)
        self._command(device, "rename", name=name)

    def forget(self, device: str) -> None:
        """Revoke a device's key, and cut it off."""
        self._call(self.hub.forget, device)

    def disconnect(self, device: str) -> None:
        """Have a device stop; it may come again."""
        self._command(device, "stop", reason="Blender has disconnected this phone")

    def requests(self) -> list[dict[str, Any]]:
        """What senders have asked for since the last call: REQUESTs, each with its `device`."""
        asked = []
        with suppress(IndexError):
            while True:
                asked.append(self.hub.requests.popleft())
        return asked

    def news(self) -> list[str]:
        """What has happened since the last call: a line on each video that has come."""
        told = []
        with suppress(IndexError):
            while True:
                told.append(self._routes.videos.news.popleft())
        return told

    def tell(self, device: str, reason: str) -> None:
        """Show a line on a phone."""
        self._command(device, "notice", reason=reason)

    def stop(self) -> None:
        """Close all connections and takes, and the port."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_ANSWER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self, device: str, command: str, /, **facts: Any) -> None:
        link = self.hub.links.get(device)
        if link is not None:
            self._call(lambda: link.command(command, **facts))

    def _call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a function in the server's thread, and wait for its result."""
        future: concurrent.futures.Future[Result] = concurrent.futures.Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments))
            except Exception as error:
                future.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return future.result(_ANSWER)

    def _run(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(listener, context))

    async def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        server = await asyncio.start_server(
            self._accept, sock=listener, ssl=context, backlog=64,
            ssl_handshake_timeout=self.options.limits.head, ssl_shutdown_timeout=1.0,
        )  # fmt: skip
        try:
            while not self._stopping.is_set():
                self.hub.tick()
                self._routes.end_silent_sessions(self.options.limits.silence)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _TICK)
        finally:
            server.close()
            for link in list(self.hub.links.values()):
                link.end()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self.hub.recordings.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= self.options.limits.connections:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await Connection(reader, writer, self._routes, self.options.limits).serve()
        except (OSError, TimeoutError, h11.RemoteProtocolError, ProtocolError):
            pass  # the other end is gone, too slow, or speaks something else
        except asyncio.CancelledError:
            pass  # the server stops; Python 3.11 would print this as an error of each connection's
        finally:
            self._connections.discard(task)
            writer.close()


def _listen(address: str, port: int) -> socket.socket:
    """A listening socket on the port, or on any free one where it is taken."""
    try:
        return socket.create_server((address, port), backlog=64)
    except OSError:
        if port == 0:
            raise
        return socket.create_server((address, 0), backlog=64)


def _state(device: str, name: str, slot: int, link: PhoneLink | None, now: float) -> PhoneState:
    if link is None:
        return PhoneState(device, name, slot)
    status = link.status
    return PhoneState(
        device, name, slot, True, link.transport, status.get("state", ""),
        status.get("message", ""), link.reception.rate(now), link.latency, link.faces,
        status.get("battery"), int(status.get("pending", 0)), link.round_trip(),
        link.reception.signal(now),
    )  # fmt: skip
