"""Networks that multiply rounding errors, of which no graph can give the very answers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstm_export.reference.copying import copy_module
from lstm_export.traced.forward import Forward


def rounding_error(forward: Forward, ids: Sequence[int]) -> float:
    """Return by how much the module's values for one text move in double precision.

    Recurrent weights that are far too large turn the last digit of float32 into another answer
    after some dozen words. PyTorch's own answer is then an accident of the order of its sums, and
    nothing that sums in another order gives it.

    Returns:
        The largest difference, relative above 1; 0 where the module does not run in double
        precision.

    """
    try:
        double = replace(forward, module=copy_module(forward.module).double())
        exact, rounded = double(ids), forward(ids)
    except Exception:  # somebody else's code, which may fix its types
        return 0.0
    return float((np.abs(exact - rounded) / np.maximum(1, np.abs(exact))).max())
