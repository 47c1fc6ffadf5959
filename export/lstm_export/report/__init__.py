"""What an export says of itself: a table, ``report.json``, a plot and a model card."""
