"""A standard's JSON document while it is read: values with their places, and every complaint.

Only JSON's own types are judged here; what fields mean is each standard's business. A value that
is not as expected becomes a complaint and a stand-in, so that one reading finds all faults.
"""

import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from gated.core.errors import ConfigError
from gated.core.money import EXPONENTS
from gated.standards.imported import Remark
from gated.standards.windows import minutes_of_clock
from gated.validation import excerpt, refuse

AMOUNT_DECIMALS_MAX = 8
AMOUNT_DIGITS_MAX = 10
_WHOLE_MAX = 10**12
_TEXT_LENGTH_MAX = 200


@dataclass(slots=True)
class Source:
    """What comes up while a document is read."""

    complaints: list[ConfigError] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def complain(self, pointer: str, message: str) -> None:
        """Once each: some objects are read for more than one purpose."""
        complaint = ConfigError(message, key=pointer or "/")
        if str(complaint) not in map(str, self.complaints):
            self.complaints.append(complaint)

    def refuse(self) -> None:
        """Raise ConfigError, or ConfigErrors for several, if there were complaints."""
        refuse(self.complaints)

    def lost(self, pointer: str, what: str) -> None:
        self.remarks.append(Remark(pointer, what, "lost"))

    def assumed(self, pointer: str, what: str) -> None:
        self.remarks.append(Remark(pointer, what, "assumed"))


class Part:
    """An object within the document. Getters take the names that a field goes by: the first that
    is there counts, and a null is as good as none. `needed` says what is expected of a field that
    must not be missing."""

    def __init__(self, source: Source, value: Mapping[str, object], pointer: str) -> None:
        self.source = source
        self.pointer = pointer
        self._value = value
        self._read: set[str] = set()

    def at(self, *names: str) -> str:
        """The pointer of a field: of the name that is there, else of the first."""
        there = next((name for name in names if name in self._value), names[0])
        return f"{self.pointer}/{_escaped(there)}"

    def has(self, *names: str) -> bool:
        return any(self._value.get(name) is not None for name in names)

    def raw(self, *names: str, needed: str = "") -> object:
        """The value as it is; None if there is none."""
        self._read.update(names)
        for name in names:
            if (value := self._value.get(name)) is not None:
                return value
        if needed:
            self.source.complain(self.at(*names), f"is missing: expected {needed}")
        return None

    def text(self, *names: str, needed: str = "") -> str | None:
        value = self.raw(*names, needed=needed)
        if value is None or isinstance(value, str):
            return value
        self._unexpected(names, "a string", value)
        return None

    def word(self, *names: str, of: Sequence[str], needed: str = "") -> str | None:
        """One of the words that the standard lists."""
        value = self.text(*names, needed=needed)
        if value is None or value in of:
            return value
        self._unexpected(names, f"one of {', '.join(of)}", value)
        return None

    def flag(self, *names: str) -> bool | None:
        value = self.raw(*names)
        if value is None or isinstance(value, bool):
            return value
        self._unexpected(names, "true or false", value)
        return None

    def whole(self, *names: str, needed: str = "", least: int = 0) -> int | None:
        value = self.raw(*names, needed=needed)
        if value is None:
            return None
        number = _number(value)
        if number is None or number != int(number) or not least <= number < _WHOLE_MAX:
            self._unexpected(names, f"a whole number from {least} on", value)
            return None
        return int(number)

    def amount(self, *names: str, needed: str = "") -> Decimal | None:
        """A number of 0 or more; one with more decimals than an amount may have is rounded."""
        value = self.raw(*names, needed=needed)
        if value is None:
            return None
        number = _number(value)
        if number is None or not 0 <= number < 10**AMOUNT_DIGITS_MAX:
            expected = f"a number from 0 to less than {10**AMOUNT_DIGITS_MAX}"
            self._unexpected(names, expected, value)
            return None
        rounded = round(number, AMOUNT_DECIMALS_MAX)
        if rounded != number:
            self.source.assumed(
                self.at(*names), f"{number} is rounded to {AMOUNT_DECIMALS_MAX} decimals"
            )
        return rounded

    def time_zone(self, name: str) -> str | None:
        """The name of a clock of the IANA database."""
        zone = self.text(name)
        if zone is None or zone in zoneinfo.available_timezones():
            return zone
        self._unexpected((name,), "an IANA time zone such as Europe/Berlin", zone)
        return None

    def clock(self, *names: str, needed: str = "") -> int | None:
        """A time of day in minutes after midnight, up to that of 24:00."""
        text = self.text(*names, needed=needed)
        minutes = None if text is None else minutes_of_clock(text)
        if text is not None and minutes is None:
            self._unexpected(names, 'a time of day such as "08:00"', text)
        return minutes

    def part(self, *names: str) -> "Part | None":
        value = self.raw(*names)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return Part(self.source, value, self.at(*names))
        self._unexpected(names, "an object", value)
        return None

    def parts(self, *names: str, needed: str = "") -> list["Part"]:
        """The objects of an array. One object without the array around it is taken too: documents
        that were made from XML write it so."""
        value = self.raw(*names, needed=needed)
        if value is None:
            return []
        if needed and value == []:
            self.source.complain(self.at(*names), f"expected {needed}, got an empty array")
        return list(parts_of(self.source, value, self.at(*names)))

    def texts(self, *names: str) -> list[str]:
        value = self.raw(*names)
        if value is None:
            return []
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            self._unexpected(names, "an array of strings", value)
            return []
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.source.complain(
                    f"{self.at(*names)}/{index}", f"expected a string, got {excerpt(item)}"
                )
        return [item for item in value if isinstance(item, str)]

    def words(self, *names: str) -> str:
        """Text for people as one line. Of several languages the first: [{language, string}],
        {"en": …}, or a plain string. Empty if there is none."""
        value = self.raw(*names)
        if isinstance(value, list):
            value = value[0] if value else None
        text = _spoken(value)
        if text is None and value is not None:
            self._unexpected(names, "text, by language", value)
        return one_line(text or "")

    def names(self, *names: str) -> list[str]:
        """Several texts for people, each plain or by language."""
        value = self.raw(*names)
        if value is None:
            return []
        found: list[str] = []
        for each in value if isinstance(value, list) else [value]:
            inner = each[0] if isinstance(each, list) and each else each
            text = one_line(_spoken(inner) or "")
            if text and text not in found:
                found.append(text)
            elif not text:
                self._unexpected(names, "an array of names", value)
        return found

    def ignore(self, *names: str) -> None:
        """Fields that say nothing about a price."""
        self._read.update(names)

    def rest_is_lost(self) -> None:
        """Remark every field that nothing has asked for. An empty one said nothing."""
        for name, value in self._value.items():
            if name not in self._read and value not in (None, "", [], {}):
                self.source.lost(
                    f"{self.pointer}/{_escaped(name)}", f"{name} has no place in a tariff"
                )

    def _unexpected(self, names: tuple[str, ...], expected: str, value: object) -> None:
        self.source.complain(self.at(*names), f"expected {expected}, got {excerpt(value)}")


def parts_of(source: Source, value: object, pointer: str) -> Iterator[Part]:
    """The objects of an array, or the one object that stands in its place."""
    if isinstance(value, Mapping):
        yield Part(source, value, pointer)
        return
    if not isinstance(value, list):
        source.complain(pointer, f"expected an array of objects, got {_excerpt(value)}")
        return
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            yield Part(source, item, f"{pointer}/{index}")
        else:
            source.complain(f"{pointer}/{index}", f"expected an object, got {_excerpt(item)}")


def currency_of(source: Source, value: str | None, pointer: str) -> str:
    """The currency, if gated knows how many decimals it has. None was complained about before."""
    if value is not None and value not in EXPONENTS:
        source.complain(pointer, f"expected an ISO 4217 currency code, got {excerpt(value)}")
    return value or ""


def one_line(text: str) -> str:
    """Text of the source as a name: one line, without what cannot be printed."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_TEXT_LENGTH_MAX].rstrip()


def _spoken(value: object) -> str | None:
    """A text that may be {language, string} or {"en": …}."""
    if isinstance(value, Mapping):
        value = value.get("string", next(iter(value.values()), None))
    return value if isinstance(value, str) else None


def _number(value: object) -> Decimal | None:
    """A JSON number as it was written: of a float, the shortest decimal that reads as it."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _excerpt(value: object) -> str:
    return "null" if value is None else excerpt(value)


def _escaped(name: str) -> str:
    """A step of a pointer, on one line whatever the name holds."""
    escaped = name.replace("~", "~0").replace("/", "~1")
    return escaped if escaped.isprintable() else escaped.encode("unicode_escape").decode()
