"""``python -m lstm_runtime``, the same as ``lstm-run``."""

from lstm_runtime.cli.app import main

main()
