"""Gates that remember from the first step on.

Tallec and Ollivier, "Can Recurrent Neural Networks Warp Time?" (2018): a fresh LSTM forgets half of
what it knows at each token, and nothing that stands far from a text's end can be learned from.
Biases drawn for memories of 1 to ``tokens`` tokens let it learn from whole texts at once.
"""

import torch

from lstm_training.model import SentimentRNN


def remember(model: SentimentRNN, tokens: int) -> None:
    """Give the LSTM of a fresh ``model`` biases for memories of up to ``tokens`` tokens."""
    units = model.hidden_dim
    for layer in range(model.n_layers):
        gates = getattr(model.lstm, f"bias_ih_l{layer}"), getattr(model.lstm, f"bias_hh_l{layer}")
        with torch.no_grad():
            for bias in gates:
                bias.zero_()
            forget = torch.empty(units).uniform_(1, max(tokens - 1, 1)).log()
            gates[0][units : 2 * units] = forget  # PyTorch stacks input, forget, cell, output
            gates[0][:units] = -forget
