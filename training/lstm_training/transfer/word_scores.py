"""A fresh network that begins as a bag of words: it adds up what each word says for a label.

Its word vectors hold the weights of a logistic regression on TF-IDF, and some units of each LSTM
layer keep their sum: gates that stand open make a cell an adder, as identity weights make one of a
plain recurrent network (Le, Jaitly and Hinton, "A Simple Way to Initialize Recurrent Networks of
Rectified Linear Units", 2015). With few texts that is most of what can be learned from them (Wang
and Manning, "Baselines and Bigrams", 2012), and an LSTM does not find it by itself.

Trained on the very texts that the weights were fitted on, it would learn that these are always
right. So while it learns, each text is read with the weights of a regression that has not seen it
(Wolpert, "Stacked Generalization", 1992).
"""

import torch
from torch import Tensor, nn

from lstm_training.data.prepare import EncodedTexts
from lstm_training.model import SentimentRNN
from lstm_training.transfer.word_weights import fit_word_weights

_SPREAD = 0.5
"""Standard deviation of the sums in a cell: in the part where its tanh is nearly straight."""
_UNLIKE = 0.3
"""How far apart the sizes of equal scores are: int8 then rounds each of them another way."""
_OTHERS = 0.25
"""Standard deviation of the numbers beside the scores: int8 has one step for all of a vector, and a
sum would take up what the score of a frequent word loses by it, once for each time it comes."""
_UNKNOWN = 1
"""Id of the word that stands for all without one; a text may hold it many times, and what int8
rounds of it would add up each time, so it begins with zeros, which are exact."""
_OPEN, _SHUT, _KEEP = 3.0, -3.0, 8.0
"""Biases of gates: 95 %, 5 %, and 99.97 %, which halves a sum in 2,000 tokens."""


class ScoredEmbedding(nn.Embedding):
    """Word vectors whose first numbers, for a text that is learned from, are another fit's.

    An id plus ``part`` times the size of the vocabulary is that word, read by a fit without that
    part of the texts. An id below the size is read as always, and that is all there is to be seen
    of it outside of training.

    Args:
        vectors: the word vectors, ``[words, numbers]``.
        scores: their first numbers, ``[1 + parts, words, first numbers]``.

    """

    def __init__(self, vectors: Tensor, scores: Tensor) -> None:
        super().__init__(*vectors.shape)
        self.weight = nn.Parameter(vectors)
        self.scores: Tensor
        self.register_buffer("scores", scores, persistent=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - nn.Embedding's own name
        """Return the vectors ``[…, numbers]`` of ids ``[…]``."""
        words = input % self.num_embeddings
        vectors = super().forward(words)
        if not self.training:
            return vectors
        parts = input // self.num_embeddings
        first = torch.where(
            (parts > 0)[..., None],
            self.scores[parts, words],
            vectors[..., : self.scores.shape[-1]],
        )
        return torch.cat([first, vectors[..., self.scores.shape[-1] :]], -1)


def give_word_scores(
    model: SentimentRNN, texts: EncodedTexts, labels: Tensor, numbers: int
) -> None:
    """Put scores into the vectors of a fresh ``model``, and have units add them up.

    Its embedding becomes a `ScoredEmbedding`.

    Args:
        model: with one logit for two labels, or one for each of more.
        texts: the texts to learn from.
        labels: the label of each, ``[texts]``; of more texts, those behind have none.
        numbers: how many numbers of each vector hold a score, and how many units of each layer
            sum them; with several logits, those of the labels take turns. The others stay random,
            and have no say in the first answers.

    """
    logits, vectors = model.output_size, model.embedding.weight.detach()
    found = fit_word_weights(texts.ids[: len(labels)], labels, len(vectors), logits)
    turns = [n % logits for n in range(min(max(numbers, logits), vectors.shape[1]))]
    sizes = _sizes(len(turns))
    scores = found.words[:, turns].transpose(1, 2) * sizes
    vectors *= _OTHERS
    vectors[_UNKNOWN] = 0
    vectors[:, : len(turns)] = scores[0]
    model.embedding = ScoredEmbedding(vectors, scores)
    units = turns[: model.hidden_dim]
    mean = _means(units, sizes)
    with torch.no_grad():
        for layer in range(model.n_layers):
            _add_up(model.lstm, layer, mean if layer else mean * (_SPREAD / found.spread))
        model.fc.weight.zero_()
        model.fc.bias.copy_(found.bias)
        tops = _at_the_top(model.n_layers, mean, sizes[: len(units)])
        for unit, (logit, top) in enumerate(zip(units, tops, strict=True)):
            model.fc.weight[logit, unit] = found.logit / float(top) / units.count(logit)


def in_parts(ids: Tensor, parts: Tensor, words: int) -> Tensor:
    """Return ids ``[texts, tokens]`` as a `ScoredEmbedding` reads those of the texts' parts."""
    return ids + (parts * words).to(ids.dtype)[:, None]


def _add_up(lstm: nn.LSTM, layer: int, mean: Tensor) -> None:
    """Make the first units of a layer sum their numbers; of a later layer, hand the sums on.

    Args:
        lstm: the layers.
        layer: which of them.
        mean: what each of the units takes up of each of the first inputs.

    """
    units = len(mean)
    inputs, states, bias, other = (
        getattr(lstm, f"{name}_l{layer}").unflatten(0, (4, lstm.hidden_size))
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    inputs[:, :units] = states[:, :units] = other[:, :units] = bias[:, :units] = 0
    learn, forget, cell, output = range(4)  # PyTorch's order
    bias[learn, :units] = bias[output, :units] = _OPEN
    bias[forget, :units] = _SHUT if layer else _KEEP
    inputs[cell, :units, :units] = mean


def _means(units: list[int], sizes: Tensor) -> Tensor:
    """Return what each unit takes up of each number of its label, ``[units, units]``.

    A unit's size is its own, and it is found from all numbers of the label: int8 has one step for
    all that a unit reads, and beside a single large weight nothing small would be left of what is
    learned.
    """
    labels, sizes = torch.tensor(units), sizes[: len(units)]
    same = (labels[:, None] == labels).float()
    return same * torch.outer(sizes, sizes) / (same @ sizes.square())


def _sizes(numbers: int) -> Tensor:
    """Return factors around 1 and -1, by which scores of one label differ.

    Equal ones would all be rounded alike in int8, and their mean would be no nearer than each.
    """
    signs = 1 - 2 * (torch.arange(numbers) % 2)
    return signs * torch.linspace(1 - _UNLIKE, 1 + _UNLIKE, numbers)


def _at_the_top(layers: int, mean: Tensor, sizes: Tensor) -> Tensor:
    """Return what the last layer's units are when a sum is one spread, ``[units]``."""
    open_, found = torch.tensor(_OPEN).sigmoid(), _SPREAD * sizes
    for layer in range(layers):
        found = open_ * ((mean @ found).tanh() if layer else found).tanh()
    return found
