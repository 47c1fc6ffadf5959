"""Values of options that could have no effect: usage errors, for nothing given is ignored."""

from collections.abc import Sequence, Set

import click

from lstm_runtime.cli.cluster import require_engine
from lstm_runtime.cli.options import STANDARD_OUTPUT, Options


def check_values(texts: Sequence[str], asked: Options, given: Set[str]) -> None:
    """Refuse values that could have no effect.

    Args:
        texts: the arguments.
        asked: the options.
        given: names of the options that the command line holds.

    Raises:
        click.UsageError: names the option.

    """
    require_engine(asked, given)
    if asked.plot_file and (len(texts) != 1 or texts[0] == "-"):
        raise click.UsageError("--plot needs one TEXT")
    if asked.engine == "ray":
        return
    if asked.input_file is not None:
        _check_table(asked, given)
    if asked.output_file == STANDARD_OUTPUT and given & {"--resume", "--restart"}:
        raise click.UsageError("--output - keeps no answers that a later run could go on with")


def _check_table(asked: Options, given: Set[str]) -> None:
    """Refuse options that say how something is written which the files do not have."""
    from lstm_runtime.tables.formats import has_columns
    from lstm_runtime.tables.packing import table_suffix

    files = [path for path in (asked.input_file, asked.output_file) if path]
    if any(path.is_dir() for path in files):
        return
    if "--recursive" in given:
        raise click.UsageError("--recursive has no meaning: --input is no folder")
    kinds = {table_suffix(path) for path in files}
    for names, meaningless, why in (
        (
            {"--text-column", "--prefix", "--known"},
            not any(map(has_columns, files)),
            "plain text has no columns",
        ),
        ({"--delimiter", "--quoting"}, not kinds & {".csv", ".tsv"}, "only CSV and TSV have it"),
        ({"--encoding"}, kinds == {".parquet"}, "Parquet has one of its own"),
    ):
        for name in sorted(given & names) if meaningless else ():
            raise click.UsageError(f"{name} has no meaning: {why}")
