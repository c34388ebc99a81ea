# SPDX-License-Identifier: GPL-3.0-or-later
"""Export a trained SFN to ONNX: uint8 crops to the parameters of the face in each.

python -m training.export_sfn CHECKPOINT --output models/sfn.onnx
"""

from __future__ import annotations

import argparse
import math
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from mfn_addon.capture.footage import Footage
from mfn_addon.network import FaceNetwork
from mfn_addon.network.sfn import crop
from training.balance import balance
from training.compress import compress, shorten
from training.export import FACES, FACES_EVERY, describe, export_part
from training.graph import tidy
from training.look import look_from_pose
from training.running import read_weights, write_weights
from training.sfn import SIDE, Sfn

TAKES = f"crops: uint8 (N, {SIDE}, {SIDE}, 3) RGB, a square 1.25 times the longer box side"
GIVES = (
    "rotation (N, 3, 3) relative to the line of sight; centre (N, 2) px of the crop; scale (N) px "
    "of the crop a metre; identity (N, 40); expression (N, 52) 0..1"
)
ROUNDED_FROM = 16_000
"""As for MFN, whose file has to be smaller (`training.compress.ROUNDED_FROM`)."""


class Read(nn.Module):
    """(N, SIDE, SIDE, 3) uint8 crops -> the faces' parameters, in px of the crop."""

    def __init__(self, model: Sfn) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        pose, identity, expression = self.model(crops.permute(0, 3, 1, 2).float())
        region = torch.tensor([[0.0, SIDE / 2, SIDE / 2, SIDE]])
        rotation, centre, scale = look_from_pose(pose, region)
        return rotation, centre, scale, identity, expression.clamp(0, 1)


def build(model: Sfn) -> onnx.ModelProto:
    """The graph of a trained model, for any number of crops."""
    names = ["rotation", "centre", "scale", "identity", "expression"]
    crops = torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8)
    axes = {name: {0: "faces"} for name in ("crops", *names)}
    graph = export_part(Read(model), (crops,), ["crops"], names, axes)
    graph.ir_version = 8
    tidy(graph)
    # It is in no hurry, and a view of a face is to be read alike whatever stands beside it.
    compress(graph, ROUNDED_FROM, multiplied_from=math.inf)
    shorten(graph)
    onnx.checker.check_model(graph)
    return graph


def shown(model: Sfn) -> None:
    """Read the faces of the demo's footage, where the landed MFN finds them."""
    finder = FaceNetwork()
    for frame in islice(Footage(FACES), 0, None, FACES_EVERY):
        crops = [crop(frame.image, face.box)[0] for face in finder.detect(frame.image)]
        Read(model)(torch.from_numpy(np.stack(crops)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="of SFN; or of MFN, whose layers it has too")
    parser.add_argument("--output", type=Path, default=Path("models/sfn.onnx"))
    parser.add_argument("--weights", type=Path, help="also write the weights to resume from")
    parser.add_argument("--version", default="0.1.0")
    arguments = parser.parse_args()
    network = Sfn().eval()
    state = read_weights(arguments.checkpoint)
    if lacking := network.state_dict().keys() - state.keys():
        parser.error(f"{arguments.checkpoint} has no {min(lacking)}: it is neither SFN's nor MFN's")
    network.load_state_dict({key: state[key] for key in network.state_dict()})
    if arguments.weights:
        write_weights(network.state_dict(), arguments.weights)
    balance(network, lambda: shown(network), ROUNDED_FROM)
    graph = build(network)
    describe(graph, arguments.version, TAKES, GIVES)
    onnx.save(graph, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")
    print(f"its rest and gain are to be measured: python -m training.amplitude {arguments.output}")


if __name__ == "__main__":
    main()
