"""Coverage-guided fuzzing of our own readers with atheris (libFuzzer).

    python -m pip install atheris
    PYTHONPATH=tests python -m fuzz.guided model FOLDER -max_total_time=600
    PYTHONPATH=tests python -m fuzz.guided tables FOLDER -max_total_time=600

FOLDER collects what reaches new code; seeds come from tests/data. An input that raises anything
but an error of ours is written to a file and ends the run, as libFuzzer does.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lstm_runtime"]):
    from lstm_runtime.errors import LstmEdgeError
    from lstm_runtime.model_file.foreign import foreign_reason
    from lstm_runtime.model_file.front_end import find_front_end
    from lstm_runtime.model_file.parsing import parse_metadata
    from lstm_runtime.model_file.pruning import prune_to_scores
    from lstm_runtime.model_file.reader import OnnxReader
    from lstm_runtime.model_file.structure import read_structure
    from lstm_runtime.tables import delimited, json_array, json_lines, plain_text  # noqa: F401
    from lstm_runtime.tables.base import Columns, RowResult
    from lstm_runtime.tables.formats import open_table

_DATA = Path(__file__).parents[1] / "data"
SEEDS = {"model": _DATA / "models", "tables": _DATA / "corpus" / "tables"}

TABLES = (".csv", ".tsv", ".jsonl", ".json", ".txt", ".csv.gz")
"""The first byte of an input says which it is."""


def read_model(data: bytes) -> None:
    """Read a model file without looking at its checksum, which no fuzzer would find."""
    foreign_reason(data)
    for read in (_checked, _unchecked):
        try:
            read(data)
        except LstmEdgeError:
            continue


def _checked(data: bytes) -> None:
    """Read as loading does."""
    structure = read_structure(data)
    parse_metadata(structure.properties)
    prune_to_scores(data)
    find_front_end(data)


def _unchecked(data: bytes) -> None:
    """Read as a trace does, of a file that nobody has looked at."""
    reader = OnnxReader(Path("fuzzed.onnx"), data)
    for read in (reader.weights, reader.vocabulary, reader.metadata):
        try:
            read()
        except LstmEdgeError:
            continue


def read_table(data: bytes) -> None:
    """Read a table, and write it with answers where it can be read."""
    if not data:
        return
    path = _FOLDER / f"table{TABLES[data[0] % len(TABLES)]}"
    path.write_bytes(data[1:])
    table = open_table(path, Columns.to_score())
    try:
        count = sum(1 for _ in table.rows())
        with (_FOLDER / "out").open("wb") as file:
            table.write(iter([RowResult("good", 0.5)] * count), file, path)
    except LstmEdgeError:
        return


_FOLDER = Path(tempfile.mkdtemp())
TARGETS: dict[str, Callable[[bytes], None]] = {"model": read_model, "tables": read_table}


def main() -> None:
    """Fuzz what the first argument names; the others are libFuzzer's."""
    _, name, *arguments = sys.argv
    try:
        atheris.Setup([sys.argv[0], *arguments, str(SEEDS[name])], TARGETS[name])
        atheris.Fuzz()
    finally:
        shutil.rmtree(_FOLDER)


if __name__ == "__main__":
    main()
