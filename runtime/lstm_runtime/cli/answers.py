"""Answers a line each, as texts come: a pipe sees each before its next text."""

import json
from collections.abc import Iterable, Iterator

from lstm_runtime.cli.options import Options
from lstm_runtime.cli.output import json_line, plain_line
from lstm_runtime.command import notice
from lstm_runtime.console import printable
from lstm_runtime.errors import ClosedError, InputError, LstmEdgeError
from lstm_runtime.inference.results import Sentiment, too_little_known
from lstm_runtime.model import SentimentModel
from lstm_runtime.tables.base import TextRow

_WARNED = 3
"""Texts without a known word that are named; the others are counted."""


def answer_lines(model: SentimentModel, rows: Iterable[TextRow], asked: Options) -> Iterator[str]:
    """Yield a line for each row; on standard error, name what has no answer or no known word.

    Raises:
        LstmEdgeError: at a row that has no answer, unless such rows are to be kept.

    """
    unknown = 0
    for row in rows:
        found, problem = _answer(model, row, asked)
        if problem:
            _warn(row, problem)
        elif found is not None and found.known == 0:
            unknown += 1
            if unknown <= _WARNED:
                _warn(row, "the model knows no word of it")
        if found is None or problem:
            yield _without_answer(row.text, found, as_json=asked.as_json)
        else:
            yield json_line(found) if asked.as_json else plain_line(found, model.metadata)
    if unknown > _WARNED:
        notice(f"warning: the model knows no word of {unknown:,} texts")


def _answer(model: SentimentModel, row: TextRow, asked: Options) -> tuple[Sentiment | None, str]:
    """Return the answer, and why it is none."""
    found = None
    problem = row.problem
    try:
        if not problem:
            found = model(row.text, asked.max_tokens)
            problem = too_little_known(found, asked.min_known)
    except ClosedError:
        raise
    except LstmEdgeError as error:
        if asked.on_error == "stop" and not row.where:
            raise
        problem = str(error)
    if problem and asked.on_error == "stop":
        named = f"{row.where}: {problem}" if row.where else problem
        raise InputError(f"{named} (--on-error keep goes on without an answer)")
    return found, problem


def _without_answer(text: str, found: Sentiment | None, *, as_json: bool) -> str:
    if as_json:
        known = {} if found is None else {"known": found.known}
        return json.dumps({"text": text, "label": None, "score": None, **known})
    return f"\t\t{printable(text)}"


def _warn(row: TextRow, problem: str) -> None:
    where = row.where or repr(row.text if len(row.text) < 40 else f"{row.text[:40]}...")
    notice(f"warning: {where}: {problem}")
