"""The front end that turns text into ids inside the graph.

``StringNormalizer`` lowers ASCII letters, ONNX Runtime's built-in ``com.microsoft.Tokenizer``
takes the pattern's matches, and ``LabelEncoder`` looks the words up: no extension library. The
same steps in Python are `lstm_runtime.text.tokenizer`; tests hold the two together.
"""

import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from lstm_runtime.model_file import contract
from lstm_runtime.text.re2 import graph_patterns
from lstm_runtime.text.tokenizer import MOST_PARTS, TextEncoder, Tokenizer
from lstm_runtime.text.window import WHOLE
from lstm_training.one_reading import require_one_reading
from onnx import TensorProto, helper

from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.window import add_window

PADDING = -1
"""Id of what is no token, until the lengths are counted."""


def add_text_frontend(
    g: GraphBuilder, encoder: TextEncoder, *, cpu_only: bool = False
) -> tuple[Value, Value]:
    """Add the input ``text`` and the value ``tokens``; return the ids and the lengths.

    The ids are ``[batch, tokens]``, as wide as the longest text and one wide at least; lengths
    are int32 ``[batch]``, one at least.

    Args:
        g: the graph.
        encoder: the tokeniser and the vocabulary.
        cpu_only: whether the file runs on CPUs alone, as int8 ones do. CUDA's ``ReduceSum`` and
            its like refuse an axis without elements (onnxruntime issue 26041), which texts without
            a token have, so the others have one column more than matches.

    """
    tokenizer = encoder.tokenizer
    tokens, deleting = _tokens(g, tokenizer)
    if deleting:
        tokens = _without_characters(g, tokens, tokenizer.delete, deleting)
    if not cpu_only:
        tokens = g.Concat(tokens, _column(g, tokens, ""), axis=1)
    ids = _look_up(g, encoder, tokens)
    if encoder.vocabulary.unknown is None or tokenizer.blank or tokenizer.delete:
        tokens, ids = _move_up(g, tokens, ids)
    if encoder.window != WHOLE:
        return add_window(g, encoder, tokens, ids)
    return _count_and_cut(g, encoder, tokens, ids)


def _tokens(g: GraphBuilder, tokenizer: Tokenizer) -> tuple[Value, str]:
    """Add the input and what it is cut into, '' behind the end; between blanks, also there.

    Returns:
        The tokens, and the pattern of their parts between characters to delete, '' without any.

    """
    text = g.input(contract.TEXT, TensorProto.STRING, ["batch"])
    if tokenizer.case == "lower":
        # The locale C is the only one that is installed everywhere.
        text = g.StringNormalizer(text, case_change_action="LOWER", is_case_sensitive=1, locale="C")
    require_one_reading(tokenizer.pattern)
    patterns = graph_patterns(tokenizer)
    *blanks, pattern = patterns[: len(tokenizer.blanks) + 1]
    deleting = patterns[-1] if tokenizer.delete else ""
    for n, blank in enumerate(blanks):
        text = _cut(g, text, separators=[blank])
        text = g.Flatten(text, axis=1) if n else text
    if not blanks:
        return _cut(g, text, ["batch", "matched"], tokenexp=pattern), deleting
    return g.Flatten(_cut(g, text, tokenexp=pattern), axis=1), deleting


def _cut(g: GraphBuilder, text: Value, shape: Sequence[str] | None = None, **by: Any) -> Value:
    """Add ONNX Runtime's tokeniser: one more axis, but where there is no part in any text."""
    parts = g.Tokenizer(text, mark=0, mincharnum=1, pad_value="", **by)
    # The operator has no ONNX schema, and shape inference crashes the process without this.
    g.value_infos.append(helper.make_tensor_value_info(parts.name, TensorProto.STRING, shape))
    return parts


def _without_characters(g: GraphBuilder, tokens: Value, delete: str, pattern: str) -> Value:
    """Take characters out of tokens: cut each token at them, and join what is left.

    One column more keeps the tokeniser from leaving out axes where no token has any part.
    """
    zero, one, nothing = g.constant([0]), g.constant([1]), g.constant(np.array([""], object))
    filler = next(c for c in "abc0" + string.printable if c not in delete)
    wide = g.Concat(tokens, _column(g, tokens, filler), axis=1)
    parts = _cut(g, wide, tokenexp=pattern)
    end = g.constant([-1])
    parts = g.Slice(parts, zero, g.constant([MOST_PARTS]), end)
    # ``StringConcat`` appends to whatever stands in the memory of its result. ONNX Runtime gives it
    # fresh strings in a plain graph, but not in a Scan or Loop, so the halving is written out.
    for _ in range((MOST_PARTS - 1).bit_length()):
        longer = g.Concat(parts, g.Expand(nothing, g.Concat(g.Shape(wide), one, axis=0)), axis=2)
        every, far = g.constant([2]), g.constant([MOST_PARTS + 1])
        even, odd = (g.Slice(x, s, far, end, every) for x, s in ((parts, zero), (longer, one)))
        parts = g.StringConcat(even, odd)
    return g.Slice(g.Squeeze(parts, g.constant([2])), zero, end, one)


def _column(g: GraphBuilder, tokens: Value, token: str) -> Value:
    """Add a column ``[batch, 1]`` of one token."""
    batch = g.Gather(g.Shape(tokens), g.constant([0]), axis=0)
    shape = g.Concat(batch, g.constant([1]), axis=0)
    return g.Expand(g.constant(np.array([[token]], object)), shape)


def _look_up(g: GraphBuilder, encoder: TextEncoder, tokens: Value) -> Value:
    """Add the vocabulary; return the ids, -1 at padding behind the end."""
    words, unknown = encoder.vocabulary.plain, encoder.vocabulary.unknown
    return g.LabelEncoder(
        tokens,
        keys_strings=["", *words],
        values_int64s=[PADDING, *words.values()],
        default_int64=PADDING if unknown is None else unknown,
    )


def _move_up(g: GraphBuilder, tokens: Value, ids: Value) -> tuple[Value, Value]:
    """Move what has no id behind the end, as if it had not been there; keep the others' order.

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
