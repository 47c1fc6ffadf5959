"""``lstm-run``: text in, sentiment out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from lstm_runtime.cli.cluster import score_on_ray
from lstm_runtime.cli.modes import TEXT, choose_mode
from lstm_runtime.cli.options import Options, with_options
from lstm_runtime.cli.texts import file_rows, given_rows, texts_of
from lstm_runtime.cli.values import check_values
from lstm_runtime.command import OneLineErrorCommand, require_stdout
from lstm_runtime.console import escaped

EXAMPLES = (
    'lstm-run "One of the finest films I have ever seen."',
    "lstm-run --input reviews.csv --output scored.csv",
)

MORE = """\b
More examples:
  lstm-run --json "Good fun." "A dull, lifeless mess."
  tail -f reviews.txt | lstm-run --on-error keep -
  lstm-run --input reviews.parquet --output scored.parquet --resume
  lstm-run --trace --plot trace.png "Dull at first, but what an ending!"
  lstm-run --model model.int8.onnx --verify

\b
Shell completion (bash; also zsh_source, fish_source):
  eval "$(_LSTM_RUN_COMPLETE=bash_source lstm-run)"
"""


ABOUT = "Tell the sentiment of each TEXT; - reads texts from standard input, one a line."
"""Not in the docstring, which python -OO leaves out."""


@click.command(cls=OneLineErrorCommand, help=ABOUT, examples=EXAMPLES, epilog=MORE)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@with_options
@click.pass_context
def main(ctx: click.Context, /, texts: tuple[str, ...], **options: Any) -> None:
    """Run ``lstm-run``."""
    asked = Options(**options)
    given = given_names(ctx)
    mode = choose_mode(given)
    check_values(texts, asked, set(given))
    if mode.name != "bulk":  # whose answers are in its output file
        require_stdout()
    for line in _RUN[mode.name](texts, asked):
        click.echo(line)


def given_names(ctx: click.Context) -> list[str]:
    """Return what the command line holds, as `choose_mode` takes it: defaults are not given."""
    options = [parameter for parameter in ctx.command.params if isinstance(parameter, click.Option)]
    given = [TEXT] if ctx.params["texts"] else []
    for parameter in options:
        source = ctx.get_parameter_source(str(parameter.name))
        if source is click.core.ParameterSource.COMMANDLINE:
            given.append(parameter.opts[0])
    return given


def _answer(texts: Sequence[str], asked: Options) -> Iterable[str]:
    file = asked.input_file
    rows = file_rows(file, asked.text_column, asked.dialect) if file else given_rows(texts)
    model = asked.load()
    from lstm_runtime.cli.answers import answer_lines

    return answer_lines(model, rows, asked)


def _score_files(_texts: Sequence[str], asked: Options) -> Iterable[str]:
    if asked.engine == "ray":
        return score_on_ray(_texts, asked)
    from lstm_runtime.cli.bulk import bulk_lines

    return bulk_lines(asked)


def _trace(texts: Sequence[str], asked: Options) -> Iterable[str]:
    from lstm_runtime.cli.trace_view import trace_json, trace_lines

    model = asked.load()
    for text in texts_of(given_rows(texts)):
        trace = model.trace(text, asked.max_tokens)
        if asked.plot_file:
            from lstm_runtime.trace.plot import plot_trace

            plot_trace(trace, asked.plot_file, model.metadata.labels)
        yield from [trace_json(trace)] if asked.as_json else trace_lines(trace, model.metadata)


def _bench(_texts: Sequence[str], asked: Options) -> Iterable[str]:
    from lstm_runtime.cli.bench import benchmark_lines, run_benchmark
    from lstm_runtime.cli.output import json_object

    file = asked.input_file
    rows = file_rows(file, asked.text_column, asked.dialect) if file else ()
    found = run_benchmark(asked.load(), list(texts_of(rows)))
    return [json_object(found)] if asked.as_json else benchmark_lines(found)


def _verify(_texts: Sequence[str], asked: Options) -> Iterable[str]:
    from lstm_runtime.cli.info import verification_json, verification_line

    model = asked.load()
    found = model.verify()
    return [(verification_json if asked.as_json else verification_line)(model, found)]


def _self_test(_texts: Sequence[str], asked: Options) -> Iterable[str]:
    from lstm_runtime.cli.self_test import self_test_lines

    return self_test_lines(asked.load(), as_json=asked.as_json)


def _info(_texts: Sequence[str], asked: Options) -> Iterable[str]:
    from lstm_runtime.cli.info import environment, environment_json, environment_lines

    found = environment(asked.model_file)
    return [environment_json(found)] if asked.as_json else map(escaped, environment_lines(found))


def _version(_texts: Sequence[str], asked: Options) -> Iterable[str]:
    from lstm_runtime.cli.output import json_object
    from lstm_runtime.cli.version import version, version_line

    found = version(asked.model_file)
    return [json_object(found) if asked.as_json else version_line(found)]


_RUN: dict[str, Callable[[Sequence[str], Options], Iterable[str]]] = {
    "answer": _answer,
    "table": _answer,
    "bulk": _score_files,
    "trace": _trace,
    "bench": _bench,
    "verify": _verify,
    "self-test": _self_test,
    "info": _info,
    "version": _version,
}
