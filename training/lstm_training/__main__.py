"""``python -m lstm_training``, the form that ``accelerate launch -m`` needs."""

from lstm_training.cli.process import train

train()
