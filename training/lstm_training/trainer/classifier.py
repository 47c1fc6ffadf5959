"""The seed model as the trainer takes it: its module, its loss and its batches."""

from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.text.vocabulary import UNKNOWN_WORD
from torch import Tensor, nn

from lstm_training.checkpoint import Checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.batching import drop_words, epoch_order, make_batch
from lstm_training.data.prepare import Dataset
from lstm_training.errors import DivergenceError
from lstm_training.evaluation.metrics import compute_metrics
from lstm_training.evaluation.predict import predict
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.processes import join_processes
from lstm_training.trainer.config import TrainerConfig
from lstm_training.trainer.losses import balanced_weights
from lstm_training.trainer.sharing import predict_together
from lstm_training.trainer.state_file import StateFile
from lstm_training.trainer.step_loss import StepLoss
from lstm_training.trainer.trainer import Trainer
from lstm_training.transfer.memory import remember
from lstm_training.transfer.rates import rate_of
from lstm_training.transfer.start import digest, initial_weights
from lstm_training.transfer.word_scores import give_word_scores, in_parts
from lstm_training.transfer.word_weights import parts_of

STATE_FILE = "resume.pt"


_LATER = {
    "gain",
    "ema",
    "memory",
    "word_scores",
    "layer_decay",
    "class_weight",
    "fit_threshold",
    "distil",
}
"""Settings that 0.1.0 had not, and whose defaults change nothing."""


class Classifier:
    """A `SentimentRNN` that is to learn labelled texts.

    Args:
        config: how to train.
        data: what to train on.
        start: the model to start from, whose sizes ``config`` has, and whose words stand first in
            the vocabulary of ``data``; None for fresh weights.

    """

    def __init__(
        self, config: TrainingConfig, data: Dataset, start: Checkpoint | None = None
    ) -> None:
        self.config, self.data, self.start = config, data, start
        labels = len(data.train_examples.label_names)
        self.model_config = ModelConfig(
            vocab_size=len(data.vocabulary),
            output_size=1 if labels == 2 else labels,
            embedding_dim=config.embedding_dim,
            hidden_dim=config.hidden_dim,
            n_layers=config.n_layers,
            drop_prob=config.drop_prob,
        )
        balanced = config.class_weight == "balanced"
        self.weights = balanced_weights(data.train.labels, labels) if balanced else None
        self.parts: Tensor | None = None
        torch.manual_seed(config.seed)
        model = SentimentRNN.from_config(self.model_config, config.embedding_dropout)
        if start:
            outputs = self.model_config.output_size
            model.load_state_dict(initial_weights(start, data.vocabulary, outputs), strict=False)
        else:
            self._inform(model)
        self.learner = StepLoss(model, config.gain, config.ema)

    def _inform(self, model: SentimentRNN) -> None:
        """Let a fresh model begin with what need not be learned, as far as that is asked for."""
        config, data = self.config, self.data
        if config.memory:
            remember(model, config.memory)
        if config.word_scores:
            labels = torch.tensor(data.train_examples.labels)
            give_word_scores(model, data.train, labels, config.word_scores)
            self.parts = torch.zeros(len(data.train), dtype=torch.long)
            self.parts[: len(labels)] = parts_of(labels)

    @property
    def model(self) -> SentimentRNN:
        """The model with the weights to keep: the running mean's, where there is one."""
        return self.learner.result()

    def trainer(self, output: Path) -> Trainer:
        """Return the trainer, which keeps its state in the folder ``output``.

        Raises:
            TrainingError: when the device at hand cannot train as configured.

        """
        config, lengths = self.config, self.data.train.lengths
        trainer = Trainer(
            self.learner,
            self.loss,
            partial(epoch_order, lengths, config.batch_size, config.seed),
            TrainerConfig(
                epochs=config.epochs,
                learning_rate=config.learning_rate,
                weight_decay=config.weight_decay,
                gradient_clip=config.gradient_clip,
                patience=config.patience,
                keep_best=True,
                measure_start=bool(self.start or config.word_scores),
                mixed_precision=config.mixed_precision,
                checkpoint_every=config.checkpoint_every,
            ),
            StateFile(
                output / STATE_FILE,
                self.fingerprint(),
                go_on="the same command with --resume goes on from here",
                start_over="start over with --overwrite",
            ),
            evaluate=lambda: compute_metrics(self.predict(), self.data.held_out.labels),
            rate_of=lambda name: rate_of(name, config.n_layers, config.layer_decay),
        )
        # From here on random numbers are for dropout, and each process has its own.
        torch.manual_seed(config.seed + 1 + trainer.accelerator.process_index)
        return trainer

    def fingerprint(self) -> dict[str, Any]:
        """Return what must not change between a run and its resumption."""
        plain = asdict(self.config)
        del plain["checkpoint_every"]  # when to save has no effect on the weights
        if plain["patience"] >= plain["epochs"]:
            del plain["patience"]  # it ends no run, and follows from the epochs by default
        plain["pattern"] = self.data.tokenizer.pattern
        for field in fields(TrainingConfig):
            if field.name in _LATER and plain[field.name] == field.default:
                del plain[field.name]  # runs from before there was one go on
        if self.start:
            plain["start_sha256"] = digest(self.start)
        if self.data.unlabelled_sha256:
            plain["unlabelled_sha256"] = self.data.unlabelled_sha256
        processes = int(join_processes().num_processes)
        return {**plain, "data_sha256": self.data.sha256, "processes": processes}

    def loss(self, module: nn.Module, positions: list[int]) -> Tensor:
        """Return the mean loss of the training texts at ``positions``."""
        vocabulary = self.data.vocabulary
        batch = make_batch(self.data.train, positions, vocabulary.pad)
        batch = drop_words(batch, self.config.word_dropout, vocabulary.ids[UNKNOWN_WORD])
        if self.parts is not None:
            ids = in_parts(batch.ids, self.parts[positions], len(vocabulary))
            batch = replace(batch, ids=ids)
        weights = None if self.weights is None else self.weights[batch.labels.round().long()]
        device = self.model.fc.weight.device
        batch, weights = batch.to(device), None if weights is None else weights.to(device)
        return torch.as_tensor(module(batch.ids, batch.lengths, batch.labels, weights))

    def predict(self) -> Tensor:
        """Return the probabilities of the held-out texts; see `lstm_training.evaluation.predict`.

        Raises:
            DivergenceError: when one is no number.

        """
        pad, size = self.data.vocabulary.pad, self.config.batch_size
        found = predict_together(
            lambda texts: predict(self.model, texts, size, pad), self.data.held_out
        )
        if not bool(found.isfinite().all()):
            raise DivergenceError("the model's answers are no numbers any more")
        return found
