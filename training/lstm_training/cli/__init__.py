"""The commands ``lstm-train`` and ``lstm-evaluate``, and the options that they share."""
