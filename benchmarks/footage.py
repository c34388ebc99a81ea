# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage solved per second of footage: decode, find, follow, keep as a take."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.pictures import CLIP
from benchmarks.timing import Report, Row, measure_in_turn
from mfn_addon.capture.footage import Footage
from mfn_addon.capture.solve import solve_pictures
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import DEFAULT_PATH, OUTPUTS, fitted, open_session
from mfn_addon.take import TakeWriter
from mfn_addon.track import Tracker


def run(quick: bool) -> Report:
    """Measure the way from a file to a take beside decoding and the bare network alone."""
    footage = Footage(CLIP)
    network = FaceNetwork()
    bare_network = open_session(DEFAULT_PATH, 0)

    def solve() -> None:
        with tempfile.TemporaryDirectory() as folder:
            frames = solve_pictures(footage, network, Tracker(), footage.name)
            with TakeWriter(Path(folder) / "a.mfntake") as take:
                for frame in frames:
                    take.add(frame)

    def bare() -> None:
        for picture in footage:
            bare_network.run(OUTPUTS, fitted(picture.image)[0])

    ours, limit = measure_in_turn([solve, bare], repeat=1 if quick else 5, warm_up=1)
    seconds = footage.duration
    return Report(
        title="Solving footage",
        limit="decoding and the bare network",
        rows=[Row(f"{seconds:.0f} s of {footage.width}x{footage.height}", ours, limit)],
        notes=[f"{seconds * 1000 / ours.median:.1f} seconds of footage are solved a second."],
    )
