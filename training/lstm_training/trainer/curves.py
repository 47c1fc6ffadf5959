"""A picture of how a model learned."""

import math
from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lstm_training.trainer.config import TrainerConfig
from lstm_training.trainer.loop import kept
from lstm_training.trainer.state import EpochRecord, best_of


def curves(
    history: list[EpochRecord], config: TrainerConfig, baselines: Mapping[str, float]
) -> Figure:
    """Draw loss and accuracy over the epochs.

    Args:
        history: the epochs.
        config: how many there were to be, and for how many of them the learning rate rises.
        baselines: accuracy of other methods on the same texts, by their names.

    """
    # A Figure of one's own, instead of pyplot's, needs no display and leaves no global state.
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    epochs = [record.epoch for record in history]
    held_out = [record.held_out for record in history if record.held_out]
    learned = [(one.epoch, one.train_loss) for one in history if one.train_loss is not None]
    losses.plot(*zip(*learned, strict=True), "o-", label="training")
    losses.plot(epochs, [measures.loss for measures in held_out], "o-", label="held out")
    rising = min(math.ceil(config.warm_up * config.epochs), history[-1].epoch)
    losses.axvspan(0.5, rising + 0.5, color="gray", alpha=0.12, label="learning rate rises")
    accuracies.plot(epochs, [measures.accuracy for measures in held_out], "o-", color="C1")
    for n, (name, accuracy) in enumerate(baselines.items(), start=2):
        accuracies.axhline(accuracy, color=f"C{n}", linestyle="--", label=name)
    for axes, title in ((losses, "Loss"), (accuracies, "Held-out accuracy")):
        axes.axvline(best_of(history).epoch, color="gray", linestyle=":", label="kept")
        axes.set(title=title, xlabel="epoch")
        axes.legend(fontsize="small")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(kept(history, config), fontsize="small")
    return figure
