# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat, take the median, keep the spread: how every figure here is measured."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one call.

    Attributes:
        median, low, high: the 50th, 10th and 90th percentile.
        count: how many calls were measured.
    """

    median: float
    low: float
    high: float
    count: int


def measure(work: Callable[[], Any], repeat: int, warm_up: int = 3) -> Timing:
    """Time `work` call by call."""
    return measure_in_turn([work], repeat, warm_up)[0]


def measure_in_turn(
    works: Sequence[Callable[[], Any]], repeat: int, warm_up: int = 3
) -> list[Timing]:
    """Time several pieces of work in turn: a, b, a, b, ...

    What else the machine does then falls on all of them alike, so that their ratio holds on a
    busy machine too.
    """
    seconds = np.zeros((repeat, len(works)))
    for turn in range(-warm_up, repeat):
        for number, work in enumerate(works):
            start = time.perf_counter()
            work()
            if turn >= 0:
                seconds[turn, number] = time.perf_counter() - start
    return [_summary(column) for column in seconds.T]


def _summary(seconds: np.ndarray) -> Timing:
    low, median, high = np.percentile(seconds * 1000.0, (10, 50, 90))
    return Timing(round(median, 4), round(low, 4), round(high, 4), len(seconds))


@dataclass(frozen=True)
class Row:
    """One line of a benchmark's table.

    Attributes:
        what: the case, e.g. "4 faces, 2 threads".
        ours: the product's time.
        limit: the time of the bare work that no product can leave out, measured in turn with
            ours; None where there is no such limit.
    """

    what: str
    ours: Timing
    limit: Timing | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the limit ours takes."""
        return round(self.ours.median / self.limit.median, 3) if self.limit else None


@dataclass
class Report:
    """A benchmark's outcome.

    Attributes:
        title: what was measured.
        limit: what the limit is, in words.
        rows: the cases.
        notes: further figures in words, a line each.
    """

    title: str
    limit: str
    rows: list[Row]
    notes: list[str]

    def write(self, path: Path) -> None:
        """Write the report and what it ran on as JSON."""
        rows = [asdict(row) | {"ratio": row.ratio} for row in self.rows]
        data = {
            "title": self.title,
            "limit": self.limit,
            "machine": machine(),
            "rows": rows,
            "notes": self.notes,
        }
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    def to_markdown(self) -> str:
        """The report as a section with a table."""
        lines = [f"### {self.title}", ""]
        lines += [f"| case | ms (10–90 %) | {self.limit}, ms | ratio |", "|---|---|---|---|"]
        for row in self.rows:
            limit = f"{row.limit.median:.3g}" if row.limit else "–"
            ratio = f"{row.ratio:.2f}" if row.ratio else "–"
            ours = f"{row.ours.median:.3g} ({row.ours.low:.3g}–{row.ours.high:.3g})"
            lines.append(f"| {row.what} | {ours} | {limit} | {ratio} |")
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines) + "\n"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
