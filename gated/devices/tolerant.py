"""Field types for other vendors' payloads, in which numbers come as strings and words vary.

Tolerant of the type, strict about the meaning: what cannot be read is refused, not guessed.
"""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator
from pydantic_core import PydanticCustomError

_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,9})?")
_FLAGS: dict[object, bool] = {"true": True, "1": True, "false": False, "0": False}
_WORD_LENGTH_MAX = 64


class Foreign(BaseModel):
    """A payload of hardware that is not ours: fields that we do not know are left alone."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


def _number(value: object) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value < 1e20:  # also false for NaN
            return value
    elif isinstance(value, str):
        if _NUMBER.fullmatch(value):
            return float(value) if "." in value else int(value)
    else:
        raise PydanticCustomError("number_type", "expected a number or a string of digits")
    raise PydanticCustomError("bad_value", "expected a number from 0 to 1e20")


def _share(value: object) -> float | None:
    share = _number(None if value == "-" else value)
    if share is not None and share > 1:
        raise PydanticCustomError("bad_value", "expected a confidence from 0 to 1")
    return share


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        flag = _FLAGS.get(str(value).lower())
        if flag is not None:
            return flag
    raise PydanticCustomError("flag_type", 'expected true, false, "1" or "0"')


def _word(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError("word_type", "expected a string or a whole number")
    word = str(value)
    if len(word) > _WORD_LENGTH_MAX or not word.isprintable():
        raise PydanticCustomError("bad_value", "expected at most 64 printable characters")
    return word


# A count or a time: int, float or a string of digits; "" and null say nothing.
Number = Annotated[float | None, PlainValidator(_number)]
# A confidence on the scale 0 to 1, which some engines write as a string; "-" says nothing.
Share = Annotated[float | None, PlainValidator(_share)]
# A contact or a yes: true, "true", "1", 1.
Flag = Annotated[bool, PlainValidator(_flag)]
# An id or a word of a short list.
Word = Annotated[str | None, PlainValidator(_word)]
