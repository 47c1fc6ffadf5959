"""A running mean of the weights: a model that is steadier than the last step's.

Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992).
"""

from typing import Generic, TypeVar, cast

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

_Model = TypeVar("_Model", bound=nn.Module)


class RunningMean(nn.Module, Generic[_Model]):
    """A model with, where ``decay`` is not 0, the exponential mean of its weights.

    Both are part of the state, so that a resumed run goes on with both.

    Args:
        model: what learns.
        decay: part of the mean that stays at each step.

    """

    def __init__(self, model: _Model, decay: float) -> None:
        super().__init__()
        self.model = model
        self.mean: AveragedModel | None = None
        if decay:
            average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call] # torch's own
            self.mean = AveragedModel(model, multi_avg_fn=average)
            self.mean.requires_grad_(requires_grad=False)

    def result(self) -> _Model:
        """Return the model with the weights to keep."""
        return self.model if self.mean is None else cast("_Model", self.mean.module)

    def update_mean(self) -> None:
        """Let the mean take in the model's weights."""
        if self.mean is not None:
            self.mean.update_parameters(self.model)
