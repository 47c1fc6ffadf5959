"""What is known before training: the bundled model, an earlier one, a teacher of n-grams."""
