"""The models that come with the package: int8 for CPUs, fp16 for CUDA and all else."""

from lstm_runtime.package_files import package_file

DEFAULT_CPU = package_file("models", "default.int8.onnx")
DEFAULT_OTHER = package_file("models", "default.fp16.onnx")
