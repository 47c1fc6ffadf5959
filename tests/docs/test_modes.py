"""The table of options in the reference is the one that ``lstm-run`` goes by."""

from pathlib import Path

from lstm_runtime.cli.modes import mode_table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


def test_the_table_of_modes_and_options_is_up_to_date() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    rows = [tuple(cell.strip(" `") for cell in line.split("|")[1:-1]) for line in lines]
    assert [rows[0], *rows[2:]] == mode_table()
