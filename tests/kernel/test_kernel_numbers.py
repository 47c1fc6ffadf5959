"""How right the kernel is: against float64, at the edges of its integers, and for no numbers."""

import numpy as np
import pytest
from kernel.nodes import (
    PORTABLE,
    SEVEN_BIT_SETS,
    Array,
    Feed,
    Node,
    instruction_sets,
    needs_kernel,
    session,
)
from kernel.shapes import assert_same_bits

pytestmark = needs_kernel


def exact(weights: Feed, x: Array) -> Array:
    """Return h at each step ``[steps, hidden]``, in float64 on the same dequantised weights."""
    w, r = (weights[n][0] * weights[f"{n}_scale"][0].astype(np.float64) for n in "WR")
    hidden = r.shape[0]
    bias = weights["B"][0].astype(np.float64)
    bias = bias[: 4 * hidden] + bias[4 * hidden :]
    h, c, steps = np.zeros(hidden), np.zeros(hidden), []
    for row in x[:, 0].astype(np.float64):
        i, o, f, g = np.split(row @ w + h @ r + bias, 4)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        steps.append(h)
    return np.array(steps)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def mean_errors(size: float, cases: int, seed: int = 5) -> dict[str, float]:
    """Return how far both operators are from float64 on random shapes, inputs of a magnitude."""
    random = np.random.default_rng(seed)
    errors: dict[str, list[float]] = {"stock": [], "kernel": []}
    for case in range(cases):
        node = Node((5, 64, 100)[case % 3], (16, 40, 128)[case // 3 % 3], outputs=("y",))
        weights = node.weights(random)
        model, feed = node.model(weights), node.feed(random, 40, 1, size)
        truth = exact(weights, feed["X"])
        for name, made in (("stock", session(model, None)), ("kernel", session(model, _best()))):
            (y,) = made.run(["y"], feed)
            errors[name].append(float(np.abs(y[:, 0, 0] - truth).mean()))
    return {name: float(np.mean(found)) for name, found in errors.items()}


@pytest.mark.parametrize("size", [0.3, 1.0, 30.0])
def test_the_kernel_is_nearer_to_float64_than_the_stock_operator(size: float) -> None:
    errors = mean_errors(size, 9)
    assert errors["kernel"] <= 0.8 * errors["stock"], errors


def test_for_tiny_inputs_both_are_as_near() -> None:
    """Then only the h are rounded, which settle at a value each: to eight bits, by both."""
    sizes = (1e-30, 1e-6, 1e-3, 0.03)
    found = [mean_errors(size, 18, seed) for seed, size in enumerate(sizes)]
    kernel, stock = (sum(errors[name] for errors in found) for name in ("kernel", "stock"))
    assert kernel <= 1.05 * stock, found


def test_the_largest_sums_do_not_saturate() -> None:
    """All weights and activations at their limits, where 16-bit sums are at theirs."""
    for bits, limit in ((7, 64), (8, 127)):
        node = Node(64, 64, bits=bits, bias=False, outputs=("y",))
        weight = np.full((1, 64, 256), limit, np.int8)
        weight[:, :, ::2] = -limit
        scale = np.full((1, 256), 1e-4, np.float32)
        weights = {"W": weight, "R": weight[:, :, ::-1].copy(), "W_scale": scale, "R_scale": scale}
        model = node.model(weights)
        x = np.ones((20, 9, 64), np.float32)
        x[:, ::2] = -1
        x[:, 3, ::2] = -1
        expected = session(model, PORTABLE).run(["y"], {"X": x})
        for name in instruction_sets():
            if bits == 7 or name not in SEVEN_BIT_SETS:
                found = session(model, name).run(["y"], {"X": x})
                assert_same_bits(found, expected, f"{name}, {bits} bits")


@pytest.mark.parametrize("where", ["X", "h0", "c0"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_number_gives_no_number_on_every_set(where: str, value: float) -> None:
    node = Node(17, 19, states=True)
    random = np.random.default_rng(3)
    model, feed = node.model(node.weights(random)), node.feed(random, 5, 3)
    clean = {name: array.copy() for name, array in feed.items()}
    feed[where][0, 1, 2] = value
    for name in (PORTABLE, *instruction_sets()):
        made = session(model, name)
        y, h, c = made.run(node.outputs, feed)
        # Infinity in c is a number to tanh: c stays infinite and h is right.
        spoilt = c if where == "c0" else h
        assert not np.isfinite(spoilt[0, 1]).all(), name
        if where != "c0":
            assert np.isnan(h[0, 1]).all(), name
        for found, right in zip((y, h, c), made.run(node.outputs, clean), strict=True):
            others = [0, 2]
            assert_same_bits([found.take(others, -2)], [right.take(others, -2)], name)


def test_huge_and_tiny_inputs_are_numbers() -> None:
    node = Node(8, 8, outputs=("h",))
    random = np.random.default_rng(4)
    model = node.model(node.weights(random))
    for size in (3e38, 1e-38, 1e-45, 0.0):
        feed = {"X": np.full((3, 2, 8), size, np.float32)}
        expected = session(model, PORTABLE).run(["h"], feed)
        assert np.isfinite(expected[0]).all(), size
        for name in instruction_sets():
            assert_same_bits(session(model, name).run(["h"], feed), expected, f"{name}, {size}")


def _best() -> str:
    return (instruction_sets() or [PORTABLE])[0]
