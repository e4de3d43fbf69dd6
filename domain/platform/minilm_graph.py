"""all-MiniLM-L6-v2 written out as an ONNX graph, straight from its weights; needs the `model` extra.

The network is BERT (Devlin et al., 2019) in the size of MiniLM (Wang et al., 2020), then the sentence head of
Sentence-BERT (Reimers and Gurevych, 2019): the mean over the tokens, scaled to unit length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LAYERS = 6
HIDDEN = 384
HEADS = 12
HEAD_SIZE = HIDDEN // HEADS
NORM_EPSILON = 1e-12

# The first with Gelu is 20; runtimes that know opset 20 all read IR 9.
OPSET = 20
IR_VERSION = 9

# Taken from the scores of padding: far more than any real score, and finite, so that Softmax is never NaN.
MASKED_SCORE = 10_000.0

Weights = Callable[[str], NDArray[np.float32]]
"""A tensor by its name in the checkpoint; linear weights are [out, in]."""


@dataclass(frozen=True, slots=True)
class _Graph:
    """Nodes and constants in the making; a value is known by the name `add` or `constant` returns."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self.add_many(operator, 1, *inputs, **attributes)[0]

    def add_many(self, operator: str, outputs: int, *inputs: str, **attributes: Any) -> Sequence[str]:
        name = f"{operator}_{len(self.nodes)}"
        names = [f"{name}:{position}" for position in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name, **attributes))
        return names

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def floats(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, np.float32))

    def integers(self, name: str, *values: int) -> str:
        return self.constant(name, np.array(values, np.int64))


def sentence_graph(weights: Weights) -> onnx.ModelProto:
    """The whole encoder in float32.

    In: `input_ids` and `attention_mask`, int64 [batch, tokens]. Out: `sentence_embedding`, float32
    [batch, 384], rows of unit length. At most 512 tokens; trained with 256.
    """
    graph = _Graph()
    _shapes(graph)
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    absent = graph.add(
        "Mul", graph.add("Sub", mask, graph.floats("one", 1)), graph.floats("far", MASKED_SCORE)
    )
    bias = graph.add("Unsqueeze", absent, graph.integers("axes_of_heads_and_queries", 1, 2))
    state = _embeddings(graph, weights)
    for layer in range(LAYERS):
        state = _layer(graph, weights, f"encoder.layer.{layer}", state, bias)
    _sentence_head(graph, state, mask)
    return _model(graph)


def _shapes(graph: _Graph) -> None:
    # 0 keeps the dimension, so batch and length stay free.
    graph.integers("split_of_qkv", HIDDEN, HIDDEN, HIDDEN)
    graph.integers("shape_of_heads", 0, 0, HEADS, HEAD_SIZE)
    graph.integers("shape_of_tokens", 0, 0, HIDDEN)
    graph.integers("first_axis", 0)
    graph.integers("token_axis", 1)
    graph.integers("last_axis", -1)


def _embeddings(graph: _Graph, weights: Weights) -> str:
    # Every token of a lone sentence is of type 0, so that row is folded into the positions.
    table = (
        weights("embeddings.position_embeddings.weight")
        + weights("embeddings.token_type_embeddings.weight")[0]
    )
    words = graph.constant("word_embeddings", weights("embeddings.word_embeddings.weight"))
    length = graph.add("Shape", "input_ids", start=1, end=2)
    positions = graph.add("Slice", graph.constant("position_embeddings", table), "first_axis", length)
    state = graph.add("Add", graph.add("Gather", words, "input_ids"), positions)
    return _normalised(graph, weights, "embeddings.LayerNorm", state)


def _layer(graph: _Graph, weights: Weights, path: str, state: str, bias: str) -> str:
    attended = _attention(graph, weights, f"{path}.attention", state, bias)
    state = graph.add("Add", attended, state)
    state = _normalised(graph, weights, f"{path}.attention.output.LayerNorm", state)
    wide = graph.add("Gelu", _linear(graph, weights, f"{path}.intermediate.dense", state), approximate="none")
    state = graph.add("Add", _linear(graph, weights, f"{path}.output.dense", wide), state)
    return _normalised(graph, weights, f"{path}.output.LayerNorm", state)


def _attention(graph: _Graph, weights: Weights, path: str, state: str, bias: str) -> str:
    # Queries, keys and values in one product; the scale 1/sqrt(head size) is paid once, in the weights.
    scale = np.float32(HEAD_SIZE**-0.5)
    weight = [weights(f"{path}.self.{part}.weight").T for part in ("query", "key", "value")]
    offset = [weights(f"{path}.self.{part}.bias") for part in ("query", "key", "value")]
    weight[0], offset[0] = weight[0] * scale, offset[0] * scale
    fused = _product(graph, f"{path}.self", state, np.hstack(weight), np.hstack(offset))

    split = graph.add_many("Split", 3, fused, "split_of_qkv", axis=2)
    query, key, value = (graph.add("Reshape", part, "shape_of_heads") for part in split)
    query = graph.add("Transpose", query, perm=(0, 2, 1, 3))
    key = graph.add("Transpose", key, perm=(0, 2, 3, 1))
    value = graph.add("Transpose", value, perm=(0, 2, 1, 3))
    scores = graph.add("Add", graph.add("MatMul", query, key), bias)
    mixed = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
    joined = graph.add("Reshape", graph.add("Transpose", mixed, perm=(0, 2, 1, 3)), "shape_of_tokens")
    return _linear(graph, weights, f"{path}.output.dense", joined)


def _sentence_head(graph: _Graph, state: str, mask: str) -> None:
    # Both floors only keep an empty row from dividing by zero.
    column = graph.add("Unsqueeze", mask, "last_axis")
    total = graph.add("ReduceSum", graph.add("Mul", state, column), "token_axis", keepdims=0)
    tokens = graph.add("ReduceSum", mask, "token_axis", keepdims=1)
    mean = graph.add("Div", total, graph.add("Clip", tokens, graph.floats("fewest_tokens", 1e-9)))
    norm = graph.add("ReduceL2", mean, "last_axis", keepdims=1)
    floored = graph.add("Clip", norm, graph.floats("smallest_norm", 1e-12))
    graph.nodes.append(helper.make_node("Div", (mean, floored), ("sentence_embedding",), "unit_length"))


def _linear(graph: _Graph, weights: Weights, path: str, state: str) -> str:
    return _product(graph, path, state, weights(f"{path}.weight").T, weights(f"{path}.bias"))


def _product(
    graph: _Graph, path: str, state: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> str:
    product = graph.add("MatMul", state, graph.constant(f"{path}.weight", weight))
    return graph.add("Add", product, graph.constant(f"{path}.bias", bias))


def _normalised(graph: _Graph, weights: Weights, path: str, state: str) -> str:
    scale = graph.constant(f"{path}.weight", weights(f"{path}.weight"))
    bias = graph.constant(f"{path}.bias", weights(f"{path}.bias"))
    return graph.add("LayerNormalization", state, scale, bias, axis=-1, epsilon=NORM_EPSILON)


def _model(graph: _Graph) -> onnx.ModelProto:
    tokens = ("batch", "tokens")
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, tokens)
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ("batch", HIDDEN))
    return helper.make_model(
        helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, [output], graph.constants),
        producer_name="media-gateway",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
