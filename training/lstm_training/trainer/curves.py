"""A picture of how a model learned."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lstm_training.trainer.state import EpochRecord


def curves(history: list[EpochRecord]) -> Figure:
    """Draw loss and accuracy over the epochs."""
    # A Figure of one's own, instead of pyplot's, needs no display and leaves no global state.
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    epochs = [record.epoch for record in history]
    held_out = [record.held_out for record in history if record.held_out]
    losses.plot(epochs, [record.train_loss for record in history], "o-", label="training")
    losses.plot(epochs, [measures.loss for measures in held_out], "o-", label="held out")
    kept = min(history, key=lambda record: record.held_out.loss if record.held_out else 0)
    losses.axvline(kept.epoch, color="gray", linestyle=":", label="kept")
    losses.set(title="Loss", xlabel="epoch")
    losses.legend()
    accuracies.plot(epochs, [measures.accuracy for measures in held_out], "o-", color="C1")
    accuracies.set(title="Held-out accuracy", xlabel="epoch")
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
