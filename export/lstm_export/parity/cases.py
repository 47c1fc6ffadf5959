"""The inputs of the parity proof: batch sizes and lengths that no exporter has seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.errors import VocabularyError
from lstm_runtime.text.tokenizer import TextEncoder, replace_unportable
from numpy.typing import NDArray

from lstm_export.network import Network
from lstm_export.traced.network import TracedNetwork

SHAPES = ((1, 1), (1, 7), (5, 300), (32, 230))
"""(batch, longest length) of the random cases, where nothing is known of the model's texts."""
BATCHES = (1, 1, 5, 32)
"""Batches of the random cases, where the lengths of the model's texts are known."""


@dataclass(frozen=True)
class Case:
    """One batch of texts and the states that it starts from."""

    name: str
    "What the report calls it."
    ids: tuple[tuple[int, ...], ...]
    "Ids of each text, for the original."
    h0: Array
    "``[layers, batch, hidden]``"
    c0: Array
    "``[layers, batch, hidden]``"
    texts: tuple[str, ...] | None = None
    "The same as text, for a file with the text interface."
    carried: bool = False
    "Whether the states are other than zero."
    reference: bool = False
    "Whether it is one of the texts that the file carries as its reference."
    labelled: bool = False
    "Whether it is a row of the user's labelled data."


def random_cases(
    network: Network | TracedNetwork,
    graph: TextEncoder | None,
    *,
    states: bool,
    padding: frozenset[int] = frozenset(),
    trained: Sequence[int] = (),
) -> Iterator[Case]:
    """Yield random batches.

    A network that has learned from short texts alone may do anything with hundreds of words: what
    it does there says nothing of it, and any rounding decides. So where the lengths are known that
    it was trained on, those are the lengths of the batches.

    Args:
        network: gives the sizes.
        graph: the encoder in the graph, if any: the batches are then random words, so that they
            take the same way into the graph as texts.
        states: whether to start from carried states too.
        padding: ids that the original takes for no words.
        trained: lengths of texts that the model was trained on, rising; empty where not known.

    """
    random = np.random.default_rng(1)
    draw = _Words(network, graph, padding)
    shapes = _trained_shapes(trained) if trained else SHAPES
    for (batch, wanted), carried in product(shapes, (False, True) if states else (False,)):
        longest = min(wanted, network.max_tokens or wanted)
        lengths = random.integers(1, longest + 1, batch)
        lengths[random.integers(batch)] = longest
        ids, texts = draw.batch(random, lengths)
        name = f"{batch} x {longest}{', carried state' if carried else ''}"
        yield Case(name, ids, *_states(random, network, batch, carried=carried), texts, carried)


def _trained_shapes(trained: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield batches whose longest text is a word, a usual one, or among the longest."""
    usual, long = trained[len(trained) // 2], trained[-2:][0]
    return zip(BATCHES, (1, usual, trained[-1], long), strict=True)


def text_cases(
    network: Network | TracedNetwork,
    encoder: TextEncoder,
    texts: Iterable[str],
    *,
    as_text: bool,
    reference: bool,
) -> Iterator[Case]:
    """Yield texts, each alone.

    Args:
        network: gives the sizes.
        encoder: gives the original its ids.
        texts: the texts.
        as_text: whether the file takes text, not ids.
        reference: whether they are the texts that the file carries as its reference, and not
            rows of the user's data.

    """
    zeros = _states(np.random.default_rng(0), network, 1, carried=False)
    name = "text" if reference else "row"
    for n, text in enumerate(texts):
        clean = replace_unportable(text)
        ids, given = (tuple(encoder(clean)),), (clean,) if as_text else None
        yield Case(f"{name} {n}", ids, *zeros, given, reference=reference, labelled=not reference)


def spelled_words(encoder: TextEncoder) -> list[tuple[str, int]]:
    """Return the words that the tokeniser takes in one piece, with their ids."""
    plain = encoder.vocabulary.plain
    return [(word, n) for word, n in plain.items() if encoder.tokenizer.tokens(word) == [word]]


class _Words:
    """Draws random texts."""

    def __init__(
        self, network: Network | TracedNetwork, graph: TextEncoder | None, padding: frozenset[int]
    ) -> None:
        self._graph = graph
        rows = network.architecture.vocab_size
        self._ids = np.array([n for n in range(rows) if n not in padding] or range(rows))
        self._spelled = [word for word, _ in spelled_words(graph)] if graph else []
        if graph and not self._spelled:
            raise VocabularyError(
                f"the token pattern {graph.tokenizer.pattern} makes none of the vocabulary's "
                "words, so no text can be compared: give the tokeniser's own --pattern and --case"
            )
        # Where a blank is a token itself, as of a pattern that takes characters, words touch.
        self._between = "" if graph and graph.tokenizer.tokens(" ") else " "

    def batch(
        self, random: np.random.Generator, lengths: NDArray[np.int64]
    ) -> tuple[tuple[tuple[int, ...], ...], tuple[str, ...] | None]:
        """Return ids and, where the graph reads text, the same as text."""
        if self._graph is None:
            return tuple(tuple(random.choice(self._ids, n).tolist()) for n in lengths), None
        texts = tuple(
            self._between.join(self._spelled[k] for k in random.integers(0, len(self._spelled), n))
            for n in lengths
        )
        return tuple(tuple(self._graph(text)) for text in texts), texts


def _states(
    random: np.random.Generator, network: Network | TracedNetwork, batch: int, *, carried: bool
) -> tuple[Array, Array]:
    sizes = network.architecture
    shape = (sizes.n_layers, batch, sizes.hidden_dim)
    if not carried:
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    c0 = random.normal(0, 1, shape).astype(np.float32)
    return np.tanh(c0) * random.random(shape, np.float32), c0
