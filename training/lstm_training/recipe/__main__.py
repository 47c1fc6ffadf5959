"""``python -m lstm_training.recipe``."""

from lstm_training.recipe.cli import main

main()
