"""The model file around a captured graph: text or ids in, one text after the other, answers out.

PyTorch's exporters write what a module does with one text; what it does with a padded batch is
mostly wrong, since a foreign ``forward`` reads the padding. So the captured graph is the body of a
``Scan`` over the batch, which cuts each text to its own length: a file of this kind gives the same
answers alone and in a batch, in every language, without the app knowing.
"""

from lstm_runtime.model_file import contract
from lstm_runtime.model_file.contract import Precision
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import GraphProto, ModelProto, TensorProto

from lstm_export.errors import QuantizationError
from lstm_export.graph.build import ids_inputs
from lstm_export.graph.builder import GraphBuilder, Value, all_graphs, all_nodes
from lstm_export.graph.precision import Int8Weights
from lstm_export.graph.tokenizer import add_text_frontend
from lstm_export.traced.capture import VALUES
from lstm_export.traced.checking import IDS
from lstm_export.traced.network import TracedNetwork
from lstm_export.traced.precision import to_fp16, to_int8

_INSIDE = "net/"
"""Stands before the names inside the scan, which must differ from those around it."""


def build_traced(
    network: TracedNetwork, precision: Precision, int8: Int8Weights, encoder: TextEncoder | None
) -> ModelProto:
    """Write ``network`` as an ONNX model of the contract in `lstm_runtime.model_file.contract`.

    Args:
        network: the captured graph and what is known of it.
        precision: number format of its LSTMs and embeddings.
        int8: granularity and range of int8 weights.
        encoder: puts the tokeniser and the vocabulary into the graph; without one, the model
            takes ``ids`` and ``lengths``.

    Raises:
        QuantizationError: when int8 would leave an LSTM in float.

    """
    model = _in_precision(network.graph, precision, int8)
    g = GraphBuilder()
    cpu_only = precision == "int8"
    ids, lengths = add_text_frontend(g, encoder, cpu_only=cpu_only) if encoder else ids_inputs(g)
    texts = [ids, g.Cast(lengths, to=TensorProto.INT64)]
    body = _body(network, model)
    (probability,) = g.node("Scan", texts, [contract.PROBABILITY], num_scan_inputs=2, body=body)
    g.output(probability, TensorProto.FLOAT, ["batch", network.architecture.classes])
    if encoder:
        g.output(Value(contract.TOKENS), TensorProto.STRING, ["batch", "tokens"])
    opset = next(o.version for o in network.graph.opset_import if o.domain in ("", "ai.onnx"))
    return g.model(opset, network.graph.ir_version)


def _in_precision(model: ModelProto, precision: Precision, int8: Int8Weights) -> ModelProto:
    if precision == "fp32":
        return model
    if precision == "fp16":
        return to_fp16(model)
    quantized = to_int8(model, int8)
    left = [node.name for node in all_nodes(quantized.graph) if node.op_type == "LSTM"]
    if left:
        raise QuantizationError(f"quantisation left float LSTM layers: {', '.join(left)}")
    return quantized


def _body(network: TracedNetwork, model: ModelProto) -> GraphProto:
    """Return the body of the scan: one text, cut to its length, through the captured graph."""
    inside = _prefixed(model)
    g = GraphBuilder(prefix="text/")
    padded = g.input("text/padded", TensorProto.INT64, ["sequence"])
    length = g.Reshape(g.input("text/length", TensorProto.INT64, []), g.constant([1]))
    text = g.Slice(padded, g.constant([0]), length)
    if network.min_tokens > 1:
        text = _padded(g, text, length, network)
    g.Unsqueeze(text, g.constant([0]), name=f"{_INSIDE}{IDS}")
    g.nodes += inside.node
    g.initializers += inside.initializer
    probability = network.answer.add(g, Value(f"{_INSIDE}{VALUES}"))
    g.output(probability, TensorProto.FLOAT, [network.architecture.classes])
    return g.graph("one_text")


def _prefixed(model: ModelProto) -> GraphProto:
    """Return the graph with other names, also where a loop inside it reads a value around it."""
    graph = GraphProto()
    graph.CopyFrom(model.graph)
    for part in all_graphs(graph):
        for node in part.node:
            node.input[:] = [f"{_INSIDE}{name}" if name else "" for name in node.input]
            node.output[:] = [f"{_INSIDE}{name}" if name else "" for name in node.output]
        for named in (*part.initializer, *part.input, *part.output, *part.value_info):
            named.name = f"{_INSIDE}{named.name}"
    return graph


def _padded(g: GraphBuilder, text: Value, length: Value, network: TracedNetwork) -> Value:
    """Lengthen a text that is shorter than the module can read."""
    missing = g.Max(g.Sub(g.constant([network.min_tokens]), length), g.constant([0]))
    return g.Concat(text, g.Expand(g.constant([network.padding_id]), missing), axis=0)
