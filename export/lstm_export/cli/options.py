"""What the options of ``lstm-export`` mean, beyond what click itself can parse."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click
from lstm_runtime.command import notice
from lstm_runtime.model_file.contract import Precision
from lstm_runtime.text.tokenizer import Tokenizer
from lstm_training.data.examples import Examples
from lstm_training.data.labels import parse_label_map, split_names
from lstm_training.data.tables import Columns
from lstm_training.errors import ConfigError

from lstm_export.checkpoint.content import read_content
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.labelled import load_labelled
from lstm_export.checkpoint.source import Source, load_source
from lstm_export.checkpoint.user_class import build_module, import_object
from lstm_export.checkpoint.vocabulary_file import read_vocabulary
from lstm_export.cli.text_options import (
    OF_VOCABULARY,
    encoder_path,
    make_tokenizer,
    make_window,
)
from lstm_export.config import ExportConfig
from lstm_export.graph.precision import Int8Weights
from lstm_export.layers import FUNCTIONS
from lstm_export.parity.cases import spelled_words
from lstm_export.parity.encoding import LEAST_ALIKE, EncodingParity, compare_source, require_alike


def check_combinations(options: Mapping[str, Any]) -> None:
    """Refuse options that would be ignored.

    Raises:
        click.UsageError: names what they belong to.

    """
    told = {**options, **vars(options["dialect"])}
    for names, belongs, there in (
        (OF_VOCABULARY, "a vocabulary: add --vocab FILE", options["vocabulary"]),
        (("alike",), "your own encoding: add --encoder FILE.py:FUNCTION", options["encoder"]),
        (("init",), "a class: add --module FILE:CLASS", options["module_name"]),
        (
            ("text_column", "label_column", "label_map", "encoding", "delimiter", "quoting"),
            "labelled texts: add --data FILE",
            options["data"],
        ),
    ):
        given = [
            f"--{name.replace('_', '-')}"
            for name in names
            if told.get(name) not in (None, False, ())
        ]
        if given and not there:
            raise click.UsageError(f"{' and '.join(given)} belong to {belongs}")
    if "int8" not in options["precisions"]:
        for name, flag in (("per_channel", "--per-tensor"), ("reduce_range", "--full-range")):
            if not options[name]:
                raise click.UsageError(f"{flag} belongs to int8: add --precision int8")


def make_source(checkpoint: Path, options: Mapping[str, Any]) -> Source:
    """Load the checkpoint with the class, vocabulary and labels that the options name."""
    between = options["between"]
    if between and between not in {"none", *FUNCTIONS}:
        raise click.BadParameter(
            f"{between!r} is none of none, {', '.join(FUNCTIONS)}", param_hint="--between"
        )
    hints = ArchitectureHints(options["readout"], options["activation"], between)
    content, module = read_content(checkpoint), None
    if options["module_name"]:
        arguments = _keywords(options["init"]) if options["init"] else None
        module = build_module(options["module_name"], arguments, content.hyperparameters)
    source = load_source(content, hints, module)
    if options["vocabulary"]:
        rows = source.network.architecture.vocab_size
        vocabulary = read_vocabulary(
            options["vocabulary"],
            rows,
            options["unknown"],
            first_id=options["first_id"] or 0,
            fit=options["fit_vocab"],
            unknown_id=options["unknown_id"],
        )
        usual = source.encoder.tokenizer if source.encoder else Tokenizer()
        tokenizer, window = make_tokenizer(options, usual), make_window(options)
        source = source.with_vocabulary(vocabulary, tokenizer, window)
        _tell_unread_words(source)
    if options["labels"]:
        source = source.with_labels(_names(options["labels"]))
    return source


def _names(labels: str) -> tuple[str, ...]:
    """Return the names in ``--labels``."""
    try:
        return split_names(labels)
    except ConfigError as error:
        raise click.BadParameter(str(error), param_hint="--labels") from error


def check_encoding(
    source: Source, options: Mapping[str, Any], data: Examples | None
) -> EncodingParity | None:
    """Compare the tokeniser with ``--encoder``, where it was given.

    Raises:
        ParityError: when too few texts are read alike.

    """
    name = options["encoder"]
    if name is None:
        return None
    path = encoder_path(name)
    encode = import_object("--encoder", name, "function") if path is None else path
    found = compare_source(source, encode, data.texts if data else ())
    require_alike(found, LEAST_ALIKE if options["alike"] is None else options["alike"])
    return found


def _tell_unread_words(source: Source) -> None:
    """Say how many words of a foreign vocabulary the tokeniser never makes: drift shows here."""
    encoder = source.encoder
    if encoder is None:
        return
    read = {word for word, _ in spelled_words(encoder)}
    unread = [word for word in encoder.vocabulary.plain if word not in read]
    if unread:
        some = ", ".join(repr(word) for word in unread[:3])
        notice(
            f"note: the token pattern {encoder.tokenizer.pattern} never makes {len(unread):,} of "
            f"the vocabulary's {len(encoder.vocabulary):,} words (such as {some}); if the model "
            "was trained with another tokeniser, give its --pattern, --case or --encoder"
        )


def make_config(options: Mapping[str, Any]) -> ExportConfig:
    """Return the configuration that the options describe."""
    return ExportConfig(
        precisions=tuple(dict.fromkeys(options["precisions"])),
        name=options["name"],
        interface=options["interface"],
        state=options["state"],
        int8=Int8Weights(options["per_channel"], options["reduce_range"]),
        atol=parse_atol(options["atol"]),
        agreement=options["agreement"],
        notes=read_notes(options["notes"]),
    )


def read_notes(path: Path | None) -> str:
    """Return the text of ``--notes``."""
    try:
        return path.read_text(encoding="utf-8-sig").strip() if path else ""
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{path} is not UTF-8", param_hint="--notes") from error


def load_data(options: Mapping[str, Any], source: Source) -> Examples | None:
    """Return the labelled texts of ``--data``, with the model's own labels."""
    if options["data"] is None:
        return None
    columns = Columns(
        options["text_column"] or "text", options["label_column"] or "label", options["dialect"]
    )
    try:
        values = parse_label_map(options["label_map"]) if options["label_map"] else ()
    except ConfigError as error:
        raise click.BadParameter(str(error), param_hint="--label-map") from error
    return load_labelled(source, options["data"], columns, values)


def parse_atol(values: tuple[str, ...]) -> dict[Precision, float]:
    """Parse ``PRECISION=VALUE`` pairs."""
    found: dict[Precision, float] = {}
    for value in values:
        name, _, number = value.partition("=")
        try:
            precision = next(p for p in get_args(Precision) if p == name)
            found[precision] = float(number)
        except (StopIteration, ValueError) as error:
            names = ", ".join(get_args(Precision))
            raise click.BadParameter(
                f"{value!r} is not PRECISION=NUMBER (precisions: {names})", param_hint="--atol"
            ) from error
    return found


def _keywords(arguments: str) -> dict[str, Any]:
    try:
        options = json.loads(arguments)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--init") from error
    if not isinstance(options, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--init")
    return options
