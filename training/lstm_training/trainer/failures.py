"""What goes wrong while a model learns, as an error that says what to try."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lstm_training.errors import DivergenceError, TrainingError

_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory")
"""How PyTorch, which has no class for it on the CPU, says so on Linux and on Windows."""


@contextmanager
def explained_failures() -> Iterator[None]:
    """Turn what the block raises for want of memory or of a number into a `TrainingError`.

    The state of the run is on disk by then, and one with other settings is another run.

    Raises:
        TrainingError: says what was wanting and what to try.

    """
    try:
        yield
    except DivergenceError as error:
        raise TrainingError(
            f"{error}: try a lower --learning-rate, or --mixed-precision no, with --overwrite"
        ) from error
    except torch.cuda.OutOfMemoryError as error:
        raise TrainingError(
            "the GPU ran out of memory: try a smaller --batch-size or --max-tokens, with "
            "--overwrite"
        ) from error
    except (RuntimeError, MemoryError) as error:
        known = any(words in str(error) for words in _OUT_OF_MEMORY)
        if not known and not isinstance(error, MemoryError):
            raise
        raise TrainingError(
            "out of memory: try a smaller --batch-size, --max-tokens or --hidden-dim, with "
            "--overwrite"
        ) from error
