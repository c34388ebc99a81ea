# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an exported network's file, and what it takes of memory, small.

Measured in docs/decisions/0026.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROUNDED_FROM = 4_000
"""Weights of this many numbers are stored in 8 bits."""
MULTIPLIED_FROM = 190_000
"""Layers with so many numbers are multiplied in 8 bits too."""


def compress(
    model: onnx.ModelProto,
    rounded_from: int = ROUNDED_FROM,
    multiplied_from: float = MULTIPLIED_FROM,
) -> None:
    """Store the weights as integers of 8 bits or as float16.

    Each output of a large weight has its own step, a 127th of its largest value: what that rounds
    off cannot be seen in the faces, and the file is a third of the size. Weights are unpacked when
    the file is loaded, but for those of the largest layers, whose inputs are rounded to 8 bits too:
    they would take the most memory. All rows that are read at once share a step there, so that what
    is read of a face depends a little on the others.
    """
    graph = model.graph
    outputs_last = {node.input[1] for node in graph.node if node.op_type == "MatMul"}
    multiplied = {node.input[1]: node for node in graph.node if can_multiply(node)}
    kept, unpack = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size <= 64:
            kept.append(tensor)
        elif array.ndim > 1 and array.size >= rounded_from:
            axis = array.ndim - 1 if tensor.name in outputs_last else 0
            step = step_of(array, axis)
            whole = np.round(array / step).astype(np.int8)
            names = [f"{tensor.name}/{part}" for part in ("whole", "step")]
            if tensor.name in multiplied and array.size >= multiplied_from:
                multiply_whole(graph, multiplied[tensor.name], names)
                whole = np.ascontiguousarray(whole.T)
            else:
                unpack.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=axis))
            kept += [
                numpy_helper.from_array(whole, names[0]),
                numpy_helper.from_array(step.astype(np.float32).ravel(), names[1]),
            ]
        else:
            small = numpy_helper.from_array(array.astype(np.float16), f"{tensor.name}/half")
            kept.append(small)
            unpack.append(
                helper.make_node("Cast", [small.name], [tensor.name], to=TensorProto.FLOAT)
            )
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(unpack + nodes)


def step_of(array: np.ndarray, axis: int) -> np.ndarray:
    """The step of each output of a weight, along an axis of it; it keeps the others as 1."""
    others = tuple(other for other in range(array.ndim) if other != axis)
    return np.maximum(np.abs(array).max(axis=others, keepdims=True), 1e-12) / 127


def can_multiply(node: onnx.NodeProto) -> bool:
    """Whether it is a layer x W^T + b as PyTorch exports it, and nothing more."""
    facts = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
    facts |= {a.name: helper.get_attribute_value(a) for a in node.attribute}
    plain = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}
    return node.op_type == "Gemm" and len(node.input) == 3 and facts == plain


def multiply_whole(graph: onnx.GraphProto, layer: onnx.NodeProto, weight: list[str]) -> None:
    """Replace a layer by a product of integers.

    Args:
        weight: names of its transposed weight's integers and of their steps.
    """
    seen, bias, out = layer.input[0], layer.input[2], layer.output[0]
    at = next(i for i, node in enumerate(graph.node) if node.output[0] == out)
    whole, step, zero, product, wide, steps, scaled = (
        f"{out}/{part}" for part in ("whole", "step", "zero", "product", "wide", "steps", "scaled")
    )
    nodes = [
        helper.make_node("DynamicQuantizeLinear", [seen], [whole, step, zero]),
        helper.make_node("MatMulInteger", [whole, weight[0], zero], [product]),
        helper.make_node("Cast", [product], [wide], to=TensorProto.FLOAT),
        helper.make_node("Mul", [step, weight[1]], [steps]),
        helper.make_node("Mul", [wide, steps], [scaled]),
        helper.make_node("Add", [scaled, bias], [out]),
    ]
    rest = [*graph.node[:at], *nodes, *graph.node[at + 1 :]]
    del graph.node[:]
    graph.node.extend(rest)


def shorten(model: onnx.ModelProto) -> None:
    """Number all tensors instead of naming them, and name no nodes: the names that PyTorch gives
    are a thirtieth of the file. Inputs, outputs and what the graph describes beside them keep
    theirs."""
    graph = model.graph
    kept = {value.name for value in [*graph.input, *graph.output, *graph.value_info]}
    names = {name: name for name in ("", *kept)}  # an input that is left out has no name
    for tensor in graph.initializer:
        tensor.name = names.setdefault(tensor.name, str(len(names)))
    for node in graph.node:
        node.name = node.doc_string = ""
        for part in (node.input, node.output):
            part[:] = [names.setdefault(name, str(len(names))) for name in part]
