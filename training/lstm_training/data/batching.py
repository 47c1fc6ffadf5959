"""Right-padded batches of texts of like length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lstm_training.data.prepare import EncodedTexts

_BUCKET = 50
"""Batches that are sorted by length together: more waste less padding, fewer mix better."""
_LONG = 60
"""Fewest tokens of a text that still says the same without a part of them."""


@dataclass(frozen=True)
class Batch:
    """Some texts, padded on the right to the longest."""

    ids: Tensor
    "Ids, int32 ``[batch, sequence]``."
    lengths: Tensor
    "Tokens of each text, int64 ``[batch]``."
    labels: Tensor
    "Labels, float ``[batch]``."

    def to(self, device: torch.device) -> "Batch":
        """Return this batch on ``device``."""
        return Batch(self.ids.to(device), self.lengths.to(device), self.labels.to(device))


def epoch_order(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the positions of the texts in each batch of an epoch.

    Shuffled, sorted by length within buckets of some 50 batches, and the batches shuffled. The
    order depends on the arguments alone, so that a resumed run can skip what it has seen.
    """
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths)).tolist()
    bucket = batch_size * _BUCKET
    batches = []
    for start in range(0, len(order), bucket):
        alike = sorted(order[start : start + bucket], key=lambda n: lengths[n])
        batches += [alike[n : n + batch_size] for n in range(0, len(alike), batch_size)]
    return [batches[n] for n in generator.permutation(len(batches))]


def make_batch(texts: EncodedTexts, positions: Sequence[int], pad: int) -> Batch:
    """Return the texts at ``positions`` as one batch, padded with the id ``pad``."""
    chosen = [texts.ids[n] for n in positions]
    return Batch(
        pad_sequence(chosen, batch_first=True, padding_value=pad),
        torch.tensor([len(ids) for ids in chosen]),
        texts.labels[torch.tensor(positions)],
    )


def length_order(
    texts: EncodedTexts, batch_size: int, most_tokens: int = 1 << 15
) -> Iterator[list[int]]:
    """Yield the positions of the texts in batches from the shortest to the longest.

    A batch has at most ``batch_size`` texts and, padding included, ``most_tokens`` tokens, so that
    a few long texts do not fill the memory; a text longer than that stands alone.
    """
    batch: list[int] = []
    for n in sorted(range(len(texts)), key=lambda n: len(texts.ids[n])):
        if batch and (
            len(batch) == batch_size or (len(batch) + 1) * len(texts.ids[n]) > most_tokens
        ):
            yield batch
            batch = []
        batch.append(n)
    if batch:
        yield batch


def drop_words(batch: Batch, probability: float, unknown: int) -> Batch:
    """Return ``batch`` with words read as ``unknown`` at random, so that none is relied upon."""
    dropped = torch.rand(batch.ids.shape) < probability
    return Batch(batch.ids.masked_fill(dropped, unknown), batch.lengths, batch.labels)


def drop_spans(batch: Batch, most: float, pad: int) -> Batch:
    """Return ``batch`` with a span left out of each long text, so that none is learned by heart.

    What is left of some 200 words mostly says what all of them said; a shorter text may turn around
    with a *not*, and stays whole. After "span cutoff" in Shen et al., "A Simple but Tough-to-Beat
    Data Augmentation Approach for Natural Language Understanding and Generation" (2020).

    Args:
        batch: texts, padded on the right.
        most: largest part of a text to leave out; the part is drawn anew for each text and step.
        pad: id to pad with.

    """
    if not most:
        return batch
    rows = zip(batch.ids, batch.lengths.tolist(), strict=True)
    kept = [_without_span(ids[:length], most) for ids, length in rows]
    lengths = torch.tensor([len(ids) for ids in kept])
    return Batch(pad_sequence(kept, batch_first=True, padding_value=pad), lengths, batch.labels)


def _without_span(ids: Tensor, most: float) -> Tensor:
    if len(ids) < _LONG:
        return ids
    span = int(torch.rand(()) * most * len(ids))
    start = int(torch.randint(len(ids) - span + 1, ()))
    return torch.cat([ids[:start], ids[start + span :]])
