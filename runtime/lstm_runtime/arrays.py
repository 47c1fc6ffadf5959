"""The array type of weights, states and probabilities."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
"""A float32 array; the docstrings say its shape."""
