"""What a file is that is not a model file, in words that say what to do."""

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import protobuf

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS and not the file itself: git lfs pull"),
    (b"<!doctype", "a web page, as servers send for a missing file: look at the address"),
    (b"<html", "a web page, as servers send for a missing file: look at the address"),
    (b"<?xml", "an XML page, as servers send for a missing file: look at the address"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard: unpack it first"),
    (b"\xfd7zxz", "compressed with xz: unpack it first"),
    (b"pk\x03\x04", "a zip archive or a PyTorch checkpoint: unpack it, or give it to lstm-export"),
    (b"\x80", "a pickle or an old PyTorch checkpoint: give it to lstm-export"),
    (b"bzh", "compressed with bzip2: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"rar!", "a RAR archive: unpack it first"),
    (b"\x89hdf", "an HDF5 file, as Keras writes"),
    (b"\x93numpy", "an array of NumPy"),
    (b"gguf", "a GGUF model of llama.cpp"),
    (b"par1", "a Parquet table"),
    (b"\x7felf", "a program"),
    (b"mz", "a program"),
    (b"\x89png", "a picture"),
    (b"%pdf", "a PDF document"),
    (b"{", "JSON text"),
)
_FIFTH: tuple[tuple[bytes, str], ...] = (
    (b"ORTM", "a model in ONNX Runtime's own format: only the .onnx of lstm-export is taken"),
    (b"TFL3", "a model of TensorFlow Lite: only the .onnx of lstm-export is taken"),
    (b"\0\0\0\0{", "a safetensors file: give it to lstm-export"),
)
"""What stands at the fifth byte."""
_TAR = slice(257, 262)
_LOOKED_AT = 64


def foreign_reason(data: bytes) -> str:
    """Say what bytes are that have no checksum of a model file."""
    if not data:
        return "the file is empty"
    what = _other_format(data)
    if what:
        return f"not a model file but {what}"
    if not any(data[:_LOOKED_AT]):
        return "not a model file: it begins with zeros, as a copy that never finished"
    return _onnx_reason(data)


def _other_format(data: bytes) -> str:
    """Say which format bytes are of that show it; '' where they do not."""
    head = data[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    shown = [what for word, what in _BEGINNINGS if head.startswith(word)]
    shown += [what for word, what in _FIFTH if data[4:].startswith(word)]
    if data[_TAR] == b"ustar":
        shown.append("a tar archive: unpack it first")
    if _is_text(data[:_LOOKED_AT]):
        shown.append("text")
    return shown[0] if shown else ""


def _is_text(head: bytes) -> bool:
    """Whether bytes are readable; a character may be cut at their end."""
    text = head.decode("utf-8", "ignore")
    whole = len(text.encode()) > len(head) - 4
    return whole and all(c.isprintable() or c in "\t\r\n" for c in text)


def _onnx_reason(data: bytes) -> str:
    """Say what is missing in what may be ONNX, whole or cut."""
    begins_like_a_model = data[0] == 8  # the format's version, which every writer puts first
    properties = set()
    try:
        for number, value in protobuf.fields(memoryview(data)):
            if number == 14 and isinstance(value, memoryview):
                properties.add(protobuf.text(value, 1))
    except ModelFileError as error:
        if begins_like_a_model and "cut off" in str(error):
            return f"the file is cut off: it ends after {len(data):,} bytes, within its data"
        return f"not an ONNX file ({error})" if "ONNX" not in str(error) else str(error)
    if "format_version" not in properties:
        return "not a model file of lstm-export: it carries no lstm-edge metadata, or is cut off"
    return (
        "the file has no checksum: it is cut off at its end, or another tool wrote it anew; copy "
        "it again, or prove it and give it one with lstm-export --reseal"
    )
