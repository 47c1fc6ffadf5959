"""Everyday sentences that people rated: tweets, product reviews and editorials.

Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
Text" (ICWSM 2014): each has the mean of at least 20 ratings from -4 to 4. The source distribution
of ``vaderSentiment`` 0.5 carries them (MIT licence); later ones do not. Its film sentences are left
out: they are those of Rotten Tomatoes, of which some are held out.
"""

import html
import math
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from lstm_training.errors import DataError

_ARCHIVE = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
_PARTS = ("tweets", "amazonReviewSnippets", "nytEditorialSnippets")

_STEEPNESS = 1.5
"""Of the curve from rating to probability: 0.5 for 0, 0.75 for 0.73, 0.95 for 2."""


@dataclass(frozen=True)
class RatedText:
    """A sentence and how good or bad its readers found what it says."""

    text: str
    "The sentence."
    rating: float
    "Mean rating, from -4 to 4."

    @property
    def probability(self) -> float:
        """The rating as the probability that the text is positive."""
        return 1 / (1 + math.exp(-_STEEPNESS * self.rating))


def load_rated(source: str, parts: tuple[str, ...] = _PARTS) -> tuple[RatedText, ...]:
    """Read the rated sentences.

    Args:
        source: path of the source distribution, as ``pip download --no-deps --no-binary :all:
            vaderSentiment==0.5`` leaves it.
        parts: which of its lists; all but film sentences when left out.

    Raises:
        DataError: when the file is missing or is not that distribution.

    """
    path = Path(source)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as distribution:
            content = distribution.read(_ARCHIVE)
        with tarfile.open(fileobj=BytesIO(content)) as archive:
            return tuple(rated for part in parts for rated in _read_part(archive, part))
    except (zipfile.BadZipFile, tarfile.TarError, KeyError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not the source of vaderSentiment 0.5: {error}") from error


def _read_part(archive: tarfile.TarFile, part: str) -> Iterator[RatedText]:
    """Read one list of sentences: identifier, rating and text between tabs."""
    file = archive.extractfile(f"hutto_ICWSM_2014/{part}_GroundTruth.txt")
    lines = file.read().decode("utf-8", "replace").split("\n") if file else []
    for line in lines:
        if line.strip():
            _, rating, text = line.split("\t", 2)
            yield RatedText(html.unescape(text).replace("''", '"').strip(), float(rating))
