"""``python -m lstm_export`` is ``lstm-export``."""

from lstm_export.cli.app import main

if __name__ == "__main__":
    main(prog_name="lstm-export")
