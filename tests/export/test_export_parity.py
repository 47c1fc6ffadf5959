"""What counts as equal: the bounds, one by one, on differences made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from lstm_export.errors import ParityError
from lstm_export.outcome import ExportResult, require_parity
from lstm_export.parity.result import CaseParity, Parity
from lstm_export.parity.tolerance import TOLERANCES


def parity(differences: list[float], *, reference: bool = False, start: float = 0.7) -> Parity:
    wanted = np.full((len(differences), 1), start)
    cases = [
        CaseParity(f"case {n}", {"probability": d, "trajectory": d, "hn": d, "cn": d}, reference)
        for n, d in enumerate(differences)
    ]
    return Parity(tuple(cases), wanted, wanted + np.array(differences)[:, np.newaxis])


@pytest.mark.parametrize(
    ("precision", "differences", "words"),
    [
        ("fp32", [1e-6] * 100, None),
        ("fp32", [0.0] * 99 + [2e-5], "needed are 100%"),
        ("fp32", [float("nan")] + [0.0] * 99, "nan"),
        ("int8", [0.0] * 95 + [0.06] * 5, None),
        ("int8", [0.0] * 94 + [0.06] * 6, "94.00% of the probabilities differ by 0.05 at most"),
        ("int8", [0.006] * 100, "mean probability differs by 0.006"),
        ("int8", [0.0] * 99 + [-0.3], "99.00% of the labels agree"),
        ("int8", [0.0] * 95 + [float("nan")] * 5, "mean probability differs by nan"),
        ("fp16", [0.004] * 96 + [0.006] * 4, None),
        ("fp16", [0.0] * 94 + [0.006] * 6, "needed are 95%"),
    ],
)
def test_bounds_over_all_texts(precision, differences, words) -> None:
    failures = parity(differences).failures(TOLERANCES[precision])
    assert bool(failures) == (words is not None), failures
    assert words is None or words in "; ".join(failures)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_every_reference_text_is_bound(precision) -> None:
    differences = [0.0] * 99 + [0.06]
    failures = parity(differences, reference=True).failures(TOLERANCES[precision])
    assert any("probability (case case 99) differs by 0.06" in failure for failure in failures)


@pytest.mark.parametrize("output", ["trajectory", "hn", "cn"])
def test_fp32_binds_what_is_on_the_way(output: str) -> None:
    found = parity([0.0])
    found.cases[0].max_abs[output] = 1e-3
    assert any(output in failure for failure in found.failures(TOLERANCES["fp32"]))
    assert not found.failures(TOLERANCES["int8"])


def test_labels_near_the_threshold_do_not_count() -> None:
    assert parity([-0.02], start=0.515).agreement == 1.0
    assert parity([-0.03], start=0.525).agreement == 0.0


def test_labels_are_judged_on_texts_where_there_are_any() -> None:
    found = parity([0.1] * 3 + [0.0] * 7, start=0.45)
    assert found.agreement == 0.7
    assert replace(found, texts=7).agreement == 1.0
    assert replace(found, texts=8).agreement == 7 / 8


def test_bounds_of_the_mean_and_of_the_way_move_along() -> None:
    wider = TOLERANCES["int8"].scaled_to(0.1)
    assert (wider.max_abs, wider.mean, wider.fraction_within) == (0.1, 0.01, 0.95)
    assert not parity([0.008] * 100).failures(wider)
    assert (wider.trajectory, wider.states) == (None, None)
    exact = TOLERANCES["fp32"].scaled_to(1e-4)
    assert (exact.trajectory, exact.states) == (pytest.approx(1e-3), pytest.approx(5e-3))


def test_what_differs_on_the_way_alone_may_be_allowed() -> None:
    failures = ("trajectory differs by 0.0002, allowed is 0.0001",)
    on_the_way = ExportResult("fp32", parity([0.0]), failures)
    with pytest.raises(ParityError, match=r"answers are equal.*--atol fp32=NUMBER"):
        require_parity([on_the_way])
    told = replace(on_the_way, failures=(*failures, "mean probability differs by 1"))
    with pytest.raises(ParityError) as caught:
        require_parity([told])
    assert "--atol" not in str(caught.value)
