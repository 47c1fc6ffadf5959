"""``python -m lstm_training``, the form that ``accelerate launch -m`` needs."""

from lstm_training.cli import main

main()
