"""What the distillation needs is checked before its first stage: columns, labels, ranges."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lstm_training.distillation.config import AugmentationConfig, CorpusConfig
from lstm_training.distillation.config_file import read_config
from lstm_training.distillation.corpus import load_corpus
from lstm_training.errors import ConfigError, DataError
from lstm_training.transfer.ngram_config import NgramConfig


def written(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def config(folder: Path, **changes: Any) -> CorpusConfig:
    rated: list[dict[str, object]] = [
        {"review": f"text {n} {'fine' * (n % 2)}", "stars": 1 + 4 * (n % 2)} for n in range(40)
    ]
    own: dict[str, Any] = {
        "labelled": (written(folder / "a.jsonl", rated),),
        "unlabelled": (written(folder / "b.jsonl", [{"review": "more of it. And more."}]),),
        "test": (written(folder / "c.jsonl", [{"review": "text 7 fine"}]),),
        "text_column": "review",
        "label_column": "stars",
        "label_map": "1=bad 5=good",
    }
    return CorpusConfig(**own | changes)


def test_columns_and_labels_are_the_users(tmp_path: Path) -> None:
    corpus = load_corpus(config(tmp_path))
    assert corpus.train.label_names == ("bad", "good")
    assert len(corpus.train) + len(corpus.held_out) == 39
    assert corpus.excluded == 1
    assert corpus.unlabelled == ("more of it. And more.",)
    with pytest.raises(DataError, match=r"the column holds '1' .*, '5'"):
        load_corpus(config(tmp_path, label_map=None))
    with pytest.raises(DataError, match="no field 'text'"):
        load_corpus(config(tmp_path, text_column="text"))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: CorpusConfig(labels="a,b,c"),
            "labels: the distillation takes two, not a, b, c: make",
        ),
        (lambda: CorpusConfig(label_map="1=bad 3=fair 5=good"), "takes two"),
        (lambda: CorpusConfig(labelled=()), "labelled is empty"),
        (lambda: CorpusConfig(unlabelled=()), "unlabelled is empty"),
        (lambda: CorpusConfig(labels="one"), "two different values"),
        (lambda: CorpusConfig(labels="a,b", label_map="1=a 2=c"), "differ in: b, c"),
        (lambda: CorpusConfig(sentence_tokens=(40, 2)), "sentence_tokens is"),
        (lambda: NgramConfig(orders=(3, 1)), "orders is"),
        (lambda: AugmentationConfig(mined_tokens=(25, 2)), "mined_tokens is"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(made: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made()


def test_a_file_of_settings_may_name_them(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[corpus]\nlabels = "bad,good"\ntext_column = "review"\n')
    assert read_config(path).corpus.labels == "bad,good"
    path.write_text('[corpus]\nlabels = "bad"\n')
    with pytest.raises(ConfigError, match=r"s\.toml: .*two different values"):
        read_config(path)
