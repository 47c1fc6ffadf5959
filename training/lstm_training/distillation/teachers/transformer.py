"""The second teacher: a small pre-trained sentence encoder, fine-tuned on the labelled texts."""

from collections.abc import Sequence
from pathlib import Path

import torch
from lstm_runtime.text.tokenizer import replace_unportable
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoModel

from lstm_training.distillation.fit import device_of, fit_stage
from lstm_training.distillation.teachers.transformer_config import TransformerConfig
from lstm_training.errors import ConfigError
from lstm_training.trainer.state_file import StateFile


class TransformerTeacher(nn.Module):
    """An encoder with a linear layer on the mean of its word pieces' vectors.

    Args:
        folder: holds the encoder's configuration, weights and tokeniser.
        frozen_layers: lower layers that do not learn, with everything below them; where 0, the word
            vectors alone do not.

    """

    def __init__(self, folder: Path, frozen_layers: int = 0) -> None:
        super().__init__()
        # Attention dropout would rule the fast attention kernels out.
        self.encoder = AutoModel.from_pretrained(
            folder, add_pooling_layer=False, attention_probs_dropout_prob=0.0, dtype=torch.float32
        )
        # Half of MiniLM's weights, and of no use to tune on so few texts.
        self.encoder.get_input_embeddings().requires_grad_(requires_grad=False)
        if frozen_layers:
            # MPNet's relative positions too: their gradient alone takes a third of the way back.
            self.encoder.requires_grad_(requires_grad=False)
            self.encoder.encoder.layer[frozen_layers:].requires_grad_(requires_grad=True)
        self.head = nn.Linear(self.encoder.config.hidden_size, 1)
        self.pieces = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.pieces.no_truncation()
        self.pieces.no_padding()

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the logit of each text, ``[batch]``, from ids and mask ``[batch, sequence]``."""
        vectors = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weight = mask.unsqueeze(-1).float()
        mean = (vectors * weight).sum(1) / weight.sum(1)
        return torch.as_tensor(self.head(mean).squeeze(-1).float())

    def encode(self, texts: Sequence[str], head: int, tail: int) -> list[list[int]]:
        """Return the word pieces of each text, the middle of long texts cut out.

        Raises:
            ConfigError: when ``head`` and ``tail`` are more than the encoder reads.

        """
        # Encoders such as MPNet count the places after the id of padding.
        most = self.encoder.config.max_position_embeddings - self.encoder.config.pad_token_id - 1
        if head + tail > most:
            raise ConfigError(f"transformer: {head + tail} tokens, but the encoder reads {most}")
        # The tokenizer refuses lone surrogates, which JSON may smuggle in.
        plain = [replace_unportable(text.replace("<br />", " ")) for text in texts]
        # An encoder that marks no ends has nothing to read of an empty text.
        nothing = [self.encoder.config.pad_token_id]
        found = [encoding.ids or nothing for encoding in self.pieces.encode_batch_fast(plain)]
        return [ids if len(ids) <= head + tail else ids[:head] + ids[-tail:] for ids in found]

    def pad(self, ids: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Return ids and mask, both int64 ``[batch, longest]``, where the weights are."""
        padded = nn.utils.rnn.pad_sequence(
            [torch.tensor(pieces) for pieces in ids],
            batch_first=True,
            padding_value=self.encoder.config.pad_token_id,
        )
        lengths = torch.tensor([len(pieces) for pieces in ids])
        mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
        return padded.to(device_of(self)), mask.to(device_of(self))


def fine_tune(
    teacher: TransformerTeacher,
    texts: Sequence[str],
    targets: Tensor,
    config: TransformerConfig,
    state_file: StateFile,
) -> None:
    """Fine-tune ``teacher``, from the saved state if there is one.

    The forward pass runs in bfloat16, which keeps the range of float32: no loss scaling.

    Args:
        teacher: with the weights to start from.
        texts: what to learn from.
        targets: the probability that each is positive, float ``[texts]``.
        config: how to read and to learn.
        state_file: state to resume from.

    """
    ids = teacher.encode(texts, config.head_tokens, config.tail_tokens)

    def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
        device = device_of(module)
        with torch.autocast(device.type, torch.bfloat16):
            logits = module(*teacher.pad([ids[p] for p in positions]))
        wanted = targets[torch.tensor(positions)].to(device)
        return binary_cross_entropy_with_logits(logits, wanted)

    lengths = [len(pieces) for pieces in ids]
    fit_stage(teacher, loss_fn, lengths, config.optimization, state_file)
