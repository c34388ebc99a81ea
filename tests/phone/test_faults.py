# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that break: whatever happens between the two, the take misses nothing."""

from __future__ import annotations

import random
import threading
from functools import partial

import pytest

from mfn_addon.capture.errors import InputError
from mfn_addon.capture.protocol import Hello
from mfn_addon.phone.client import WebSocketClient
from mfn_addon.phone.connection import Limits
from mfn_addon.phone.remote_sender import RemoteSender
from mfn_addon.phone.server import PhoneServer, ServerOptions
from mfn_addon.take import Take
from tests.phone.conftest import frame_at, paired_key, pinned, wait_until
from tests.phone.proxy import LossyWebSocket, Proxy

RATE = 30.0


class Camera:
    """Sends numbered frames at the pace of a camera."""

    def __init__(self, sender: RemoteSender) -> None:
        self._sender = sender
        self._pause = threading.Event()
        self.count = 0

    def film(self, seconds: float) -> None:
        for _ in range(round(seconds * RATE)):
            self._sender.send_frame(frame_at(self._sender.clock(), self.count))
            self.count += 1
            self._pause.wait(1 / RATE)


def numbers_in(path) -> list[int]:
    with Take(path) as take:
        return [frame.frame for frame in take.frames()]


def recording(server, path, sender) -> None:
    server.start_recording(path)
    wait_until(lambda: sender._span is not None, "the sender hears that it is to record")


@pytest.mark.parametrize(("fault", "seconds"), [("swallow", 2), ("cut", 2), ("swallow", 30)])
def test_a_network_that_is_gone_leaves_no_gap_in_the_take(tmp_path, fault, seconds):
    """In the short run both ends give a silent connection up sooner than they do for users."""
    patience = 0.5 if seconds == 2 else 10.0
    limits = Limits(silence=2 * patience)
    options = ServerOptions(tmp_path / "server", port=0, limits=limits)
    path = tmp_path / "a.mfntake"
    with PhoneServer(options) as server, Proxy(server) as network:
        sender = RemoteSender(
            network.address, paired_key(server), "Phone", pinned(server),
            connect=partial(WebSocketClient, timeout=patience),
        )  # fmt: skip
        recording(server, path, sender)
        camera = Camera(sender)
        camera.film(1)
        getattr(network, fault)()
        camera.film(seconds)
        assert len(sender.unsaved) >= seconds * RATE - 1
        network.mend()
        camera.film(1)
        wait_until(lambda: not sender.unsaved, "what was late is saved")
        server.finish_recording()
        sender.close()
    assert numbers_in(path) == list(range(camera.count))


@pytest.mark.parametrize("seed", range(3))
def test_lost_doubled_and_reordered_messages_leave_no_gap_and_no_step_back(tmp_path, seed):
    carriers: list[LossyWebSocket] = []

    def connect(address, fingerprint):
        carriers.append(LossyWebSocket(address, fingerprint, random.Random(seed)))
        return carriers[-1]

    path = tmp_path / "a.mfntake"
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        sender = RemoteSender(
            f"127.0.0.1:{server.port}", paired_key(server), "Phone", pinned(server),
            connect=connect, again_after=0.3,
        )  # fmt: skip
        recording(server, path, sender)
        shown = []
        for number in range(400):
            sender.send_frame(frame_at(sender.clock(), number))
        wait_until(lambda: shown.extend(server.poll()) or not sender.unsaved)
        server.finish_recording()
        sender.close()
    assert sum(carrier.spoilt for carrier in carriers) > 40
    assert sorted(numbers_in(path)) == list(range(400))  # microseconds apart: no order to keep
    seen = [frame.frame for frame in shown]
    assert seen == sorted(set(seen))


def test_a_server_that_is_not_there_and_one_that_speaks_otherwise_are_one_line(server, monkeypatch):
    key = paired_key(server)
    with Proxy(server) as network:
        network.cut()
        with pytest.raises(InputError, match="no MFN server answers there"):
            RemoteSender(network.address, key, "Phone", pinned(server))
    monkeypatch.setattr("mfn_addon.phone.remote_sender.Hello", partial(Hello, version=1))
    with pytest.raises(InputError, match="update the sender") as caught:
        RemoteSender(f"127.0.0.1:{server.port}", key, "Phone", pinned(server))
    assert "\n" not in str(caught.value)
