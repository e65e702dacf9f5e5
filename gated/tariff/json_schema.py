"""docs/tariff.schema.json: the language of tariffs for editors and other programs.

It says what one key may hold. What holds between keys, and which questions have to be answered, is
said by `gated.tariff.rules` only.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from gated.tariff.file import TariffTables


def tariff_json_schema() -> str:
    """The schema of a tariff file, as the text of docs/tariff.schema.json."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A tariff file of gated",
        **_prose(TariffTables.model_json_schema(schema_generator=_AsWritten)),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


class _AsWritten(GenerateJsonSchema):
    """What a file may hold: TOML has no null, and what is left out stands for nothing."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") in (None, (), ""):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the base's
        return False


def _prose(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Models without their names, and docstrings without their line breaks."""
    return {
        key: _plain(key, value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def _plain(key: str, value: object) -> object:
    match value:
        case Mapping():
            return _prose(value)
        case list():
            return [_plain("", each) for each in value]
        case str() if key == "description":
            return " ".join(value.split())
        case _:
            return value
