"""Parts of a model that can be validated by themselves: fields, and elements of their arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Annotated, Any, get_origin

from pydantic import ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from gated.validation.table import UNSOUND, Table, nothing
from gated.validation.wording import alternatives, element_of


class _Single(Table):
    """The base of models with one field."""

    model_config = ConfigDict(use_attribute_docstrings=False)


@cache
def piece(table: type[Table], name: str, depth: int = 0) -> "Piece":
    """A field of a table; with a depth, an element of its array."""
    return Piece(table, name, depth)


@dataclass(frozen=True)
class Piece:
    """See `piece`, which makes each once: its model is dear."""

    table: type[Table]
    name: str
    depth: int

    @cached_property
    def info(self) -> FieldInfo:
        return self.table.model_fields[self.name]

    @cached_property
    def annotation(self) -> Any:
        annotation: Any = self.info.annotation
        for _ in range(self.depth):
            annotation = element_of(annotation)
        return annotation

    @cached_property
    def key(self) -> str:
        """The key of `model`."""
        return "element" if self.depth else self.info.alias or self.name

    @cached_property
    def model(self) -> type[Table]:
        """A model of one field that wants what the piece wants."""
        name, info = ("element", Field()) if self.depth else (self.name, self.info)
        fields: dict[str, Any] = {name: (self.annotation, info)}
        return create_model("Single", __base__=_Single, **fields)

    def of(self, single: Table) -> object:
        """The value in an instance of `model`."""
        return getattr(single, "element" if self.depth else self.name)

    @cached_property
    def element(self) -> "Piece | None":
        """The elements, if it may be an array."""
        if element_of(self.annotation) is None:
            return None
        return piece(self.table, self.name, self.depth + 1)

    @cached_property
    def tables(self) -> tuple[type[Table], ...]:
        """The kinds of tables that it may be."""
        return tuple(
            each
            for each in alternatives(self.annotation)
            if isinstance(each, type) and issubclass(each, Table)
        )

    @cached_property
    def tag(self) -> str | None:
        """The key that says of which kind a table is, if there are several."""
        if get_origin(self.annotation) is Annotated:
            for each in self.annotation.__metadata__:
                if isinstance(each, FieldInfo) and isinstance(each.discriminator, str):
                    return each.discriminator
        return None

    @property
    def is_mapping(self) -> bool:
        return get_origin(alternatives(self.annotation)[0]) is Mapping

    @property
    def nothing(self) -> object:
        """What stands for one of which nothing is known."""
        return nothing(self.tables[0]) if self.tables else UNSOUND
