"""Log lines of a library that does not import logging: 4 ms, where nobody may be listening."""

import sys


def log_info(name: str, message: str) -> None:
    """Log that something was chosen, if anybody has imported logging."""
    if "logging" in sys.modules:
        import logging  # loaded by now

        logging.getLogger(name).info(message)


def log_warning(name: str, message: str) -> None:
    """Log that something is not as it could be, if anybody has imported logging."""
    if "logging" in sys.modules:
        import logging  # loaded by now

        logging.getLogger(name).warning(message)
