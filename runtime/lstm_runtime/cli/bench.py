"""The measurement of ``lstm-run --bench``: what this device does with this model."""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lstm_runtime.errors import InputError
from lstm_runtime.kernel.library import STOCK
from lstm_runtime.model import SentimentModel

REVIEW_WORDS = 230
"""Words of the text that is measured when none is given: a review is about that long."""

_WARM_UP = 5
_SECONDS = 3.0
_LOADS = 5


@dataclass(frozen=True)
class BenchmarkResult:
    """Figures of one model on one device."""

    provider: str
    "The execution provider in use."
    kernel: str | None
    "Instruction set of the int8 kernel; None where ONNX Runtime's own operators run."
    threads: int
    "Texts scored at once in bulk."
    texts: int
    "Different texts measured."
    words: float
    "Words of a text, mean."
    p50_ms: float
    "One text at a time: half of the answers take at most this many milliseconds."
    p95_ms: float
    "One text at a time: 95 of 100 answers take at most this many milliseconds."
    single_per_s: float
    "Texts a second, one at a time."
    bulk_per_s: float
    "Texts a second, many at once."
    load_ms: float
    "Milliseconds to load the model, median."
    memory_mb: float | None
    "Most memory of this process so far, in MB; None where the system does not tell."


def run_benchmark(model: SentimentModel, texts: Sequence[str] = ()) -> BenchmarkResult:
    """Measure for some seconds; the first few answers are warm-up and do not count.

    Raises:
        InputError: when the model cannot read text, or ``texts`` are empty strings only.

    """
    texts = list(texts) or [_review(model)]
    if not any(texts):
        raise InputError("there is no text to measure")
    for text in texts[:_WARM_UP] * _WARM_UP:
        model(text)
    single = list(_latencies(model, texts))
    cuts = statistics.quantiles(single, n=20) if len(single) > 1 else single * 20
    return BenchmarkResult(
        provider=model.provider,
        kernel=model.info.kernel,
        threads=model.info.threads,
        texts=len(texts),
        words=round(statistics.fmean(len(text.split()) for text in texts), 1),
        p50_ms=round(1e3 * statistics.median(single), 3),
        p95_ms=round(1e3 * cuts[18], 3),
        single_per_s=round(len(single) / sum(single), 1),
        bulk_per_s=round(_bulk_rate(model, texts), 1),
        load_ms=round(1e3 * _load_seconds(model), 1),
        memory_mb=_peak_memory(),
    )


def benchmark_lines(found: BenchmarkResult) -> Iterator[str]:
    """Yield the figures as a table."""
    kernel = found.kernel or STOCK
    yield f"{found.provider}, kernel {kernel}, {found.texts} text(s) of {found.words:.0f} words"
    yield f"one at a time   p50 {found.p50_ms:.2f} ms, p95 {found.p95_ms:.2f} ms"
    yield f"                {found.single_per_s:,.0f} texts/s"
    yield f"in bulk         {found.bulk_per_s:,.0f} texts/s, {found.threads} thread(s)"
    yield f"load            {found.load_ms:.1f} ms"
    if found.memory_mb is not None:
        yield f"memory          {found.memory_mb:.0f} MB at most"


def _latencies(model: SentimentModel, texts: Sequence[str]) -> Iterator[float]:
    """Yield seconds per answer, for each text once and then until the time is up."""
    end = time.perf_counter() + _SECONDS
    done = 0
    while done < len(texts) or time.perf_counter() < end:
        started = time.perf_counter()
        model(texts[done % len(texts)])
        yield time.perf_counter() - started
        done += 1


def _bulk_rate(model: SentimentModel, texts: Sequence[str]) -> float:
    """Return texts a second over all threads."""
    end = time.perf_counter() + _SECONDS

    def supply() -> Iterator[str]:
        yield from texts
        while time.perf_counter() < end:
            yield from texts

    started = time.perf_counter()
    count = sum(1 for _ in model.score_many(supply()))
    return count / (time.perf_counter() - started)


def _load_seconds(model: SentimentModel) -> float:
    def load() -> float:
        started = time.perf_counter()
        SentimentModel.load(model.path, model.provider).close()
        return time.perf_counter() - started

    return statistics.median(load() for _ in range(_LOADS))


def _review(model: SentimentModel) -> str:
    """Return a text of `REVIEW_WORDS` words, from the file's reference texts."""
    found = " ".join(reference.text or "" for reference in model.metadata.reference).split()
    words = found or ["film"]
    return " ".join(words[n % len(words)] for n in range(REVIEW_WORDS))


def _peak_memory() -> float | None:
    if sys.platform == "win32":
        return None
    import resource  # not on every system

    unit = 1e6 if sys.platform == "darwin" else 1e3
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
