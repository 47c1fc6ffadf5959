"""The probabilities of a network in memory."""

import torch
from torch import Tensor

from lstm_training.data.batching import length_order, make_batch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.model import SentimentRNN


def predict(model: SentimentRNN, texts: EncodedTexts, batch_size: int, pad: int) -> Tensor:
    """Return the positive probability of each text, float32 ``[texts]`` on the CPU.

    The model is left in evaluation mode.
    """
    model.eval()
    device = model.fc.weight.device
    probabilities = torch.empty(len(texts))
    with torch.inference_mode():
        for positions in length_order(texts, batch_size):
            batch = make_batch(texts, positions, pad).to(device)
            scores = model.logits(batch.ids, batch.lengths).sigmoid()[:, -1]
            probabilities[torch.tensor(positions)] = scores.float().cpu()
    return probabilities
