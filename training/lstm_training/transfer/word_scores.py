"""Fresh word vectors that know which label their word speaks for.

Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (2012):
the log ratio of a word's frequencies in two classes is most of what a bag of words has to learn. An
LSTM that has it in its vectors from the first step need not find it by chance in many texts.
"""

import torch

from lstm_training.data.prepare import EncodedTexts
from lstm_training.model import SentimentRNN


def give_word_scores(
    model: SentimentRNN, texts: EncodedTexts, labels: torch.Tensor, numbers: int
) -> None:
    """Put log ratios into the vectors of a fresh ``model``.

    Args:
        model: with one logit for two labels, or one for each of more.
        texts: the texts to learn from.
        labels: the label of each, ``[texts]``; of more texts, those behind have none.
        numbers: how many numbers of each vector hold a ratio; with several logits, those of the
            labels take turns. The rest stay random.

    """
    classes = model.output_size
    words = model.embedding.num_embeddings
    found = torch.zeros(max(classes, 2), words)
    for ids, label in zip(texts.ids, labels.long().tolist(), strict=False):
        found[label, torch.unique(ids).long()] += 1
    counts = torch.bincount(labels.long(), minlength=len(found)).float()[:, None]
    inside = (found + 1) / (counts + 2)
    outside = (found.sum(0) - found + 1) / (counts.sum() - counts + 2)
    ratios = (inside / outside).log()[-classes:]
    ratios[:, found.sum(0) == 0] = 0  # padding, and words of texts without labels
    with torch.no_grad():
        for n in range(min(numbers, model.embedding.embedding_dim)):
            model.embedding.weight[:, n] = ratios[n % classes]
