"""How a module is trained, whatever it is."""

from dataclasses import dataclass

from lstm_training.config import MixedPrecision


@dataclass(frozen=True)
class TrainerConfig:
    """What the `Trainer` goes by: AdamW on a one-cycle schedule (Smith and Topin, 2018)."""

    epochs: int
    "Passes over the batches."
    learning_rate: float
    "Peak of the schedule."
    weight_decay: float = 0.01
    "AdamW's decoupled weight decay."
    gradient_clip: float = 1.0
    "Largest norm of the gradient; longer ones are scaled down."
    warm_up: float = 0.3
    "Part of the steps in which the learning rate rises."
    cycle_momentum: bool = False
    "Whether AdamW's first beta falls while the learning rate rises, and rises with its fall."
    patience: int | None = None
    "Epochs without a lower held-out loss after which training stops; None for never."
    keep_best: bool = False
    "Whether the weights with the lowest held-out loss are what is kept, else the last ones."
    measure_start: bool = False
    "Whether the module knows something already: it is measured before it learns, as epoch 0."
    mixed_precision: MixedPrecision = "no"
    "Precision of the forward pass; fp16 needs a GPU."
    checkpoint_every: int = 200
    "Batches between two writings of the state to resume from."
