# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on the loopback address, and senders that are paired with it."""

from __future__ import annotations

import threading

import pytest

from mfn_addon.face import FaceFrame
from mfn_addon.phone.client import pair
from mfn_addon.phone.remote_sender import RemoteSender
from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.capture.marks import make_face

PATIENCE = 20.0
"""Seconds until a wait is given up: how long a broken test takes, not a measure."""


def wait_until(condition, what: str = "") -> None:
    """Look again and again until it holds."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError(f"waited in vain{': ' if what else ''}{what}")


@pytest.fixture
def server(tmp_path):
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as running:
        yield running


def address_of(server: PhoneServer) -> str:
    return f"127.0.0.1:{server.port}"


def pinned(server: PhoneServer) -> bytes:
    return bytes.fromhex(server.fingerprint.replace(":", ""))


def paired_key(server: PhoneServer, name: str = "Phone") -> str:
    return pair(address_of(server), pinned(server), name, pin=server.hub.pairing.pin)


def sender_to(server: PhoneServer, name: str = "Phone", **options) -> RemoteSender:
    key = paired_key(server, name)
    return RemoteSender(address_of(server), key, name, pinned(server), **options)


def frame_at(time: float, number: int = 0, faces: int = 1) -> FaceFrame:
    seen = [make_face((100.0 * n, 100.0), face_id=n) for n in range(1, faces + 1)]
    return FaceFrame(time, "Camera 0", number, 1280, 720, seen)
