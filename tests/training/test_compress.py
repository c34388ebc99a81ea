# SPDX-License-Identifier: GPL-3.0-or-later
"""A compressed network is a quarter of the size and computes the same, but for what rounds off."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.compress import compress, shorten

ROWS, INPUTS, HIDDEN, OUTPUTS = 8, 300, 700, 20


def network() -> onnx.ModelProto:
    """Two layers as PyTorch exports them and a product, the first with 210,000 numbers."""
    random = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> TensorProto:
        values = random.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)
        return numpy_helper.from_array(values, name)

    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], transB=1, alpha=1.0, beta=1.0),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w2", "b2"], ["o"], transB=1),
        helper.make_node("MatMul", ["o", "w3"], ["y"]),
    ]
    weights = [
        weight("w1", HIDDEN, INPUTS), weight("b1", HIDDEN), weight("w2", OUTPUTS, HIDDEN),
        weight("b2", OUTPUTS), weight("w3", OUTPUTS, 500),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [ROWS, INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [ROWS, 500])], weights,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    return model


def computed(model: onnx.ModelProto) -> np.ndarray:
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(1).normal(0, 1, (ROWS, INPUTS)).astype(np.float32)
    return np.asarray(session.run(None, {"x": x})[0])


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_it_computes_the_same_from_a_quarter_of_the_bytes():
    model = network()
    expected, size = computed(model), model.ByteSize()
    compress(model)
    assert model.ByteSize() < 0.27 * size
    assert (computed(model) - expected).std() < 0.02 * expected.std()


def test_only_the_largest_layer_is_multiplied_in_8_bits():
    model = network()
    compress(model)
    assert kinds(model).count("MatMulInteger") == 1
    assert kinds(model).count("Gemm") == 1
    assert kinds(model).count("DequantizeLinear") == 2  # of the second layer and the product
    whole = network()
    compress(whole, multiplied_from=float("inf"))
    assert kinds(whole).count("MatMulInteger") == 0


@pytest.mark.parametrize("changes", [{"alpha": 2.0}, {"transB": 0}])
def test_a_layer_that_is_more_than_that_is_left_alone(changes):
    model = network()
    second = model.graph.node[2]
    del second.attribute[:]
    for name, value in ({"transB": 1} | changes).items():
        second.attribute.append(helper.make_attribute(name, value))
    if not changes.get("transB", 1):
        weight = next(t for t in model.graph.initializer if t.name == "w2")
        turned = numpy_helper.to_array(weight).T.copy()
        weight.CopyFrom(numpy_helper.from_array(turned, "w2"))
    expected = computed(model)
    compress(model, multiplied_from=10_000)
    assert kinds(model).count("Gemm") == 1
    assert (computed(model) - expected).std() < 0.02 * expected.std()


def test_short_names_change_nothing_but_the_size():
    model = network()
    compress(model)
    expected, size = computed(model), model.ByteSize()
    shorten(model)
    assert np.array_equal(computed(model), expected)
    assert model.ByteSize() < size
    inside = {name for node in model.graph.node for name in (*node.input, *node.output)}
    assert {name for name in inside if not name.isdigit()} == {"x", "y"}
    assert not any(node.name for node in model.graph.node)
