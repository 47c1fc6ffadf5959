"""A bulk run that is killed twice: python benchmarks/resume.py MODEL [ROWS].

Scores a generated CSV with lstm-run, kills the process with SIGKILL after a third and after two
thirds, resumes it, and checks that the output has each row once. Prints the peak memory.
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

_WORDS = ("the", "film", "plot", "good", "bad", "awful", "never", "wonderful", "dull")


def generate(path: Path, rows: int) -> None:
    """Write ``rows`` texts of 1 to 12 words, each with its number."""
    source = random.Random(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        for n in range(rows):
            writer.writerow([n, " ".join(source.choices(_WORDS, k=source.randint(1, 12)))])


def run(command: list[str], journal: Path, kill_at: float) -> tuple[float, str]:
    """Run the command, kill it when the journal has so many bytes; return peak MB and output."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        while process.poll() is None and process.stdout:
            if journal.exists() and journal.stat().st_size >= kill_at:
                process.send_signal(signal.SIGKILL)
                break
            if kill_at == float("inf"):
                break
            time.sleep(0.05)
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / 1e3, output


def main(model: Path, rows: int) -> None:
    """Do it all in a temporary folder."""
    with TemporaryDirectory() as name:
        source, output = Path(name, "in.csv"), Path(name, "out.csv")
        journal = output.with_name(f".{output.name}.journal")
        generate(source, rows)
        script = str(Path(sys.executable).with_name("lstm-run"))
        command = [script, "--model", str(model), "--input", str(source)]
        command += ["--output", str(output), "--resume", "--json"]
        bytes_a_row = 33
        for part in (1 / 3, 2 / 3):
            peak, _ = run(command, journal, part * rows * bytes_a_row)
            print(f"killed at {journal.stat().st_size:,} bytes of journal, peak {peak:.0f} MB")
        peak, report = run(command, journal, float("inf"))
        print(f"{report.strip()}, peak {peak:.0f} MB")
        with output.open(newline="") as file:
            found = [int(row["id"]) for row in csv.DictReader(file) if row["label"]]
        if found != list(range(rows)) or not json.loads(report)["resumed"]:
            raise SystemExit("rows were lost or doubled")
        print(f"{rows:,} rows, each there once and in order")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
