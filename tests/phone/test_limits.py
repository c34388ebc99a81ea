# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers, slow and greedy clients meet: over real TLS on the loopback address."""

from __future__ import annotations

import http.client
import json
import socket
import ssl

import pytest

from mfn_addon.capture.protocol import (
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    pack_hello,
    unpack_json,
)
from mfn_addon.phone.client import WebSocketClient
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
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=20))


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


def test_wrong_pins_over_the_network_get_nobody_in(server):
    wrong = "000000" if server.hub.pairing.pin != "000000" else "111111"
    body = json.dumps({"pin": wrong, "name": "guesser"}).encode()
    codes = [
        json.loads(ask(server, "POST", "/pair", body, Content_Type="application/json")[2])["code"]
        for _ in range(20)
    ]
    assert codes == ["wrong"] * 5 + ["locked"] * 15
    assert server.phones() == []


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


def send_a_gigabyte(send):
    block = bytes((1 << 20) + 1)  # a message longer than any may be
    for _ in range(1024):
        send(block)


def test_a_gigabyte_is_cut_off(server):
    """As one WebSocket message, and as one body: neither is taken in."""
    client = WebSocketClient(address_of(server), pinned(server))
    with pytest.raises(OSError):  # whatever the system calls a closed connection
        send_a_gigabyte(client.send)
    raw = tls(server)
    head = f"POST /live HTTP/1.1\r\nHost: {address_of(server)}\r\nContent-Length: {1 << 30}\r\n\r\n"
    raw.sendall(head.encode())
    with pytest.raises(OSError):
        send_a_gigabyte(raw.sendall)


def test_one_byte_a_second_is_cut_off(tmp_path):
    """The limit is short here; the connection is closed though bytes go on coming."""
    limits = Limits(head=0.3, body=0.3, silence=0.3)
    with PhoneServer(ServerOptions(tmp_path, port=0, limits=limits)) as server:
        raw = tls(server)
        raw.sendall(b"GET / HT")  # and never the rest
        assert raw.recv(100) == b""
        client = WebSocketClient(address_of(server), pinned(server))
        assert client.receive() is None  # it never says hello
        wait_until(lambda: not server._connections)


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
