"""What the sentence encoder said in a run, in a file, so that other students need no encoder.

Asking it takes hours; its logits of 170,000 texts take 2 MB. No text is in the file.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lstm_training.distillation.array_file import read_arrays, write_arrays
from lstm_training.distillation.text_key import text_digests
from lstm_training.errors import ConfigError


@dataclass(frozen=True)
class SavedScores:
    """Logits by the words of a text: copies that differ in markup and white space have the same."""

    digests: np.ndarray
    "Digest of each text, ascending, uint64 ``[texts]``; see `text_digests`."
    logits: np.ndarray
    "What was said of each, float16 ``[texts]``."
    held_out: np.ndarray
    "Digests of the labelled texts that no stage of that run learned from, ascending, uint64."
    mined: np.ndarray
    "Digests of the sentences that were cut out for a *not* or a *but*, ascending, uint64."

    def of(self, texts: Sequence[str]) -> Tensor:
        """Return the logit of each text, float32 ``[texts]``; NaN where there is none."""
        wanted = text_digests(texts)
        if not len(self.digests):
            return torch.full((len(texts),), torch.nan)
        places = np.searchsorted(self.digests, wanted).clip(max=len(self.digests) - 1)
        found = self.digests[places] == wanted
        return torch.from_numpy(np.where(found, self.logits[places], np.nan).astype(np.float32))

    def has(self, sentence: str, *, mined: bool = False) -> bool:
        """Tell whether there is a logit of a sentence, cut out for its words or at random."""
        digest = int(text_digests([sentence])[0])
        return digest in self._known and (digest in self._mined) == mined

    def holds_out(self, texts: Sequence[str]) -> list[bool]:
        """Tell of each text whether that run held it out."""
        return [bool(held) for held in np.isin(text_digests(texts), self.held_out)]

    @cached_property
    def sha256(self) -> str:
        """A digest of all of it."""
        return hashlib.sha256(b"".join(array.tobytes() for array in self._arrays)).hexdigest()

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(self.digests.tolist())

    @cached_property
    def _mined(self) -> frozenset[int]:
        return frozenset(self.mined.tolist())

    @property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.digests, self.logits, self.held_out, self.mined


def save_scores(
    path: Path,
    texts: Sequence[str],
    logits: Tensor,
    held_out: Sequence[str],
    mined: Sequence[str] = (),
) -> None:
    """Write what was said of ``texts``, float ``[texts]``; those with NaN are left out.

    Raises:
        OSError: when it cannot be written, as on a full disk; nothing is left half-written.

    """
    known = (~logits.isnan()).nonzero()[:, 0].tolist()
    digests, first = np.unique(text_digests([texts[n] for n in known]), return_index=True)
    values = logits[known].numpy()[first].astype(np.float16)
    apart = np.unique(text_digests(held_out))
    cut = np.unique(text_digests(mined))
    arrays = {"digests": digests, "logits": values, "held_out": apart, "mined": cut}
    write_arrays(path, arrays)


def load_scores(path: Path) -> SavedScores:
    """Read what `save_scores` wrote.

    Raises:
        ConfigError: when the file is missing, damaged or none of these.

    """
    arrays = read_arrays("teacher_scores", path)
    names = [field.name for field in fields(SavedScores)]
    if set(arrays) != set(names):
        raise ConfigError(f"teacher_scores: {path} holds no teacher's scores")
    scores = SavedScores(*(arrays[name] for name in names))
    sets = (scores.digests, scores.held_out, scores.mined)
    kinds = " ".join(str(array.dtype) for array in (*sets, scores.logits))
    shapes = [array.shape for array in sets]
    if (
        kinds != "uint64 uint64 uint64 float16"
        or any(len(shape) != 1 for shape in shapes)
        or scores.logits.shape != scores.digests.shape
    ):
        raise ConfigError(f"teacher_scores: {path} holds no teacher's scores")
    return scores
