"""JSON that people hand over: in a file, in an option, in a column of a table."""

import json
import re
from typing import Any

import pydantic_core

from gated.core.errors import ConfigError

# Its backslash is not itself escaped.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def parsed(text: str, *, place: str) -> Any:
    """The value that the text states. Raises ConfigError for what is no JSON, and for what a jsonb
    of PostgreSQL cannot hold: U+0000, half a surrogate pair, numbers beyond all bounds.
    """
    try:
        value = pydantic_core.from_json(text, allow_inf_nan=False)
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ConfigError(f"not valid JSON: {error}", place=place) from None
    if _NUL.search(text):
        raise ConfigError("not valid JSON: it contains U+0000", place=place)
    return value
