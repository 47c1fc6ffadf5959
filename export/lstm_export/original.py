"""The original: the PyTorch model, run the plainest way there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from lstm_training.model import SentimentRNN
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Answer:
    """What a model gives for one batch; padding is not part of it."""

    probability: Array
    "``[batch, classes]``"
    trajectory: list[Array]
    "Per text, ``[length, classes]``."
    hn: Array
    "``[layers, batch, hidden]``"
    cn: Array
    "``[layers, batch, hidden]``"


@dataclass(frozen=True)
class Original:
    """Runs the PyTorch model on one text at a time, so that no padding can play a part."""

    module: SentimentRNN

    def probability(self, ids: Sequence[int]) -> tuple[float, ...]:
        """Return the probabilities of one text, by the module's own ``forward``."""
        with _one_thread(), torch.inference_mode():
            probability, _ = self.module(torch.tensor([ids]), self.module.init_hidden(1))
        return tuple(probability.tolist())

    def answer(self, texts: Sequence[Sequence[int]], h0: Array, c0: Array) -> Answer:
        """Run every text of a batch, starting from ``h0, c0`` ``[layers, batch, hidden]``."""
        trajectories, hs, cs = [], [], []
        for n, ids in enumerate(texts):
            state = (torch.from_numpy(h0[:, n : n + 1]), torch.from_numpy(c0[:, n : n + 1]))
            with _one_thread(), torch.inference_mode():
                logits, (h, c) = self.module.trajectory(torch.tensor([ids]), state)
            trajectories.append(torch.sigmoid(logits[0]).numpy())
            hs.append(h.numpy())
            cs.append(c.numpy())
        probability = np.stack([trajectory[-1] for trajectory in trajectories])
        return Answer(
            probability, trajectories, np.concatenate(hs, axis=1), np.concatenate(cs, axis=1)
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: steps are tiny, and waiting for a busy second core is not."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
