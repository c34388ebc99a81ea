# SPDX-License-Identifier: GPL-3.0-or-later
"""MFN taught by SFN: by labels of a single-scale and of a multi-scale one, for docs/results.md.

    python -m training.taught --steps 600

The single-face networks of `training.scales` label the photographs; a multi-face network is then
trained from nothing on each set of labels, and one on the fits that they had learned from, with
the same batches in the same order. The published work does so to label faces of which no fit can
be had (Chaudhuri et al., CVPR 2019). Judged on held-back photographs by their fits.
"""

from __future__ import annotations

import argparse
from functools import partial

import onnx
import torch

from mfn_addon.network import FaceNetwork
from training import scales
from training.alike import budget, trained
from training.bank import load_surface, photo_bank
from training.export import TAKES, build, describe, gives, load_checkpoint
from training.labelled import read_at
from training.relabel import relabel
from training.results import put, table
from training.sfn import Sfn
from training.sizes import evenly, some

SIZE, JUDGED = 120, 500  # px of the faces and how many that the networks are judged on


def main() -> None:
    parser = budget(str(__doc__), steps=600, batch=30)
    parser.add_argument("--sfn-steps", type=int, default=600, help="of `training.scales`")
    parser.add_argument("--sfn-batch", type=int, default=48)
    arguments = parser.parse_args()
    if not arguments.photos.is_file():
        raise SystemExit(f"{arguments.photos} is not there: make it with python -m training.fit")
    surface = load_surface()
    held_back = photo_bank(arguments.photos, held_back=True)
    bank = some(held_back, evenly(held_back, JUDGED))
    teachers = {"the fits": arguments.photos}
    for name in scales.SCALES:
        own = vars(arguments) | {"steps": arguments.sfn_steps, "batch": arguments.sfn_batch}
        checkpoint, _ = trained(name, scales.words_of(name), argparse.Namespace(**own))
        model = Sfn(name == "multi-scale")
        model.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
        teachers[f"{name} SFN"] = checkpoint.with_name("photos.npz")
        reader = partial(scales.read, model.eval())
        relabel(arguments.photos, teachers[f"{name} SFN"], reader, surface)
    rows = {}
    for name, labels in teachers.items():
        own = argparse.Namespace(**vars(arguments) | {"photos": labels})
        checkpoint, minutes = trained(f"taught by {name}", ["--network", "mfn"], own)
        exported = checkpoint.with_name("network.onnx")
        model = load_checkpoint(checkpoint)
        graph = build(model)
        describe(graph, "0", TAKES, gives(model))
        onnx.save(graph, exported)
        rows[name] = read_at(FaceNetwork(exported, as_read=True), bank, surface, SIZE).figures()
        rows[name]["training, minutes"] = minutes
    text = (
        f"{arguments.steps} steps of {arguments.batch} pictures of 128 px (or as many pixels in "
        f"larger ones), from nothing, seed 0; labels by networks of {arguments.sfn_steps} steps "
        f"of {arguments.sfn_batch} faces.\n\n{table(rows)}"
    )
    print(text)
    put(arguments.output, "taught", text)


if __name__ == "__main__":
    main()
