# SPDX-License-Identifier: GPL-3.0-or-later
"""One TLS connection: HTTP requests by h11, a WebSocket by wsproto, and the limits on both."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h11
import wsproto
from wsproto import events
from wsproto.connection import ConnectionState
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from .link import LONGEST, PhoneLink
from .pages import SECURITY_HEADERS

if TYPE_CHECKING:
    from .routes import Routes

_CHUNK = 64 << 10
_HEAD = 16 << 10
_CLOSE_PROTOCOL, _CLOSE_TYPE, _CLOSE_LARGE = 1002, 1003, 1009


@dataclass(frozen=True)
class Limits:
    """Seconds, and bytes a second, that a connection is granted."""

    head: float = 10.0
    body: float = 20.0
    silence: float = 20.0
    rate: float = 2 << 20
    burst: float = 4 << 20
    connections: int = 128


@dataclass
class Answer:
    """An HTTP response."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, status: int, data: dict[str, Any]) -> Answer:
        """One with JSON."""
        return cls(status, json.dumps(data).encode(), "application/json")


@dataclass
class Request:
    """An HTTP request without its body; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]


class Connection:
    """Serves one connection until it ends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        routes: Routes,
        limits: Limits,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._routes, self._limits = routes, limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)
        self._allowance, self._counted = limits.burst, asyncio.get_running_loop().time()

    async def serve(self) -> None:
        """Answer requests, and become a WebSocket where asked to."""
        while True:
            async with asyncio.timeout(self._limits.head):
                event = await self._next_event()
            if not isinstance(event, h11.Request):
                return
            request = _request(event)
            refused = self._routes.check(request)
            if refused is None and _wants_websocket(request) and request.target == "/live":
                await self._serve_websocket(event)
                return
            if refused is None:
                longest = self._routes.longest_body(request)
                async with asyncio.timeout(self._limits.body):
                    body = await self._body(longest)
                if body is None:
                    answer = Answer(413, b"too long\n")
                else:
                    answer = await self._routes.answer(request, body)
            else:
                answer = refused
            await self._respond(request, answer)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _next_event(self) -> h11.Event | type:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                self._writer.write(self._http.send(go_on))
            self._http.receive_data(await self._read())

    async def _body(self, longest: int) -> bytes | None:
        """The request's body; None where it is too long."""
        body = bytearray()
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > longest:
                    return None
            else:
                return bytes(body)

    async def _read(self) -> bytes:
        """What has come; waits longer where more comes than is granted."""
        data = await self._reader.read(_CHUNK)
        now = asyncio.get_running_loop().time()
        granted = self._allowance + (now - self._counted) * self._limits.rate
        self._allowance = min(granted, self._limits.burst) - len(data)
        self._counted = now
        if self._allowance < 0:
            await asyncio.sleep(-self._allowance / self._limits.rate)
        return data

    async def _respond(self, request: Request, answer: Answer) -> None:
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *SECURITY_HEADERS,
            *answer.headers,
        ]
        if self._http.their_state is not h11.DONE:
            headers.append(("Connection", "close"))
        send = self._http.send
        data = send(h11.Response(status_code=answer.status, headers=headers)) or b""
        if request.method != "HEAD":
            data += send(h11.Data(data=answer.body)) or b""
        self._writer.write(data + (send(h11.EndOfMessage()) or b""))
        async with asyncio.timeout(self._limits.body * 3):
            await self._writer.drain()

    async def _serve_websocket(self, event: h11.Request) -> None:
        socket = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        try:
            socket.initiate_upgrade_connection(list(event.headers), "/live")
        except UnicodeDecodeError as error:
            raise RemoteProtocolError("a header that should be ASCII is not") from error
        self._writer.write(socket.send(events.AcceptConnection()))
        wake = asyncio.Event()
        link = PhoneLink(self._routes.hub, "WebSocket", wake.set)
        sending = asyncio.create_task(self._send_outgoing(socket, link, wake))
        try:
            trailing, _ = self._http.trailing_data
            socket.receive_data(trailing)
            await self._receive_messages(socket, link)
        finally:
            link.end()
            with suppress(OSError, TimeoutError, LocalProtocolError):
                await asyncio.wait_for(sending, self._limits.head)

    async def _receive_messages(self, socket: wsproto.WSConnection, link: PhoneLink) -> None:
        message = bytearray()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._limits.silence) as silence:
            while not link.over:
                for event in socket.events():
                    if isinstance(event, events.BytesMessage):
                        message += event.data
                        if len(message) > LONGEST:
                            self._close(socket, _CLOSE_LARGE)
                            return
                        if event.message_finished:
                            link.receive(bytes(message))
                            message.clear()
                            silence.reschedule(loop.time() + self._limits.silence)
                    elif isinstance(event, events.TextMessage):
                        self._close(socket, _CLOSE_TYPE)
                        return
                    elif isinstance(event, events.Ping):
                        self._writer.write(socket.send(event.response()))
                    elif isinstance(event, events.CloseConnection):
                        self._writer.write(socket.send(event.response()))
                        return
                data = await self._read()
                if not data:
                    return
                try:
                    socket.receive_data(data)
                except RemoteProtocolError:
                    self._close(socket, _CLOSE_PROTOCOL)
                    return

    async def _send_outgoing(
        self, socket: wsproto.WSConnection, link: PhoneLink, wake: asyncio.Event
    ) -> None:
        """Send what the link has to say until it is over, then hang up."""
        while True:
            await wake.wait()
            wake.clear()
            if link.has_outgoing:
                self._writer.write(socket.send(events.BytesMessage(data=link.take_outgoing())))
            if link.over:
                self._close(socket, 1000)
                self._writer.close()  # also wakes the reading side
                return
            async with asyncio.timeout(self._limits.silence):
                await self._writer.drain()

    def _close(self, socket: wsproto.WSConnection, code: int) -> None:
        if socket.state is ConnectionState.OPEN:
            self._writer.write(socket.send(events.CloseConnection(code=code)))


def _request(event: h11.Request) -> Request:
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
    target = event.target.decode("ascii").partition("?")[0]
    return Request(event.method.decode("ascii"), target, headers)


def _wants_websocket(request: Request) -> bool:
    return request.headers.get("upgrade", "").lower() == "websocket"
