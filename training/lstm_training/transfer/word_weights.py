"""What single words say for a label: a logistic regression on TF-IDF.

scikit-learn, which does the same, is of another extra; for any labels and for words in ids it is a
few lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

_WORDS = 2
"""Ids from which on words stand; padding and unknown are before."""
_REGULARIZATION = 5.0
"""Inverse strength of the L2 penalty; of two labels, what 10 is for a single weight a word."""
_MOST = 50_000
"""Texts that are fitted on at most, for the sake of memory."""
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
    "Standard deviation of a text's sum."
    logit: float
    "What a sum of ``spread`` is worth, in a text of middle length."


def fit_word_weights(
    texts: Sequence[Tensor], labels: Tensor, words: int, logits: int
) -> WordWeights:
    """Fit one regression on all texts, and one on all texts but those of each part.

    The weights have a mean square of 1 over the words that say something.

    Args:
        texts: ids of the texts to learn from, each ``[tokens]``.
        labels: the label of each, ``[texts]``.
        words: size of the vocabulary.
        logits: of the model: 1 for two labels, else one for each.

    """
    step = -(-len(labels) // _MOST)
    counts = _counts(texts[::step], words)
    parts, labels = parts_of(labels)[::step], labels[::step].long()
    idf = _idf(counts)
    features, norms = _tfidf(counts, idf)
    found = []
    for part in range(FOLDS + 1):
        learned = (parts != part).float()
        weights, bias = _regression(features, labels, learned, max(logits, 2))
        if logits == 1:  # the logit of the second label against the first
            weights, bias = weights[:, 1:] - weights[:, :1], bias[1:] - bias[:1]
        found.append((weights * idf[:, None], bias))
    weights, bias = found[0]
    scale = (weights.square().sum() / weights.count_nonzero().clamp(min=1)).sqrt().clamp(min=1e-6)
    spread = (counts @ weights).std(correction=0).clamp(min=scale)
    return WordWeights(
        torch.stack([one.T for one, _ in found]) / scale,
        bias,
        float(spread / scale),
        float(spread / norms.median().clamp(min=1.0)),
    )


def parts_of(labels: Tensor) -> Tensor:
    """Return the part of each text, 1 to `FOLDS`, with the labels in the same proportion."""
    parts = torch.empty(len(labels), dtype=torch.long)
    for label in range(int(labels.max()) + 1):
        rows = (labels == label).nonzero()[:, 0]
        parts[rows] = torch.arange(len(rows)) % FOLDS + 1
    return parts


def _counts(texts: Sequence[Tensor], words: int) -> Tensor:
    """Return how often each word is in each text, sparse ``[texts, words]``."""
    rows = torch.repeat_interleave(torch.tensor([len(ids) for ids in texts]))
    ids = torch.cat([ids.long() for ids in texts])
    known = ids >= _WORDS
    ids, rows = ids[known], rows[known]
    found = torch.sparse_coo_tensor(
        torch.stack([rows, ids]), torch.ones(len(ids)), (len(texts), words), check_invariants=True
    )
    return found.coalesce()


def _idf(counts: Tensor) -> Tensor:
    """Return what a word weighs: more, the fewer texts it is in."""
    found = torch.bincount(counts.indices()[1], minlength=counts.shape[1])
    return ((1 + counts.shape[0]) / (1 + found)).log() + 1


def _tfidf(counts: Tensor, idf: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logarithms of counts times `_idf`, each text with a norm of 1, and its norms."""
    places = counts.indices()
    values = (1 + counts.values().log()) * idf[places[1]]
    norms = torch.zeros(counts.shape[0]).index_add_(0, places[0], values.square()).sqrt()
    features = torch.sparse_coo_tensor(
        places, values / norms[places[0]], counts.shape, check_invariants=True
    )
    return features.coalesce(), norms


def _regression(
    features: Tensor, labels: Tensor, learned: Tensor, classes: int
) -> tuple[Tensor, Tensor]:
    """Return weights ``[words, classes]`` and biases, of the texts where ``learned`` is 1."""
    weights = torch.zeros(features.shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        answers = torch.sparse.mm(features, weights) + bias
        found = cross_entropy(answers, labels, reduction="none") @ learned
        found = (found + weights.square().sum() / (2 * _REGULARIZATION)) / len(labels)
        found.backward()  # type: ignore[no-untyped-call] # torch's own
        return found.item()

    optimizer.step(loss)  # type: ignore[no-untyped-call] # torch's own
    return weights.detach(), bias.detach()
