"""One worker of a cluster: loads the model once, then adds answers to blocks of rows."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstm_runtime.bulk.answers import RowScorer
from lstm_runtime.distributed.settings import ScoringSettings
from lstm_runtime.model import SentimentModel
from lstm_runtime.tables.base import TextRow

PROBLEM = "__problem__"
"""Column in which our reader, and then a worker, says why a row is bad; null where it is not."""

KNOWN = "__known__"
"""Column in which a worker says how much of a text is known, for the count of the whole run."""


class ScoringWorker:
    """An actor of a Ray Data pool: a block of rows in, the same rows with answers out.

    Args:
        model: the bytes of a model file: a worker needs no file of its own.
        settings: how to answer.
        tally: an actor that counts rows, or None.
        audited: whether to leave `PROBLEM` and add `KNOWN`, for a sink that counts them.

    """

    def __init__(
        self, model: bytes, settings: ScoringSettings, tally: Any = None, *, audited: bool = False
    ) -> None:
        self._settings = settings
        self._tally = tally
        self._audited = audited
        self._scorer = RowScorer(
            _load(model, settings),
            settings.on_error == "keep",
            settings.max_tokens,
            settings.min_known,
            settings.batch_size,
        )

    def __call__(self, block: Any) -> Any:
        """Return an Arrow table with the columns added, and `PROBLEM` taken away or renewed.

        Raises:
            InputError: at a bad row, unless those are kept.

        """
        import pyarrow

        columns = self._settings.columns
        columns.check(block.column_names, "the dataset")
        scored = list(self._scorer.answers(self._rows(block)))
        answers = [answer.values(columns) for answer, _ in scored]
        if PROBLEM in block.column_names:
            block = block.drop_columns([PROBLEM])
        for n, name in enumerate(columns.added):
            kind = pyarrow.string() if n == 0 else pyarrow.float64()
            block = block.append_column(name, pyarrow.array([row[n] for row in answers], kind))
        if self._audited:
            known = pyarrow.array([answer.known for answer, _ in scored], pyarrow.float64())
            problems = pyarrow.array([problem or None for _, problem in scored], pyarrow.string())
            block = block.append_column(KNOWN, known).append_column(PROBLEM, problems)
        if self._tally is not None:
            self._tally.add.remote(len(answers))
        return block

    def _rows(self, block: Any) -> Iterator[TextRow]:
        """Yield the texts; null, and what is no text, is a bad row."""
        texts = block.column(self._settings.text_column).to_pylist()
        known = PROBLEM in block.column_names
        problems = block.column(PROBLEM).to_pylist() if known else [None] * len(texts)
        for number, (text, problem) in enumerate(zip(texts, problems, strict=True), start=1):
            if problem is not None:
                where, _, why = problem.partition("\0")
                yield TextRow(where, "", problem=why)
            elif isinstance(text, str):
                yield TextRow("", text)
            else:
                why = "the text is null" if text is None else "the text is no string"
                yield TextRow(f"row {number} of a block", "", problem=why)


def _load(data: bytes, settings: ScoringSettings) -> SentimentModel:
    handle, name = tempfile.mkstemp(suffix=".onnx")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        options = dict(settings.provider_options or {}) or None
        return SentimentModel.load(
            path, settings.device, settings.threads, provider_options=options
        )
    finally:
        path.unlink()
