"""Tables as models, and what may still be said of one that is sound only in part.

A rule between keys must not complain of what follows from a complaint that was made already. So
what is not sound is not there: whoever asks for it gets `Unsound`, and a rule that gets it has no
more to say (`heard`). What it said until then followed from sound values only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict

from gated.core.errors import ConfigError, GatedError

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")
AnyTable = TypeVar("AnyTable", bound="Table")


class Unsound(GatedError):
    """A value was asked for that was complained about."""


class Table(BaseModel):
    """The base of every model of a table: frozen, strict, unknown keys refused.

    One that is sound in part has the values that are, and the defaults of what was left out. The
    keys of the file, even of unsound values and unknown ones, are in `model_fields_set`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    if not TYPE_CHECKING:  # else no attribute would be misspelt

        def __getattr__(self, name: str) -> object:
            if name in type(self).model_fields:
                raise Unsound(name)
            return super().__getattr__(name)


class _UnsoundValue:
    """Stands in an array or a mapping for what was complained about: looking at it is Unsound."""

    def _unsound(self, *_: object) -> NoReturn:
        raise Unsound("a value among others")

    __bool__ = __eq__ = __format__ = __hash__ = __iter__ = __len__ = _unsound
    __lt__ = __le__ = __gt__ = __ge__ = __str__ = _unsound

    def __repr__(self) -> str:
        return "UNSOUND"


UNSOUND = _UnsoundValue()


def part(
    model: type[AnyTable], sound: Mapping[str, object], given: Set[str], unsound: Iterable[str]
) -> AnyTable:
    """A table of which only some fields are sound; `given` are those that the file states."""
    table = model.model_construct({*given}, **sound)
    for name in unsound:
        table.__dict__.pop(name, None)
    return table


def nothing(model: type[AnyTable]) -> AnyTable:
    """A table of which nothing is known."""
    return part(model, {}, set(), model.model_fields)


def heard(*rules: Iterator[ConfigError]) -> Iterator[ConfigError]:
    """What each rule says before it asks for something unsound."""
    for rule in rules:
        try:
            yield from rule
        except Unsound:
            continue


def surely(
    holds: Callable[Parameters, bool], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> bool:
    """Whether this holds whatever stands in the place of what is unsound.

    Not for what leads to a complaint if it does not hold.
    """
    try:
        return holds(*args, **kwargs)
    except Unsound:
        return False


def known(table: Table, name: str) -> Any:
    """The value of a field; None if it is unsound."""
    return table.__dict__.get(name)


def states(table: Table, name: str) -> bool:
    """Whether the file states an optional field, be it with an unsound value. Raises Unsound if a
    misspelt key may be it."""
    if name in table.model_fields_set:
        return name not in table.__dict__ or table.__dict__[name] is not None
    if name in table.__dict__:
        return False
    raise Unsound(name)


def is_there(table: Table) -> bool:
    """Whether this is a table of the file. What stands for one that is none, or that is likely to
    be meant by a misspelt header, says nothing of its place among others."""
    return bool(table.__dict__) or bool(table.model_fields_set)


def stated(table: Table, *names: str) -> list[str]:
    """Which of these optional fields the file states. Raises Unsound if it states none, and has an
    unknown key that may be meant to be one."""
    found = [name for name in names if states(table, name)]
    if not found and unknown_keys(table):
        raise Unsound(", ".join(names))
    return found


def unknown_keys(table: Table) -> set[str]:
    """The keys of the file that no such table has."""
    return table.model_fields_set - type(table).model_fields.keys()


def sound(values: Iterable[Value]) -> list[Value]:
    """The values of an array that are sound."""
    return [value for value in values if value is not UNSOUND]


def whole(values: Iterable[object]) -> None:
    """Raises Unsound if one of the values is not sound."""
    if any(value is UNSOUND for value in values):
        raise Unsound("a value among others")
