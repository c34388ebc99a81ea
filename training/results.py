# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured tables of docs/results.md, each between marks, replaced when measured anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path("docs/results.md")


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """A markdown table with a column for each of `rows`, three digits a value."""
    lines = [["", *rows], ["---"] * (len(rows) + 1)]
    lines += [
        [key, *(_number(row[key]) for row in rows.values())] for key in next(iter(rows.values()))
    ]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def put(path: Path, mark: str, text: str) -> None:
    """Replace what stands between <!-- mark --> and <!-- /mark --> in a document.

    Raises:
        ValueError: the document has no such place.
    """
    place = re.compile(f"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    document = path.read_text()
    if not place.search(document):
        raise ValueError(f"{path}: no place marked <!-- {mark} -->")
    path.write_text(place.sub(lambda found: found[1] + text + "\n" + found[2], document))
