"""The part of each text that a pipeline of fixed width reads, cut and padded inside the graph."""

import numpy as np
from lstm_runtime.model_file import contract
from lstm_runtime.text.tokenizer import TextEncoder
from onnx import TensorProto

from lstm_export.graph.builder import GraphBuilder, Value


def add_window(
    g: GraphBuilder, encoder: TextEncoder, tokens: Value, ids: Value
) -> tuple[Value, Value]:
    """Add the value ``tokens``, those that are kept; return ids and lengths, padding counted.

    Args:
        g: the graph.
        encoder: gives the window.
        tokens: strings ``[batch, n]``.
        ids: alike, -1 behind the end of each text.

    """
    window, words = encoder.window, encoder.vocabulary
    zero, one = g.constant([[0]]), g.constant([[1]])
    found = g.Cast(g.Not(g.Less(ids, g.constant([0]))), to=TensorProto.INT64)
    count = g.ReduceSum(found, g.constant([1]), keepdims=1)
    kept = count if window.max_tokens is None else g.Min(count, g.constant([[window.max_tokens]]))
    first = g.Sub(count, kept) if window.keep == "last" else zero
    total = g.Max(kept, g.constant([[window.pad_to or 1]]))
    before = g.Sub(total, kept) if window.pad_to and window.pad_side == "left" else zero

    padding = words.pad if window.pad_to else words.empty
    token_ids = _shifted(g, ids, g.constant([[padding]]), (before, first, kept, total))
    # The text's own tokens stand first: the padding is no token of it.
    shown = _shifted(
        g, tokens, g.constant(np.array([[""]], object)), (zero, first, kept, g.Max(kept, one))
    )
    g.Identity(shown, name=contract.TOKENS)
    lengths = g.Cast(g.Squeeze(total, g.constant([1])), to=TensorProto.INT32)
    return g.Identity(token_ids, name="token_ids"), lengths


def _shifted(
    g: GraphBuilder, table: Value, filling: Value, places: tuple[Value, Value, Value, Value]
) -> Value:
    """Return rows of which ``kept`` items, from ``first`` on, stand behind ``before`` fillings.

    The result is as wide as the longest ``total``; behind the items there are fillings too.
    """
    before, first, kept, total = places
    zero, one = g.constant([0]), g.constant([1])
    width = g.Squeeze(g.ReduceMax(total, keepdims=0))
    columns = g.Unsqueeze(g.Range(g.constant(0), width, g.constant(1)), zero)
    at = g.Sub(columns, before)
    is_item = g.And(g.Not(g.Less(at, g.constant([0]))), g.Less(at, kept))
    # One more column, so that there is one to point at where there is no item.
    rows = g.Gather(g.Shape(table), zero, axis=0)
    wide = g.Concat(table, g.Expand(filling, g.Concat(rows, one, axis=0)), axis=1)
    nowhere = g.Gather(g.Shape(table), one, axis=0)
    return g.GatherElements(wide, g.Where(is_item, g.Add(at, first), nowhere), axis=1)
