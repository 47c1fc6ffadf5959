"""A folder with texts and ids on disk, from which data larger than memory are learned.

``texts.arrow`` has the texts and labels of a table, ``ids-….arrow`` what `prepare` makes of
them. Each says what it came from: where the table has changed, or a setting, it is made anew.
"""

import hashlib
import json
import logging
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary

from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples, checked
from lstm_training.data.prepare import Dataset, Division, divide, iter_ids
from lstm_training.data.progress import watched
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.stored_ids import open_ids, write_ids
from lstm_training.data.stored_texts import StoredTexts, read_about, read_numbers, write_texts
from lstm_training.data.tables import Columns, read_table
from lstm_training.data.word_pattern import WORD_PATTERN

logger = logging.getLogger(__name__)

_VERSION = 1
"""Of what the files hold; those of another version are made anew."""
_SETTINGS = ("pattern", "limit", "holdout", "seed", "vocab_size", "min_count", "max_tokens")
"""What the ids depend on, of a training's settings."""
_KEPT = ("copies", "conflicting", "sha256", "uncovered")
"""What is kept of a `Division` as it is."""


def stored_examples(path: Path, columns: Columns, scheme: LabelScheme, folder: Path) -> Examples:
    """Return the labelled texts of a table, which lie in ``folder`` afterwards.

    Raises:
        DataError: as `load_examples` does; the folder is left as it was.

    """
    file, about = folder / "texts.arrow", path.stat()
    identity = _digest(path.name, about.st_size, about.st_mtime_ns, repr(columns), repr(scheme))
    found = _identity(file)
    if found == identity:
        logger.info("%s: taken from %s", path.name, file)
    else:
        if found is not None:
            logger.info("%s is not of %s as it is now: made again", file, path.name)
        rows = watched(read_table(path, columns), f"reading {path.name}")
        write_texts(file, checked(rows, scheme), {"identity": identity})
    labels = tuple(read_numbers(file).tolist())
    return Examples(path.name, StoredTexts(file), labels, scheme.label_names)


def stored_dataset(
    examples: Examples, texts: StoredTexts, config: TrainingConfig, known: Vocabulary | None
) -> Dataset:
    """Return what `prepare` returns, with the ids in a file beside that of the texts.

    Raises:
        DataError: as `prepare` does.

    """
    words = known and (known.words, known.aliases)
    settings = {name: getattr(config, name) for name in _SETTINGS}
    identity = _digest(texts.identity, settings, words)
    file = texts.path.with_name(f"ids-{identity[:16]}.arrow")
    if _identity(file) == identity:
        logger.info("ids: taken from %s", file)
    else:
        _write(file, identity, divide(examples, config, known), texts, config.max_tokens)
        for other in file.parent.glob("ids-*.arrow"):
            if other != file:
                with suppress(OSError):  # Windows removes no file that is in use
                    other.unlink()
    return _read(file, examples, Tokenizer(config.pattern or WORD_PATTERN))


def _write(file: Path, identity: str, found: Division, texts: StoredTexts, longest: int) -> None:
    """Write the ids of both parts, and what is worth keeping of the rest."""
    encoder = TextEncoder(found.tokenizer, found.vocabulary)
    train, held_out = found.train_examples.texts, found.held_out_examples.texts
    ids = chain(iter_ids(train, encoder, longest), iter_ids(held_out, encoder))
    place = {row: n for n, row in enumerate(texts.rows.tolist())}
    rows = chain.from_iterable(
        part.rows.tolist() for part in (train, held_out) if isinstance(part, StoredTexts)
    )
    vocabulary = found.vocabulary
    about = {
        "identity": identity,
        "vocabulary": [vocabulary.words, vocabulary.unknown_word, vocabulary.aliases],
        "train": len(train),
        **{name: getattr(found, name) for name in _KEPT},
    }
    write_ids(file, zip(ids, (place[row] for row in rows), strict=True), len(vocabulary), about)


def _read(file: Path, examples: Examples, tokenizer: Tokenizer) -> Dataset:
    about, positions = read_about(file), read_numbers(file).tolist()
    words, unknown, aliases = about["vocabulary"]
    train = about["train"]
    division = Division(
        vocabulary=Vocabulary(tuple(words), unknown, tuple(map(tuple, aliases))),
        train_examples=examples.select(positions[:train]),
        held_out_examples=examples.select(positions[train:]),
        tokenizer=tokenizer,
        **{name: about[name] for name in _KEPT},
    )
    ids = open_ids(file)
    return division.encoded(ids[:train], ids[train:])


def _identity(file: Path) -> str | None:
    """Return what a file of the cache says that it came from; None where there is no whole one."""
    try:
        return str(read_about(file)["identity"])
    except (OSError, ValueError):
        return None


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps([_VERSION, *parts]).encode()).hexdigest()
