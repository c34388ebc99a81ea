# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass for all faces against a detector and then a network for each face, as docs/results.md
shows: milliseconds and megabytes.

    python -m training.separate

The detector is MFN's own, cut out of its graph; the second network is SFN, with whatever weights:
they do not change its time. Both ways start from the same picture and end with the same faces.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx

from benchmarks.pictures import SIZE, group_picture
from benchmarks.timing import measure_in_turn
from mfn_addon.face import Face
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import DEFAULT_PATH, letterbox, open_session
from mfn_addon.network.sfn import ONE_VIEW, SingleFaceNetwork
from training.export import describe
from training.export_sfn import GIVES, TAKES, build
from training.results import RESULTS, put, table
from training.sfn import SIDE, Sfn

FACES = (1, 2, 4, 8)
PROPOSED = ("proposed_score", "proposed_box")
"""What the first look alone gives inside the graph (`training.export.pick_graph`)."""
MEDIAPIPE = (10.8, 20.4, 41.4, 77.0)
"""Its face landmarker 0.10.21 on the same pictures as a video, with blendshapes; measured on the
machine of docs/results.md, minutes after the others there."""


class Separate:
    """Find faces in a shrunk picture, then read each one from a crop at full resolution."""

    def __init__(self, detector: Path, reader: Path, threads: int = 0) -> None:
        self._detector = open_session(detector, threads)
        self._reader = SingleFaceNetwork(reader, threads, views=ONE_VIEW)

    def detect(self, image: np.ndarray, least_score: float = 0.5) -> list[Face]:
        pixels, box = letterbox(image)
        scores, boxes = self._detector.run(PROPOSED, {"image": pixels[None]})
        nothing = np.zeros(0, np.float32)
        found = [
            Face(-1, float(score), corners / box.scale, *[nothing] * 5)
            for score, corners in zip(np.asarray(scores), np.asarray(boxes), strict=True)
            if score >= least_score
        ]
        return self._reader.read(image, found)


def separate_files(folder: Path) -> tuple[Path, Path]:
    """The detector of the landed MFN, and an SFN."""
    detector, reader = folder / "detector.onnx", folder / "sfn.onnx"
    onnx.utils.extract_model(str(DEFAULT_PATH), str(detector), ["image"], list(PROPOSED))
    graph = build(Sfn().eval())
    describe(graph, "0", TAKES, GIVES)
    onnx.save(graph, reader)
    return detector, reader


def memory(files: tuple[Path, ...]) -> float:
    """MB by which reading one picture makes an empty Python process grow."""
    code = (
        "import sys\n"
        "for path in sys.argv[1:]:\n"
        "    import numpy as np\n"
        "    from pathlib import Path\n"
        "    from mfn_addon.network.mfn import open_session\n"
        "    session = open_session(Path(path), 2)\n"
        f"    sizes = {{'crops': ({SIDE}, {SIDE}), 'image': (192, 320), 'finer': (384, 640)}}\n"
        "    names = [entry.name for entry in session.get_inputs()]\n"
        "    grey = {name: np.full((1, *sizes[name], 3), 128, np.uint8) for name in names}\n"
        "    session.run(None, grey)\n"
        "status = open('/proc/self/status').read()\n"
        "print(status.split('VmHWM:')[1].split()[0])\n"
    )

    def peak(arguments: tuple[Path, ...]) -> float:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return float(subprocess.run(command, check=True, capture_output=True).stdout) / 1024

    return peak(files) - peak(())


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--repeat", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = separate_files(Path(folder))
        joint, parts = FaceNetwork(threads=arguments.threads), Separate(*files, arguments.threads)
        rows: dict[str, dict[str, float]] = {"one pass": {}, "detector, then SFN": {}}
        for count in FACES:
            image = group_picture(count)
            works: list[Callable] = [
                lambda network=network, image=image: network.detect(image)
                for network in (joint, parts)
            ]
            if len(joint.detect(image)) != count:
                sys.exit(f"{len(joint.detect(image))} faces found in a picture of {count}")
            for row, timing in zip(
                rows.values(), measure_in_turn(works, arguments.repeat, 5), strict=True
            ):
                row[f"ms, {count} face{'s' * (count > 1)}"] = timing.median
        for row, own in zip(rows.values(), ((), files), strict=True):
            row["MB of weights"] = sum(f.stat().st_size for f in own or (DEFAULT_PATH,)) / 1e6
            row["MB of memory"] = memory(own or (DEFAULT_PATH,))
    rows["MediaPipe"] = dict(zip(rows["one pass"], MEDIAPIPE, strict=False)) | {
        "MB of weights": 3.8,
        "MB of memory": 120.0,
    }
    text = (
        f"A picture of {SIZE[0]}x{SIZE[1]}, {arguments.threads} threads, "
        f"medians of {arguments.repeat}.\n\n{table(rows)}"
    )
    print(text)
    put(arguments.output, "separate", text)


if __name__ == "__main__":
    main()
