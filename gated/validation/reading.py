"""A document as its model: the whole of it, or the part that is sound and every complaint.

pydantic stops at a table whose kind it cannot tell, and gives out nothing of what is sound beside
an error. So what it refuses is read again in pieces, down to those that are to blame.
"""

import json
from collections.abc import Mapping, Set
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from gated.core.errors import ConfigError
from gated.toml import Document, KeyPath
from gated.validation.complaints import in_order, refuse
from gated.validation.pieces import Piece, piece
from gated.validation.table import UNSOUND, Table, part
from gated.validation.wording import (
    expectation,
    field_at,
    fields_of,
    is_secret,
    is_table,
    lack,
    misplaced_dates,
    nearest,
    suggestion,
    written,
)

Model = TypeVar("Model", bound=Table)


def validate(document: Document, model: type[Model], context: object = None) -> Model:
    """The document as `model`. Raises ConfigError, or ConfigErrors when there are several.

    `context` is handed to the model's validators.
    """
    found, complaints = read(document, model, context)
    refuse(complaints)
    return found


def read(
    document: Document, model: type[Model], context: object = None
) -> tuple[Model, list[ConfigError]]:
    """The document as `model`, and the complaints in the order of the file.

    If there are any, the model is sound only in part: see `gated.validation.table`. None is the
    mere consequence of another: of a misspelt key it is not said that the right one is missing.
    """
    reader = _Reader(document, model, context)
    found = reader.read(model)
    return found, in_order(reader.complaints)


class _Reader:
    """One reading of a document. What is read twice is complained about twice."""

    def __init__(self, document: Document, root: type[Table], context: object) -> None:
        self.complaints: list[ConfigError] = []
        self._document = document
        self._root = root
        self._context = context
        # At and below each path.
        self._dates: dict[KeyPath, list[ConfigError]] = {}
        for path, error in misplaced_dates(document, root):
            for length in range(1, len(path) + 1):
                self._dates.setdefault(path[:length], []).append(error)

    def read(self, model: type[Model]) -> Model:
        values = self._document.values
        found, error = self._judged(model, values)
        if found is not None and not self._dates:
            return found
        found = self._table(model, values, ())
        if error is not None and not self.complaints:
            self._blame(error, values, ())
        return found

    def _judged(
        self, model: type[Model], values: Mapping[str, object]
    ) -> tuple[Model | None, ValidationError | None]:
        # Of pydantic's strict modes only the one for JSON takes an array for a tuple and a string
        # for an enumeration; dates, and nothing else about a TOML document, have to be written
        # otherwise.
        text = json.dumps(values, default=str)
        try:
            return model.model_validate_json(text, context=self._context), None
        except ValidationError as error:
            return None, error

    def _table(
        self,
        model: type[Model],
        values: Mapping[str, object],
        path: KeyPath,
        doubted: Set[str] = frozenset(),
    ) -> Model:
        """The sound part of a table. Of `doubted` keys nothing is said."""
        fields = fields_of(model)
        names = {info.alias or name: name for name, info in model.model_fields.items()}
        free = model.model_config.get("extra") == "allow"
        meant = set[str]() if free else self._meant(model, values, path)
        sound, unsound = dict[str, object](), set[str]()
        for key, name in names.items():
            place = (*path, key)
            value: object = UNSOUND
            if key in doubted:
                pass
            elif key in values:
                value = self._value(piece(model, name), values[key], place)
                if key in meant and isinstance(value, tuple):
                    # Beside `[[bands]]` there is a `[[band]]`, which is likely to be one of them.
                    value = (*value, piece(model, name, 1).nothing)
            elif key not in meant:
                if not fields[key].is_required():
                    continue
                self._complain(place, lack(fields[key]))
            if value is UNSOUND:
                unsound.add(name)
            else:
                sound[name] = value
        if free:
            sound |= {k: self._free(values[k], (*path, k)) for k in values if k not in names}
        return part(model, sound, {names.get(key, key) for key in values}, unsound)

    def _meant(self, model: type[Table], values: Mapping[str, object], path: KeyPath) -> set[str]:
        """Complains of the keys that no table here may have. Those that may be meant by them are
        neither missing nor there."""
        _, known = field_at(self._root, path)
        unknown = [key for key in values if key not in known]
        meant: set[str] = set()
        for key in unknown:
            self._complain((*path, key), f"unknown key: {suggestion(key, known)}")
            if (near := nearest(key, known)) is not None:
                meant.add(near)
            elif isinstance(values[key], Mapping):
                # A table under a name that says nothing may be any that can be left out.
                meant |= {
                    key
                    for key, info in fields_of(model).items()
                    if not info.is_required() and is_table(info.annotation)
                }
        return meant

    def _free(self, value: object, path: KeyPath) -> object:
        """A value of which only dates are to be judged."""
        self.complaints += self._dates.get(path, ())
        return UNSOUND if path in self._dates else value

    def _value(self, field: Piece, value: object, path: KeyPath) -> object:
        """What is sound of a value; UNSOUND if nothing is."""
        if path in self._dates and not isinstance(value, Mapping | list):
            return self._free(value, path)
        found, error = self._judged(field.model, {field.key: value})
        if found is not None and path not in self._dates:
            return field.of(found)
        count = len(self.complaints)
        sound = self._parts(field, value, path)
        if error is not None and len(self.complaints) == count:
            # None of its parts is to blame, so the value itself is.
            self._blame(error, {field.key: value}, path, skip=1)
            if isinstance(sound, tuple) and field.element is not None:
                sound = (*sound, field.element.nothing)
        return sound

    def _parts(self, field: Piece, value: object, path: KeyPath) -> object:
        match value:
            case Mapping() if field.tag is not None:
                return self._tagged(field, field.tag, value, path)
            case Mapping() if field.tables:
                return self._table(field.tables[0], value, path)
            case Mapping() if field.is_mapping:
                return self._entries(field, value, path)
            case list() if value and field.element is not None:
                return self._elements(field, field.element, value, path)
            case _:
                return UNSOUND

    def _tagged(self, field: Piece, tag: str, values: Mapping[str, object], path: KeyPath) -> Table:
        """The sound part of a table of the kind that its tag says.

        Where the tag is in doubt the keys decide: the first kind of whose own keys there is one
        counts, or else the first of all.
        """
        common = set.intersection(*({*fields_of(each)} for each in field.tables))
        own = {each: {*fields_of(each)} - common for each in field.tables}
        there = {each: own[each] & values.keys() for each in field.tables}
        likely = next((each for each in field.tables if there[each]), field.tables[0])
        kind = next((each for each in field.tables if _says(each, tag, values.get(tag))), None)
        if kind is not None:
            foreign = set[str]().union(*there.values()) - own[kind]
            for key in [key for key in values if key in foreign]:
                self._complain((*path, key), f"does not go with {values[tag]}")
            found = self._table(kind, values, path)
            if there[kind] or not foreign:
                return found
            # It says one thing, and all its keys another.
        elif self._free(values.get(tag), (*path, tag)) is not UNSOUND and tag in values:
            _, error = self._judged(field.model, {field.key: values})
            assert error is not None, "no kind has this tag"
            self._blame(error, {field.key: values}, path, skip=1)
        doubted = own[likely] - there[likely] | ({tag} & values.keys())
        return self._table(likely, values, path, doubted)

    def _elements(
        self, field: Piece, element: Piece, values: list[Any], path: KeyPath
    ) -> tuple[object, ...]:
        """The elements, with a stand-in for each of which nothing is sound."""
        found = [self._value(element, each, (*path, i)) for i, each in enumerate(values)]
        rest = [each for i, each in enumerate(values) if found[i] is not UNSOUND]
        if len(rest) < len(values) and not element.tables:
            # What holds between elements was not asked, as one of them is wrong.
            _, error = self._judged(field.model, {field.key: rest})
            if error is not None and error.errors()[0]["type"] == "value_error":
                self._blame(error, {field.key: values}, path, skip=1)
        return tuple(element.nothing if each is UNSOUND else each for each in found)

    def _entries(self, field: Piece, values: Mapping[str, object], path: KeyPath) -> object:
        """A mapping with UNSOUND for values that are not sound; UNSOUND if a key is not."""
        sound: dict[str, object] = {}
        keys_are_sound = True
        for key, value in values.items():
            place = (*path, key)
            _, error = self._judged(field.model, {field.key: {key: value}})
            sound[key] = self._free(value, place)
            if sound[key] is UNSOUND or error is None:
                continue
            sound[key] = UNSOUND
            self._blame(error, {field.key: values}, path, skip=1)
            keys_are_sound &= all(each["loc"][-1] != "[key]" for each in error.errors())
        return sound if keys_are_sound else UNSOUND

    def _blame(
        self, error: ValidationError, values: object, path: KeyPath, *, skip: int = 0
    ) -> None:
        """Complains of what pydantic found in values whose steps after `skip` follow the path."""
        for details in error.errors(include_url=False):
            place = (*path, *written(values, details)[skip:])
            annotation, _ = field_at(self._root, place)
            self._complain(place, expectation(details, secret=is_secret(annotation)))

    def _complain(self, path: KeyPath, message: str) -> None:
        self.complaints.append(self._document.error(path, message))


def _says(table: type[Table], tag: str, value: object) -> bool:
    return value in get_args(fields_of(table)[tag].annotation)
