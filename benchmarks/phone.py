# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone page's pipeline (letterbox, network, decoding, tracker; WebAssembly on one
thread, in Node).

    python -m benchmarks.phone

Prints how long a picture takes to become tracked faces, and how much of that is the network
itself: medians of some repeats.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.pictures import group_picture
from tests.companion.node import solve_in_node, why_not

FACES = (1, 4, 8)
REPEATS = 60


def main() -> None:
    """Measure and print."""
    if reason := why_not():
        sys.exit(f"benchmarks.phone {reason}")
    pictures = [group_picture(count) for count in FACES]
    with tempfile.TemporaryDirectory() as folder:
        solved = solve_in_node(pictures, 1.0, Path(folder), repeats=REPEATS)
    for case in zip(
        FACES, solved["frames"], solved["milliseconds"], solved["sessionMilliseconds"], strict=True
    ):
        wanted, faces, whole, network = case
        print(
            f"{wanted} faces ({len(faces)} tracked): {whole:.1f} ms, {1000 / whole:.0f} frames/s; "
            f"the network alone {network:.1f} ms"
        )


if __name__ == "__main__":
    main()
