"""The options of ``lstm-export`` that say how a text becomes ids, and what is made of them."""

import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from lstm_runtime.command import NumberIn, option
from lstm_runtime.text.tokenizer import DEFAULT_PATTERN, Tokenizer
from lstm_runtime.text.window import Window

PUNCTUATION = "punctuation"
"""Word for the 32 marks of ASCII, as Python's ``string.punctuation``."""

OF_VOCABULARY = (
    "unknown", "unknown_id", "pattern", "first_id", "fit_vocab", "case", "blank", "delete",
    "max_tokens", "keep", "pad_left_to", "pad_right_to",
)  # fmt: skip
"""Options that mean nothing without ``--vocab``."""

_COUNT = click.IntRange(min=1)

_OPTIONS = (
    option(
        "--pattern",
        group="Text",
        metavar="REGEX",
        help=f"What --vocab takes for a token, in the syntax of RE2.  [default: {DEFAULT_PATTERN}]",
    ),
    option(
        "--case",
        group="Text",
        type=click.Choice(["lower", "keep"]),
        help="Whether A to Z are lowered.  [default: lower]",
    ),
    option(
        "--blank",
        group="Text",
        multiple=True,
        metavar="STRING",
        help="What parts tokens and belongs to none, such as '<br />'; may be given more than "
        "once. Such a file cannot be streamed.",
    ),
    option(
        "--delete",
        group="Text",
        metavar="CHARACTERS",
        help="Characters taken out of tokens, so that don't reads as dont; 'punctuation' for all "
        "marks of ASCII.",
    ),
    option(
        "--unknown",
        group="Text",
        help="Word of the vocabulary that unknown words become, '' to leave them out.  [default: "
        "<unk>, <UNK>, [UNK], <OOV> and the like where the vocabulary has it; else left out]",
    ),
    option(
        "--unknown-id",
        group="Text",
        type=click.IntRange(min=0),
        help="The same as an id, where no word of the vocabulary has it.",
    ),
    option(
        "--max-tokens",
        group="Text",
        type=_COUNT,
        help="Ids that are read of a text.  [default: all]",
    ),
    option(
        "--keep",
        group="Text",
        type=click.Choice(["first", "last"]),
        help="Which of them.  [default: first]",
    ),
    option(
        "--pad-left-to",
        group="Text",
        type=_COUNT,
        metavar="N",
        help="Shorter texts get padding on the left, which the network reads.",
    ),
    option(
        "--pad-right-to",
        group="Text",
        type=_COUNT,
        metavar="N",
        help="The same on the right.",
    ),
    option(
        "--encoder",
        group="Text",
        metavar="FILE.py:FUNCTION",
        help="Your own text to ids: a function (also as package.module:FUNCTION), or a table "
        "(.jsonl) of text and ids. How many texts the file reads alike is told.",
    ),
    option(
        "--alike",
        group="Text",
        type=NumberIn(0, 1),
        metavar="SHARE",
        help="Smallest share of texts to be read as --encoder reads them.  [default: 0.995]",
    ),
)


def text_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare them on a command."""
    for declare in reversed(_OPTIONS):
        command = declare(command)
    return command


def make_tokenizer(options: Mapping[str, Any], usual: Tokenizer) -> Tokenizer:
    """Return the tokeniser that the options describe; ``usual`` gives what they leave open."""
    delete = options["delete"]
    return Tokenizer(
        usual.pattern if options["pattern"] is None else options["pattern"],
        case=options["case"] or usual.case,
        blank=options["blank"] or usual.blank,
        delete=string.punctuation if delete == PUNCTUATION else delete or usual.delete,
    )


def make_window(options: Mapping[str, Any]) -> Window:
    """Return which part of a text is read.

    Raises:
        click.UsageError: when the options contradict each other.

    """
    left, right, most = (options[n] for n in ("pad_left_to", "pad_right_to", "max_tokens"))
    if left and right:
        raise click.UsageError("--pad-left-to and --pad-right-to exclude each other")
    if options["keep"] and not most:
        raise click.UsageError("--keep belongs to --max-tokens N")
    return Window(most, options["keep"] or "first", left or right, "right" if right else "left")


def encoder_path(name: str) -> Path | None:
    """Return the table that ``--encoder`` names; None where it names a function."""
    return None if ":" in Path(name).name else Path(name)
