# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone page's pipeline (letterbox, network, decoding, tracker; WebAssembly on one
thread, in Node).

    python -m benchmarks.phone

Prints frames a second from a 1280x720 picture to its tracked faces: of each case, the fastest of
some repeats, so that what else runs on the machine shows least.
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
    for wanted, faces, ms in zip(FACES, solved["frames"], solved["milliseconds"], strict=True):
        print(f"{wanted} faces ({len(faces)} tracked): {ms:.1f} ms, {1000 / ms:.0f} frames/s")


if __name__ == "__main__":
    main()
