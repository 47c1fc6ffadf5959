"""Networks outside the family: PyTorch's exporter makes the graph, ours is put around it."""
