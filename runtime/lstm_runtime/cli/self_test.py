"""The checks of ``lstm-run --self-test``: whether this device answers as it should.

They need the wheel alone: the texts are the file's own reference texts and a few odd ones.
"""

import json
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Literal

from lstm_runtime.errors import LstmEdgeError, VerificationError
from lstm_runtime.inference.providers import CPU
from lstm_runtime.model import SentimentModel

_UNPORTABLE = ("good\0 awful", "\0", "\u0130 good", "\u212aeen", "\ud800 bad", "fun\udfff")
"""What each platform would read in its own way, were it not replaced."""

_ODD = ("", " \t\n", "!", "\ufeffGood", "😀 素晴らしい прекрасно", "x" * 5000, "good " * 20_000)

_THREADS = 8
_CUTS = (7, 64)

Result = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """What one check found."""

    name: str
    "What was looked at."
    result: Result
    "How it went."
    detail: str
    "Figures, or why not."


def run_self_test(model: SentimentModel) -> Iterator[Check]:
    """Yield what each check finds, as they are done; a failed one does not stop the others."""
    checks: dict[str, Callable[[SentimentModel], Check]] = {
        "reference answers": _references,
        "odd texts": _odd_texts,
        "streams": _streams,
        "alone and together": _together,
        "threads": _threads,
    }
    for name, check in checks.items():
        if check is not _references and model.metadata.tokenizer is None:
            yield Check(name, "not applicable", "the file has no vocabulary: it takes ids only")
            continue
        try:
            yield check(model)
        except LstmEdgeError as error:
            yield Check(name, "failed", str(error))


def self_test_lines(model: SentimentModel, *, as_json: bool) -> Iterator[str]:
    """Yield the checks as a table, or as one JSON object.

    Raises:
        VerificationError: at the end, when a check has failed.

    """
    found = []
    device = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    runtime = model.info.versions["onnxruntime"]
    if not as_json:
        yield f"{model.path.name} on {model.provider}, onnxruntime {runtime}, {device}"
    for check in run_self_test(model):
        found.append(check)
        if not as_json:
            yield f"{check.name:<19} {check.result:<15} {check.detail}"
    failed = [check.name for check in found if check.result == "failed"]
    if as_json:
        where = {"model": model.path.name, "provider": model.provider, "onnxruntime": runtime}
        checks = [asdict(check) for check in found]
        yield json.dumps(where | {"device": device, "passed": not failed, "checks": checks})
    if failed:
        raise VerificationError(f"{len(failed)} of {len(found)} checks failed: {', '.join(failed)}")


def _references(model: SentimentModel) -> Check:
    """Replay what the original model answered."""
    found = model.verify()
    return Check(
        "reference answers",
        "passed",
        f"{found.count} answers, largest difference {found.max_difference:.1e} "
        f"(allowed {found.tolerance:.1e})",
    )


def _odd_texts(model: SentimentModel) -> Check:
    """Score what breaks programs: nothing, other scripts, a text as long as a book."""
    for text in (*_ODD, *_UNPORTABLE):
        scores = model(text).scores.values()
        if not all(0 <= score <= 1 for score in scores):
            return Check("odd texts", "failed", f"{text[:20]!r} gets {[*scores]}")
    for text in _UNPORTABLE:
        clean = "".join("\ufffd" if c in "\0\u0130\u212a\ud800\udfff" else c for c in text)
        if model(text).scores != model(clean).scores:
            return Check("odd texts", "failed", f"{text!r} is not read as {clean!r}")
    return Check("odd texts", "passed", f"{len(_ODD) + len(_UNPORTABLE)} texts")


def _streams(model: SentimentModel) -> Check:
    """Read texts in pieces, cut anywhere."""
    if not model.info.has_state:
        return Check("streams", "not applicable", "the file has no states")
    texts = [text for text in _texts(model) if text]
    pairs = [(text, size) for text in texts for size in (*_CUTS, *([1] if len(text) < 100 else []))]
    differences = [_cut_difference(model, text, size) for text, size in pairs]
    allowed = model.metadata.tolerance
    return Check(
        "streams",
        # A NaN does not pass.
        "passed" if all(difference <= allowed for difference in differences) else "failed",
        f"{len(pairs)} cut texts, largest difference from the whole {max(differences):.1e} "
        f"(allowed {allowed:.1e})",
    )


def _cut_difference(model: SentimentModel, text: str, size: int) -> float:
    stream = model.stream()
    for start in range(0, len(text), size):
        stream.push(text[start : start + size])
    found, whole = stream.finish().scores, model(text).scores
    return max(abs(found[label] - whole[label]) for label in whole)


def _together(model: SentimentModel) -> Check:
    """Score texts alone, and again in one call."""
    texts = _texts(model)
    alone, together = [model(text).scores for text in texts], model(texts)
    found = [result.scores for result in together]
    worst = max(abs(a[label] - b[label]) for a, b in zip(alone, found, strict=True) for label in a)
    # On the CPU every text is a run of its own; elsewhere batches round otherwise.
    allowed = 0.0 if model.provider == CPU else model.metadata.tolerance
    return Check(
        "alone and together",
        "passed" if worst <= allowed else "failed",
        f"{len(texts)} texts, largest difference {worst:.1e} (allowed {allowed:.1e})",
    )


def _threads(model: SentimentModel) -> Check:
    """Score texts in many threads at once: the answers are those of one."""
    texts = _texts(model) * _THREADS
    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(model, texts))
    expected = {text: model(text) for text in set(texts)}
    wrong = sum(result != expected[text] for text, result in zip(texts, found, strict=True))
    result: Result = "failed" if wrong else "passed"
    return Check("threads", result, f"{len(texts)} texts in {_THREADS} threads, {wrong} differ")


def _texts(model: SentimentModel) -> list[str]:
    """Return the file's reference texts, and odd ones for a file whose references are ids."""
    found: Sequence[str] = [r.text for r in model.metadata.reference if r.text is not None]
    return [*(found or ("good", "A dull, lifeless mess.")), *_UNPORTABLE]
