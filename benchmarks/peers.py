"""The ways to score reviews that ours is compared with; each takes texts, and gives answers."""

import contextlib
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from lstm_runtime.inference.session import import_onnxruntime
from lstm_training.checkpoint import Checkpoint

onnxruntime = import_onnxruntime()

BATCH = 32

One = Callable[[str], float]
Many = Callable[[Sequence[str]], Sequence[float]]


class Peer(NamedTuple):
    """A way to score reviews."""

    one: One
    "Scores one text."
    many: Many
    "Scores many, in the best way that it has."
    megabytes: float
    "Of the files that it loads; those of lstm-export hold the words too."

    @classmethod
    def alone(cls, one: One, megabytes: float) -> "Peer":
        """Return a peer that knows no better way than one text after the other."""
        return cls(one, lambda texts: [one(text) for text in texts], megabytes)


def megabytes_of(*paths: Path) -> float:
    """Return the size of files together."""
    return sum(path.stat().st_size for path in paths) / 1e6


class EagerTorch:
    """PyTorch as most code runs it: tokenise, pad, forward."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._module = checkpoint.model().eval()
        self._encode = checkpoint.encoder

    @property
    def megabytes(self) -> float:
        """The size of the weights as PyTorch saves them."""
        file = io.BytesIO()
        torch.save(self._module.state_dict(), file)
        return file.tell() / 1e6

    def one(self, text: str) -> float:
        """Score one text."""
        with torch.inference_mode():
            ids = torch.tensor([self._encode(text)])
            return float(self._module(ids, self._module.init_hidden(1))[0])

    def arrival_order(self, texts: Sequence[str]) -> list[float]:
        """Score batches of 32 in the order in which texts come."""
        encoded = [self._encode(text) for text in texts]
        starts = range(0, len(texts), BATCH)
        return [p for n in starts for p in self._batch(encoded[n : n + BATCH])]

    def by_length(self, texts: Sequence[str]) -> list[float]:
        """Score batches of 32 of like length."""
        encoded = [self._encode(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda n: len(encoded[n]))
        found = np.empty(len(texts))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            found[batch] = self._batch([encoded[n] for n in batch])
        return found.tolist()

    def _batch(self, encoded: Sequence[Sequence[int]]) -> list[float]:
        lengths = torch.tensor([len(ids) for ids in encoded])
        padded = torch.zeros(len(encoded), int(lengths.max()), dtype=torch.long)
        for row, ids in zip(padded, encoded, strict=True):
            row[: len(ids)] = torch.tensor(ids)
        with torch.inference_mode():
            logits = self._module.logits(padded, lengths)
            return torch.sigmoid(logits).flatten().tolist()


class ExportedTorch:
    """The graph that ``torch.onnx.export`` makes with dynamic batch and sequence."""

    def __init__(self, checkpoint: Checkpoint, example: str, folder: Path) -> None:
        self._encode = checkpoint.encoder
        module = checkpoint.model().eval()
        path = folder / "exported.onnx"
        ids = torch.tensor([self._encode(example)])
        batch, sequence = torch.export.Dim("batch"), torch.export.Dim("sequence")
        shapes = {"x": {0: batch, 1: sequence}, "hidden": ({1: batch}, {1: batch})}
        # With a batch of one, the exporter would freeze the batch too.
        arguments = (ids.repeat(2, 1), module.init_hidden(2))
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(module, arguments, str(path), dynamic_shapes=shapes, verbose=False)
        self.megabytes = megabytes_of(*folder.glob(f"{path.name}*"))  # weights may be beside it
        self._session = onnxruntime.InferenceSession(str(path), _one_thread())
        self._names = [node.name for node in self._session.get_inputs()]
        self._state = np.zeros((module.n_layers, 1, module.hidden_dim), np.float32)

    def one(self, text: str) -> float:
        """Score one text; fails at lengths that the graph does not take."""
        ids = np.array([self._encode(text)], np.int64)
        feed = dict(zip(self._names, (ids, self._state, self._state), strict=True))
        return float(np.ravel(self._session.run(None, feed)[0])[0])

    def runs(self, texts: Sequence[str]) -> int:
        """Count the texts that it can score."""
        count = 0
        for text in texts:
            with contextlib.suppress(Exception):  # ONNX Runtime's errors share no other base
                self.one(text)
                count += 1
        return count


class PlainOnnxRuntime:
    """A loop over ``session.run`` with ONNX Runtime's own defaults, on the same file as ours."""

    def __init__(self, path: Path, *, one_thread: bool) -> None:
        options = _one_thread() if one_thread else onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(str(path), options)

    def one(self, text: str) -> float:
        """Score one text."""
        feed = {"text": np.array([text], object)}
        return float(self._session.run(["probability"], feed)[0][0, 0])

    def loop(self, texts: Sequence[str]) -> list[float]:
        """Score one text after the other."""
        return [self.one(text) for text in texts]


def _one_thread() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return options
