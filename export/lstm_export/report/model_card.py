"""The model card: a text beside the files, for whoever finds them."""

import json
from collections.abc import Sequence
from pathlib import Path

from lstm_runtime.files import atomic_path

from lstm_export.checkpoint.source import Source
from lstm_export.config import ExportConfig
from lstm_export.metadata import public_training, versions
from lstm_export.outcome import ExportResult
from lstm_export.ownership import MARK
from lstm_export.parity.result import Parity
from lstm_export.report.front_matter import front_matter
from lstm_export.traced.network import TracedNetwork

_PYTHON = """\
```python
from lstm_runtime import SentimentModel

model = SentimentModel.load("{file}")
print(model("One of the finest films I have ever seen."))
```"""

_NODE = """\
```js
// npm install lstm-edge onnxruntime-node, or onnxruntime-web for browsers
import {{ SentimentModel }} from "lstm-edge";

const model = await SentimentModel.load("{file}");
console.log(await model.score("One of the finest films I have ever seen."));
```"""

_CPP = """\
```cpp
// with native/ of lstm-edge's repository; start it with ORT_DISABLE_TELEMETRY=1
#include <iostream>
#include "sentiment_model.hpp"

int main() {{
  SentimentModel model("{file}");
  std::cout << model.score("One of the finest films I have ever seen.")[0] << "\\n";
}}
```"""

_IDS = """\
The files take `ids` (int64 `[batch, sequence]`, padded on the right) and `lengths` (int32
`[batch]`) and give `probability` (float `[batch, {classes}]`), in every language that ONNX Runtime
speaks."""


def write_card(
    source: Source, results: Sequence[ExportResult], config: ExportConfig, path: Path
) -> None:
    """Write the card of the files that were kept, of which there is one at least."""
    files = [result for result in results if result.path]
    text = source.encoder is not None and config.interface != "ids"
    parts = [
        front_matter(source),
        f"<!-- {MARK} -->",
        "# Sentiment LSTM",
        _network(source),
        "## Files",
        _files(source, files),
        "## Measures",
        _measures(source),
        "## Use",
        _use(source, files, text=text),
        *([config.notes] if config.notes else []),
        "## Origin",
        _origin(source),
    ]
    with atomic_path(path) as temporary:
        temporary.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _network(source: Source) -> str:
    sizes = source.network.architecture
    kind = "two-directional" if sizes.bidirectional else "one-directional"
    if isinstance(source.network, TracedNetwork):
        return _captured(source, source.network)
    return (
        f"{sizes.vocab_size:,} words, vectors of {sizes.embedding_dim}, {sizes.n_layers} {kind} "
        f"LSTM layers of {sizes.hidden_dim} units, readout `{sizes.readout}`, "
        f"{source.network.activation}. Labels: {', '.join(source.label_names)}."
    )


def _captured(source: Source, network: TracedNetwork) -> str:
    notes = "\n".join(f"- {note}" for note in source.notes)
    return (
        f"{network.architecture.vocab_size:,} words, {network.described()}. Labels: "
        f"{', '.join(source.label_names)}.\n\nThe graph was made by PyTorch's exporter "
        f"({network.exporter}); it reads the texts of a batch one after the other.\n\n{notes}"
    )


def _files(source: Source, files: Sequence[ExportResult]) -> str:
    rows = []
    for o in files:
        if o.path:
            size = f"{(o.size or 0) / 1e6:.2f} MB"
            rows.append(f"| `{o.path.name}` | {o.name} | {size} | {_differences(o.parity)} |")
        if o.path and o.kernel:
            name, parity = o.kernel
            rows.append(f"| the same, lstm-edge's kernel ({name}) | | | {_differences(parity)} |")
    texts = len(files[0].parity.wanted)
    return "\n".join(
        [
            f"Each was compared with {source.original_name} on {texts} texts before it was",
            "written. Differences are those of the probability.",
            "",
            "| file | precision | size | largest | mean | labels equal |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
        ]
    )


def _differences(parity: Parity) -> str:
    largest = parity.max_abs["probability"]
    return f"{largest:.1e} | {parity.mean:.1e} | {parity.agreement:.2%}"


def _measures(source: Source) -> str:
    numbers = {k: v for k, v in source.metrics.items() if isinstance(v, int | float)}
    if not numbers:
        return "The checkpoint carries none."
    rows = [f"| {name} | {value:.4g} |" for name, value in numbers.items()]
    return "\n".join(
        ["Of the checkpoint, on data held out of training:", "", "| | |", "| --- | --- |", *rows]
    )


def _use(source: Source, files: Sequence[ExportResult], *, text: bool) -> str:
    if not text:
        return _IDS.format(classes=source.network.classes)
    # fp16 is for CUDA; int8 and fp32 run on any device that the reader may try first.
    first = min(files, key=lambda result: ("int8", "fp32", "fp16").index(result.name))
    name = first.path.name if first.path else ""
    return "\n\n".join(example.format(file=name) for example in (_PYTHON, _NODE, _CPP))


def _origin(source: Source) -> str:
    lines = [
        f"- {name}: {_told(value)}" for name, value in public_training(source.training).items()
    ]
    lines += [f"- checkpoint: sha256 {source.sha256}"]
    lines += [f"- written with: {json.dumps(versions())}"]
    return "\n".join(lines)


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(part)}" for name, part in value.items())
    return str(value)
