"""The probabilities of a network in memory."""

import torch
from torch import Tensor

from lstm_training.data.batching import length_order, make_batch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.model import SentimentRNN


def predict(model: SentimentRNN, texts: EncodedTexts, batch_size: int, pad: int) -> Tensor:
    """Return the probabilities of each text, float32 on the CPU.

    ``[texts]`` for a model of two labels: that of the second; else ``[texts, labels]``. The model
    is left in evaluation mode.
    """
    model.eval()
    device = model.fc.weight.device
    classes = model.output_size
    probabilities = torch.empty(len(texts), classes) if classes > 2 else torch.empty(len(texts))
    with torch.inference_mode():
        for positions in length_order(texts, batch_size):
            batch = make_batch(texts, positions, pad).to(device)
            logits = model.logits(batch.ids, batch.lengths)
            scores = logits.sigmoid() if classes == 1 else logits.softmax(dim=1)
            scores = scores if classes > 2 else scores[:, -1]
            probabilities[torch.tensor(positions)] = scores.float().cpu()
    return probabilities
