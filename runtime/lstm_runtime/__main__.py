"""``python -m lstm_runtime``, the same as ``lstm-run``."""

from lstm_runtime.cli.process import main

main()
