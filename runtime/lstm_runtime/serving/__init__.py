"""What a service needs around a model: a bounded queue, deadlines, batches, a clean end."""

from lstm_runtime.serving.batcher import Batcher

__all__ = ["Batcher"]
