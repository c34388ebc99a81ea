# SPDX-License-Identifier: GPL-3.0-or-later
"""From a 1280x720 picture to its faces: does the cost grow with the number of faces?"""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.pictures import SIZE, group_picture
from benchmarks.timing import Report, Row, measure_in_turn
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import DEFAULT_PATH, OUTPUTS, fitted, open_session

FACES = (1, 2, 4, 8)
THREADS = (1, 2)


def run(quick: bool) -> Report:
    """Measure `FaceNetwork.detect` beside the bare session on the same input."""
    cv2.setNumThreads(1)
    rows, notes = [], []
    for threads in THREADS:
        network = FaceNetwork(threads=threads)
        bare = open_session(DEFAULT_PATH, threads)
        medians = []
        for wanted in FACES:
            image = group_picture(wanted)
            found = len(network.detect(image))
            inputs = fitted(image)[0]
            ours, limit = measure_in_turn(
                [
                    lambda network=network, image=image: network.detect(image),
                    lambda bare=bare, inputs=inputs: bare.run(OUTPUTS, inputs),
                ],
                repeat=20 if quick else 300,
                warm_up=10,
            )
            medians.append(ours.median)
            plural = "s" if threads > 1 else ""
            case = f"{wanted} in the picture, {found} found, {threads} thread{plural}"
            rows.append(Row(case, ours, limit))
        growth = medians[-1] / medians[0]
        notes.append(f"{FACES[-1]} faces take {growth:.2f} times as long as 1 ({threads} threads)")
    inputs = fitted(np.zeros((*SIZE[::-1], 3), np.uint8))[0]
    sizes = " and ".join(f"{p.shape[2]}x{p.shape[1]}" for p in inputs.values())
    notes.append(f"The network's inputs are {sizes}; shrinking the picture is included.")
    return Report(
        title=f"A {SIZE[0]}x{SIZE[1]} picture to all its faces",
        limit="the bare network",
        rows=rows,
        notes=notes,
    )
