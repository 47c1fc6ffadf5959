"""The answer of each row of a table, or why there is none."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lstm_runtime.errors import ClosedError, InputError, LstmEdgeError
from lstm_runtime.inference.results import Sentiment, too_little_known
from lstm_runtime.model import SentimentModel
from lstm_runtime.tables.base import RowResult, TextRow

_ALONE = 1024
"""Texts that are asked one by one, at most, after a run of several has failed."""


@dataclass(frozen=True)
class RowScorer:
    """Answers rows in their order, many at once."""

    model: SentimentModel
    "What answers."
    keep: bool = False
    "Whether a row that has no answer goes out without one; else it ends the run."
    max_tokens: int | None = None
    "Read only the last so many tokens of each text."
    min_known: float | None = None
    "Share of words that must be known for a row to have an answer."
    batch_size: int | None = None
    "See `SentimentModel.score_many`."

    def answers(self, rows: Iterator[TextRow]) -> Iterator[tuple[RowResult, str]]:
        """Yield for each row its result, and why it has none ('' where it has one).

        Raises:
            InputError: names the row that has no answer, where such rows are not kept; or whatever
                ends ``rows``.

        """
        while True:
            taken: deque[TextRow] = deque()  # rows whose answer is still to come
            broken: list[Exception] = []
            texts = _texts(rows, taken, broken)
            answers = self.model.score_many(texts, self.batch_size, self.max_tokens)
            while found := self._next(answers, broken):
                yield from self._bad_ones(taken)
                yield self._result(taken.popleft(), found)
            yield from self._bad_ones(taken)
            if broken:
                raise broken[0]
            if not taken:
                return
            # One of the texts cannot be answered: the first that fails alone.
            for _ in range(min(len(taken), _ALONE)):
                result, problem = self._alone(taken.popleft())
                yield result, problem
                if problem:
                    break
            rows = chain(taken, rows)

    @staticmethod
    def _next(answers: Iterator[Sentiment], broken: list[Exception]) -> Sentiment | None:
        """Return the next answer; None where there is no other, or one could not be had."""
        try:
            return next(answers, None)
        except ClosedError:
            raise
        except (LstmEdgeError, MemoryError):
            return None
        except Exception:
            if broken:
                return None
            raise

    def _bad_ones(self, taken: deque[TextRow]) -> Iterator[tuple[RowResult, str]]:
        """Take the bad rows at the head."""
        while taken and taken[0].problem:
            row = taken.popleft()
            yield self._without(row, row.problem)

    def _alone(self, row: TextRow) -> tuple[RowResult, str]:
        if row.problem:
            return self._without(row, row.problem)
        try:
            found = self.model(row.text, self.max_tokens)
        except ClosedError:
            raise
        except (LstmEdgeError, MemoryError) as error:
            return self._without(row, str(error) or "out of memory")
        return self._result(row, found)

    def _result(self, row: TextRow, found: Sentiment) -> tuple[RowResult, str]:
        problem = too_little_known(found, self.min_known)
        if problem:
            return self._without(row, problem, found.known)
        return RowResult(found.label, found.number, found.known), ""

    def _without(
        self, row: TextRow, problem: str, known: float | None = None
    ) -> tuple[RowResult, str]:
        named = f"{row.where}: {problem}" if row.where else problem
        if not self.keep:
            raise InputError(
                f"{named} (--on-error keep writes such rows without an answer; with an --output, "
                "add --resume to go on from here)"
            )
        return RowResult(None, None, known), named


def _texts(
    rows: Iterator[TextRow], taken: deque[TextRow], broken: list[Exception]
) -> Iterator[str]:
    """Yield the texts of good rows; remember all rows, and the error that ended them."""
    try:
        for row in rows:
            taken.append(row)
            if not row.problem:
                yield row.text
    except Exception as error:
        broken.append(error)
        raise
