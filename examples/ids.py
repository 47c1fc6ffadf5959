"""An app with a tokeniser of its own, which feeds ids to a file that takes no text.

lstm-export training/checkpoints/default.pt -o ids --interface ids --precision int8
python examples/ids.py ids/model.int8.onnx "What a wonderful film!" "A dull, lifeless mess."
"""

import re
import sys
from collections.abc import Callable

from lstm_edge import LstmEdgeError, Metadata, SentimentModel


def encoder(metadata: Metadata) -> Callable[[str], list[int]]:
    """Return a function from text to ids: all that it takes is in the file."""
    spec = metadata.tokenizer
    if spec is None or spec.unknown is None or metadata.vocabulary is None:
        sys.exit("the file was exported without its vocabulary")
    ids = {word: n for n, word in enumerate(metadata.vocabulary)}
    token, unknown, empty = re.compile(spec.pattern), spec.unknown, spec.empty

    def encode(text: str) -> list[int]:
        return [ids.get(word, unknown) for word in token.findall(text.lower())] or [empty]

    return encode


def main(path: str, *messages: str) -> None:
    with SentimentModel.load(path) as model:
        encode = encoder(model.metadata)
        answers = model.score_ids([encode(message) for message in messages])
        for message, answer in zip(messages, answers, strict=True):
            print(f"{answer.label}\t{answer.score:.2f}\t{message}")


try:
    main(*sys.argv[1:])
except LstmEdgeError as error:
    sys.exit(str(error))
