"""What is said of a value that is not as its model expects, in words for whoever wrote the file."""

import difflib
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gated.core.errors import ConfigError
from gated.toml import Document, KeyPath

_EXCERPT_LENGTH_MAX = 60


def field_at(model: type[BaseModel], path: KeyPath) -> tuple[object, tuple[str, ...]]:
    """The annotation that stands at a path, and the keys that a table there may have."""
    annotation: object = model
    for step in path:
        annotation = _step(annotation, step)
    names: list[str] = []
    for part in alternatives(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            names += [name for name in fields_of(part) if name not in names]
    return annotation, tuple(names)


def is_secret(annotation: object) -> bool:
    """Whether values of this annotation must never be shown."""
    return SecretStr in alternatives(annotation)


def is_table(annotation: object) -> bool:
    """Whether a table may stand there."""
    return any(
        isinstance(each, type) and issubclass(each, BaseModel) for each in alternatives(annotation)
    )


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The word that is likely to be meant."""
    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Either the beginning of "did you mean …?", or what there is to choose from."""
    if (near := nearest(word, known)) is not None:
        return f"did you mean {near}?"
    return f"expected one of: {', '.join(known)}" if known else "expected none"


def expectation(details: ErrorDetails, *, secret: bool) -> str:
    """What was expected of a value, and what there is unless it is secret."""
    text, context = details["msg"], details.get("ctx", {})
    got = "" if secret else f", got {excerpt(details['input'])}"
    match details["type"]:
        case "union_tag_invalid":
            return f"expected {context['expected_tags']}, got {excerpt(context['tag'])}"
        case "value_error":
            # The models' own words; they quote the value where that helps.
            return text.removeprefix("Value error, ")
        case "model_type":
            # What stands in a table's place may be one of its secrets: it is not quoted.
            return "expected a table"
        case "too_short":
            return f"expected at least {context['min_length']}, got {len(details['input'])}"
        case "string_too_short":
            return "expected some text, got an empty string"
        case kind if expected := _TYPES.get(kind):
            return f"expected {expected}{got}"
        case _:
            return f"expected {_SHOULD.sub('', text)}{got}"


_TYPES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "path_type": "a path as a string",
    "tuple_type": "an array",
    "dict_type": "a table",
    "date_type": "a date such as 2026-12-25",
    "date_parsing": "a date such as 2026-12-25",
}
_SHOULD = re.compile(r"^\w+ should (?:be |have |match )?")


def lack(field: FieldInfo) -> str:
    """What is said of a key that is missing: what it is for, which is its field's docstring."""
    wanted = " ".join((field.description or "a value").split())
    return f"is missing: expected {wanted}"


def written(values: object, details: ErrorDetails) -> KeyPath:
    """The place among the values that an error is about.

    pydantic adds steps that nobody wrote (the tag of a tagged union), so a step that is not there
    is left out.
    """
    path: KeyPath = ()
    for step in details["loc"]:
        if (isinstance(values, Mapping) and step in values) or (
            isinstance(values, list) and isinstance(step, int) and step < len(values)
        ):
            path = (*path, step)
            values = values[step]  # type: ignore[index]
    if details["type"].startswith("union_tag"):
        path = (*path, str(details["ctx"]["discriminator"]).strip("'"))
    return path


def excerpt(value: object) -> str:
    """A value as a message may show it: one line, short, in TOML's own words."""
    match value:
        case Mapping():
            return "a table"
        case list() | tuple():
            return "an array"
        case bool():
            return "true" if value else "false"
        case str():
            shown = (
                value if len(value) <= _EXCERPT_LENGTH_MAX else f"{value[:_EXCERPT_LENGTH_MAX]}…"
            )
            return (
                f'"{shown.encode("unicode_escape").decode()}"'
                if not shown.isprintable()
                else (f'"{shown}"')
            )
        case _:
            return str(value)[:_EXCERPT_LENGTH_MAX]


def misplaced_dates(
    document: Document, model: type[BaseModel]
) -> Iterator[tuple[KeyPath, ConfigError]]:
    """Most are the mistake of having left out the quotes."""
    for path, value in _dates(document.values):
        wanted = alternatives(field_at(model, path)[0])
        if date in wanted:
            if isinstance(value, datetime | time):
                yield (
                    path,
                    document.error(path, "expected a date without a time, such as 2026-12-25"),
                )
        elif isinstance(value, time) and str in wanted:
            yield (
                path,
                document.error(path, 'expected no date or time, but text such as "06:00"'),
            )
        else:
            yield path, document.error(path, "expected no date or time")


def _dates(values: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, date | time]]:
    match values:
        case Mapping():
            for key, value in values.items():
                yield from _dates(value, (*path, str(key)))
        case list():
            for index, value in enumerate(values):
                yield from _dates(value, (*path, index))
        case date() | time():
            yield path, values
        case _:
            pass


def _step(annotation: object, step: str | int) -> object:
    if isinstance(step, int):
        return element_of(annotation)
    for part in alternatives(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel) and step in fields_of(part):
            return fields_of(part)[step].annotation
    return None


def element_of(annotation: object) -> object:
    """The annotation of an array's elements; None of what is no array."""
    for each in alternatives(annotation):
        if get_origin(each) in (tuple, list):
            return get_args(each)[0]
    return None


def alternatives(annotation: object) -> tuple[Any, ...]:
    """The types that an annotation allows, unwrapped from Annotated, unions and None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(part for each in get_args(annotation) for part in alternatives(each))
    return (annotation,)


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the key that a file writes."""
    return {info.alias or name: info for name, info in model.model_fields.items()}
