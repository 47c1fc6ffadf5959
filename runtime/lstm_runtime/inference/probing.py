"""Whether a provider runs a model: a session can list it and still fail in the LSTM."""

import numpy as np

from lstm_runtime.errors import LstmEdgeError, ProviderError
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.session import brief


def require_running(engine: Engine) -> None:
    """Run one inference.

    Raises:
        ProviderError: when it fails, or its answer is no number.

    """
    feed = engine.text_feed(["a"]) if engine.reads_text else engine.ids_feed([[0]])
    try:
        found = engine.probabilities(feed)
    except LstmEdgeError as error:
        cause = error.__cause__
        why = brief(cause if isinstance(cause, Exception) else error)
        raise ProviderError(f"{engine.provider} fails in this model: {why}") from error
    if not np.isfinite(found).all():
        raise ProviderError(f"{engine.provider} gives {found.ravel().tolist()} for this model")
