"""How text becomes ids: the tokeniser and the vocabulary."""
