# SPDX-License-Identifier: GPL-3.0-or-later
"""Detection learned alone against detection learned with the 3DMM, as docs/results.md shows.

    python -m training.joint --steps 600

Both networks see the same pictures in the same order; one is trained for boxes alone, the other
for pose, identity and expression as well. The published work reports that its AP rises from 92.1
to 98.8 so (Chaudhuri et al., CVPR 2019). Judged on crowds and groups that nobody trained on.
"""

from __future__ import annotations

import onnx

from mfn_addon.network import FaceNetwork
from training import photos
from training.alike import budget, trained
from training.evaluate import detection
from training.export import TAKES, build, describe, gives, load_checkpoint
from training.results import put, table

NETWORKS = {
    "boxes alone": ("detector", False),
    "boxes and 3DMM": ("mfn", False),
    "the same, looking twice": ("mfn", True),
}
"""What each is trained as, and whether its proposals are looked at again, which needs the 3DMM's
features."""
LEAST_SCORE = 0.02
"""Faces from this score on count: AP needs the whole curve."""


def main() -> None:
    arguments = budget(str(__doc__), steps=600, batch=30).parse_args()
    data = photos.data_folder()
    if data is None or not arguments.photos.is_file():
        raise SystemExit("the detection photographs or the fitted ones are not there: skipped")
    rows = {}
    for name, (network, twice) in NETWORKS.items():
        checkpoint, minutes = trained(network, ["--network", network, "--closeups", "0"], arguments)
        exported = checkpoint.with_name("network.onnx")
        model = load_checkpoint(checkpoint)
        graph = build(model, twice)
        describe(graph, "0", TAKES, gives(model))
        onnx.save(graph, exported)
        found = detection(FaceNetwork(exported, least_score=LEAST_SCORE), data)
        rows[name] = {key: value for key, value in found.items() if " AP " in key}
        rows[name]["training, minutes"] = minutes
    text = (
        f"{arguments.steps} steps of {arguments.batch} pictures of 128 px (or as many pixels in "
        f"larger ones), from nothing, seed 0.\n\n{table(rows)}"
    )
    print(text)
    put(arguments.output, "joint", text)


if __name__ == "__main__":
    main()
