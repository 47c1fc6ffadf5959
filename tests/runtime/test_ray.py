"""Bulk scoring on Ray: a small real cluster, started once, and the parts that need none."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lstm_runtime import BulkJob, ClusterError, InputError, SentimentModel, run_bulk
from lstm_runtime.distributed import ClusterJob, ScoringSettings, run_cluster, score
from lstm_runtime.distributed.output import OutputFolder
from lstm_runtime.distributed.places import place_of, read_source
from lstm_runtime.distributed.progress import estimate_rows
from lstm_runtime.distributed.sizing import CPUS_PER_TASK, plan_pool
from pyarrow import parquet

ray = pytest.importorskip("ray")

WORDS = "the film was good bad great awful fun dull best worst love hate boring".split()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Start a cluster of two CPUs, connect to it, and return its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    context = ray.init(
        "local",
        num_cpus=2,
        object_store_memory=200_000_000,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
    )
    yield context.address_info["address"]
    ray.shutdown()


def sentence(number: int) -> str:
    return " ".join(WORDS[(number // 7**place) % len(WORDS)] for place in range(5))


def parts(folder: Path) -> pa.Table:
    return parquet.read_table(sorted(folder.glob("*.parquet")))


def by_id(table: pa.Table) -> dict[str, tuple[str, float]]:
    """Return label and score by id; an id that comes twice fails."""
    rows = table.to_pylist()
    found = {row["id"]: (row["label"], row["score"]) for row in rows}
    assert len(found) == len(rows)
    return found


def local(model: SentimentModel, texts: list[str]) -> list[tuple[str, float | None]]:
    return [(answer.label, answer.score) for answer in model.score_many(texts)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of three formats with four good rows, a bad one, and a file of no kind."""
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.csv").write_text("id,text\n007,a good film\n008,too,many\n", "utf-8")
    (source / "b.jsonl").write_text(
        '{"id": "9", "text": "an awful film"}\n{"id": "10", "text": "fun"}\n', "utf-8"
    )
    parquet.write_table(
        pa.table({"id": ["11"], "text": ["dull"], "when": pa.array([5], pa.timestamp("s"))}),
        source / "c.parquet",
    )
    (source / "notes.md").write_text("no table", "utf-8")
    return source


def test_a_folder_is_scored_as_the_local_run_scores_it(
    cluster: str, folder: Path, tmp_path: Path, int8: SentimentModel
) -> None:
    output = tmp_path / "out"
    settings = ScoringSettings(on_error="keep")
    (folder / "d.jsonl").write_text('{"id": "12", "text": "qwzx qwzy"}\n', "utf-8")
    report = run_cluster(ClusterJob(str(folder), str(output), int8.path, settings))
    assert (report.rows, report.bad, report.workers, report.nodes) == (6, 1, 2, 1)

    beside = run_bulk(int8, BulkJob(folder, tmp_path / "local", on_error="keep"))
    same = ("rows", "bad", "unknown", "resumed", "problems", "skipped")
    assert {n: getattr(report, n) for n in same} == {n: getattr(beside, n) for n in same}
    assert (report.unknown, len(report.problems), len(report.skipped)) == (1, 1, 1)

    rows = {row["id"]: row for row in parts(output).to_pylist()}
    texts = {"007": "a good film", "9": "an awful film", "10": "fun", "11": "dull"}
    for name, answer in zip(texts, local(int8, list(texts.values())), strict=True):
        assert (rows[name]["label"], rows[name]["score"]) == answer
    assert rows["11"]["when"].timestamp() == 5
    assert rows[None]["text"] == "008,too,many"
    assert rows[None]["label"] is rows[None]["score"] is None

    manifest = json.loads((output / "manifest.json").read_text())
    listed = {part["name"]: part["rows"] for part in manifest["parts"]}
    assert listed.keys() == {path.name for path in output.glob("*.parquet")}
    assert sum(listed.values()) == manifest["rows"] == 6
    assert {path.suffix for path in output.iterdir()} == {".parquet", ".json"}
    with pytest.raises(InputError, match="finished run"):
        run_cluster(ClusterJob(str(folder), str(output), int8.path, settings))


def test_a_bad_row_is_named_and_leaves_nothing(
    cluster: str, folder: Path, tmp_path: Path, int8: SentimentModel
) -> None:
    with pytest.raises(InputError, match=r"a\.csv, line 3: 3 fields, but the header has 2"):
        run_cluster(ClusterJob(f"{folder}/*.csv", str(tmp_path / "out"), int8.path))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_texts_that_are_none_are_rows_without_an_answer(
    cluster: str, tmp_path: Path, int8: SentimentModel
) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    odd: list[Any] = [5, None, True, ["a", 1], {"b": "é"}, 1e300]
    for name, texts in {"a": [*odd, "good fun", *odd], "b": odd, "c": [None], "d": []}.items():
        rows = [json.dumps({"n": n, "text": text}) for n, text in enumerate(texts)]
        (folder / f"{name}.jsonl").write_text("".join(f"{row}\n" for row in rows))
    settings = ScoringSettings(on_error="keep")
    report = run_cluster(ClusterJob(str(folder), str(output), int8.path, settings))
    beside = run_bulk(int8, BulkJob(folder, tmp_path / "local", on_error="keep"))
    assert (report.rows, report.bad) == (beside.rows, beside.bad) == (20, 19)
    assert all(
        re.search(r"[abc]\.jsonl, line \d+: the field 'text' is no", told)
        for told in report.problems
    )
    found = {row["text"]: row["label"] for row in parts(output).to_pylist()}
    assert found.pop("good fun") == int8("good fun").label
    assert found == dict.fromkeys([None, "5", "true", '["a", 1]', '{"b": "é"}', "1e+300"])


def test_a_row_without_an_id_is_refused(folder: Path) -> None:
    from lstm_runtime.distributed.source import iter_tables

    ((place, _),) = read_source(f"{folder}/a.csv").tables
    with pytest.raises(InputError, match=r"a\.csv: a row has no 'id'"):
        list(iter_tables(place, ScoringSettings().columns, "id"))
    with pytest.raises(InputError, match=r"no column 'number' \(found: id, text\).*--id-column"):
        list(iter_tables(place, ScoringSettings().columns, "number"))


def test_fields_of_several_kinds_are_refused_in_words(tmp_path: Path) -> None:
    from lstm_runtime.distributed.source import iter_tables

    (tmp_path / "a.jsonl").write_text('{"text": "a", "n": 1}\n{"text": "b", "n": "1"}\n')
    ((place, _),) = read_source(str(tmp_path)).tables
    with pytest.raises(InputError, match="a field holds values of several kinds"):
        list(iter_tables(place, ScoringSettings().columns, None))


@pytest.mark.parametrize("output_format", ["csv", "tsv", "jsonl", "parquet"])
def test_parts_are_read_back_with_the_same_values(tmp_path: Path, output_format: Any) -> None:
    from lstm_runtime.distributed.sink import PartSink
    from lstm_runtime.distributed.worker import KNOWN, PROBLEM
    from ray.data._internal.execution.interfaces import TaskContext

    table = pa.table(
        {
            "text": ['good, "very"', "b \N{GRINNING FACE}"],
            "label": ["positive", None],
            "score": [0.1 + 0.2, None],
        }
    )
    told = pa.table({KNOWN: [1.0, 0.0], PROBLEM: [None, "b.csv, row 2: why"]})
    scored = table.append_column(KNOWN, told[KNOWN]).append_column(PROBLEM, told[PROBLEM])
    folder = OutputFolder(place_of(str(tmp_path / "out")))
    folder.begin({}, resume=False)
    PartSink(folder.place, output_format, 1).write(
        [scored], TaskContext(task_idx=0, op_name="write", kwargs={"write_uuid": "a"})
    )
    (found,) = folder.parts()
    part = tmp_path / "out" / found.name
    assert part.suffix == f".{output_format}"
    assert (found.rows, found.bad, found.bytes) == (2, 1, part.stat().st_size)
    assert (found.unknown, found.problems) == (1, ["b.csv, row 2: why"])
    if output_format == "parquet":
        rows = parquet.read_table(part).to_pylist()
    elif output_format == "jsonl":
        rows = [json.loads(line) for line in part.read_text("utf-8").splitlines()]
    else:
        with part.open(encoding="utf-8", newline="") as lines:
            read = csv.DictReader(lines, delimiter="," if output_format == "csv" else "\t")
            rows = [row | {"score": row["score"] and float(row["score"])} for row in read]
        rows[1] |= {name: rows[1][name] or None for name in ("label", "score")}
    assert rows == table.to_pylist()


def test_a_dataset_at_hand_gets_answers(cluster: str, int8: SentimentModel) -> None:
    texts = [sentence(n) for n in range(50)]
    dataset = ray.data.from_items([{"review": text} for text in texts])
    rows = score(dataset, int8.path, text_column="review", prefix="our_", workers=1).take_all()
    found = {row["review"]: (row["our_label"], row["our_score"]) for row in rows}
    assert len(rows) == 50
    assert found == dict(zip(texts, local(int8, texts), strict=True))


def test_how_much_of_a_text_is_known_is_a_column_and_may_be_asked_for(
    cluster: str, int8: SentimentModel
) -> None:
    dataset = ray.data.from_items([{"text": text} for text in ("good film", "good qwzx", "这部")])
    answered = score(dataset, int8.path, known=True, min_known=0.5, on_error="keep", workers=1)
    rows = {row["text"]: (row["label"] is None, row["known"]) for row in answered.take_all()}
    assert rows == {"good film": (False, 1.0), "good qwzx": (False, 0.5), "这部": (True, 0.0)}


@pytest.mark.parametrize("id_column", ["id", None])
def test_a_run_with_ids_goes_on_where_ray_fails(
    cluster: str,
    tmp_path: Path,
    int8: SentimentModel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    id_column: str | None,
) -> None:
    from lstm_runtime.distributed import job
    from ray.exceptions import UnserializableException

    texts = [sentence(n) for n in range(40)]
    parquet.write_table(pa.table({"id": range(40), "text": texts}), tmp_path / "in.parquet")
    write, attempts = job._write_parts, []

    def fails_once(*arguments: Any) -> None:
        write(*arguments)
        attempts.append(1)
        if len(attempts) == 1:  # with every row written down
            raise UnserializableException("Traceback …\n  File …\nOSError: the node is gone\n")

    monkeypatch.setattr(job, "_write_parts", fails_once)
    asked = ClusterJob(
        str(tmp_path / "in.parquet"), str(tmp_path / "out"), int8.path, id_column=id_column
    )
    if id_column is None:
        with pytest.raises(ClusterError, match=r"^Ray: OSError: the node is gone$"):
            run_cluster(asked)
        return
    assert run_cluster(asked).rows == 40
    assert "the node is gone; going on with the rows that are left" in caplog.text
    found = by_id(parts(tmp_path / "out"))
    assert [found[n] for n in range(40)] == local(int8, texts)


def test_what_a_task_failed_of_is_told_in_one_line() -> None:
    from lstm_runtime.distributed.cluster import family_errors
    from ray.exceptions import ActorDiedError, RayTaskError

    full = "OSError: [Errno 28] No space left on device"
    trace = f'ray::Write() (pid=1, ip=127.0.0.1)\n  File "sink.py", line 1\n    write()\n{full}\n'
    with pytest.raises(ClusterError) as told, family_errors():
        raise RayTaskError("Write", trace, OSError(28, "full"))
    assert str(told.value) == f"Ray: {full}"
    advice = "To change retry attempts, configure `ray.data.DataContext.get_current()`.\n"
    coloured = (
        trace.replace("ray::Write()", "\x1b[36mray::Write()\x1b[39m") + f"[id: string]\n{advice}"
    )
    with pytest.raises(ClusterError) as told, family_errors():
        raise RayTaskError("Write", coloured, OSError(28, "full"))
    assert str(told.value) == f"Ray: {full}"
    with pytest.raises(ClusterError, match=r"^Ray: The actor died[^\n]*$"), family_errors():
        raise ActorDiedError


@pytest.mark.slow
@pytest.mark.parametrize(
    "size",
    [
        # Long texts take the time that a kill needs, and small parts are there to be kept.
        pytest.param(["--rows", "600", "--words", "4000", "--rows-per-part", "50"], id="small"),
        pytest.param(
            ["--rows", "120000"],
            id="large",
            marks=pytest.mark.skipif(
                "LSTM_EDGE_CLUSTER" not in os.environ,
                reason="set LSTM_EDGE_CLUSTER=1: it takes minutes of two cores",
            ),
        ),
    ],
)
def test_a_job_that_loses_a_node_and_is_killed_goes_on_without_scoring_a_row_twice(
    size: list[str],
) -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "cluster_kill.py"
    found = subprocess.run(
        [sys.executable, str(script), *size],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("rows in parts: kill") == 2
    reports = (line for line in found.stdout.splitlines() if line.startswith('{"files"'))
    assert 0 < json.loads(next(reports))["resumed"] < int(size[1])
    told = f"{int(size[1]):,} rows, each there once and equal to the local run\n"
    assert found.stdout.endswith(told)


def test_an_interrupted_run_is_gone_on_with_only_as_the_same_run(tmp_path: Path) -> None:
    def begin(*, resume: bool, **subject: Any) -> bool:
        folder = OutputFolder(place_of(str(tmp_path / "out")))
        return folder.begin({"--id-column": "id", "model": "a"} | subject, resume=resume)

    assert begin(resume=False) is False
    assert begin(resume=True) is True
    with pytest.raises(InputError, match="interrupted run: add --resume"):
        begin(resume=False)
    with pytest.raises(InputError, match="another model"):
        begin(resume=True, model="b")
    (tmp_path / "out" / "_job.json").unlink()
    (tmp_path / "out" / "foreign").write_text("")
    with pytest.raises(InputError, match="not empty"):
        begin(resume=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "2"], "--workers needs --engine ray"),
        (["--id-column", "id"], "--id-column needs --engine ray"),
        (["--engine", "ray", "--workers", "0"], "'--workers': 0 is not in the range x>=1"),
        (["--engine", "ray", "--encoding", "cp1252"], "--engine ray takes no --encoding"),
        (["--engine", "ray", "--recursive"], "--engine ray takes no --recursive"),
        (["--engine", "ray", "--resume"], "--resume needs --id-column"),
        (
            ["--engine", "ray", "--ray-address", "127.0.0.1:1", "--known", "--min-known", "0.5"],
            "no Ray cluster at 127.0.0.1:1",  # so they are taken
        ),
        (["--engine", "ray", "--ray-address", "127.0.0.1:1"], "no Ray cluster at 127.0.0.1:1"),
        (["--engine", "ray", "--ray-address", "ray://127.0.0.1:1"], "by ray job submit"),
    ],
)
def test_what_does_not_fit_is_refused(
    run: Any, folder: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    found = run("lstm-run", "--input", str(folder), "--output", str(tmp_path / "out"), *options)
    assert found.returncode in {1, 2}
    assert message in found.stderr
    assert "Traceback" not in found.stderr


def test_what_needs_no_cluster_is_told_before_one_is_looked_for(
    run: Any, folder: Path, tmp_path: Path
) -> None:
    nobody = ["--engine", "ray", "--ray-address", "127.0.0.1:1", "--input", str(folder)]
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"\x08\x0a no model" * 100)
    found = run("lstm-run", *nobody, "--output", str(tmp_path / "out"), "--model", str(damaged))
    assert (found.returncode, found.stderr.count("\n")) == (1, 1)
    assert "damaged.onnx" in found.stderr
    found = run("lstm-run", *nobody, "--output", str(tmp_path / "out"), "--text-column", "review")
    assert (found.returncode, "no column 'review'" in found.stderr) == (1, True)
    found = run("lstm-run", *nobody, "--output", str(folder))
    assert (found.returncode, f"{folder} is not empty" in found.stderr) == (1, True)
    found = run("lstm-run", *nobody, "--output", str(tmp_path / "out"))
    assert (found.returncode, "no Ray cluster" in found.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


def test_globs_and_uris_need_a_cluster(run: Any, tmp_path: Path) -> None:
    found = run("lstm-run", "--input", "s3://bucket/*.csv", "--output", str(tmp_path / "out"))
    assert found.returncode == 2
    assert "needs --engine ray" in found.stderr


def test_workers_leave_room_for_reading_on_every_node() -> None:
    nodes = [{"CPU": 1.0}, {"CPU": 4.0}, {"CPU": 0.0}]
    pool = plan_pool(nodes, None, 1, 0)
    assert (pool.start, pool.most) == (5, 5)
    for node in nodes[:2]:
        assert node["CPU"] - int(node["CPU"]) * pool.cpus >= 2 * CPUS_PER_TASK - 1e-9
    assert plan_pool(nodes, 2, 1, 0).start == 2
    grows = plan_pool(nodes, 9, 2, 0)
    assert (grows.start, grows.most) == (2, 9)
    assert plan_pool([{"CPU": 8.0, "GPU": 2.0}], None, 1, 0.5).start == 4


def test_a_job_without_room_for_a_worker_is_refused() -> None:
    with pytest.raises(InputError, match="each needs 1 CPU and 1 GPU of one node"):
        plan_pool([{"CPU": 4.0}], None, 1, 1)
    with pytest.raises(InputError, match="no worker fits: each needs 8 CPU"):
        plan_pool([{"CPU": 4.0}, {"CPU": 4.0}], None, 8, 0)


def test_sources_are_found_by_path_glob_and_uri(folder: Path) -> None:
    def names(address: str) -> list[str]:
        return [Path(place.path).name for place, _ in read_source(address).tables]

    assert names(str(folder)) == ["a.csv", "b.jsonl", "c.parquet"]
    assert names(f"{folder}/*.[cj]s*") == ["a.csv", "b.jsonl"]
    assert names(f"{folder.parent}/*/a.csv") == ["a.csv"]
    assert names(folder.as_uri()) == ["a.csv", "b.jsonl", "c.parquet"]
    query = f"{(folder / 'none').as_uri()}?region=here"
    for nothing in (f"{folder}/*.zip", query, str(folder / "notes.md")):
        with pytest.raises(InputError, match=r"no \.txt"):
            read_source(nothing)
    with pytest.raises(InputError, match="nowhere://x"):
        place_of("nowhere://x")


def test_rows_are_estimated_for_the_progress_bar(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "long.csv").write_text("text\n" + "good\n" * 100_000)
    assert estimate_rows(read_source(str(tmp_path / "long.csv")).tables) == pytest.approx(
        100_000, rel=0.1
    )
    assert estimate_rows(read_source(str(folder / "c.parquet")).tables) == 1
