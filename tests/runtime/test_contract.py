import json
from dataclasses import replace

import pytest
from lstm_runtime import ModelFileError, SentimentModel
from lstm_runtime.inference.results import sentiment
from lstm_runtime.model_file.contract import FORMAT_VERSION
from lstm_runtime.model_file.parsing import parse_metadata


def test_metadata_survives_the_round_trip(int8: SentimentModel, ids: SentimentModel) -> None:
    for metadata in (int8.metadata, ids.metadata):
        assert parse_metadata(metadata.to_props()) == metadata


def test_unknown_properties_of_other_tools_are_left_alone(int8: SentimentModel) -> None:
    props = int8.metadata.to_props() | {"someone_else": "not json"}
    assert parse_metadata(props) == int8.metadata


def test_a_foreign_file_says_so() -> None:
    with pytest.raises(ModelFileError, match="not a model file of lstm-export"):
        parse_metadata({"author": "me"})


def test_a_newer_format_says_upgrade(int8: SentimentModel) -> None:
    props = int8.metadata.to_props() | {"format_version": json.dumps(FORMAT_VERSION + 1)}
    with pytest.raises(ModelFileError, match="upgrade lstm-edge"):
        parse_metadata(props)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", "7"),
        ("reference", "[{}]"),
        ("architecture", "[]"),
        ("labels", "{"),
        ("reference", '"x"'),
    ],
)
def test_damaged_metadata_is_a_model_file_error(
    int8: SentimentModel, name: str, value: str
) -> None:
    with pytest.raises(ModelFileError, match="damaged"):
        parse_metadata(int8.metadata.to_props() | {name: value})


def test_the_label_turns_at_the_threshold(int8: SentimentModel) -> None:
    metadata = replace(int8.metadata, labels=("no", "yes"), threshold=0.7)
    assert sentiment("", [0.69], metadata).label == "no"
    assert sentiment("", [0.7], metadata).label == "yes"
    assert sentiment("", [0.2], metadata).scores == {"no": 0.8, "yes": 0.2}


def test_many_classes_take_the_likeliest(int8: SentimentModel) -> None:
    metadata = replace(int8.metadata, labels=("a", "b", "c"))
    found = sentiment("", [0.2, 0.5, 0.3], metadata)
    assert (found.label, found.score) == ("b", 0.5)
