"""How long and how fast the networks of the distillation learn."""

from dataclasses import dataclass
from typing import get_type_hints

from lstm_runtime.settings import check_settings, setting

from lstm_training.errors import ConfigError


class CheckedConfig:
    """Settings that are checked when they are made.

    Raises:
        ConfigError: when a value is of the wrong type or out of its range; names the field.

    """

    def __post_init__(self) -> None:
        """Check every value; a pair is a smallest and a largest one."""
        check_settings(self, ConfigError)
        for name, hint in get_type_hints(type(self)).items():
            if hint == tuple[int, int]:
                least, most = getattr(self, name)
                if least > most:
                    raise ConfigError(f"{name} is {least, most!r}; the second must not be smaller")


@dataclass(frozen=True)
class OptimizationConfig(CheckedConfig):
    """How long and how fast a network learns."""

    epochs: int = setting(3, "Passes over the texts.", at_least=1)
    batch_size: int = setting(64, "Texts a step.", at_least=1)
    learning_rate: float = setting(2e-3, "Peak of the one-cycle schedule.", above=0)
    warm_up: float = setting(
        0.1, "Part of the steps in which the learning rate rises.", above=0, below=1
    )
    weight_decay: float = setting(0.01, "AdamW's decoupled weight decay.", at_least=0)
    gradient_clip: float = setting(
        1.0, "Largest norm of the gradient; longer ones are scaled down.", above=0
    )
    seed: int = setting(0, "Seed of fresh weights, order and dropout.", at_least=0)
