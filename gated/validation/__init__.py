"""A TOML document as a pydantic model, or every complaint about it: file, line, key, expectation.

Reading the file is `gated.toml`'s part; what the keys mean is their models' part. Rules between
keys are held against the part of a document that is sound: see `gated.validation.table`.
"""

from gated.validation.complaints import ConfigErrors, in_order, refuse
from gated.validation.names import Names, unique
from gated.validation.reading import read, validate
from gated.validation.table import (
    Table,
    Unsound,
    heard,
    is_there,
    known,
    sound,
    stated,
    states,
    surely,
    unknown_keys,
    whole,
)
from gated.validation.wording import excerpt, field_at, is_secret, suggestion

__all__ = [
    "ConfigErrors",
    "Names",
    "Table",
    "Unsound",
    "excerpt",
    "field_at",
    "heard",
    "in_order",
    "is_secret",
    "is_there",
    "known",
    "read",
    "refuse",
    "sound",
    "stated",
    "states",
    "suggestion",
    "surely",
    "unique",
    "unknown_keys",
    "validate",
    "whole",
]
