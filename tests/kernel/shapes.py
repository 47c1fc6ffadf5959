"""Random nodes and runs, and what has to hold for each: `check` is what the tests and the
thousand cases of ``python -m kernel.shapes 1000`` share.
"""

import sys
from dataclasses import replace

import numpy as np
from kernel.nodes import PORTABLE, SEVEN_BIT_SETS, Array, Feed, Node, instruction_sets, session

INPUTS = (1, 2, 3, 4, 5, 7, 16, 17, 33, 64, 100, 112, 128, 300)
HIDDEN = (1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 48, 64, 100, 128, 160)
DIRECTIONS = ("forward", "reverse", "bidirectional")
OUTPUTS = (("y", "h", "c"), ("y",), ("h",), ("y", "h"), ("c",))


def random_node(random: np.random.Generator) -> Node:
    bias, per_column, lengths, states = (bool(flag) for flag in random.integers(0, 2, 4))
    return Node(
        int(random.choice(INPUTS)),
        int(random.choice(HIDDEN)),
        DIRECTIONS[random.integers(3)],
        int(random.choice([7, 8])),
        bias,
        per_column,
        lengths,
        states,
        OUTPUTS[random.integers(len(OUTPUTS))],
    )


def check(seed: int) -> None:
    """Check one random node, on one random batch."""
    random = np.random.default_rng(seed)
    node = random_node(random)
    weights = node.weights(random)
    model = node.model(weights)
    steps = int(random.choice([1, 2, 3, 7, 40, 130]))
    batch = int(random.choice([1, 2, 3, 5, 6, 7, 8, 13, 33, 100]))
    feed = node.feed(random, steps, batch, float(random.choice([1e-3, 1, 30])))
    names = [name for name in instruction_sets() if node.bits == 7 or name not in SEVEN_BIT_SETS]
    sessions = {name: session(model, name) for name in (PORTABLE, *names)}
    found = {name: made.run(node.outputs, feed) for name, made in sessions.items()}
    for name in names:
        assert_same_bits(found[name], found[PORTABLE], f"{name}, seed {seed}")
    best = names[0] if names else PORTABLE
    row = int(random.integers(batch))
    alone = row_alone(node, feed, row)
    length = alone["X"].shape[0]
    answers = sessions[best].run(node.outputs, alone)
    for name, whole, single in zip(node.outputs, found[best], answers, strict=True):
        of_row = whole[:length, :, row : row + 1] if name == "y" else whole[:, row : row + 1]
        assert_same_bits([of_row], [single], f"alone, seed {seed}")
        if name == "y":
            assert not whole[length:, :, row].any(), f"behind the end, seed {seed}"
    if node.direction == "forward" and node.states and length > 1:
        check_pieces(node, weights, best, alone, int(random.integers(1, length)))


def check_pieces(node: Node, weights: Feed, name: str, feed: Feed, cut: int) -> None:
    """Check that a row cut in two, the second piece from the first one's states, is the same."""
    states = replace(node, lengths=False, outputs=("h", "c"))
    made = session(states.model(weights), name)
    plain = {key: value for key, value in feed.items() if key != "lengths"}
    h, c = made.run(states.outputs, {**plain, "X": plain["X"][:cut]})
    pieces = made.run(states.outputs, {"X": plain["X"][cut:], "h0": h, "c0": c})
    assert_same_bits(pieces, made.run(states.outputs, plain), f"pieces, cut at {cut}")


def row_alone(node: Node, feed: Feed, row: int) -> Feed:
    """Return one row of a batch without what pads it."""
    length = int(feed["lengths"][row]) if node.lengths else feed["X"].shape[0]
    alone = {"X": np.ascontiguousarray(feed["X"][:length, row : row + 1])}
    if node.lengths:
        alone["lengths"] = feed["lengths"][row : row + 1]
    if node.states:
        alone |= {name: np.ascontiguousarray(feed[name][:, row : row + 1]) for name in ("h0", "c0")}
    return alone


def assert_same_bits(left: list[Array], right: list[Array], where: str) -> None:
    for a, b in zip(left, right, strict=True):
        assert a.shape == b.shape, where
        assert np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes(), where


if __name__ == "__main__":
    count = int(sys.argv[1])
    for seed in range(count):
        check(seed)
    print(f"{count} shapes: the same bits on {', '.join([PORTABLE, *instruction_sets()])}")  # noqa: T201 - a command
