"""One text, one answer: whatever the processor, the batch, the pieces and the threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from kernel.nodes import (
    PORTABLE,
    Array,
    Node,
    chosen,
    instruction_sets,
    needs_kernel,
    session,
    session_as_chosen,
)
from kernel.shapes import assert_same_bits, check

pytestmark = needs_kernel

SUITE_SHAPES = 60


@pytest.mark.parametrize("seed", range(SUITE_SHAPES))
def test_instruction_sets_batches_and_pieces_give_the_same_bits(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_a_thousand_shapes() -> None:
    for seed in range(SUITE_SHAPES, 1000):
        check(seed)


def test_eight_threads_on_one_session_give_the_same_bits() -> None:
    random = np.random.default_rng(1)
    node = Node(64, 96, "bidirectional", lengths=True)
    made = session(node.model(node.weights(random)), _best())
    feeds = [
        node.feed(random, int(random.integers(1, 60)), int(random.integers(1, 20)))
        for _ in range(100)
    ]
    expected = [made.run(node.outputs, feed) for feed in feeds]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda feed: made.run(node.outputs, feed), feeds))
    for n in range(len(feeds)):
        assert_same_bits(found[n], expected[n], f"run {n}")


def test_sessions_come_and_go_in_eight_threads() -> None:
    random = np.random.default_rng(2)
    node = Node(20, 24)
    model = node.model(node.weights(random))
    feed = node.feed(random, 9, 3)

    def live(_: int) -> list[Array]:
        return list(session_as_chosen(model).run(node.outputs, feed))

    with chosen(_best()), ThreadPoolExecutor(8) as pool:
        expected = live(0)
        made = list(pool.map(live, range(40)))
    for found in made:
        assert_same_bits(found, expected, "a session of its own")


def _best() -> str:
    return (instruction_sets() or [PORTABLE])[0]
