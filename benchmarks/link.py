# SPDX-License-Identifier: GPL-3.0-or-later
"""The phones' link on the loopback address: one face at 30 a second, recorded, through TLS.

python -m benchmarks.link --seconds 1800     how bytes, latency and memory fare in half an hour
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import Report, Row, Timing
from mfn_addon.phone.remote_sender import RemoteSender
from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.phone.conftest import frame_at, paired_key, pinned
from tests.phone.proxy import Proxy

RATE = 30.0
WARM_UP = 7.0
"""Seconds: the hello, and the first, denser questions for the time, are no steady state."""


def run(quick: bool, seconds: float = 60.0) -> Report:
    """Send for so many seconds. Ours is the time from `send_frame` to the receiver's poll."""
    with tempfile.TemporaryDirectory() as folder:
        options = ServerOptions(Path(folder) / "server", port=0)
        with PhoneServer(options) as server, Proxy(server) as network:
            sender = RemoteSender(network.address, paired_key(server), "Phone", pinned(server))
            server.start_recording(Path(folder) / "take.mfntake")
            _send(server, sender, WARM_UP)
            sent, memory, begun = network.sent, [resident_memory()], time.monotonic()
            latencies = []
            for _ in range(2):
                latencies += _send(server, sender, 1.5 if quick else seconds / 2)
                memory.append(resident_memory())
            rate = (network.sent - sent) / (time.monotonic() - begun)
            sender.close()
    low, median, high, late = np.percentile(np.array(latencies) * 1000, (10, 50, 90, 95))
    timing = Timing(round(median, 3), round(low, 3), round(high, 3), len(latencies))
    first, second = (f"{grown / 1e6:+.1f} MB" for grown in np.diff(memory))
    notes = [
        f"{rate / 1000:.2f} kB/s from the sender, TLS included",
        f"capture to receipt: p50 {median:.1f} ms, p95 {late:.1f} ms",
        f"memory of both ends in one process: {first} in the first half, {second} in the second",
    ]
    rows = [Row("one face, 30 a second, recorded", timing)]
    return Report("The phones' link on the loopback address", "–", rows, notes)


def _send(server: PhoneServer, sender: RemoteSender, seconds: float) -> list[float]:
    """Send frames at their pace; returns the seconds that each took to be received."""
    pause, latencies = threading.Event(), []
    for number in range(round(seconds * RATE)):
        due = time.monotonic() + 1 / RATE
        captured = time.monotonic()
        sender.send_frame(frame_at(sender.clock(), number))
        while (left := due - time.monotonic()) > 0:
            if server.poll():
                latencies.append(time.monotonic() - captured)
            pause.wait(min(left, 0.0005))
    return latencies


def resident_memory() -> int:
    """Bytes of this process in memory now; 0 where the system does not tell so."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0
    return pages * 4096


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    print(run(quick=False, seconds=parser.parse_args().seconds).to_markdown())


if __name__ == "__main__":
    main()
