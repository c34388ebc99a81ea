# SPDX-License-Identifier: GPL-3.0-or-later
"""The phone page's pipeline (letterbox, network, decoding, tracker; WebAssembly on one
thread, in Node).

    python -m benchmarks.phone

Prints how long a picture takes to become tracked faces, and how much of that is the network
itself, for each way to read one that the page chooses from: medians of some repeats.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.pictures import group_picture
from tests.companion.node import solve_in_node, why_not

FACES = (1, 4, 8)
READINGS = (("mfn", 320), ("mfn_light", 320), ("mfn_light", 256), ("mfn_light", 192))
"""The network and its input's longer side, px, as companion/src/page/pace.ts has them."""
REPEATS = 60


def main() -> None:
    """Measure and print."""
    if reason := why_not():
        sys.exit(f"benchmarks.phone {reason}")
    pictures = [group_picture(count) for count in FACES]
    for name, side in READINGS:
        with tempfile.TemporaryDirectory() as folder:
            solved = solve_in_node(pictures, 1.0, Path(folder), REPEATS, side, name)
        columns = (solved[name] for name in ("frames", "milliseconds", "sessionMilliseconds"))
        for wanted, faces, whole, network in zip(FACES, *columns, strict=True):
            print(
                f"{name}, {side} px, {wanted} faces ({len(faces)} tracked): {whole:.1f} ms, "
                f"{1000 / whole:.0f} frames/s; the network alone {network:.1f} ms"
            )


if __name__ == "__main__":
    main()
