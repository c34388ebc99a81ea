# SPDX-License-Identifier: GPL-3.0-or-later
"""Record into a take without end, as a process that a test kills.

`python tests/take/recording.py TAKE`: 60 frames a second with four faces. After each frame it
prints the frame's number, flushed: what is printed was recorded."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mfn_addon.face import FaceFrame
from mfn_addon.take import TakeWriter
from tests.capture.marks import make_face


def main() -> None:
    faces = [make_face((100.0 * n, 100.0), face_id=n) for n in range(1, 5)]
    start = time.monotonic()
    with TakeWriter(sys.argv[1]) as take:
        number = 0
        while True:
            now = time.monotonic() - start
            take.add(FaceFrame(now, "Camera 0", number, 1280, 720, faces))
            print(now, flush=True)
            number += 1
            time.sleep(max(number / 60 - (time.monotonic() - start), 0))


if __name__ == "__main__":
    main()
