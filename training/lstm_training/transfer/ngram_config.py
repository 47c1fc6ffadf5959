"""How the n-gram teacher is fitted; scikit-learn need not be there to say so."""

from dataclasses import dataclass

from lstm_runtime.settings import check_settings, setting

from lstm_training.errors import ConfigError


@dataclass(frozen=True)
class NgramConfig:
    """The n-gram teacher."""

    orders: tuple[int, int] = setting((1, 3), "Shortest and longest n-gram.", at_least=1)
    min_texts: int = setting(2, "Texts in which an n-gram has to occur.", at_least=1)
    folds: int = setting(
        5, "Parts of the training texts; each is scored by a model of the others.", at_least=2
    )
    regularization: float = setting(5.0, "Inverse strength of the L2 penalty.", above=0)

    def __post_init__(self) -> None:
        """Check every value."""
        check_settings(self, ConfigError)
        if self.orders[0] > self.orders[1]:
            raise ConfigError(f"orders is {self.orders!r}; the second must not be smaller")
