"""``lstm-train`` and ``lstm-evaluate`` as processes of their own."""

from lstm_runtime.loading import run_command


def train() -> None:
    """Run ``lstm-train``."""
    run_command("lstm_training.cli.train")


def evaluate() -> None:
    """Run ``lstm-evaluate``."""
    run_command("lstm_training.cli.evaluate")
