"""``python -m lstm_training.distillation``."""

from lstm_runtime.loading import run_command

run_command("lstm_training.distillation.cli")
