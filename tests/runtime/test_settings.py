"""One declaration gives the option, its help and the check."""

from dataclasses import dataclass
from typing import Any, Literal

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lstm_runtime.settings import Setting, check_settings, setting, setting_options


@dataclass(frozen=True)
class Oven:
    loaves: int = setting(2, "Loaves at once.", at_least=1, at_most=9, because="there are 9 tins")
    salt: float = setting(0.5, "Salt.", above=0, below=1)
    kind: Literal["rye", "wheat"] = setting("rye", "Flour.")
    fan: bool = setting(False, "Moves the air.")
    hours: int | None = setting(None, "Hours.", at_least=1)
    names: tuple[str, ...] = setting(("a", "b"), "Names.")
    pair: tuple[int, int] = setting((1, 2), "Pair.", at_least=0)
    secret: int = 3

    def __post_init__(self) -> None:
        check_settings(self, LookupError)


def called(*arguments: str, **options: Any) -> tuple[int, dict[str, Any], str]:
    seen: dict[str, Any] = {}

    @click.command()
    @setting_options(Oven, **options)
    def main(**settings: Any) -> None:
        seen.update(settings)

    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, seen, result.output


def test_every_setting_is_an_option_with_its_default() -> None:
    code, seen, _ = called()
    assert code == 0
    assert Oven(**seen) == Oven()
    assert "secret" not in seen


def test_options_reach_their_fields() -> None:
    arguments = ("--loaves=3", "--salt=0.1", "--kind=wheat", "--fan", "--names=x", "--names=y")
    code, seen, _ = called(*arguments, "--hours=4")
    assert code == 0
    assert Oven(**seen) == Oven(3, 0.1, "wheat", True, 4, ("x", "y"))


def test_help_is_the_settings_own() -> None:
    text = " ".join(called("--help")[2].split())
    assert "--loaves INTEGER Loaves at once. [default: 2]" in text
    assert "--kind [rye|wheat] Flour. [default: rye]" in text
    assert "--fan / --no-fan Moves the air." in text
    assert "--hours INTEGER Hours. --names" in text
    assert "Names. May be given more than once." in text


def test_defaults_can_be_left_to_somebody_else() -> None:
    code, seen, text = called("--help", only=("names", "salt"), apply_defaults=False)
    assert "[default: a, b]" in text and "[default: 0.5]" in text and "--loaves" not in text
    code, seen, _ = called(only=("names", "salt"), apply_defaults=False)
    assert (code, seen) == (0, {"names": (), "salt": None})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("loaves", 0, "loaves is 0; it must be at least 1 and at most 9: there are 9 tins"),
        ("loaves", 10, "at most 9"),
        ("loaves", 2.0, "loaves is 2.0; it must be a whole number"),
        ("loaves", True, "loaves is True; it must be a whole number"),
        ("loaves", None, "loaves is None; it must be a whole number"),
        ("salt", 0.0, "greater than 0 and less than 1"),
        ("salt", float("nan"), "salt is nan"),
        ("salt", float("inf"), "salt is inf; it must be a finite number"),
        ("salt", 10**400, f"salt is {10**400}; it must be a finite number"),
        ("salt", "0.3", "salt is '0.3'; it must be a number"),
        ("kind", "oats", "kind is 'oats'; it must be rye or wheat"),
        ("fan", 1, "fan is 1; it must be true or false"),
        ("hours", 0, "hours is 0; it must be at least 1"),
        ("names", ["a"], r"names is \['a'\]; it must be a tuple"),
        ("names", ("a", 1), "it must be a text"),
        ("pair", (1, 2, 3), "it must be a tuple of 2"),
        ("pair", (1, -1), r"pair is \(1, -1\); it must be at least 0"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: object, message: str) -> None:
    with pytest.raises(LookupError, match=message):
        Oven(**{name: value})  # type: ignore[arg-type] # wrong on purpose


def test_numbers_of_numpy_are_numbers() -> None:
    assert Oven(loaves=np.int64(3), salt=np.float32(0.5)).loaves == 3
    assert Oven(salt=0.25, hours=7).hours == 7


@given(st.floats(), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_range_holds_what_lies_in_it(value: float, low: float, high: float) -> None:
    assert Setting("", at_least=low, at_most=high).holds(value) == (low <= value <= high)
    assert Setting("", above=low, below=high).holds(value) == (low < value < high)
