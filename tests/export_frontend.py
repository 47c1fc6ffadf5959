"""The text front end of a model file as a graph of its own."""

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.tokenizer import add_text_frontend
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import ModelProto, TensorProto
from onnxruntime import InferenceSession


def frontend_model(encoder: TextEncoder, *, cpu_only: bool = False) -> ModelProto:
    g = GraphBuilder()
    ids, lengths = add_text_frontend(g, encoder, cpu_only=cpu_only)
    g.output(ids, TensorProto.INT64, ["batch", "n"])
    g.output(g.Identity(lengths, name="lengths"), TensorProto.INT32, ["batch"])
    g.output(Value("tokens"), TensorProto.STRING, ["batch", "n"])
    return g.model()


def frontend(encoder: TextEncoder, *, cpu_only: bool = False) -> InferenceSession:
    return open_on_cpu(frontend_model(encoder, cpu_only=cpu_only))


def open_on_cpu(model: ModelProto) -> InferenceSession:
    return InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
