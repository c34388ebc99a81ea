# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrites an exported graph so that ONNX Runtime computes the same in fewer or cheaper steps.

Each pass looks for a pattern of nodes, wherever it stands, and leaves the rest alone. What they
bring is measured in docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

MIRRORED_CORNERS = [2, 1, 0, 3]
"""Left, top, right, bottom with left and right exchanged: sampled from right to left."""


class Graph:
    """A model's graph by names: what gives a tensor, what takes it, which are constant."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.proto = model.graph
        self.fresh = 0
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.proto.initializer}
        for node in self.proto.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        inferred = onnx.shape_inference.infer_shapes(model).graph
        self.shapes = {
            info.name: [size.dim_value for size in info.type.tensor_type.shape.dim]
            for info in [*inferred.value_info, *inferred.input, *inferred.output]
        }  # 0 where a size depends on the picture's
        self.refresh()

    def refresh(self) -> None:
        """After a change: anew, what gives and what takes each tensor."""
        self.giver = {name: node for node in self.proto.node for name in node.output}
        self.takers: dict[str, list[NodeProto]] = {}
        for node in self.proto.node:
            for name in node.input:
                self.takers.setdefault(name, []).append(node)
        self.outputs = {output.name for output in self.proto.output}

    def given_by(self, name: str, kind: str) -> NodeProto | None:
        """The node of that type that gives a tensor which nothing else takes."""
        node = self.giver.get(name)
        alone = len(self.takers.get(name, [])) == 1 and name not in self.outputs
        return node if node is not None and node.op_type == kind and alone else None

    def constant(self, array: np.ndarray) -> str:
        """A new constant's name."""
        self.fresh += 1
        name = f"rewritten/{self.fresh}"
        self.proto.initializer.append(numpy_helper.from_array(array, name))
        self.constants[name] = array
        return name

    def node(
        self, kind: str, inputs: list[str], output: str = "", **attributes: object
    ) -> NodeProto:
        """A new node, not yet in the graph."""
        self.fresh += 1
        return helper.make_node(
            kind, inputs, [output or f"rewritten/{self.fresh}"], f"rewritten/{self.fresh}/{kind}",
            **attributes,
        )  # fmt: skip

    def replace(self, old: NodeProto, *new: NodeProto) -> None:
        """Put nodes in one's place; what nothing takes any more goes too."""
        nodes: list[NodeProto] = []
        for node in self.proto.node:
            nodes += new if node is old else [node]
        wanted, kept = set(self.outputs), []
        for node in reversed(nodes):  # those that take come after those that give
            if wanted.intersection(node.output):
                wanted.update(node.input)
                kept.append(node)
        del self.proto.node[:]
        self.proto.node.extend(reversed(kept))
        tensors = [t for t in self.proto.initializer if t.name in wanted]
        del self.proto.initializer[:]
        self.proto.initializer.extend(tensors)
        self.refresh()


def tidy(model: onnx.ModelProto) -> None:
    """Apply every pass as often as its pattern is found."""
    graph = Graph(model)
    for one in PASSES:
        while any(one(graph, node) for node in list(graph.proto.node)):
            pass


def normalise_at_once(graph: Graph, node: NodeProto) -> bool:
    """(pixels - a) / b, of bytes with a whole number a, is one DequantizeLinear."""
    if node.op_type != "Div" or (b := graph.constants.get(node.input[1])) is None:
        return False
    minus = graph.given_by(node.input[0], "Sub")
    if minus is None or (a := graph.constants.get(minus.input[1])) is None:
        return False
    cast = graph.given_by(minus.input[0], "Cast")
    if cast is None or a.size != 1 or b.size != 1 or not 0 <= a.item() <= 255 or a.item() % 1:
        return False
    if not gives_bytes(graph, cast.input[0]):
        return False
    step = graph.constant(np.float32(1 / b.item()))
    middle = graph.constant(np.uint8(a.item()))
    graph.replace(
        node, graph.node("DequantizeLinear", [cast.input[0], step, middle], node.output[0])
    )
    return True


def gives_bytes(graph: Graph, name: str) -> bool:
    """Whether a tensor is the picture itself, perhaps transposed."""
    node = graph.giver.get(name)
    if node is not None and node.op_type == "Transpose":
        name = node.input[0]
    return any(
        i.name == name and i.type.tensor_type.elem_type == TensorProto.UINT8
        for i in graph.proto.input
    )


def read_mirrored(graph: Graph, node: NodeProto) -> bool:
    """Regions that are read and then turned round are read from right to left."""
    if node.op_type != "Slice" or len(node.input) != 5:
        return False
    numbers = [graph.constants.get(name) for name in node.input[1:]]
    if any(n is None or n.size != 1 for n in numbers):
        return False
    start, _, axis, step = (n.item() for n in numbers if n is not None)
    read = graph.given_by(node.input[0], "RoiAlign")
    if (start, axis, step) != (-1, 3, -1) or read is None:
        return False
    order = graph.constant(np.array(MIRRORED_CORNERS))
    corners = graph.node("Gather", [read.input[1], order], axis=1)
    graph.replace(
        node, corners, like(read, [read.input[0], corners.output[0], read.input[2]], node.output[0])
    )
    return True


def read_together(graph: Graph, node: NodeProto) -> bool:
    """Regions of one map that are read one after the other, and then joined, are read at once."""
    if node.op_type != "Concat" or attribute(node, "axis") != 0:
        return False
    reads = [graph.given_by(name, "RoiAlign") for name in node.input]
    first = reads[0]
    if first is None or any(r is None or not alike(r, first) for r in reads):
        return False
    corners = graph.node("Concat", [r.input[1] for r in reads if r is not None], axis=0)
    pictures = graph.node("Concat", [r.input[2] for r in reads if r is not None], axis=0)
    joined = like(first, [first.input[0], corners.output[0], pictures.output[0]], node.output[0])
    graph.replace(node, corners, pictures, joined)
    return True


def narrow_before_reading(graph: Graph, node: NodeProto) -> bool:
    """What a 1x1 convolution makes of a map that is read, it makes before: reading is linear too,
    and costs by the channel. The channels beside them pass on as they are."""
    if node.op_type != "Conv" or (weight := graph.constants.get(node.input[1])) is None:
        return False
    if weight.ndim != 4 or weight.shape[2:] != (1, 1) or attribute(node, "group", 1) != 1:
        return False
    joined = graph.given_by(node.input[0], "Concat")
    if joined is None or attribute(joined, "axis") != 1:
        return False
    last = graph.given_by(joined.input[-1], "RoiAlign")
    sizes = [graph.shapes.get(name, []) for name in joined.input[:-1]]
    beside = sum(size[1] if len(size) == 4 else 0 for size in sizes)
    outputs, inputs = weight.shape[:2]
    if last is None or not 0 < beside < inputs or inputs - beside <= outputs:
        return False
    narrow = graph.node(
        "Conv", [last.input[0], graph.constant(np.ascontiguousarray(weight[:, beside:]))]
    )
    read = like(last, [narrow.output[0], *last.input[1:]])
    whole = graph.node("Concat", [*joined.input[:-1], read.output[0]], axis=1)
    passed = np.eye(outputs, dtype=np.float32)[:, :, None, None]
    filters = graph.constant(np.concatenate([weight[:, :beside], passed], 1))
    conv = like(node, [whole.output[0], filters, *node.input[2:]], node.output[0])
    graph.replace(node, narrow, read, whole, conv)
    return True


def gather_once(graph: Graph, node: NodeProto) -> bool:
    """Some rows of some rows are rows: numbers are picked twice, not what they number."""
    if node.op_type != "Gather" or attribute(node, "axis", 0) != 0:
        return False
    before = graph.giver.get(node.input[0])
    if before is None or before.op_type != "Gather" or attribute(before, "axis", 0) != 0:
        return False
    chosen = [before.input[1], node.input[1]]
    if any(len(graph.shapes.get(name, [])) != 1 for name in chosen):
        return False
    rows = graph.node("Gather", chosen, axis=0)
    picked = graph.node("Gather", [before.input[0], rows.output[0]], node.output[0], axis=0)
    graph.replace(node, rows, picked)
    return True


PASSES: tuple[Callable[[Graph, NodeProto], bool], ...] = (
    normalise_at_once,
    read_mirrored,
    read_together,
    narrow_before_reading,
    gather_once,
)


def attribute(node: NodeProto, name: str, default: object = None) -> object:
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def attributes(node: NodeProto) -> dict[str, object]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def like(node: NodeProto, inputs: list[str], output: str = "") -> NodeProto:
    """A node of the same type and attributes with other inputs."""
    new = NodeProto()
    new.CopyFrom(node)
    del new.input[:], new.output[:]
    new.input.extend(inputs)
    new.output.append(output or f"{node.output[0]}/rewritten")
    new.name = f"{new.output[0]}/{node.op_type}"
    return new


def alike(one: NodeProto, other: NodeProto) -> bool:
    """Whether two read the same map in the same way."""
    return one.input[0] == other.input[0] and attributes(one) == attributes(other)
