"""The front end that turns text into ids inside the graph.

``StringNormalizer`` lowers ASCII letters, ONNX Runtime's built-in ``com.microsoft.Tokenizer``
takes the pattern's matches, and ``LabelEncoder`` looks the words up: no extension library. The
same three steps in Python are `lstm_runtime.text.tokenizer`; tests hold the two together.
"""

import numpy as np
from lstm_runtime.model_file import contract
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import TensorProto, helper

from lstm_export.graph.builder import GraphBuilder

PADDING = -1
"""Id of what is no token, until the lengths are counted."""


def add_text_frontend(builder: GraphBuilder, encoder: TextEncoder) -> tuple[str, str]:
    """Add the input ``text`` and the output ``tokens``; return the names of ids and lengths.

    The ids are ``[batch, tokens]``, as wide as the longest text and one wide at least; lengths
    are int32 ``[batch]``, one at least.
    """
    builder.constant("zero", np.array([0], np.int64))
    builder.constant("token_axis", np.array([1], np.int64))
    _add_tokens(builder, encoder)
    tokens, ids = _add_lookup(builder, encoder)
    return _add_lengths(builder, encoder, tokens, ids)


def _add_tokens(builder: GraphBuilder, encoder: TextEncoder) -> None:
    text = helper.make_tensor_value_info(contract.TEXT, TensorProto.STRING, ["batch"])
    builder.inputs.append(text)
    # The locale C is the only one that is installed everywhere.
    builder.add(
        "StringNormalizer",
        [contract.TEXT],
        ["lowered"],
        case_change_action="LOWER",
        is_case_sensitive=1,
        locale="C",
    )
    builder.add(
        "Tokenizer",
        ["lowered"],
        ["matches"],
        domain="com.microsoft",
        mark=0,
        mincharnum=1,
        pad_value="",
        tokenexp=encoder.tokenizer.pattern,
    )
    # The operator has no ONNX schema, and shape inference crashes the process without this.
    builder.value_infos.append(
        helper.make_tensor_value_info("matches", TensorProto.STRING, ["batch", "matched"])
    )


def _add_lookup(builder: GraphBuilder, encoder: TextEncoder) -> tuple[str, str]:
    """Add the vocabulary; return the names of tokens and ids, -1 at padding behind the end."""
    words, unknown = encoder.vocabulary.plain, encoder.vocabulary.unknown
    builder.add(
        "LabelEncoder",
        ["matches"],
        ["matched_ids"],
        domain="ai.onnx.ml",
        keys_strings=["", *words],
        values_int64s=[PADDING, *words.values()],
        default_int64=PADDING if unknown is None else unknown,
    )
    return ("matches", "matched_ids") if unknown is not None else _add_drop(builder)


def _add_drop(builder: GraphBuilder) -> tuple[str, str]:
    """Move unknown words behind the end, as if they had not been there; keep the others' order.

    The keys of the sort are the columns' numbers, with those of unknown words raised by the number
    of columns: all different, so the order is defined without a stable sort.
    """
    for name, value in (("from_zero", 0), ("by_one", 1)):
        builder.constant(name, np.array(value, np.int64))
    builder.add("Less", ["matched_ids", "zero"], ["is_unknown"])
    builder.add("Shape", ["matched_ids"], ["matched_shape"])
    builder.add("Gather", ["matched_shape", "token_axis"], ["column_count"], axis=0)
    builder.add("Squeeze", ["column_count"], ["column_end"])
    builder.add("Range", ["from_zero", "column_end", "by_one"], ["columns"])
    builder.add("Add", ["columns", "column_count"], ["columns_behind"])
    builder.add("Where", ["is_unknown", "columns_behind", "columns"], ["sort_keys"])
    builder.add("TopK", ["sort_keys", "column_count"], ["sorted", "order"], largest=0, sorted=1)
    builder.constant("no_token", np.array([""], object))
    builder.add("Where", ["is_unknown", "no_token", "matches"], ["known_tokens"])
    builder.add("GatherElements", ["known_tokens", "order"], ["kept_tokens"], axis=1)
    builder.add("GatherElements", ["matched_ids", "order"], ["kept_ids"], axis=1)
    return "kept_tokens", "kept_ids"


def _add_lengths(
    builder: GraphBuilder, encoder: TextEncoder, tokens: str, ids: str
) -> tuple[str, str]:
    """Count the tokens; a text without any gets the empty token, whatever its neighbours are."""
    builder.constant("filler", np.array([encoder.vocabulary.empty], np.int64))
    builder.constant("first_axis", np.array([0], np.int64))
    builder.constant("one", np.array([1], np.int64))
    builder.add("Less", [ids, "zero"], ["is_padding"])
    builder.add("Not", ["is_padding"], ["is_token"])
    builder.add("Cast", ["is_token"], ["token_flags"], to=TensorProto.INT64)
    builder.add("ReduceSum", ["token_flags", "token_axis"], ["token_counts"], keepdims=0)
    builder.add("Max", ["token_counts", "one"], ["text_lengths"])
    builder.add("Cast", ["text_lengths"], ["lengths32"], to=TensorProto.INT32)
    builder.add("Where", ["is_padding", "filler", ids], ["filled_ids"])
    # One more column, then cut to the longest: no column is left only where no text has a token.
    builder.add("Shape", ["text_lengths"], ["text_count"])
    builder.add("Concat", ["text_count", "one"], ["column_shape"], axis=0)
    builder.add("ReduceMax", ["text_lengths"], ["longest"], axes=[0], keepdims=1)
    builder.constant("filler_cell", np.array([[encoder.vocabulary.empty]], np.int64))
    builder.constant("empty_cell", np.array([[""]], object))
    _add_column(builder, "filled_ids", "filler_cell", "token_ids")
    _add_column(builder, tokens, "empty_cell", contract.TOKENS)
    return "token_ids", "lengths32"


def _add_column(builder: GraphBuilder, table: str, value: str, output: str) -> None:
    builder.add("Expand", [value, "column_shape"], [f"{output}_column"])
    builder.add("Concat", [table, f"{output}_column"], [f"{output}_wide"], axis=1)
    builder.add("Slice", [f"{output}_wide", "first_axis", "longest", "token_axis"], [output])
