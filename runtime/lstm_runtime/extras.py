"""The guard that turns a missing optional library into one line that names its extra."""

from collections.abc import Iterator
from contextlib import contextmanager

from lstm_runtime.errors import MissingExtraError


@contextmanager
def requires_extra(*extras: str) -> Iterator[None]:
    """Wrap imports that need optional extras of the ``lstm-edge`` distribution.

    Raises:
        MissingExtraError: when a library is missing; the message is the pip line that mends it.

    """
    try:
        yield
    except ModuleNotFoundError as error:
        wanted = ",".join(extras)
        raise MissingExtraError(
            f"{error.name} is not installed: pip install 'lstm-edge[{wanted}]'"
        ) from error
