"""Single values of tariffs: times of day, days, percentages, lengths of time."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from gated.fields import Text, VehicleType, amount_text
from gated.validation import excerpt

MINUTES_MAX = 525_600
EXIT_DAY_MAX = 366

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
# The day before a holiday: it follows from the calendar, which does not list it.
HOLIDAY_EVE = "holiday_eve"

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_NUMBER = r"[0-9]{1,10}(\.[0-9]{1,8})?"
_KIND = r"[a-z][a-z0-9_-]*"


def _begin(value: str) -> str:
    if not re.fullmatch(_TIME, value):
        raise ValueError(
            f'expected a time of day from "00:00" to "23:59", such as "06:00", got {excerpt(value)}'
        )
    return value


def _end(value: str) -> str:
    if value != "24:00" and not re.fullmatch(_TIME, value):
        raise ValueError(
            f'expected a time of day from "00:00" to "24:00", such as "06:00", got {excerpt(value)}'
        )
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, str) and re.fullmatch(_NUMBER, value):
        return Decimal(value)
    if type(value) is int and 0 <= value < 10**10:
        return Decimal(value)
    # A float of TOML is binary: 0.1 would not be a tenth.
    raise ValueError(
        f'expected a whole number, or an exact one in quotes, such as "7.5", got {excerpt(value)}'
    )


def _percent(value: Decimal) -> Decimal:
    if value > 100:
        raise ValueError(f"expected a percentage from 0 to 100, got {value}")
    return value


def _kind(value: str) -> str:
    if value in (*WEEKDAYS, HOLIDAY_EVE):
        raise ValueError(f"expected holiday or a name of your own: {value} is one of gated's")
    if not re.fullmatch(_KIND, value):
        raise ValueError(
            "expected holiday or a name of a-z, 0-9, _ and - that begins with a letter,"
            f" got {excerpt(value)}"
        )
    return value


def _each_once(values: tuple[str, ...]) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"expected each once, got {excerpt(value)} twice")
    return values


def _true(value: bool) -> bool:
    if not value:
        raise ValueError("expected true, or to be left out")
    return value


def _exit_day(value: object) -> object:
    if value != "any" and (type(value) is not int or not 0 <= value <= EXIT_DAY_MAX):
        raise ValueError(
            f'expected a number of days from 0 to {EXIT_DAY_MAX}, or "any", got {excerpt(value)}'
        )
    return value


def minutes_of(time_of_day: str) -> int:
    """A time of day in minutes after midnight."""
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)


# A day begins at "00:00" and ends at "24:00": what began at "24:00" would be of another day.
TimeBegin = Annotated[
    str, AfterValidator(_begin), WithJsonSchema({"type": "string", "pattern": f"^{_TIME}$"})
]
TimeEnd = Annotated[
    str, AfterValidator(_end), WithJsonSchema({"type": "string", "pattern": f"^({_TIME}|24:00)$"})
]

_number_json_schema = WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{_NUMBER}$"}]}
)
_number_serializer = PlainSerializer(lambda value: amount_text(value, 0), return_type=str)

# Both are dumped as text.
Percent = Annotated[
    Decimal,
    BeforeValidator(_number),
    AfterValidator(_percent),
    _number_serializer,
    _number_json_schema,
]
Factor = Annotated[
    Decimal, BeforeValidator(_number), Field(le=100), _number_serializer, _number_json_schema
]

Kind = Annotated[
    str,
    Field(max_length=60),
    AfterValidator(_kind),
    WithJsonSchema({"type": "string", "pattern": f"^{_KIND}$", "maxLength": 60}),
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_some = Field(min_length=1, json_schema_extra={"uniqueItems": True})
_once = AfterValidator(_each_once)
Days = Annotated[tuple[str, ...], _some, _once]
DaysIfAny = Annotated[tuple[str, ...], _once]
Names = Annotated[tuple[Text, ...], _some, _once]
VehicleTypes = Annotated[tuple[VehicleType, ...], _some, _once]
Marked = Annotated[bool, AfterValidator(_true), WithJsonSchema({"type": "boolean", "const": True})]

ExitDay = Annotated[
    Annotated[int, Field(ge=0, le=EXIT_DAY_MAX)] | Literal["any"], BeforeValidator(_exit_day)
]
Minutes = Annotated[int, Field(ge=1, le=MINUTES_MAX)]
Seconds = Annotated[int, Field(ge=1, le=MINUTES_MAX * 60)]
