"""The text front end of a model file as a graph of its own."""

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.tokenizer import add_text_frontend
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import TensorProto
from onnxruntime import InferenceSession


def frontend(encoder: TextEncoder) -> InferenceSession:
    g = GraphBuilder()
    ids, lengths = add_text_frontend(g, encoder)
    g.output(ids, TensorProto.INT64, ["batch", "n"])
    g.output(g.Identity(lengths, name="lengths"), TensorProto.INT32, ["batch"])
    g.output(Value("tokens"), TensorProto.STRING, ["batch", "n"])
    content = g.model()
    return InferenceSession(content.SerializeToString(), providers=["CPUExecutionProvider"])
