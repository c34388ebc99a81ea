# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

from benchmarks.timing import Report, Row, Timing, measure_in_turn


def test_work_is_measured_in_turn_after_warming_up() -> None:
    calls: list[str] = []
    timings = measure_in_turn([lambda: calls.append("a"), lambda: calls.append("b")], 5, warm_up=2)
    assert calls == ["a", "b"] * 7
    assert [timing.count for timing in timings] == [5, 5]
    assert all(t.low <= t.median <= t.high for t in timings)


def test_a_report_states_the_ratio_to_the_limit(tmp_path: Path) -> None:
    ours, limit = Timing(3.0, 2.9, 3.3, 50), Timing(2.0, 1.9, 2.1, 50)
    report = Report("Tick", "bare", [Row("4 faces", ours, limit), Row("alone", ours)], ["a note"])

    table = report.to_markdown()
    assert "| 4 faces | 3 (2.9–3.3) | 2 | 1.50 |" in table
    assert "| alone | 3 (2.9–3.3) | – | – |" in table
    assert "- a note" in table

    report.write(tmp_path / "tick.json")
    data = json.loads((tmp_path / "tick.json").read_text())
    assert data["rows"][0]["ratio"] == 1.5
    assert data["machine"]["cores"] >= 1
