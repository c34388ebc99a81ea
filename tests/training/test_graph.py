# SPDX-License-Identifier: GPL-3.0-or-later
"""A rewritten graph computes what it did before, in fewer or cheaper steps."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from training import export
from training.export import build
from training.graph import tidy
from training.model import Mfn

READ = {
    "mode": "avg", "output_height": 6, "output_width": 6, "sampling_ratio": 1,
    "spatial_scale": 0.5, "coordinate_transformation_mode": "half_pixel",
}  # fmt: skip
CORNERS = np.float32([[4, 6, 30, 30], [-20, 2, 12, 40], [30, 20, 70, 60], [90, 90, 95, 99]])


def small_model(nodes: list, constants: dict, inputs: dict, rank: int = 4) -> onnx.ModelProto:
    kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.uint8): TensorProto.UINT8}
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info(name, kinds[array.dtype], array.shape)
            for name, array in inputs.items()
        ],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None] * rank)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: onnx.ModelProto, inputs: dict) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return [np.asarray(output) for output in session.run(None, inputs)]


def kinds(model: onnx.ModelProto) -> Counter:
    return Counter(node.op_type for node in model.graph.node)


def tidied(model: onnx.ModelProto, inputs: dict) -> Counter:
    """The types of its nodes after `tidy`, which has left its outputs as they were."""
    before = run(model, inputs)
    tidy(model)
    onnx.checker.check_model(model)
    for one, other in zip(before, run(model, inputs), strict=True):
        assert np.allclose(one, other, atol=1e-4)
    return kinds(model)


def some_map(channels: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1, channels, 24, 40)).astype(np.float32)


def test_bytes_are_normalised_in_one_step():
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["turned"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["wide", "grey"], ["about_zero"]),
        helper.make_node("Div", ["about_zero", "range"], ["out"]),
    ]
    constants = {"grey": np.float32(114), "range": np.float32(64)}
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    model = small_model(nodes, constants, {"image": image})
    assert tidied(model, {"image": image}) == {"Transpose": 1, "DequantizeLinear": 1}


def with_mirror(nodes: list) -> tuple[onnx.ModelProto, dict]:
    """A graph that reads regions and turns what was read from right to left, and its inputs."""
    constants = {
        "picture": np.zeros(len(CORNERS), np.int64),
        "last": np.array([-1]),
        "first": np.array([-(2**31)]),
        "across": np.array([3]),
    }
    inputs = {"map": some_map(5), "corners": CORNERS}
    return small_model(nodes, constants, inputs), inputs


def test_two_eyes_one_of_them_mirrored_are_read_at_once():
    nodes = [
        helper.make_node("RoiAlign", ["map", "corners", "picture"], ["right"], **READ),
        helper.make_node("RoiAlign", ["map", "corners", "picture"], ["left"], **READ),
        helper.make_node("Slice", ["right", "last", "first", "across", "last"], ["mirrored"]),
        helper.make_node("Concat", ["mirrored", "left"], ["out"], axis=0),
    ]
    after = tidied(*with_mirror(nodes))
    assert after["RoiAlign"] == 1
    assert after["Slice"] == 0


def reading_before_a_convolution(outputs: int) -> tuple[onnx.ModelProto, dict]:
    nodes = [
        helper.make_node("RoiAlign", ["map", "corners", "picture"], ["read"], **READ),
        helper.make_node("Relu", ["beside"], ["finer"]),
        helper.make_node("Concat", ["finer", "read"], ["both"], axis=1),
        helper.make_node("Conv", ["both", "filters", "bias"], ["out"]),
    ]
    rng = np.random.default_rng(1)
    constants = {
        "picture": np.zeros(len(CORNERS), np.int64),
        "filters": rng.normal(size=(outputs, 12, 1, 1)).astype(np.float32),
        "bias": rng.normal(size=outputs).astype(np.float32),
    }
    beside = rng.normal(size=(len(CORNERS), 4, 6, 6)).astype(np.float32)
    inputs = {"map": some_map(8), "corners": CORNERS, "beside": beside}
    return small_model(nodes, constants, inputs), inputs


def test_a_map_is_narrowed_before_it_is_read():
    model, inputs = reading_before_a_convolution(outputs=3)
    assert tidied(model, inputs)["Conv"] == 2


def test_a_map_that_would_not_get_narrower_is_read_as_it_is():
    model, inputs = reading_before_a_convolution(outputs=8)
    assert tidied(model, inputs)["Conv"] == 1


def test_rows_of_rows_are_gathered_once():
    nodes = [
        helper.make_node("Gather", ["rows", "some"], ["chosen"], axis=0),
        helper.make_node("Gather", ["chosen", "few"], ["out"], axis=0),
    ]
    constants = {"some": np.array([3, 1, 2]), "few": np.array([2, 0])}
    rows = np.arange(20, dtype=np.float32).reshape(5, 4)
    model = small_model(nodes, constants, {"rows": rows}, rank=2)
    tidied(model, {"rows": rows})
    assert "rows" in {node.input[0] for node in model.graph.node}


def test_what_others_take_too_stays():
    nodes = [
        helper.make_node("RoiAlign", ["map", "corners", "picture"], ["read"], **READ),
        helper.make_node("Slice", ["read", "last", "first", "across", "last"], ["mirrored"]),
        helper.make_node("Sub", ["read", "mirrored"], ["out"]),
    ]
    assert tidied(*with_mirror(nodes))["Slice"] == 1


def test_the_whole_network_stays_the_same(monkeypatch):
    torch.manual_seed(0)
    model = Mfn().eval()
    with torch.no_grad():  # noise is full of faces
        for head in model.find:
            head.bias[0] = 0.0
    plain = onnx.ModelProto()

    def seen(whole: onnx.ModelProto) -> None:
        plain.CopyFrom(whole)
        tidy(whole)

    monkeypatch.setattr(export, "tidy", seen)
    monkeypatch.setattr(export, "compress", lambda whole: None)
    tidier = build(model)
    assert kinds(tidier)["RoiAlign"] < kinds(plain)["RoiAlign"]
    assert kinds(tidier)["DequantizeLinear"] == 2
    rng = np.random.default_rng(2)
    for height, width, k in ((96, 160, 1), (192, 128, 2)):
        finer = rng.integers(0, 255, (1, k * height, k * width, 3), dtype=np.uint8)
        inputs = {"image": finer[:, ::k, ::k], "finer": finer}
        before, after = run(plain, inputs), run(tidier, inputs)
        assert (before[0] > 0).sum() > 3
        for one, other in zip(before, after, strict=True):
            assert np.allclose(one, other, rtol=1e-5, atol=1e-3)
