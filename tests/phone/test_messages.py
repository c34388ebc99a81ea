# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes from strangers: random and mutated messages end in a refusal, never in an exception."""

from __future__ import annotations

import json
import random
from dataclasses import asdict

import pytest

from mfn_addon.capture.protocol import (
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    pack,
    pack_json,
    unpack_json,
)
from mfn_addon.phone import messages
from mfn_addon.phone.devices import Devices
from mfn_addon.phone.hub import Hub
from mfn_addon.phone.link import LONGEST, PhoneLink
from tests.phone.conftest import frame_at


def test_random_bytes_instead_of_a_hello():
    chance, hub = random.Random(5), Hub(Devices())
    for _ in range(2000):
        link = PhoneLink(hub, "test")
        noise = chance.randbytes(chance.randint(1, 64))
        link.receive(noise if chance.random() < 0.5 else pack(Kind.HELLO, noise))
    assert not hub.links


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": 1}, "version"),
        ({"version": None}, "version"),
        ({"token": "guessed"}, "token"),
        ({"token": 5}, "protocol"),
        ({"expressions": ["jawOpen"]}, "vocabulary"),
        ({"landmark_count": 478}, "vocabulary"),
        ({"stream": "x"}, "protocol"),
    ],
)
def test_a_hello_is_refused_with_a_code(change, code):
    """An old page against a newer server is told to reload."""
    hub = Hub(Devices())
    _, key = hub.devices.add("Phone")
    link = PhoneLink(hub, "test")
    link.receive(pack_json(Kind.HELLO, {**asdict(Hello(key, "Phone")), **change}))
    ((kind, payload),) = MessageReader(LONGEST).feed(link.take_outgoing())
    assert kind == Kind.REFUSED
    assert link.over
    assert unpack_json(payload)["code"] == code
    if code == "version":
        assert "reload the page" in unpack_json(payload)["reason"]


def test_deeply_nested_json_is_refused():
    hub = Hub(Devices())
    link = PhoneLink(hub, "test")
    link.receive(pack(Kind.HELLO, b"[" * 60_000))
    assert link.over


def test_acknowledgements_are_runs():
    message = messages.pack_saved(7, 9, [5, 1, 2, 3, 2, 9])
    assert messages.unpack_saved(message[5:]) == (7, 9, [(1, 3), (5, 5), (9, 9)])
    many = messages.pack_saved(7, 9, range(0, 5000, 2))
    parts = MessageReader(LONGEST).feed(many)
    assert sum(len(messages.unpack_saved(payload)[2]) for _, payload in parts) == 2500


def test_a_face_at_30_a_second_is_at_most_6_kilobytes():
    """While recorded, with identity weights once a second, clock answers, and around each message
    the heads of WebSocket (8 bytes) and of TLS 1.3's records (22)."""
    encoder = FrameEncoder(landmarks=False, compact=True)
    frames = [encoder.encode(frame_at(n / 30, n), waited=0.02) for n in range(30)]
    second = [messages.pack_recorded(1, 2, frame[5:]) for frame in frames]
    second += [messages.pack_clock_answer(1.0, 2.0, 3.0)] * 5
    assert sum(len(message) + 8 + 22 for message in second) <= 6000
    assert json.dumps(asdict(Hello("k", "x")))  # the schema goes once
