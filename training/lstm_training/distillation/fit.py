"""The training of a stage: what the trainer needs to know of it."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from lstm_training.data.batching import epoch_order
from lstm_training.distillation.cache import PART
from lstm_training.distillation.optimization import OptimizationConfig
from lstm_training.evaluation.metrics import Metrics
from lstm_training.trainer.config import TrainerConfig
from lstm_training.trainer.loop import fit
from lstm_training.trainer.state_file import StateFile
from lstm_training.trainer.trainer import LossFunction, Trainer


def fit_stage(  # noqa: PLR0913, PLR0917 - what learns, from what, how, and who watches
    module: nn.Module,
    loss_fn: LossFunction,
    lengths: Sequence[int],
    config: OptimizationConfig,
    state_file: StateFile,
    evaluate: Callable[[], Metrics] | None = None,
) -> None:
    """Train ``module`` to the end, from the saved state if there is one; keep its last weights.

    Args:
        module: what learns.
        loss_fn: see `Trainer`.
        lengths: tokens of each text; a batch holds texts of like length.
        config: how long and how fast.
        state_file: the state to resume from, named after the stage.
        evaluate: measures the module on held-out texts after an epoch.

    Raises:
        TrainingInterruptedError: after Ctrl-C or SIGTERM, with the state saved.
        TrainingError: when the saved state is that of other inputs, or the loss is no number.

    """
    trainer = Trainer(
        module,
        loss_fn,
        partial(epoch_order, lengths, config.batch_size, config.seed),
        TrainerConfig(
            epochs=config.epochs,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            gradient_clip=config.gradient_clip,
            warm_up=config.warm_up,
            cycle_momentum=True,
        ),
        state_file,
        evaluate=evaluate,
        name=f"{state_file.path.name.removesuffix(PART)}: ",
    )
    if state_file.exists():
        trainer.restore()
    fit(trainer)


def device_of(module: nn.Module) -> torch.device:
    """Return where the weights of ``module`` are."""
    return next(module.parameters()).device


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Return the weights of ``module``, on the CPU."""
    return {name: tensor.cpu() for name, tensor in module.state_dict().items()}
