# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from benchmarks import recording
from mfn_addon.take import Take


def test_every_frame_of_a_performance_is_timed_and_in_the_take(tmp_path: Path) -> None:
    path = tmp_path / "second.mfntake"
    handed, safe = recording._perform(path, 1)
    assert len(handed) == len(safe) == recording.RATE
    assert all(until > spent > 0 for spent, until in zip(handed, safe, strict=True))
    with Take(path) as take:
        assert take.frame_count == recording.RATE


def test_latencies_are_told_by_their_percentiles() -> None:
    text = recording._percentiles([k / 1000 for k in range(101)])
    assert text == "p50 50, p95 95, p99 99, at most 100 ms"
