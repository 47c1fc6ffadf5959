"""One declaration of a setting: default, help and range stand on the field of a dataclass.

The check of a value (`check_settings`) and the option of a command (`setting_options`) both come
from it::

    @dataclass(frozen=True)
    class TrainingConfig:
        epochs: int = setting(7, "Passes over the training texts.", at_least=1)

        def __post_init__(self) -> None:
            check_settings(self, ConfigError)

    @click.command()
    @setting_options(TrainingConfig)
    def main(**settings): ...
"""

import dataclasses
import numbers
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from sys import float_info
from types import MappingProxyType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_Value = TypeVar("_Value")
_Function = TypeVar("_Function", bound=Callable[..., Any])
_KEY = "lstm_runtime.setting"
# NumPy's numbers count as numbers.
_ACCEPTED = {int: numbers.Integral, float: numbers.Real, str: str, bool: bool}
_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class Setting:
    """What a field's metadata holds."""

    help: str
    "What the setting does, as a sentence."
    at_least: float | None = None
    "Smallest value."
    above: float | None = None
    "What a value must be greater than."
    at_most: float | None = None
    "Largest value."
    below: float | None = None
    "What a value must be less than."
    because: str = ""
    "Why, where the range does not explain itself."
    group: str = ""
    "Heading of the option in a command's help."
    metavar: str | None = None
    "What the help calls a value; the type when left out."

    def holds(self, value: Any) -> bool:
        """Tell whether a number lies in the range; what is no number (NaN) does not."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    @property
    def range(self) -> str:
        """The range in words; empty where there is none."""
        bounds = {
            "at least": self.at_least,
            "greater than": self.above,
            "at most": self.at_most,
            "less than": self.below,
        }
        told = [f"{words} {bound:,}" for words, bound in bounds.items() if bound is not None]
        return " and ".join(told) + (f": {self.because}" if self.because else "")


def setting(default: _Value, help: str, **more: Any) -> _Value:  # noqa: A002 - click's word
    """Declare a field of a dataclass.

    Args:
        default: its default; a list or a dict is not possible, as in every dataclass.
        help: what it does, as a sentence.
        more: ``at_least``, ``above``, ``at_most``, ``below``, ``because``, ``group`` and
            ``metavar``; see `Setting`.

    """
    return dataclasses.field(default=default, metadata={_KEY: Setting(help, **more)})


def settings_of(config: Any) -> dict[str, Setting]:
    """Return the settings of a dataclass or of one of its instances, by the name of the field."""
    return {
        field.name: field.metadata[_KEY]
        for field in dataclasses.fields(config)
        if _KEY in field.metadata
    }


def check_settings(config: Any, error: type[Exception]) -> None:
    """Check the type and the range of every setting of an instance.

    Args:
        config: an instance of a dataclass.
        error: what to raise; its message names the field, the value and what it must be.

    """
    hints = get_type_hints(type(config))
    for name, declared in settings_of(config).items():
        value = getattr(config, name)
        wanted = _wanted(hints[name], value) or ("" if _in_range(declared, value) else "range")
        if wanted:
            wanted = declared.range if wanted == "range" else wanted
            raise error(f"{name} is {value!r}; it must be {wanted}")


def setting_options(
    config: type,
    only: Sequence[str] | None = None,
    *,
    apply_defaults: bool = True,
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[_Function], _Function]:
    """Make a decorator that gives a click command an option for each setting.

    The option of ``batch_size`` is ``--batch-size`` and the command's argument ``batch_size``. A
    `Literal` becomes a choice, a bool a pair of flags, a tuple an option to be repeated.

    Args:
        config: the dataclass.
        only: names of the settings to take; all when left out.
        apply_defaults: whether an option that is left out gives the default; else it gives None
            (an empty tuple for one that may be repeated), and the help shows the default.
        chosen: names of settings whose default the command chooses, each with what it goes by, for
            the help: an option that is left out gives None.

    """
    import click  # a library that declares settings need not have commands

    from lstm_runtime.command import OTHER
    from lstm_runtime.command import option as grouped_option

    hints, declared = get_type_hints(config), settings_of(config)
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    names = list(declared) if only is None else only

    def decorate(function: _Function) -> _Function:
        for name in reversed(names):
            kind, multiple = _kind(hints[name])
            default, flag = defaults[name], "--" + name.replace("_", "-")
            text = declared[name].help + (" May be given more than once." if multiple else "")
            applied = apply_defaults and name not in chosen
            if name in chosen:
                text += f"  [default: by {chosen[name]}]"
            elif not applied and default is not None:
                shown = default if isinstance(default, tuple) else (default,)
                text += f"  [default: {', '.join(map(str, shown))}]"
            option = grouped_option(
                f"{flag}/--no-{flag[2:]}" if kind is bool else flag,
                name,
                type=click.Choice(get_args(kind)) if get_origin(kind) is Literal else kind,
                multiple=multiple,
                default=default if applied else None,
                show_default=applied and default is not None,
                help=text,
                group=declared[name].group or OTHER,
                metavar=declared[name].metavar,
            )
            function = option(function)
        return function

    return decorate


def _kind(hint: Any) -> tuple[Any, bool]:
    """Return the type of one value, without None, and whether there may be several."""
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    if get_origin(hint) is tuple:
        return get_args(hint)[0], True
    return hint, False


def _wanted(hint: Any, value: Any) -> str:
    """Return what a value should be whose type is wrong; an empty text for a right one."""
    if value is None and type(None) in get_args(hint):
        return ""
    kind, several = _kind(hint)
    if several:
        if not isinstance(value, tuple):
            return "a tuple"
        if Ellipsis not in get_args(hint) and len(value) != len(get_args(hint)):
            return f"a tuple of {len(get_args(hint))}"
        return next((wrong for one in value if (wrong := _wanted(kind, one))), "")
    if get_origin(kind) is Literal:
        return "" if value in get_args(kind) else " or ".join(map(str, get_args(kind)))
    right = isinstance(value, _ACCEPTED[kind]) and isinstance(value, bool) == (kind is bool)
    # A whole number may be larger than any float, too.
    infinite = right and kind is float and abs(value) > float_info.max
    return "a finite number" if infinite else "" if right else _WORDS[kind]


def _in_range(declared: Setting, value: Any) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return all(one is None or isinstance(one, str) or declared.holds(one) for one in values)
