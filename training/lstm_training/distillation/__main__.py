"""``python -m lstm_training.distillation``."""

from lstm_training.distillation.cli import main

main()
