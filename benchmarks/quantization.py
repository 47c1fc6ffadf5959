"""What int8 costs: granularity and range, on a trained model and real reviews.

    python benchmarks/quantization.py model/model.pt reviews.jsonl.gz --limit 1000

Prints differences of the probability from fp32 as a Markdown table, each text run alone.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import onnx
from lstm_export.checkpoint.source import Source, load_source
from lstm_export.graph.build import build_graph
from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.precision import FloatWeights, Int8Weights, PrecisionWriter
from lstm_export.graph.quantize import quantize
from lstm_export.network import Network
from lstm_runtime.inference.providers import open_session
from lstm_training.data.sources import load_examples
from numpy.typing import NDArray
from onnx import TensorProto


class FloatEmbedding(Int8Weights):
    """int8 LSTM behind an embedding in fp32."""

    def add_embedding(self, g: GraphBuilder, network: Network, ids: Value) -> Value:
        """Add a plain lookup."""
        return FloatWeights().add_embedding(g, network, ids)


class OneScaleEmbedding(Int8Weights):
    """int8 LSTM behind an int8 embedding with one scale, as ONNX Runtime's quantiser makes it."""

    def add_embedding(self, g: GraphBuilder, network: Network, ids: Value) -> Value:
        """Add a lookup in int8 and one multiplication."""
        table = quantize(network.embedding)
        words = g.Gather(g.weight("embedding_int8", table.values), ids)
        scale = g.weight("embedding_scale", table.scale)
        return g.Mul(g.Cast(words, to=TensorProto.FLOAT), scale)


EMBEDDINGS = {
    "a scale a word": Int8Weights,
    "one scale": OneScaleEmbedding,
    "fp32": FloatEmbedding,
}


@dataclass(frozen=True)
class Measure:
    """Probabilities of every text, ``[texts]``, and the file's size in bytes."""

    probability: NDArray[np.float32]
    size: int


def measure(source: Source, writer: PrecisionWriter, texts: list[str]) -> Measure:
    """Write the graph with ``writer`` and run each text alone."""
    network = source.network
    if not isinstance(network, Network):
        raise SystemExit("embeddings are compared in graphs that we write, not in PyTorch's own")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(build_graph(network, writer, source.encoder), path)
        session = open_session(path.read_bytes(), "cpu").session
        feeds = ({"text": np.array([text], object)} for text in texts)
        answers = [session.run(["probability"], feed)[0][0, 0] for feed in feeds]
        return Measure(np.array(answers), path.stat().st_size)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--limit", default=1000, show_default=True, help="Texts, chosen with seed 0.")
def main(checkpoint: Path, data: str, limit: int) -> None:
    """Compare the ways to quantise CHECKPOINT on the texts of DATA."""
    source = load_source(checkpoint)
    texts = list(load_examples(data).texts)
    random.Random(0).shuffle(texts)
    texts = texts[:limit]
    wanted = measure(source, FloatWeights(), texts).probability
    print("| embedding | LSTM | bits | MB | max | mean | labels equal |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, kind in EMBEDDINGS.items():
        for per_channel in (True, False):
            for reduce_range in (True, False):
                found = measure(source, kind(per_channel, reduce_range), texts)
                difference = np.abs(found.probability - wanted)
                same = ((found.probability >= 0.5) == (wanted >= 0.5)).mean()
                channel = "a scale a channel" if per_channel else "one scale"
                print(
                    f"| {name} | {channel} | {7 if reduce_range else 8} | {found.size / 1e6:.2f} "
                    f"| {difference.max():.3f} | {difference.mean():.1e} | {same:.1%} |"
                )


if __name__ == "__main__":
    main()
