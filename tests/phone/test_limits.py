# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers, slow and greedy clients meet: over real TLS on the loopback address."""

from __future__ import annotations

import http.client
import json
import random
import socket
import ssl
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from mfn_addon.capture.errors import InputError
from mfn_addon.capture.protocol import (
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    pack_hello,
    unpack_json,
)
from mfn_addon.phone.client import WebSocketClient, pair
from mfn_addon.phone.connection import Limits
from mfn_addon.phone.link import LONGEST
from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.phone.conftest import (
    address_of,
    frame_at,
    paired_key,
    pinned,
    sender_to,
    wait_until,
)


def tls(server: PhoneServer) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain)


def ask(server: PhoneServer, method: str, path: str, body: bytes = b"", **headers: str):
    """Status, headers and body of an answer."""
    connection = http.client.HTTPSConnection("127.0.0.1", server.port)
    connection.sock = tls(server)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    response = connection.getresponse()
    answer = response.status, dict(response.headers), response.read()
    connection.close()
    return answer


def test_the_answers_isolate_the_page(server):
    status, headers, body = ask(server, "GET", "/about")
    assert status == 200
    assert json.loads(body)["fingerprint"] == server.fingerprint
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "unsafe-inline" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/../devices.json", {}, 404),
        ("/devices.json", {}, 404),
        ("/about", {"Host": "evil.example"}, 421),
        ("/about", {"Origin": "https://evil.example"}, 403),
        ("/live", {"Origin": "https://evil.example", "Upgrade": "websocket"}, 403),
    ],
)
def test_other_files_hosts_and_origins_are_refused(server, path, headers, status):
    assert ask(server, "GET", path, **headers)[0] == status


def test_a_thousand_wrong_pins_over_the_network_get_nobody_in(server):
    wrong = "000000" if server.hub.pairing.pin != "000000" else "111111"
    body = json.dumps({"pin": wrong, "name": "guesser"}).encode()
    connection = http.client.HTTPSConnection("127.0.0.1", server.port)
    connection.sock = tls(server)
    codes = []
    for _ in range(1000):
        connection.request("POST", "/pair", body, {"Content-Type": "application/json"})
        codes.append(json.loads(connection.getresponse().read())["code"])
    connection.close()
    assert codes == ["wrong"] * 5 + ["locked"] * 995
    assert server.phones() == []


def test_an_expired_secret_is_one_clear_line(server):
    shown = parse_qs(urlsplit(server.url).fragment)["s"][0]
    server.hub.pairing.renew()  # as after ten minutes
    with pytest.raises(InputError, match="too old: scan the new one"):
        pair(address_of(server), pinned(server), "late", secret=shown)


def test_post_batches_carry_the_same_protocol(server):
    key = paired_key(server)
    hello = pack_hello(Hello(key, "Phone", stream=5))
    status, _, body = ask(server, "POST", "/live", hello)
    (kind, payload), *_ = MessageReader(LONGEST).feed(body)
    assert (status, kind) == (200, Kind.WELCOME)
    session = unpack_json(payload)["session"]
    frame = FrameEncoder(landmarks=False).encode(frame_at(1.0, 3))
    assert ask(server, "POST", "/live", frame, MFN_Session=session)[0] == 200
    frames = []
    wait_until(lambda: frames.extend(server.poll()) or frames)
    assert frames[0].frame == 3
    assert server.phones()[0].transport == "HTTPS"
    assert ask(server, "POST", "/live", frame, MFN_Session="unknown")[0] == 410


def send_a_gigabyte(send) -> int:
    """How many megabytes went out before the other end hung up."""
    block = bytes((1 << 20) + 1)  # a message longer than any may be
    for sent in range(1024):
        try:
            send(block)
        except OSError:  # whatever the system calls a closed connection
            return sent
    return 1024


def test_a_gigabyte_is_cut_off(server):
    """As one WebSocket message, as one body, and as one head: none is taken in. What goes out
    before lies in the system's buffers."""
    client = WebSocketClient(address_of(server), pinned(server))
    assert send_a_gigabyte(client.send) < 32
    length = f"Content-Length: {1 << 30}\r\n\r\n"
    for start in (f"POST /live HTTP/1.1\r\nHost: {address_of(server)}\r\n{length}", "GET /"):
        raw = tls(server)
        raw.sendall(start.encode())
        assert send_a_gigabyte(raw.sendall) < 32
    assert ask(server, "GET", "/about")[0] == 200


SLOW = Limits(head=0.5, body=0.5, silence=0.5)
"""Seconds; users' clients have twenty times that."""


def drip(raw: socket.socket) -> None:
    """A byte a moment."""
    pause = threading.Event()
    for _ in range(4000):
        raw.sendall(b"a")
        pause.wait(0.01)


@pytest.mark.parametrize("part", ["head", "body", "message"])
def test_a_client_that_sends_byte_after_byte_is_cut_off(tmp_path, part):
    """What counts is when a head, a body or a message is whole, not that bytes go on coming."""
    with PhoneServer(ServerOptions(tmp_path, port=0, limits=SLOW)) as server:
        if part == "message":
            client = WebSocketClient(address_of(server), pinned(server))
            raw, endless = client._socket, b"\x82\xfe\x7f\xff" + bytes(4)  # 32 kB are to follow
        else:
            raw, endless = tls(server), b"GET /"
        if part == "body":
            endless = f"POST /pair HTTP/1.1\r\nHost: {address_of(server)}\r\n".encode()
            endless += b"Content-Length: 4000\r\n\r\n"
        raw.sendall(endless)
        with pytest.raises(OSError):
            drip(raw)
        wait_until(lambda: not server._connections)


def test_noise_instead_of_tls_harms_nobody(server):
    chance = random.Random(6)
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
            raw.sendall(chance.randbytes(200))
    assert ask(server, "GET", "/about")[0] == 200


def test_fifty_clients_at_once(server):
    devices = [server.hub.devices.add(f"Phone {number}") for number in range(50)]
    clients = [WebSocketClient(address_of(server), pinned(server)) for _ in devices]
    for client, (_, key) in zip(clients, devices, strict=True):
        client.send(pack_hello(Hello(key, "Phone")))
        client.send(FrameEncoder(landmarks=False).encode(frame_at(1.0)))
    frames = []
    wait_until(lambda: frames.extend(server.poll()) or len(frames) >= 50)
    assert sum(phone.connected for phone in server.phones()) == 50
    for client in clients:
        client.close()
    wait_until(lambda: not server.hub.links)


def test_a_forgotten_phone_is_refused(server):
    sender = sender_to(server)
    server.forget(server.phones()[0].device)
    assert sender.stop.wait(20)
    assert "pair it again" in sender.refusal
    sender.close()
