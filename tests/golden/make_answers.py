"""Write tests/golden/answers.json: Python's answers, which every other language has to give.

    python tests/golden/make_answers.py

To be run again when the bundled model changes (``make model`` does), or what a stream holds back.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from lstm_runtime import SentimentModel
from lstm_runtime.bundled import DEFAULT_CPU
from lstm_runtime.kernel.library import STOCK, VARIABLE
from lstm_runtime.text.tokenizer import Tokenizer
from texts import PATTERNS, PLAIN, STREAMED, golden_texts

ANSWERS = Path(__file__).with_name("answers.json")

TOLERANCES = {
    # Largest difference allowed from the answers below. The same library on the machine that made
    # the file gives every digit; another processor's float kernels round otherwise.
    "python": 1e-3,
    # The int8 kernel quantises each text and step by itself; the answers are ONNX Runtime's own.
    "kernel": 1e-2,
    "node": 1e-3,
    "c": 1e-3,
    "browser": 2e-3,
    "aarch64": 1e-3,
    # A stream is rounded once more at each cut, by int8's scale of each piece.
    "stream": 2e-2,
    # The gates' weights are the file's, the states before them another runtime's.
    "gates": 5e-3,
}


def main() -> None:
    """Ask the bundled model, as ONNX Runtime alone runs it: so do all other languages."""
    os.environ[VARIABLE] = STOCK
    file = DEFAULT_CPU
    with SentimentModel.load(file, "cpu") as model:
        answers: dict[str, Any] = {
            "about": "made by tests/golden/make_answers.py",
            "model_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "tolerance": TOLERANCES,
            "texts": [_answered(model, text) for text in golden_texts()],
            "streams": [_streamed(model, pieces) for pieces in STREAMED],
            "traces": [_traced(model, text) for text in PLAIN[:5]],
            "tokens": [_tokenised(pattern) for pattern in PATTERNS],
        }
    ANSWERS.write_text(json.dumps(answers, indent=1) + "\n", encoding="ascii")


def _answered(model: SentimentModel, text: str) -> dict[str, Any]:
    answer = model(text)
    probability = answer.scores[model.metadata.labels[1]]
    return {"text": text, "probability": probability, "known": answer.known}


def _streamed(model: SentimentModel, pieces: tuple[str, ...]) -> dict[str, Any]:
    """Return the answer after each piece, and that of the whole text."""
    stream = model.stream()
    results = [*(stream.push(piece) for piece in pieces), stream.finish()]
    label = model.metadata.labels[1]
    return {"pieces": pieces, "probability": [result.scores[label] for result in results]}


def _traced(model: SentimentModel, text: str) -> dict[str, Any]:
    trace = model.trace(text)
    gates = ("learn", "forget", "remember", "use")
    return {
        "text": text,
        "tokens": trace.tokens,
        "probability": trace.probability[:, 0].tolist(),
        "gates": {name: getattr(trace, name).tolist() for name in gates},
    }


def _tokenised(pattern: str) -> dict[str, Any]:
    tokenizer = Tokenizer(pattern)
    short = [text for text in golden_texts() if len(text) < 100]
    return {"pattern": pattern, "texts": [[text, tokenizer.tokens(text)] for text in short]}


if __name__ == "__main__":
    main()
