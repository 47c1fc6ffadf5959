"""Results as Markdown and JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Table(NamedTuple):
    """One table."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def markdown(tables: Sequence[Table], machine: Mapping[str, str]) -> str:
    """Return the tables below a line about the machine."""
    lines = ["; ".join(f"{name} {value}" for name, value in machine.items()), ""]
    for table in tables:
        lines += [f"### {table.title}", "", _row(table.header)]
        lines.append(_row(["---", *["---:"] * (len(table.header) - 1)]))
        lines += [_row(row) for row in table.rows] + [""]
    return "\n".join(lines)


def save(folder: Path, tables: Sequence[Table], machine: Mapping[str, str], name: str) -> None:
    """Write ``name.md`` and ``name.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(markdown(tables, machine) + "\n", encoding="utf-8")
    values = {"machine": machine, "tables": [table._asdict() for table in tables]}
    (folder / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
