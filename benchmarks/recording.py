# SPDX-License-Identifier: GPL-3.0-or-later
"""An hour at 60 frames a second with four faces, recorded as fast as it goes, beside a bare bulk
insert of the same bytes into the same tables. Every sample that was delivered has to be there.
Then a minute as it is performed: how long it takes to hand a frame over, and until it is safe on
the disk."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.pictures import SIZE, lively_face
from benchmarks.timing import Report, Row, Timing
from mfn_addon.face import FaceFrame
from mfn_addon.take import Take, TakeWriter
from mfn_addon.take.layout import TABLES, pack_sample

RATE = 60
FACES = 4
MINUTES = 60
_PACKED = len(pack_sample(lively_face(1, 0.0)))
_SECOND = [[lively_face(n, k / RATE) for n in range(1, FACES + 1)] for k in range(RATE)]


def run(quick: bool) -> Report:
    """Measure `TakeWriter` beside `executemany`, once each: an hour is repeat enough."""
    seconds = 30 if quick else 60 * MINUTES
    count = seconds * RATE
    with tempfile.TemporaryDirectory() as folder:
        path, bare = Path(folder) / "hour.mfntake", Path(folder) / "bare.sqlite"
        waits: list[float] = []
        ours = _seconds(lambda: _record(path, count, waits))
        _check(path, count)
        size = path.stat().st_size
        path.unlink()
        limit = _seconds(lambda: _insert(bare, count))
        bare_size = bare.stat().st_size
        handed, safe = _perform(path, 5 if quick else 60)
    samples = count * FACES
    case = f"{seconds} s at {RATE} fps with {FACES} faces: {samples} samples"
    return Report(
        title="Recording a long take",
        limit="a bare bulk insert of the same bytes",
        rows=[Row(case, _once(ours), _once(limit))],
        notes=[
            f"All {samples} samples that were delivered are in the take, bit by bit.",
            (
                f"{size / samples:.0f} bytes a sample in the file, of which {_PACKED} are the "
                f"sample's own; {bare_size / samples:.0f} after the bare insert."
            ),
            (
                f"Recording went {seconds / ours:.0f} times as fast as the performance, committed "
                "to the disk throughout; the bare insert is one transaction of packed samples."
            ),
            f"Adding a frame as fast as they are taken: {_percentiles(waits)}.",
            f"Adding a frame at {RATE} a second: {_percentiles(handed)}.",
            f"Until a frame is safe on the disk at {RATE} a second: {_percentiles(safe)}.",
        ],
    )


def _percentiles(seconds: list[float]) -> str:
    p50, p95, p99 = 1000 * np.percentile(seconds, (50, 95, 99))
    return f"p50 {p50:.3g}, p95 {p95:.3g}, p99 {p99:.3g}, at most {1000 * max(seconds):.3g} ms"


def _perform(path: Path, seconds: int) -> tuple[list[float], list[float]]:
    """Record at the rate of a performance.

    Returns:
        For each frame, the seconds that adding it took, and those until it was committed.
    """
    added: list[float] = []
    handed: list[float] = []
    safe: list[float] = []
    with TakeWriter(path) as take:

        def watch(until: float) -> None:
            while time.perf_counter() < until:
                committed, now = take.frames_committed, time.perf_counter()
                safe.extend(now - before for before in added[len(safe) : committed])
                time.sleep(0.001)

        start = time.perf_counter()
        for frame in _frames(seconds * RATE):
            watch(start + frame.time)
            before = time.perf_counter()
            take.add(frame)
            added.append(before)
            handed.append(time.perf_counter() - before)
        watch(time.perf_counter() + 2.0)
    _check(path, seconds * RATE)
    if len(safe) < len(added):
        raise RuntimeError(f"{len(added) - len(safe)} frames were not committed in time")
    return handed, safe


def _record(path: Path, count: int, waits: list[float]) -> None:
    with TakeWriter(path) as take:
        for frame in _frames(count):
            before = time.perf_counter()
            take.add(frame)
            waits.append(time.perf_counter() - before)


def _frames(count: int) -> Iterator[FaceFrame]:
    for k in range(count):
        yield FaceFrame(k / RATE, "benchmark", k, *SIZE, _SECOND[k % RATE])


def _check(path: Path, count: int) -> None:
    """Raises AssertionError where the take lacks a sample, or holds another."""
    with Take(path) as take:
        assert take.finished
        assert take.frame_count == count, f"{take.frame_count} frames of {count}"
        assert [actor.frames for actor in take.actors()] == [count] * FACES
    expected = [[pack_sample(face) for face in faces] for faces in _SECOND]
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT frame.number, actor, data FROM sample JOIN frame ON frame.id = sample.frame"
        )
        for number, actor, data in rows:
            assert data == expected[number % RATE][actor - 1], f"frame {number}, actor {actor}"


def _insert(path: Path, count: int) -> None:
    """The same rows in one transaction; what comes before the bytes is left out."""
    packed = [[pack_sample(face) for face in faces] for faces in _SECOND]
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
        connection.execute("INSERT INTO source VALUES (1, 'benchmark')")
        connection.executemany(
            "INSERT INTO frame VALUES (?, 1, ?, ?, ?, ?)",
            ((k + 1, k, k / RATE, *SIZE) for k in range(count)),
        )
        connection.executemany(
            "INSERT INTO sample VALUES (?, ?, ?)",
            (
                (actor, k + 1, packed[k % RATE][actor - 1])
                for k in range(count)
                for actor in range(1, FACES + 1)
            ),
        )
        connection.commit()


def _seconds(work: Callable[[], None]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def _once(seconds: float) -> Timing:
    milliseconds = round(1000 * seconds, 1)
    return Timing(milliseconds, milliseconds, milliseconds, 1)
