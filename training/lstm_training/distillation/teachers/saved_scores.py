"""The sentence encoder's logits in a file, so that other students need no encoder.

Asking it takes hours; what it said of 170,000 texts takes 2 MB.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from lstm_runtime.files import atomic_path
from torch import Tensor

from lstm_training.distillation.corpus import Corpus, text_key
from lstm_training.errors import ConfigError

_FEWEST_HELD_OUT = 0.1
"""Part of the held-out texts that must have a score."""

_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class SavedScores:
    """Logits by the words of a text: copies that differ in markup and white space have the same."""

    digests: np.ndarray
    "The first eight bytes of the SHA-256 of each text's words, ascending, uint64 ``[texts]``."
    logits: np.ndarray
    "What was said of each, float16 ``[texts]``."

    def of(self, texts: Sequence[str]) -> Tensor:
        """Return the logit of each text, float32 ``[texts]``; NaN where there is none."""
        wanted = _digests(texts)
        if not len(self.digests):
            return torch.full((len(texts),), torch.nan)
        places = np.searchsorted(self.digests, wanted).clip(max=len(self.digests) - 1)
        found = self.digests[places] == wanted
        return torch.from_numpy(np.where(found, self.logits[places], np.nan).astype(np.float32))

    @cached_property
    def sha256(self) -> str:
        """A digest of all of it."""
        return hashlib.sha256(self.digests.tobytes() + self.logits.tobytes()).hexdigest()


def save_scores(path: Path, texts: Sequence[str], logits: Tensor) -> None:
    """Write the logits of ``texts``, float ``[texts]``; those that are NaN are left out.

    Raises:
        OSError: when it cannot be written, as on a full disk; nothing is left half-written.

    """
    known = (~logits.isnan()).nonzero()[:, 0].tolist()
    digests, first = np.unique(_digests([texts[n] for n in known]), return_index=True)
    values = logits[known].numpy()[first].astype(np.float16)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, digests=digests, logits=values)


def load_scores(path: Path) -> SavedScores:
    """Read what `save_scores` wrote.

    Raises:
        ConfigError: when the file is missing, damaged or none of these.

    """
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as content:
            scores = SavedScores(content["digests"], content["logits"])
    except FileNotFoundError as error:
        raise ConfigError(f"teacher_scores: there is no file {path}") from error
    except _DAMAGED as error:
        raise ConfigError(f"teacher_scores: {path} holds no teacher's scores: {error}") from error
    kinds = f"{scores.digests.dtype} {scores.logits.dtype}"
    shape = scores.digests.shape
    if kinds != "uint64 float16" or len(shape) != 1 or scores.logits.shape != shape:
        raise ConfigError(f"teacher_scores: {path} holds no teacher's scores")
    return scores


def scores_of_corpus(saved: SavedScores, corpus: Corpus) -> dict[str, Tensor]:
    """Return the logits of the held-out texts, of the pool and of the labelled texts.

    Raises:
        ConfigError: when too few held-out texts have one, since the ensemble with the n-grams is
            fitted on these.

    """
    held_out = saved.of(corpus.held_out.texts)
    known = int((~held_out.isnan()).sum())
    if known < _FEWEST_HELD_OUT * len(held_out):
        raise ConfigError(
            f"teacher_scores: the file has scores of {known:,} of {len(held_out):,} held-out "
            "texts: it comes from other texts"
        )
    pool, train = saved.of(corpus.pool), saved.of(corpus.train.texts)
    return {"held_out": held_out, "pool": pool, "train": train}


def _digests(texts: Sequence[str]) -> np.ndarray:
    """Return the first eight bytes of the SHA-256 of each text's words, uint64 ``[texts]``."""
    found = (hashlib.sha256(text_key(text).encode()).digest()[:8] for text in texts)
    return np.frombuffer(b"".join(found), dtype="<u8").astype(np.uint64)
