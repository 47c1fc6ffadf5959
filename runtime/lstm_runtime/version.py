"""The version of lstm-edge, in a file that copies of the package carry along."""

__version__ = "0.1.0"
