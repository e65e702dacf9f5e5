"""A TOML document as a pydantic model, or every complaint about it: file, line, key, expectation.

Reading the file is `gated.toml`'s part; what the keys mean is their models' part.
"""

import difflib
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from gated.core.errors import ConfigError
from gated.toml import Document, KeyPath

Model = TypeVar("Model", bound=BaseModel)

_EXCERPT_LENGTH_MAX = 60


class Table(BaseModel):
    """The base of every model of a table: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class ConfigErrors(ConfigError):
    """Several complaints at once: one line each, in the order of the file."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
        self.place = errors[0].place
        self.key = errors[0].key


def refuse(errors: Sequence[ConfigError]) -> None:
    """Raise what there is to raise: nothing, the one error, or all of them as ConfigErrors."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)


def in_order(errors: Iterable[ConfigError]) -> list[ConfigError]:
    """Complaints in the order of the file."""

    def line(error: ConfigError) -> int:
        number = error.place.rpartition(":")[2]
        return int(number) if number.isdecimal() else 0

    return sorted(errors, key=line)


def validate(document: Document, model: type[Model], context: object = None) -> Model:
    """The document as `model`. Raises ConfigError, or ConfigErrors when there are several.

    `context` is handed to the model's validators.
    """
    refuse(list(_misplaced_dates(document, model)))
    # Of pydantic's strict modes only the one for JSON takes an array for a tuple and a string for
    # an enumeration; dates, and nothing else about a TOML document, have to be written otherwise.
    text = json.dumps(document.values, default=str)
    try:
        return model.model_validate_json(text, context=context)
    except ValidationError as error:
        complaints = [
            _complaint(document, model, details)
            for details in error.errors(include_url=False)
            if not _follows_from_another(details)
        ]
    refuse(in_order(complaints))
    raise AssertionError("a validation error without a complaint")


def field_at(model: type[BaseModel], path: KeyPath) -> tuple[object, tuple[str, ...]]:
    """The annotation that stands at a path, and the keys that a table there may have."""
    annotation: object = model
    for step in path:
        annotation = _step(annotation, step)
    names: list[str] = []
    for part in _alternatives(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            names += [name for name in _fields(part) if name not in names]
    return annotation, tuple(names)


def is_secret(annotation: object) -> bool:
    """Whether values of this annotation must never be shown."""
    return SecretStr in _alternatives(annotation)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Either the beginning of "did you mean …?", or what there is to choose from."""
    if near := difflib.get_close_matches(word, known, n=1):
        return f"did you mean {near[0]}?"
    return f"expected one of: {', '.join(known)}" if known else "expected none"


def _follows_from_another(details: ErrorDetails) -> bool:
    """pydantic counts only the sound elements of an array: that some are not is said already."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def _complaint(document: Document, model: type[BaseModel], details: ErrorDetails) -> ConfigError:
    path = _written(document.values, details)
    annotation, _ = field_at(model, path)
    message = _message(model, path, details, secret=is_secret(annotation))
    return document.error(path, message)


def _written(values: object, details: ErrorDetails) -> KeyPath:
    """The place in the document that an error is about.

    pydantic adds steps that nobody wrote (the tag of a tagged union), so a step that is not
    there is left out, unless it is the missing key itself.
    """
    path: KeyPath = ()
    location = details["loc"]
    for index, step in enumerate(location):
        if (isinstance(values, Mapping) and step in values) or (
            isinstance(values, list) and isinstance(step, int) and step < len(values)
        ):
            path = (*path, step)
            values = values[step]  # type: ignore[index]
        elif index == len(location) - 1 and details["type"] == "missing":
            path = (*path, step)
    if details["type"].startswith("union_tag"):
        path = (*path, str(details["ctx"]["discriminator"]).strip("'"))
    return path


def _message(model: type[BaseModel], path: KeyPath, details: ErrorDetails, *, secret: bool) -> str:
    text, context = details["msg"], details.get("ctx", {})
    got = "" if secret else f", got {excerpt(details['input'])}"
    match details["type"]:
        case "missing" | "union_tag_not_found":
            return f"is missing: {_wanted(model, path)}"
        case "extra_forbidden":
            _, known = field_at(model, path[:-1])
            if path[-1] in known:  # … of another member of the tagged union
                return f"does not go with {details['loc'][-2]}"
            return f"unknown key: {suggestion(str(path[-1]), known)}"
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


def _wanted(model: type[BaseModel], path: KeyPath) -> str:
    """What a missing key is for: the docstring of its field."""
    parent, _ = field_at(model, path[:-1])
    for part in _alternatives(parent):
        if isinstance(part, type) and issubclass(part, BaseModel):
            field = _fields(part).get(str(path[-1]))
            if field is not None and field.description:
                return f"expected {' '.join(field.description.split())}"
    return "expected a value"


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


def _misplaced_dates(document: Document, model: type[BaseModel]) -> Iterator[ConfigError]:
    """Most are the mistake of having left out the quotes."""
    for path, value in _dates(document.values):
        wanted = _alternatives(field_at(model, path)[0])
        if date in wanted:
            if isinstance(value, datetime | time):
                yield document.error(path, "expected a date without a time, such as 2026-12-25")
        elif isinstance(value, time) and str in wanted:
            yield document.error(path, 'expected no date or time, but text such as "06:00"')
        else:
            yield document.error(path, "expected no date or time")


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
    for part in _alternatives(annotation):
        if isinstance(step, str) and isinstance(part, type) and issubclass(part, BaseModel):
            field = _fields(part).get(step)
            if field is not None:
                return field.annotation
        elif isinstance(step, int) and get_origin(part) in (tuple, list):
            return get_args(part)[0]
    return None


def _alternatives(annotation: object) -> tuple[object, ...]:
    """The types that an annotation allows, unwrapped from Annotated, unions and None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(part for each in get_args(annotation) for part in _alternatives(each))
    return (annotation,)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """The fields by the key that a file writes."""
    return {info.alias or name: info for name, info in model.model_fields.items()}
