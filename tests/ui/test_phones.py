# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones in Blender: a real server on the loopback address, and real senders."""

import socket
from itertools import count

import bpy
import numpy as np
import pytest

from mfn_addon import ui
from mfn_addon.take import Take
from mfn_addon.ui import live, phone_panel, phones, preview, session
from tests.phone.conftest import frame_at, sender_to, wait_until
from tests.rig.characters import new_file

SECOND = "127.0.0.2"
"""As of a second network: most systems answer to all of 127.0.0.0/8, macOS does not."""


@pytest.fixture
def server(interface, tmp_path, monkeypatch):
    monkeypatch.setattr(phones, "user_folder", lambda name: tmp_path / name)
    assert bpy.ops.mfn.phones_start(address="127.0.0.1") == {"FINISHED"}
    yield phones.server()
    live.stop(bpy.context)


def tick_until(condition):
    """What Blender's timers do, until it holds."""
    wait_until(lambda: (live.tick(bpy.context), phones.tick(bpy.context), condition())[-1])


def test_two_phones_actors_get_rows_in_the_cast(server):
    senders = [sender_to(server, name) for name in ("Anna", "Ben")]
    for sender in senders:
        sender.send_frame(frame_at(sender.clock(), faces=2))
    settings = bpy.context.scene.mfn
    tick_until(lambda: len(settings.cast) >= 4)
    assert {row.actor for row in settings.cast} == {1001, 1002, 2001, 2002}
    for sender in senders:
        sender.close()


def test_a_phone_asks_to_record_and_the_take_is_listed(server):
    sender = sender_to(server)
    server.hub.requests.append({"request": "record", "count_in": 0, "device": "x"})
    tick_until(lambda: sender._span is not None)
    for number in range(10):
        sender.send_frame(frame_at(sender.clock(), number))
    tick_until(lambda: not sender.unsaved)
    path = session.current.recorder.path
    server.hub.requests.append({"request": "finish", "device": "x"})
    tick_until(lambda: session.current.recorder is None)
    assert [item.path for item in bpy.context.window_manager.mfn.takes] == [str(path)]
    sender.close()
    live.stop(bpy.context)
    with Take(path) as take:
        assert take.finished
        assert [frame.frame for frame in take.frames()] == list(range(10))


def test_a_phone_asks_for_its_actors_neutral(server):
    senders = [sender_to(server, name) for name in ("Anna", "Ben")]
    for sender in senders:
        sender.send_frame(frame_at(sender.clock()))
    cast = bpy.context.scene.mfn.cast
    tick_until(lambda: len(cast) >= 2)
    ben = next(phone for phone in server.phones() if phone.name == "Ben")
    server.hub.requests.append({"request": "calibrate", "device": ben.device})
    tick_until(lambda: any(row.calibration for row in cast))
    assert [row.actor for row in cast if row.calibration] == [2001]
    for sender in senders:
        sender.close()


def test_a_renamed_phones_actors_stay_in_view_once(server):
    sender = sender_to(server)
    [phone] = server.phones()
    for name in (phone.name, "Anna's phone"):
        bpy.ops.mfn.phone_rename(device=phone.device, name=name)
        sender.send_frame(frame_at(sender.clock()))
        tick_until(lambda name=name: list(session.current.present) == [(name, 1001)])
    sender.close()


def test_a_phone_is_listed_with_how_it_is(server):
    sender = sender_to(server, "Anna")
    sender.send_status("running", battery=0.5)
    numbers = count()

    def sent_until(condition):
        """A phone goes on sending: what came before its clock was known tells no latency."""
        tick_until(
            lambda: sender.send_frame(frame_at(sender.clock(), next(numbers))) or condition()
        )

    sent_until(lambda: "1 face" in phones.describe(server.phones()[0]))
    sent_until(lambda: session.current.latency() > 0)
    sent_until(lambda: server.phones()[0].signal > 0)  # it takes two frames to tell
    [phone] = server.phones()
    assert phones.describe(phone).endswith(f"signal {phone.signal}/4, battery 50%")
    sender.close()


def test_rename_disconnect_and_forget(server):
    sender = sender_to(server)
    [phone] = server.phones()
    assert phone.connected
    bpy.ops.mfn.phone_rename(device=phone.device, name="Anna's phone")
    assert server.phones()[0].name == "Anna's phone"
    bpy.ops.mfn.phone_disconnect(device=phone.device)
    assert sender.stop.wait(20)
    bpy.ops.mfn.phone_forget(device=phone.device)
    assert server.phones() == []
    sender.close()


def test_another_network_is_chosen_in_the_panel(server, monkeypatch):
    """The server moves to the chosen interface, and the code with it."""
    monkeypatch.setattr(phone_panel, "local_addresses", lambda: [SECOND])
    try:
        socket.create_server((SECOND, 0)).close()
    except OSError:
        pytest.skip(f"this system has no {SECOND}")
    offered = [address for address, *_ in phone_panel._addresses(None, None)]
    assert offered == [SECOND, "127.0.0.1"]
    assert bpy.ops.mfn.phones_start(address=SECOND) == {"FINISHED"}
    moved = phones.server()
    assert moved is not server
    assert not server._thread.is_alive()
    assert moved.url.startswith(f"https://{SECOND}:{moved.port}/")


def test_the_certificate_to_install_can_be_compared(server):
    lines = phone_panel.certificate_lines(server)
    assert f"https://127.0.0.1:{server.port}/certificate.crt" in lines
    assert ":".join(lines[-4:]) == server.root_fingerprint


def test_the_code_has_the_address_and_follows_the_secret(server):
    picture = phones.code_picture(server.url)
    assert picture.shape[0] == picture.shape[1]
    assert set(np.unique(picture)) == {0, 255}
    icons = preview._studios[0].icons  # without a window Blender gives icons no numbers
    assert tuple(icons[phones.CODE].image_size) == picture.shape[:2]
    assert server.hub.pairing.secret in server.url


@pytest.mark.parametrize("end", ["stop", "another file", "disable"])
def test_the_server_stops_with_the_session(server, end):
    thread = server._thread
    if end == "stop":
        bpy.ops.mfn.stop()
    elif end == "another file":
        new_file()
    else:
        ui.unregister()
    assert not thread.is_alive()
    assert phones.server() is None
