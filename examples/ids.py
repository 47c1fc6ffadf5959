"""An app with a tokeniser of its own, which feeds ids to a file that takes no text.

lstm-export training/checkpoints/default.pt -o ids --interface ids --precision int8
python examples/ids.py ids/model.int8.onnx "What a wonderful film!" "A dull, lifeless mess."
"""

import re
import sys
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase

from lstm_edge import LstmEdgeError, Metadata, SentimentModel

READ = {"pattern", "pad", "unknown", "empty"}
LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)  # text.lower() lowers other letters too
UNPORTABLE = re.compile("[\0\u0130\u212a\ud800-\udfff]")  # platforms read these differently


def encoder(metadata: Metadata) -> Callable[[str], list[int]]:
    """Return a function from text to ids: all that it takes is in the file."""
    spec, words = metadata.tokenizer, metadata.vocabulary
    if spec is None or words is None:
        sys.exit("the file was exported without its vocabulary")
    if more := [*(spec.to_json().keys() - READ), *(["aliases"] if metadata.aliases else [])]:
        sys.exit(f"the file's tokeniser has more than this app reads: {', '.join(sorted(more))}")
    special = {"", "<pad>", None if spec.unknown is None else words[spec.unknown]}
    ids = {word: n for n, word in enumerate(words) if word not in special}
    token = re.compile(spec.pattern, re.ASCII)

    def encode(text: str) -> list[int]:
        lowered = UNPORTABLE.sub("\ufffd", text).translate(LOWER)
        found = [ids.get(match.group(), spec.unknown) for match in token.finditer(lowered)]
        return [n for n in found if n is not None] or [spec.empty]  # None: such words are dropped

    return encode


def main(path: str, *messages: str) -> None:
    with SentimentModel.load(path) as model:
        encode = encoder(model.metadata)
        answers = model.score_ids([encode(message) for message in messages])
        for message, answer in zip(messages, answers, strict=True):
            print(f"{answer.label}\t{answer.score:.2f}\t{message}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python ids.py MODEL.onnx TEXT …")
    try:
        main(*sys.argv[1:])
    except LstmEdgeError as error:
        sys.exit(str(error))
