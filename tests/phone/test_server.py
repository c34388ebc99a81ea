# SPDX-License-Identifier: GPL-3.0-or-later
"""Real senders and a real server on the loopback address."""

from __future__ import annotations

import socket

import pytest

from mfn_addon.phone.client import pair
from mfn_addon.phone.remote_sender import RemoteSender
from mfn_addon.phone.server import PhoneServer, ServerOptions
from mfn_addon.take import Take
from tests.phone.conftest import frame_at, pinned, sender_to, wait_until


def test_faces_of_two_phones_arrive_as_different_actors(server):
    first, second = sender_to(server, "Anna"), sender_to(server, "Ben")
    first.send_frame(frame_at(first.clock(), 7, faces=2))
    second.send_frame(frame_at(second.clock(), 8))
    frames = []
    wait_until(lambda: frames.extend(server.poll()) or len(frames) >= 2)
    seen = {frame.source: [face.id for face in frame.faces] for frame in frames}
    assert seen == {"Anna": [1001, 1002], "Ben": [2001]}
    states = {state.name: state for state in server.phones()}
    assert states["Anna"].connected
    assert states["Anna"].faces == 2
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("chosen", "other"), [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")]
)
def test_of_several_interfaces_it_listens_on_the_chosen_one_alone(tmp_path, chosen, other):
    try:
        socket.create_server(("127.0.0.2", 0)).close()
    except OSError:
        pytest.skip("this system has no second loopback address")
    with PhoneServer(ServerOptions(tmp_path, chosen, port=0)) as server:
        address = f"{chosen}:{server.port}"
        key = pair(address, pinned(server), "Phone", pin=server.hub.pairing.pin)
        RemoteSender(address, key, "Phone", pinned(server)).close()
        assert server.url.startswith(f"https://{address}/")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((other, server.port), timeout=20)


def test_a_recording_has_every_frame_once(server, tmp_path):
    path = tmp_path / "a.mfntake"
    sender = sender_to(server)
    server.start_recording(path)
    wait_until(lambda: sender._span is not None)
    start = sender.clock()
    for number in range(50):
        sender.send_frame(frame_at(start + number / 30 - 2, number))
        sender.send_frame(frame_at(sender.clock(), 100 + number))
    wait_until(lambda: not sender.unsaved)
    server.finish_recording()
    sender.close()
    server.stop()
    with Take(path) as take:
        numbers = [frame.frame for frame in take.frames()]
    assert sorted(n for n in numbers if n >= 100) == list(range(100, 150))
    assert len(set(numbers)) == len(numbers)


def test_it_stops_quietly_while_phones_are_connected(tmp_path, caplog):
    """Python 3.11 tells of each cancelled connection as of an error: in Blender's terminal."""
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        sender = sender_to(server)
        wait_until(lambda: server.phones()[0].connected)
    sender.close()
    assert not caplog.records
