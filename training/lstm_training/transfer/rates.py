"""Learning rates that fall from layer to layer: what lies deeper holds for more kinds of text.

Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification" (2018).
"""

import re

_LAYER = re.compile(r"lstm\.\w+_l(\d+)")


def rate_of(name: str, n_layers: int, decay: float) -> float:
    """Return the part of the learning rate that a weight has.

    Args:
        name: its name in the state dict, whatever stands before it.
        n_layers: LSTM layers of the model.
        decay: part of a layer's rate that the layer below it has; the last one has all of it.

    """
    if "embedding." in name:
        return decay ** (n_layers + 1)
    found = _LAYER.search(name)
    return decay ** (n_layers - int(found[1])) if found else 1.0
