"""``lstm-export`` as a process of its own."""

from lstm_runtime.loading import run_command


def main() -> None:
    """Run ``lstm-export``."""
    run_command("lstm_export.cli.app")
