"""How good a model is: its answers to labelled texts, the measures, tables and pictures."""
