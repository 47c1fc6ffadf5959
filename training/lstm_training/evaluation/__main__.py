"""``python -m lstm_training.evaluation``: ``lstm-evaluate``."""

from lstm_training.cli.evaluate import main

main()
