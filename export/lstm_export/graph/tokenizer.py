"""The front end that turns text into ids inside the graph.

``StringNormalizer`` lowers ASCII letters, ONNX Runtime's built-in ``com.microsoft.Tokenizer``
takes the pattern's matches, and ``LabelEncoder`` looks the words up: no extension library. The
same three steps in Python are `lstm_runtime.text.tokenizer`; tests hold the two together.
"""

import numpy as np
from lstm_runtime.model_file import contract
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import TensorProto, helper

from lstm_export.graph.builder import GraphBuilder, Value

PADDING = -1
"""Id of what is no token, until the lengths are counted."""


def add_text_frontend(g: GraphBuilder, encoder: TextEncoder) -> tuple[Value, Value]:
    """Add the input ``text`` and the value ``tokens``; return the ids and the lengths.

    The ids are ``[batch, tokens]``, as wide as the longest text and one wide at least; lengths
    are int32 ``[batch]``, one at least.
    """
    tokens = _tokens(g, encoder)
    ids = _look_up(g, encoder, tokens)
    if encoder.vocabulary.unknown is None:
        tokens, ids = _drop_unknown(g, tokens, ids)
    return _count_and_cut(g, encoder, tokens, ids)


def _tokens(g: GraphBuilder, encoder: TextEncoder) -> Value:
    text = g.input(contract.TEXT, TensorProto.STRING, ["batch"])
    # The locale C is the only one that is installed everywhere.
    lowered = g.StringNormalizer(text, case_change_action="LOWER", is_case_sensitive=1, locale="C")
    pattern = encoder.tokenizer.pattern
    matches = g.Tokenizer(lowered, mark=0, mincharnum=1, pad_value="", tokenexp=pattern)
    # The operator has no ONNX schema, and shape inference crashes the process without this.
    g.value_infos.append(
        helper.make_tensor_value_info(matches.name, TensorProto.STRING, ["batch", "matched"])
    )
    return matches


def _look_up(g: GraphBuilder, encoder: TextEncoder, tokens: Value) -> Value:
    """Add the vocabulary; return the ids, -1 at padding behind the end."""
    words, unknown = encoder.vocabulary.plain, encoder.vocabulary.unknown
    return g.LabelEncoder(
        tokens,
        keys_strings=["", *words],
        values_int64s=[PADDING, *words.values()],
        default_int64=PADDING if unknown is None else unknown,
    )


def _drop_unknown(g: GraphBuilder, tokens: Value, ids: Value) -> tuple[Value, Value]:
    """Move unknown words behind the end, as if they had not been there; keep the others' order.

    The keys of the sort are the columns' numbers, with those of unknown words raised by the number
    of columns: all different, so the order is defined without a stable sort.
    """
    is_unknown = g.Less(ids, g.constant([0]))
    count = g.Gather(g.Shape(ids), g.constant([1]), axis=0)
    columns = g.Range(g.constant(0), g.Squeeze(count), g.constant(1))
    keys = g.Where(is_unknown, g.Add(columns, count), columns)
    _, order = g.node("TopK", [keys, count], ["sorted", "order"], largest=0, sorted=1)
    known = g.Where(is_unknown, g.constant(np.array([""], object)), tokens)
    return g.GatherElements(known, order, axis=1), g.GatherElements(ids, order, axis=1)


def _count_and_cut(
    g: GraphBuilder, encoder: TextEncoder, tokens: Value, ids: Value
) -> tuple[Value, Value]:
    """Count the tokens; a text without any gets the empty token, whatever its neighbours are."""
    zero, one, empty = g.constant([0]), g.constant([1]), encoder.vocabulary.empty
    is_padding = g.Less(ids, zero)
    flags = g.Cast(g.Not(is_padding), to=TensorProto.INT64)
    lengths = g.Max(g.ReduceSum(flags, one, keepdims=0), one)
    lengths32 = g.Cast(lengths, to=TensorProto.INT32)
    filled = g.Where(is_padding, g.constant([empty]), ids)
    # One more column, then cut to the longest: no column is left only where no text has a token.
    column = g.Concat(g.Shape(lengths), one, axis=0)
    longest = g.ReduceMax(lengths, keepdims=1)

    def with_column(table: Value, value: Value, name: str) -> Value:
        wide = g.Concat(table, g.Expand(value, column), axis=1)
        return g.Slice(wide, zero, longest, one, name=name)

    token_ids = with_column(filled, g.constant([[empty]]), "token_ids")
    with_column(tokens, g.constant(np.array([[""]], object)), contract.TOKENS)
    return token_ids, lengths32
