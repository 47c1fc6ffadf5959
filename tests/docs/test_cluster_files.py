"""The cluster files of the documentation are what Ray and Kubernetes read."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from lstm_runtime.cli.app import main

FOLDER = Path(__file__).parents[2] / "examples" / "cluster"
ray = pytest.importorskip("ray")


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def test_the_autoscalers_file_fits_rays_schema() -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler/ray-schema.json").read_text())
    found = read("autoscaler.yaml")
    jsonschema.validate(found, schema)
    assert found["head_node_type"] in found["available_node_types"]


def test_the_kuberay_file_is_a_job_whose_command_lstm_run_takes() -> None:
    found = read("kuberay.yaml")
    assert (found["apiVersion"], found["kind"]) == ("ray.io/v1", "RayJob")
    cluster = found["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"].endswith(cluster["rayVersion"])
    name, *options = found["spec"]["entrypoint"].split()
    assert name == "lstm-run"
    result = CliRunner().invoke(main, options)
    assert "/data/reviews" in result.output  # all that it lacks is the data
    assert "No such option" not in result.output
