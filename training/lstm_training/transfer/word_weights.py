"""What single words say for a label, as far as the sum over a text can say it.

A logistic regression on counts of words, each times its IDF and its naive Bayes log ratio (Wang
and Manning, "Baselines and Bigrams", 2012). The counts are plain, and not logarithms as TF-IDF has
them, since a sum takes up a word each time it comes. How much a sum is worth, and where its zero
lies, is fitted on texts that the weights have not seen (Platt, "Probabilistic Outputs for Support
Vector Machines", 1999).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding_bag, one_hot, pad

_WORDS = 2
"""Ids from which on words stand; padding and unknown are before."""
_REGULARIZATION = 2.0
"""Inverse strength of the L2 penalty; of two labels, what 4 is for a single weight a word."""
_SAYS_NOTHING = 0.5
"""What the weight of a word is by its IDF alone; its naive Bayes log ratio is added to that."""
_LARGEST = 2.0
"""The largest weight. Int8 has one step for all vectors that are read: the smaller this is, the
more there is to be seen of the numbers beside, which a repeated word says again and again."""
_STEP = _LARGEST / 127
"""The least weight. In int8 a smaller one would be nothing in each of the numbers that hold it, and
many of them together, such as those of words that come once, would not be."""
_MOST = 25_000
"""Texts that are fitted on at most, for the sake of memory."""
_PIECE = 1_000
"""Texts whose words are counted at once."""
_STEPS = 50
"""Most iterations of a fit."""
FOLDS = 5
"""Parts of the texts, each of which is left out of one fit."""


@dataclass(frozen=True)
class WordWeights:
    """What each word says for each logit."""

    words: Tensor
    "``[1 + FOLDS, logits, words]``: by all texts, and by all but those of each part."
    bias: Tensor
    "What a text without words says, ``[logits]``."
    spread: float
    "Standard deviation of the sum of a text that was not learned from."
    logit: float
    "What a sum of ``spread`` is worth."


class _Bags(NamedTuple):
    """A sparse matrix by its rows."""

    columns: Tensor
    "The columns of the numbers of all rows, ``[numbers]``."
    starts: Tensor
    "Where each row begins, ``[rows]``."
    numbers: Tensor
    "Float32 ``[numbers]``."

    def sum(self, rows: Tensor) -> Tensor:
        """Return the matrix product with ``rows``, ``[columns, n]``: ``[rows, n]``."""
        return embedding_bag(
            self.columns, rows, self.starts.to(self.columns.dtype), mode="sum",
            per_sample_weights=self.numbers,
        )  # fmt: skip

    def of(self, function: Callable[[Tensor], Tensor]) -> "_Bags":
        """Return the matrix of what ``function`` makes of the numbers."""
        return self._replace(numbers=function(self.numbers))


class _Counts(NamedTuple):
    """How often each word is in each text."""

    texts: _Bags
    "By texts."
    words: _Bags
    "The same by words."


def fit_word_weights(
    texts: Sequence[Tensor], labels: Tensor, words: int, logits: int
) -> WordWeights:
    """Fit one regression on all texts, and one on all texts but those of each part.

    Where these read them the wrong way round, the first stands for all. Its largest weight is 2.

    Args:
        texts: ids of the texts to learn from, each ``[tokens]``.
        labels: the label of each, ``[texts]``.
        words: size of the vocabulary.
        logits: of the model: 1 for two labels, else one for each.

    """
    step = -(-len(labels) // _MOST)
    counts = _counts(texts[::step], words)
    parts, labels = parts_of(labels)[::step], labels[::step].long()
    found = []
    for part in range(FOLDS + 1):
        weights = _weights(counts, labels, (parts != part).float(), max(logits, 2))
        # Of two labels, the logit of the second against the first.
        found.append(weights[:, 1:] - weights[:, :1] if logits == 1 else weights)
    scale = found[0].abs().max().clamp(min=1e-6) / _LARGEST
    found = [_above_a_step(weights / scale) for weights in found]
    sums = torch.zeros(len(labels), logits)
    for part in range(1, FOLDS + 1):
        rows = parts == part
        sums[rows] = counts.texts.sum(found[part])[rows]
    if _are_turned_round(sums, labels):
        found = found[:1] * (1 + FOLDS)
        sums = counts.texts.sum(found[0])
    spread = sums.std(correction=0).clamp(min=1.0)
    worth, bias = _worth(sums / spread, labels)
    return WordWeights(torch.stack([one.T for one in found]), bias, float(spread), worth)


def _are_turned_round(sums: Tensor, labels: Tensor) -> bool:
    """Tell whether texts are read the wrong way round, by two standard errors.

    Of few texts in pairs ("the soup was good", "the soup was bad") one that is left out is read by
    its partner. A network would learn to turn round what all texts say.
    """
    wanted = one_hot(labels, max(sums.shape[1], 2)).float()[:, -sums.shape[1] :]
    pairs = torch.stack([(one - one.mean(0)).flatten() for one in (sums, wanted)])
    return bool(torch.corrcoef(pairs)[0, 1] * len(labels) ** 0.5 < -2)


def _above_a_step(weights: Tensor) -> Tensor:
    """Return ``weights``, with 0 for those that int8 would not tell from it."""
    return weights.where(weights.abs() >= _STEP, 0.0)


def parts_of(labels: Tensor) -> Tensor:
    """Return the part of each text, 1 to `FOLDS`, with the labels in the same proportion."""
    parts = torch.empty(len(labels), dtype=torch.long)
    for label in range(int(labels.max()) + 1):
        rows = (labels == label).nonzero()[:, 0]
        parts[rows] = torch.arange(len(rows)) % FOLDS + 1
    return parts


def _counts(texts: Sequence[Tensor], words: int) -> _Counts:
    """Return how often each word is in each text."""
    parts = [texts[first : first + _PIECE] for first in range(0, len(texts), _PIECE)]
    ids, times, sizes = (torch.cat(found) for found in zip(*map(_distinct, parts), strict=True))
    order = ids.argsort(stable=True)
    rows = torch.arange(len(texts), dtype=ids.dtype).repeat_interleave(sizes)
    return _Counts(
        _Bags(ids, sizes.cumsum(0) - sizes, times),
        _Bags(rows[order], torch.searchsorted(ids[order], torch.arange(words)), times[order]),
    )


def _distinct(texts: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the words of each text in order, how often each is there, and how many of each text.

    Of many texts at once: millions of small tensors would leave holes in memory.
    """
    ids = torch.cat([ids.long() for ids in texts])
    rows = torch.arange(len(texts)).repeat_interleave(torch.tensor([len(ids) for ids in texts]))
    known = ids >= _WORDS
    keys = (rows[known] << 32) + ids[known]
    found, times = torch.unique(keys, return_counts=True)
    sizes = (found >> 32).bincount(minlength=len(texts))
    return found.int(), times.float(), sizes


def _idf(counts: _Counts) -> Tensor:
    """Return what a word weighs: more, the fewer texts it is in."""
    texts = len(counts.texts.starts)
    found = counts.words.of(torch.ones_like).sum(torch.ones(texts, 1))[:, 0]
    return ((1 + texts) / (1 + found)).log() + 1


def _ratios(counts: _Counts, learned: Tensor) -> Tensor:
    """Return how unlike the labels use each word, ``[words]``: the mean size of the log ratios.

    Args:
        counts: of the words.
        learned: 1 where a text is learned from and has that label, ``[texts, labels]``.

    """
    found = counts.words.of(torch.ones_like).sum(learned)
    others = found.sum(1, keepdim=True) - found
    parts = [1 + part for part in (found, others)]
    logs = [(part / part[_WORDS:].sum(0)).log() for part in parts]
    return (logs[0] - logs[1]).abs().mean(1)


def _weights(counts: _Counts, labels: Tensor, learned: Tensor, classes: int) -> Tensor:
    """Return what each word says, ``[words, classes]``, by the texts where ``learned`` is 1."""
    wanted = one_hot(labels, classes).float()
    worth = (_idf(counts) * (_ratios(counts, wanted * learned[:, None]) + _SAYS_NOTHING))[:, None]
    norms = counts.texts.of(torch.square).sum(worth.square()).sqrt()
    norms[norms == 0] = 1.0  # a text without words
    return _regression(counts, worth, norms, wanted, learned[:, None]) * worth


def _worth(sums: Tensor, labels: Tensor) -> tuple[float, Tensor]:
    """Return the factor and the biases ``[logits]`` that make logits of ``sums``."""
    factor = torch.ones(1, requires_grad=True)
    bias = torch.zeros(sums.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([factor, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        answers = sums * factor + bias
        answers = pad(answers, (1, 0)) if sums.shape[1] == 1 else answers
        # Where the sums part the labels, no factor would be large enough.
        found = cross_entropy(answers, labels) + factor.square().sum() / len(labels)
        found.backward()  # type: ignore[no-untyped-call] # torch's own
        return found.item()

    optimizer.step(loss)  # type: ignore[no-untyped-call] # torch's own
    return max(float(factor.detach()), 0.0), bias.detach()


def _regression(
    counts: _Counts, worth: Tensor, norms: Tensor, wanted: Tensor, learned: Tensor
) -> Tensor:
    """Return weights ``[words, classes]`` of counts that are multiplied and divided.

    Args:
        counts: of the words.
        worth: what each word is multiplied with, ``[words, 1]``.
        norms: what each text is divided by, ``[texts, 1]``.
        wanted: 1 for the label of each text, ``[texts, classes]``.
        learned: 1 where a text is learned from, ``[texts, 1]``.

    """
    texts, classes = wanted.shape
    weights, bias = torch.zeros(len(worth), classes), torch.zeros(classes)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")
    penalty = 1 / (_REGULARIZATION * texts)

    def loss() -> float:
        logs = (counts.texts.sum(weights * worth) / norms + bias).log_softmax(1)
        # By hand: autograd takes thirty times as long for sums of rows.
        slope = (logs.exp() - wanted) * learned / texts
        weights.grad = counts.words.sum(slope / norms) * worth + penalty * weights
        bias.grad = slope.sum(0)
        found = -(logs * wanted * learned).sum() / texts + weights.square().sum() * penalty / 2
        return found.item()

    optimizer.step(loss)  # type: ignore[no-untyped-call] # torch's own
    return weights
