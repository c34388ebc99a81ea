# SPDX-License-Identifier: GPL-3.0-or-later
"""A hundred thousand random and mutated messages, over every parser that strangers can reach: each
is taken or refused in the way that was meant, and nothing else happens.

The mutations come from seeds, so that what fails once fails again.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import suppress

import h11
import pytest
import wsproto
from wsproto import events
from wsproto.utilities import ProtocolError as WebSocketError

from mfn_addon.capture.protocol import (
    FrameDecoder,
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    Preview,
    ProtocolError,
    decode_preview,
    encode_preview,
    pack,
    pack_hello,
    pack_json,
    unpack_hello,
    unpack_json,
)
from mfn_addon.phone import messages
from mfn_addon.phone.connection import Connection, Limits, Request
from mfn_addon.phone.devices import Devices
from mfn_addon.phone.hub import Hub
from mfn_addon.phone.link import LONGEST, PhoneLink
from mfn_addon.phone.remote_sender import RemoteSender
from mfn_addon.phone.routes import Routes
from mfn_addon.phone.server import _state
from tests.phone.conftest import frame_at

HEAD = 5  # bytes of a message before its payload
EACH = 8_000
"""Mutations for each of the nine parsers of payloads."""
LINK, SENDER, PAIR, HTTP = 14_000, 8_000, 4_000, 2_000
"""Mutations for what stands behind the parsers: with those of the parsers 100,000."""

HELLO = pack_hello(Hello("key", "Phone", stream=9))
FRAME = FrameEncoder().encode(frame_at(1.0, 3, faces=2))
COMPACT = FrameEncoder(compact=True).encode(frame_at(1.0, 3, faces=2), waited=0.02)
STATUS = pack_json(
    Kind.STATUS,
    {"state": "running", "battery": 0.5, "pending": 3, "width": 640, "charging": True},
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """With bytes changed, cut out, put in, or doubled; or noise of about that length."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randint(0, len(data) + 8))
    body = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(5):
            case 0 if at < len(body):
                body[at] = chance.randrange(256)
            case 1:
                del body[at : at + chance.randint(1, 9)]
            case 2:
                body[at:at] = chance.randbytes(chance.randint(1, 9))
            case 3:
                body[at:at] = chance.choice(NASTY)
            case _:
                body[at:at] = body[at : at + chance.randint(1, 40)]
    return bytes(body)


NASTY = (
    b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"null", b"[" * 50, b'"', b"\\ud800", b"\x00",
    b"\xff" * 8, b"\x7f\xf8" * 4, b"\r\n", b": ", b"%00", b"../",
)  # fmt: skip
"""What parsers trip over."""

PARSERS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    "message heads": (
        lambda data: MessageReader(LONGEST).feed(data), [HELLO + STATUS, FRAME, STATUS],
    ),
    "hello": (unpack_hello, [HELLO[HEAD:]]),
    "JSON": (unpack_json, [STATUS[HEAD:], HELLO[HEAD:]]),
    "frame": (lambda data: FrameDecoder("Phone").decode(data), [FRAME[HEAD:], COMPACT[HEAD:]]),
    "preview": (
        decode_preview, [encode_preview(Preview(1, 4, 4, "rgb", bytes(48)))[HEAD:]],
    ),
    "recorded frame": (messages.unpack_recorded, [messages.pack_recorded(7, 9, FRAME[5:])[HEAD:]]),
    "acknowledgement": (messages.unpack_saved, [messages.pack_saved(7, 9, [1, 2, 5])[HEAD:]]),
    "clock's question": (messages.unpack_clock, [messages.pack_clock(1.75e9)[HEAD:]]),
    "clock's answer": (
        messages.unpack_clock_answer, [messages.pack_clock_answer(1.75e9, 1e3, 1e3)[HEAD:]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_takes_a_payload_or_says_what_is_wrong(name):
    parse, good = PARSERS[name]
    chance, refused = random.Random(name), 0
    for payload in good:
        parse(payload)
    for _ in range(EACH):
        try:
            parse(mutated(chance.choice(good), chance))
        except ProtocolError:
            refused += 1
    assert refused


def reframed(message: bytes, chance: random.Random) -> bytes:
    """A message with a mutated payload whose length is right, and now and then another kind."""
    kind = Kind(message[4]) if chance.random() < 0.95 else chance.choice(list(Kind))
    return pack(kind, mutated(message[HEAD:], chance))


def test_a_paired_phone_that_sends_nonsense_is_refused_and_harms_nobody():
    chance, hub = random.Random(1), Hub(Devices())
    device, key = hub.devices.add("Phone")
    hello = pack_hello(Hello(key, "Phone"))
    link, refusals = PhoneLink(hub, "test"), 0
    link.receive(hello)
    for _ in range(LINK):
        asked = link._questions[-1] if link._questions else 0.0
        good = [
            FRAME, COMPACT, STATUS,
            messages.pack_recorded(7, 9, FRAME[HEAD:]),
            messages.pack_clock_answer(asked, 1e3, 1e3),
            pack_json(Kind.REQUEST, {"request": "record", "count_in": 3}),
        ]  # fmt: skip
        link.receive(reframed(chance.choice(good), chance))
        _state(device.id, device.name, device.slot, link, hub.clock())  # what the panel shows of it
        link.take_outgoing()
        if link.over:
            refusals += 1
            link = PhoneLink(hub, "test")
            link.receive(hello)
    assert refusals > LINK // 20
    assert list(hub.links) == [device.id]
    assert {type(request["request"]) for request in hub.requests} == {str}


class Welcoming:
    """A connection to a server that says welcome, and no more until it is closed."""

    def __init__(self, *_: object) -> None:
        self._closed = threading.Event()
        self._welcomed = False

    def send(self, data: bytes) -> None: ...

    def writable(self) -> bool:
        return True

    def receive(self) -> bytes | None:
        if self._welcomed:
            self._closed.wait()
            return None
        self._welcomed = True
        return pack_json(Kind.WELCOME, {"version": 3, "name": "Phone"})

    def close(self) -> None:
        self._closed.set()


def test_a_server_that_sends_nonsense_does_not_stop_a_camera():
    chance, refused = random.Random(2), 0
    sender = RemoteSender("127.0.0.1:1", "key", "Camera", connect=Welcoming)
    good = [
        messages.pack_clock(1.75e9),
        messages.pack_saved(7, sender._hello.stream, [1, 2, 5]),
        pack_json(Kind.CONTROL, {"command": "record", "take": 7, "start": 1.75e9}),
        pack_json(Kind.CONTROL, {"command": "finish", "take": 7, "end": 1.75e9}),
        pack_json(Kind.CONTROL, {"command": "unknown_take", "take": 7}),
        pack_json(Kind.REFUSED, {"code": "token", "reason": "forgotten"}),
    ]
    for number in range(SENDER):
        sender.send_frame(frame_at(1.75e9 + number))
        try:
            for kind, payload in MessageReader(LONGEST).feed(reframed(chance.choice(good), chance)):
                sender._handle(Welcoming(), kind, payload)
        except ProtocolError:  # what `_listen` expects of a server, and begins anew upon
            refused += 1
    sender.stop.set()
    sender.close()
    assert refused > SENDER // 20


def routes() -> Routes:
    return Routes(Hub(Devices()), {}, ["127.0.0.1:8443"], "AA:BB", "CC:DD")


def test_pairing_with_nonsense_pairs_nobody():
    chance, site = random.Random(3), routes()
    good = [
        b'{"secret": "abcdefghijklmnop", "name": "Pixel 8"}',
        b'{"pin": "123456", "name": "Pixel 8"}',
    ]
    request = Request("POST", "/pair", {"content-type": "application/json"})

    async def knock() -> list[int]:
        return [
            (await site.answer(request, mutated(chance.choice(good), chance))).status
            for _ in range(PAIR)
        ]

    assert set(asyncio.run(knock())) == {400, 403}
    assert not site.hub.devices.all()


class Nowhere:
    """A stream's writing end that keeps nothing."""

    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def close(self) -> None: ...


def requests_of_a_page() -> list[bytes]:
    """What goes through TLS: requests with and without a body, and WebSockets with messages."""
    host = b"Host: 127.0.0.1:8443\r\n"
    posted = b"POST /live HTTP/1.1\r\n" + host + b"Content-Length: %d\r\n\r\n%b"
    chunked = b"POST /pair HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
    client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    upgrade = client.send(events.Request(host="127.0.0.1:8443", target="/live"))
    server = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    server.receive_data(upgrade)
    client.receive_data(server.send(events.AcceptConnection()))
    return [
        b"GET / HTTP/1.1\r\n" + host + b"Accept-Encoding: gzip\r\n\r\n",
        posted % (len(HELLO), HELLO),
        chunked + b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
        upgrade + client.send(events.BytesMessage(data=HELLO)) + client.send(events.Ping()),
        upgrade + client.send(events.TextMessage(data="hello")),
    ]


def test_a_connection_that_carries_nonsense_ends_as_it_should():
    """Exceptions other than those that the server expects of a connection would fail this."""
    chance, site, good = random.Random(4), routes(), requests_of_a_page()

    async def connect(data: bytes) -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        with suppress(OSError, TimeoutError, h11.RemoteProtocolError, WebSocketError):
            await Connection(reader, Nowhere(), site, Limits()).serve()

    async def connect_all() -> None:
        for data in good:
            await connect(data)
        for _ in range(HTTP):
            await connect(mutated(chance.choice(good), chance))

    asyncio.run(connect_all())
    assert not site.hub.links
