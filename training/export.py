# SPDX-License-Identifier: GPL-3.0-or-later
"""Export a trained MFN to ONNX: one graph from uint8 pixels to at most 32 faces, or 16.

    python -m training.export CHECKPOINT --output models/mfn.onnx

Normalisation, non-maximum suppression, the regions and their read-out are all inside, so every
runtime (desktop, browser) computes the same thing. Weights are stored in 8 or 16 bits and most
are widened when the model is loaded, by ONNX Runtime if it is told so
(`session.disable_quant_qdq`), else in every picture.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, compose, helper, numpy_helper
from torch import nn

from mfn_addon.capture.footage import Footage
from mfn_addon.face import EXPRESSIONS, load_head_model
from mfn_addon.network.mfn import FORMAT_VERSION, OUTPUTS, fitted
from training.balance import balance
from training.compress import compress, shorten
from training.graph import tidy
from training.look import look_from_pose
from training.model import Mfn, mfn_of
from training.running import write_weights
from training.sampling import REGION_MARGIN
from training.spare import turns

OPSET = 17
OVERLAP = 0.35  # boxes that overlap more are one face
MOST_CANDIDATES = 64  # faces that suppression leaves
SURE_SCORE = 0.15  # what is less sure never takes the place of a face that is more
SECOND_LOOK = 0.3  # the share of the second look in a score; the cell's own has the rest
DOUBLE = 0.45  # boxes of the second look that overlap more are one face
LOWEST_SCORE = 0.05  # candidates below it are never faces; the runtime has its own threshold
LARGEST = 1e5  # px: no picture is as large
FACE_SCORE = 0.3  # what is less sure is shown by nobody: readings are shared among what is surer
FACES, FACES_EVERY = Path("demo/three_people.mp4"), 12
TAKES = (
    "image: uint8 (1, H, W, 3) RGB, H and W multiples of 32, long side 320 suggested; finer: the "
    "same picture in k times as many pixels each way, uint8 (1, k H, k W, 3), k = 1 or 2 suggested"
)


class Find(nn.Module):
    """Pixels (1, H, W, 3) uint8, and finer ones -> maps, score (1, N), box (1, N, 4)."""

    def __init__(self, model: Mfn) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor, finer: torch.Tensor) -> tuple[torch.Tensor, ...]:
        image, finer = (pixels.permute(0, 3, 1, 2).float() for pixels in (image, finer))
        maps, pyramid = self.model.features(image, finer)
        logits, boxes = self.model.candidates(pyramid)
        # Regions read these maps only; the coarser two have done their part in the pyramid.
        return *maps[:4], pyramid[0], torch.sigmoid(logits), boxes


class Read(nn.Module):
    """Maps, the proposed (N, 4) boxes and their (N,) scores -> N faces, surest first.

    Args:
        model: which says how many.
        twice: whether proposals are looked at again; else they are taken as they are.
    """

    def __init__(self, model: Mfn, twice: bool = True) -> None:
        super().__init__()
        self.model, self.twice = model, twice

    def forward(
        self,
        map1: torch.Tensor,
        map2: torch.Tensor,
        map4: torch.Tensor,
        map8: torch.Tensor,
        top: torch.Tensor,
        box: torch.Tensor,
        score: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        regions = square_regions(box)
        # The first map may be finer than the input is.
        size = torch.stack([torch.as_tensor(map2.shape[axis] * 2) for axis in (3, 2)]).float()
        reader, maps = self.model.regions, [map1, map2, map4, map8]
        survey = reader.survey(maps, top, regions, size)
        exact = box
        if self.twice:
            sure, exact = self.model.verify(maps, regions, size, survey)
            score = without_doubles(joint_score(score, sure), exact)
        score, order = score.topk(self.model.faces)
        survey, regions, box = survey.of(order), regions[order], exact[order]
        pose, expression = reader.far(survey)
        # By size: the sure ones, the others, then empty rows. The sure ones share all readings.
        sure, real = (score > FACE_SCORE).float(), (score > LOWEST_SCORE).float()
        claim = (regions[:, 3] + LARGEST * sure) * real
        claim, close = claim.topk(self.model.close)
        shared = turns(claim > LARGEST)
        read = close[shared.face]
        moved = shared.moved(regions[read])
        near = reader.near(maps, moved, size, survey.of(read), shared.mirrored)
        near = shared.averaged(*near[:3])
        rows = read[:, None]  # readings of one face say the same by now
        pose, identity, expression = (
            far.scatter(0, rows.expand(-1, far.shape[1]), part)
            for far, part in zip((pose, survey.identity, expression), near, strict=False)
        )
        rotation, centre, scale = look_from_pose(pose, regions)
        return score, box, rotation, centre, scale, identity, expression.clamp(0, 1)


def square_regions(box: torch.Tensor) -> torch.Tensor:
    """(R, 4) boxes of one picture -> (R, 4) regions, as `training.sampling.regions_of`."""
    middle = (box[:, :2] + box[:, 2:]) / 2
    side = ((box[:, 2:] - box[:, :2]).amax(1) * REGION_MARGIN).clamp(min=1.0)
    return torch.cat([torch.zeros_like(side[:, None]), middle, side[:, None]], 1)


def joint_score(proposed: torch.Tensor, verified: torch.Tensor) -> torch.Tensor:
    """(R,) of the cell's score 0..1 and the second look's logit; 0 where nothing was proposed."""
    share = SECOND_LOOK
    return proposed.pow(1 - share) * torch.sigmoid(verified).pow(share)


def without_doubles(score: torch.Tensor, box: torch.Tensor) -> torch.Tensor:
    """(R,) scores, 0 for a box that lies over a surer one: those of one face fall together."""
    low = torch.maximum(box[:, None, :2], box[None, :, :2])
    high = torch.minimum(box[:, None, 2:], box[None, :, 2:])
    common = (high - low).clamp(min=0).prod(2)
    area = (box[:, 2:] - box[:, :2]).prod(1)
    over = common > DOUBLE * (area[:, None] + area[None] - common)
    beaten = (over & (score[None] > score[:, None])).any(1)
    return score * (~beaten).float()


def export_part(
    module: nn.Module, inputs: tuple, names: list[str], outputs: list[str], dynamic: dict
) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.onnx"
        torch.onnx.export(
            module.eval(), inputs, str(path), input_names=names, output_names=outputs,
            dynamic_axes=dynamic, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        return onnx.load(path)


def pick_graph(faces: int) -> onnx.ModelProto:
    """score (1, N), box (1, N, 4) -> so many after suppression, surest first; empty rows have
    score 0.

    Of more than that, those with the highest score times size are kept: by score alone, rows went
    to specks in the background of a crowd (docs/decisions/0011).
    """

    def constant(name: str, array: np.ndarray) -> TensorProto:
        return numpy_helper.from_array(array, name)

    nodes = [
        helper.make_node("Unsqueeze", ["score_in", "one"], ["score3"]),
        helper.make_node(
            "NonMaxSuppression", ["box_in", "score3", "most", "overlap", "lowest"], ["chosen"]
        ),
        helper.make_node("Gather", ["chosen", "two"], ["number"], axis=1),
        helper.make_node("Concat", ["number", "padding"], ["padded"], axis=0),
        helper.make_node("Slice", ["padded", "zero", "most"], ["candidates"]),
        helper.make_node("Shape", ["number"], ["found"]),
        helper.make_node("Less", ["ranks", "found"], ["real"]),
        helper.make_node("Cast", ["real"], ["real_float"], to=TensorProto.FLOAT),
        helper.make_node("Squeeze", ["score_in", "zero"], ["score_flat"]),
        helper.make_node("Squeeze", ["box_in", "zero"], ["box_flat"]),
        helper.make_node("Gather", ["score_flat", "candidates"], ["score_some"], axis=0),
        helper.make_node("Mul", ["score_some", "real_float"], ["score_real"]),
        helper.make_node("Gather", ["box_flat", "candidates"], ["box_some"], axis=0),
        helper.make_node("Split", ["box_some"], ["low", "high"], axis=1),
        helper.make_node("Sub", ["high", "low"], ["extent"]),
        helper.make_node("ReduceMax", ["extent"], ["size"], axes=[1], keepdims=0),
        helper.make_node("Greater", ["score_real", "sure"], ["is_sure"]),
        helper.make_node("Where", ["is_sure", "size", "nothing"], ["weight"]),
        helper.make_node("Mul", ["score_real", "weight"], ["claim"]),
        helper.make_node("TopK", ["claim", "proposals"], ["claims", "kept"]),
        helper.make_node("Gather", ["score_real", "kept"], ["score_kept"], axis=0),
        helper.make_node("TopK", ["score_kept", "proposals"], ["proposed_score", "order"]),
        helper.make_node("Gather", ["kept", "order"], ["rows"], axis=0),
        helper.make_node("Gather", ["box_some", "rows"], ["proposed_box"], axis=0),
    ]
    constants = [
        constant("one", np.array([1], np.int64)),
        constant("two", np.array(2, np.int64)),
        constant("zero", np.array([0], np.int64)),
        constant("proposals", np.array([faces], np.int64)),
        constant("most", np.array([MOST_CANDIDATES], np.int64)),
        constant("overlap", np.array([OVERLAP], np.float32)),
        constant("sure", np.array([SURE_SCORE], np.float32)),
        constant("nothing", np.array([1e-3], np.float32)),
        constant("lowest", np.array([LOWEST_SCORE], np.float32)),
        constant("padding", np.zeros(MOST_CANDIDATES, np.int64)),
        constant("ranks", np.arange(MOST_CANDIDATES, dtype=np.int64)),
    ]
    graph = helper.make_graph(
        nodes,
        "pick",
        [
            helper.make_tensor_value_info("score_in", TensorProto.FLOAT, [1, "cells"]),
            helper.make_tensor_value_info("box_in", TensorProto.FLOAT, [1, "cells", 4]),
        ],
        [
            helper.make_tensor_value_info("proposed_score", TensorProto.FLOAT, [faces]),
            helper.make_tensor_value_info("proposed_box", TensorProto.FLOAT, [faces, 4]),
        ],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def build(model: Mfn, twice: bool = True) -> onnx.ModelProto:
    """The whole graph of a trained model; for `twice` see `Read`."""
    maps = ["map1", "map2", "map4", "map8", "top"]
    image, finer = (torch.zeros(1, k * 192, k * 320, 3, dtype=torch.uint8) for k in (1, 2))
    spatial = {name: {2: f"{name}_h", 3: f"{name}_w"} for name in maps}
    finder, reader = Find(model).eval(), Read(model, twice).eval()
    with torch.no_grad():
        example = finder(image, finer)
    find = export_part(
        finder, (image, finer), ["image", "finer"], [*maps, "score_all", "box_all"],
        {"image": {1: "height", 2: "width"}, "finer": {1: "finer_height", 2: "finer_width"},
         **spatial, "score_all": {1: "cells"}, "box_all": {1: "cells"}},
    )  # fmt: skip
    box = torch.tensor([[10.0, 10.0, 60.0, 60.0]]).repeat(model.faces, 1)
    score = torch.linspace(1.0, 0.0, model.faces)
    read = export_part(
        reader, (*example[:5], box, score), [*maps, "proposed_box", "proposed_score"],
        list(OUTPUTS), spatial,
    )  # fmt: skip
    for part in (find, read):
        part.ir_version = 8
    find = compose.add_prefix(find, "find/", rename_inputs=False, rename_outputs=False)
    read = compose.add_prefix(read, "read/", rename_inputs=True, rename_outputs=False)
    merged = compose.merge_models(
        find, pick_graph(model.faces), io_map=[("score_all", "score_in"), ("box_all", "box_in")],
        outputs=[*maps, "proposed_score", "proposed_box"],
    )  # fmt: skip
    io_map = [(name, f"read/{name}") for name in (*maps, "proposed_box", "proposed_score")]
    whole = compose.merge_models(merged, read, io_map=io_map, outputs=list(OUTPUTS))
    del whole.opset_import[1:]  # merging repeats it for each part, which some tools refuse
    tidy(whole)
    compress(whole)
    shorten(whole)
    onnx.checker.check_model(whole)
    return whole


def describe(model: onnx.ModelProto, version: str, takes: str, gives: str) -> None:
    """What a program needs to know in order to use the file, as ONNX metadata."""
    facts = {
        "mfn_format": FORMAT_VERSION,
        "version": version,
        "head_model": load_head_model().digest,
        "expressions": json.dumps(EXPRESSIONS),
        "input": takes,
        "output": gives,
        "licence": "GPL-3.0-or-later",
    }
    helper.set_model_props(model, facts)
    model.producer_name = "MFN Face Capture"


def gives(model: Mfn) -> str:
    """What the outputs of its graph are."""
    return (
        f"score (N = {model.faces}), 0 where empty; box (N, 4) px of the input; rotation (N, 3, 3) "
        "relative to the line of sight; centre (N, 2) px; scale (N) px a metre; identity (N, 40); "
        f"expression (N, 52) 0..1; the {model.close} largest faces are read closely"
    )


def load_checkpoint(path: Path) -> Mfn:
    """The running average of a training run's weights, of MFN or of the light one."""
    state = torch.load(path, map_location="cpu", weights_only=True)["average"]
    model = mfn_of(state)
    model.load_state_dict(state)
    return model.eval()


def shown(model: Mfn) -> None:
    """Read the faces of the demo's footage, which is everywhere that this runs."""
    for frame in islice(Footage(FACES), 0, None, FACES_EVERY):
        inputs = fitted(frame.image)[0].values()
        *maps, score, box = Find(model)(*map(torch.from_numpy, inputs))
        score, order = score[0].topk(model.faces)
        Read(model)(*maps, box[0, order], score)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--output", type=Path, default=Path("models/mfn.onnx"))
    parser.add_argument("--weights", type=Path, help="also write the weights to resume from")
    parser.add_argument("--version", default="0.1.0")
    arguments = parser.parse_args()
    network = load_checkpoint(arguments.checkpoint)
    if arguments.weights:
        write_weights(network.state_dict(), arguments.weights)
    balance(network, lambda: shown(network))
    model = build(network)
    describe(model, arguments.version, TAKES, gives(network))
    onnx.save(model, arguments.output)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.2f} MB")
    print(f"its rest and gain are to be measured: python -m training.amplitude {arguments.output}")


if __name__ == "__main__":
    main()
