"""The front end that turns text into ids inside the graph.

``StringNormalizer`` lowers ASCII letters, ONNX Runtime's built-in ``com.microsoft.Tokenizer``
takes the pattern's matches, and ``LabelEncoder`` looks the words up: no extension library. The
same three steps in Python are `lstm_runtime.tokenizer`; tests hold the two together.
"""

import numpy as np
from lstm_runtime import contract
from lstm_runtime.tokenizer import TextEncoder
from onnx import TensorProto, helper

from lstm_export.builder import GraphBuilder


def add_text_frontend(builder: GraphBuilder, encoder: TextEncoder) -> tuple[str, str]:
    """Add the input ``text`` and the output ``tokens``; return the names of ids and lengths.

    The ids are ``[batch, tokens]``, as wide as the longest text and one wide at least; lengths
    are int32 ``[batch]``, one at least.
    """
    _add_tokens(builder, encoder)
    _add_lookup(builder, encoder)
    return _add_lengths(builder, encoder)


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


def _add_lookup(builder: GraphBuilder, encoder: TextEncoder) -> None:
    """Add the vocabulary: word to id, anything else to unknown, padding to -1."""
    words = encoder.vocabulary.plain
    builder.add(
        "LabelEncoder",
        ["matches"],
        ["matched_ids"],
        domain="ai.onnx.ml",
        keys_strings=["", *words],
        values_int64s=[-1, *words.values()],
        default_int64=encoder.vocabulary.unknown,
    )


def _add_lengths(builder: GraphBuilder, encoder: TextEncoder) -> tuple[str, str]:
    """Count the tokens; give a text without any one unknown token, whatever its neighbours are."""
    builder.constant("zero", np.array(0, np.int64))
    builder.constant("unknown", np.array(encoder.vocabulary.unknown, np.int64))
    builder.constant("first_axis", np.array([0], np.int64))
    builder.constant("token_axis", np.array([1], np.int64))
    builder.constant("one", np.array([1], np.int64))
    builder.add("Less", ["matched_ids", "zero"], ["is_padding"])
    builder.add("Not", ["is_padding"], ["is_token"])
    builder.add("Cast", ["is_token"], ["token_flags"], to=TensorProto.INT64)
    builder.add("ReduceSum", ["token_flags", "token_axis"], ["token_counts"], keepdims=0)
    builder.add("Max", ["token_counts", "one"], ["text_lengths"])
    builder.add("Cast", ["text_lengths"], ["lengths32"], to=TensorProto.INT32)
    builder.add("Where", ["is_padding", "unknown", "matched_ids"], ["filled_ids"])
    # One more column, then cut to the longest: no column is left only where no text has a token.
    builder.constant("unknown_row", np.array([[encoder.vocabulary.unknown]], np.int64))
    builder.constant("empty_row", np.array([[""]], object))
    builder.add("Shape", ["text_lengths"], ["text_count"])
    builder.add("Concat", ["text_count", "one"], ["column_shape"], axis=0)
    builder.add("ReduceMax", ["text_lengths"], ["longest"], axes=[0], keepdims=1)
    _add_column(builder, "filled_ids", "unknown_row", "ids")
    _add_column(builder, "matches", "empty_row", contract.TOKENS)
    return "ids", "lengths32"


def _add_column(builder: GraphBuilder, table: str, value: str, output: str) -> None:
    builder.add("Expand", [value, "column_shape"], [f"{output}_column"])
    builder.add("Concat", [table, f"{output}_column"], [f"{output}_wide"], axis=1)
    builder.add("Slice", [f"{output}_wide", "first_axis", "longest", "token_axis"], [output])
