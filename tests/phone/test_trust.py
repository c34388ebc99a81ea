# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody who lets phones into the network may rely on."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

from mfn_addon.phone.connection import Limits
from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.phone.conftest import address_of, frame_at, sender_to, wait_until
from tests.phone.test_limits import tls

KIB = 1 << 10
SLOW = Limits(rate=1024 * KIB, burst=64 * KIB)
"""Bytes a second, and at once."""
FLOOD, PIECE = 512 * KIB, 32 * KIB


def contents(folder: Path) -> dict[Path, bytes]:
    """Each file below a folder, and what is in it."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_faces_that_nobody_records_are_written_nowhere(server, tmp_path):
    sender = sender_to(server)
    wait_until(lambda: any(phone.connected for phone in server.phones()), "it connects")
    before = contents(tmp_path)
    assert before  # the certificates, and whom they let in
    for number in range(30):
        sender.send_frame(frame_at(sender.clock(), number, faces=2))
        wait_until(lambda number=number: any(f.frame == number for f in server.poll()))
    sender.close()
    server.stop()
    assert contents(tmp_path) == before


def test_a_flood_is_read_no_faster_than_is_granted(tmp_path):
    """However fast it is sent; the sender's own system holds back the rest."""
    with PhoneServer(ServerOptions(tmp_path, port=0, limits=SLOW)) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port)
        connection.sock = tls(server)
        begun = time.monotonic()
        for _ in range(FLOOD // PIECE):
            connection.request("POST", "/live", bytes(PIECE), {"Host": address_of(server)})
            connection.getresponse().read()  # zeros are no message, and are refused
        granted = SLOW.burst + SLOW.rate * (time.monotonic() - begun)
        connection.close()
    assert granted >= FLOOD
