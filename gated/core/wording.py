"""What a lane's display says: one short text for each reason to grant or deny, and each notice.

English and German are built in; a facility may bring its own texts, and languages of its own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from gated.core.money import Money
from gated.core.reasons import DenyReason, DisplayNotice, GrantReason

# What the small displays of barriers and columns have.
LINES_MAX = 2
LINE_LENGTH_MAX = 20

ENGLISH = "en"
# The names of the days on a display, Monday first; no reason, but a word that differs.
WEEKDAYS = "weekdays"
WEEKDAY_LENGTH_MAX = 3

WORDS: tuple[str, ...] = (*GrantReason, *DenyReason, *DisplayNotice, WEEKDAYS)

# What a text may leave to be filled in, by word, and how long that may get.
PLACEHOLDERS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        DenyReason.PAYMENT_DUE: {"amount": 14},
        DisplayNotice.PAYMENT_REST: {"amount": 14},
        DenyReason.OUTSIDE_OPENING_HOURS: {"opens": 10},
        DisplayNotice.USE_LANE_BESIDE: {"lane": 5},
    }
)

_WELCOME = (
    GrantReason.TRANSIENT,
    GrantReason.REGISTERED,
    GrantReason.RESERVATION,
    GrantReason.SUBSCRIPTION,
    GrantReason.STAFF,
)
_GOODBYE = (GrantReason.STAY_OPEN, GrantReason.EXIT_REPEATED)

_ENGLISH: Mapping[str, str] = {
    **dict.fromkeys(_WELCOME, "Welcome"),
    GrantReason.TICKET: "Welcome\nKeep your ticket",
    **dict.fromkeys(_GOODBYE, "Have a good trip"),
    DenyReason.FULL_FACILITY: "Sorry, car park full",
    DenyReason.FULL_ZONE: "This area is full\nUse another entrance",
    DenyReason.FULL_CLASS: "No suitable space\nfree at the moment",
    DenyReason.VEHICLE_TOO_LARGE: "Vehicle too large\nfor our spaces",
    DenyReason.NOT_PERMITTED: "Permit holders only",
    DenyReason.RIGHT_EXPIRED: "Your permit or\nbooking has expired",
    DenyReason.RIGHT_USED_UP: "Your permit or\nbooking is used up",
    DenyReason.RIGHT_NOT_DUE: "Too early for your\npermit or booking",
    DenyReason.BLOCKED: "Access refused\nPlease contact staff",
    DenyReason.VIOLATION_UNPAID: "Unpaid penalty\nPlease pay it first",
    DenyReason.ALREADY_INSIDE: "This vehicle is\nalready inside",
    DenyReason.CLOSED: "Closed",
    DenyReason.OUT_OF_SERVICE: "Out of service",
    DenyReason.OUTSIDE_OPENING_HOURS: "Closed now\nOpens {opens}",
    DenyReason.EVACUATION: "Evacuation\nDo not enter",
    DenyReason.NO_ENTRY_FOUND: "No entry found\nPlease contact staff",
    DenyReason.PAYMENT_DUE: "Please pay\n{amount}",
    DenyReason.READ_TOO_OLD: "Please drive up\nonce more",
    DenyReason.READ_UNDATED: "Plate not usable\nPlease contact staff",
    DenyReason.READ_UNCERTAIN: "Plate not clear\nDrive up once more",
    DenyReason.READ_UNRATED: "Plate not usable\nPlease contact staff",
    DenyReason.PLATE_UNREAD: "Plate not readable\nPlease contact staff",
    DenyReason.NO_PRESENCE: "Please drive up\nto the barrier",
    DenyReason.DEGRADED_MODE: "Limited operation\nPlease contact staff",
    DisplayNotice.PAYMENT_REST: "Still to pay\n{amount}",
    DisplayNotice.USE_LANE_BESIDE: "Out of service\nPlease use {lane}",
    DisplayNotice.PRESS_BUTTON: "Plate not readable\nPress for a ticket",
    DisplayNotice.DRIVE_ON: "Please drive on",
    DisplayNotice.LEAVE_NOW: "Evacuation\nPlease leave now",
    WEEKDAYS: "Mon Tue Wed Thu Fri Sat Sun",
}
_GERMAN: Mapping[str, str] = {
    **dict.fromkeys(_WELCOME, "Willkommen"),
    GrantReason.TICKET: "Willkommen\nTicket aufbewahren",
    **dict.fromkeys(_GOODBYE, "Gute Fahrt"),
    DenyReason.FULL_FACILITY: "Leider alles belegt",
    DenyReason.FULL_ZONE: "Bereich belegt\nBitte andere Zufahrt",
    DenyReason.FULL_CLASS: "Zurzeit kein\npassender Platz frei",
    DenyReason.VEHICLE_TOO_LARGE: "Fahrzeug zu groß\nfür unsere Plätze",
    DenyReason.NOT_PERMITTED: "Einfahrt nur\nmit Berechtigung",
    DenyReason.RIGHT_EXPIRED: "Ihre Berechtigung\nist abgelaufen",
    DenyReason.RIGHT_USED_UP: "Ihre Berechtigung\nist aufgebraucht",
    DenyReason.RIGHT_NOT_DUE: "Ihre Berechtigung\ngilt noch nicht",
    DenyReason.BLOCKED: "Fahrzeug gesperrt\nBitte Personal rufen",
    DenyReason.VIOLATION_UNPAID: "Forderung noch offen\nBitte erst bezahlen",
    DenyReason.ALREADY_INSIDE: "Fahrzeug ist\nbereits eingefahren",
    DenyReason.CLOSED: "Geschlossen",
    DenyReason.OUT_OF_SERVICE: "Außer Betrieb",
    DenyReason.OUTSIDE_OPENING_HOURS: "Zurzeit geschlossen\nÖffnet {opens}",
    DenyReason.EVACUATION: "Evakuierung\nKeine Einfahrt",
    DenyReason.NO_ENTRY_FOUND: "Einfahrt unbekannt\nBitte Personal rufen",
    DenyReason.PAYMENT_DUE: "Bitte zahlen\n{amount}",
    DenyReason.READ_TOO_OLD: "Bitte noch einmal\nanfahren",
    DenyReason.READ_UNDATED: "Kennzeichen unklar\nBitte Personal rufen",
    DenyReason.READ_UNCERTAIN: "Kennzeichen unklar\nBitte neu anfahren",
    DenyReason.READ_UNRATED: "Kennzeichen unklar\nBitte Personal rufen",
    DenyReason.PLATE_UNREAD: "Kennzeichen unlesbar\nBitte Personal rufen",
    DenyReason.NO_PRESENCE: "Bitte bis zur\nSchranke vorfahren",
    DenyReason.DEGRADED_MODE: "Notbetrieb\nBitte Personal rufen",
    DisplayNotice.PAYMENT_REST: "Noch zu zahlen\n{amount}",
    DisplayNotice.USE_LANE_BESIDE: "Außer Betrieb\nBitte Spur {lane}",
    DisplayNotice.PRESS_BUTTON: "Kennzeichen unlesbar\nTaste für ein Ticket",
    DisplayNotice.DRIVE_ON: "Bitte durchfahren",
    DisplayNotice.LEAVE_NOW: "Evakuierung\nBitte ausfahren",
    WEEKDAYS: "Mo Di Mi Do Fr Sa So",
}
BUILT_IN: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": _ENGLISH, "de": _GERMAN})

# Languages that write 12.50; the others write 12,50.
_POINT = frozenset({"en", "he", "hi", "ja", "ko", "ms", "th", "zh", "de-CH", "de-LI", "es-MX"})
# Languages that write ss for ß.
_WITHOUT_SHARP_S = frozenset({"de-CH", "de-LI"})
_PLACEHOLDER = re.compile(r"\{([a-z]*)\}")


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one facility: its language, and its own texts by language and word."""

    language: str = ENGLISH
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def text(
        self,
        word: str,
        *,
        amount: Money | None = None,
        opens: datetime | None = None,
        now: datetime | None = None,
        lane: str | None = None,
    ) -> str:
        """What to show for a word of `WORDS`; nothing for any other, as of a newer version.

        Its lines, at most `LINES_MAX` of `LINE_LENGTH_MAX` characters, stand one under the other.
        A line that names what is not given is left out. `opens` is when it opens next, and `now`
        the present time, both in the facility's time zone.
        """
        found = self._template(word)
        if found is None:
            return ""
        values = {
            "amount": None if amount is None else self._amount(amount),
            "opens": None if opens is None or now is None else self._moment(opens, now),
            "lane": lane,
        }
        return "\n".join(
            _filled(line, values)[:LINE_LENGTH_MAX].rstrip()
            for line in found.split("\n")
            if all(values[name] is not None for name in _PLACEHOLDER.findall(line))
        )

    def _template(self, word: str) -> str | None:
        """The facility's own text before the built-in one, in each of the languages that serve."""
        for language in _served_by(self.language):
            for texts in (self.texts, BUILT_IN):
                if (found := texts.get(language, {}).get(word)) is not None:
                    return found if texts is self.texts else self._spelt(found)
        return None

    def _spelt(self, text: str) -> str:
        """A built-in text as it is written where this language is spoken."""
        return text.replace("ß", "ss") if self.language in _WITHOUT_SHARP_S else text

    def _amount(self, amount: Money) -> str:
        point = not _POINT.isdisjoint((self.language, self.language.partition("-")[0]))
        number = str(amount.amount) if point else str(amount.amount).replace(".", ",")
        return f"{number} {amount.currency}"

    def _moment(self, at: datetime, now: datetime) -> str:
        """`06:00` today, `Mon 06:00` within a week, else the date."""
        days = (at.date() - now.date()) / timedelta(days=1)
        if days >= 7:
            return at.date().isoformat()
        clock = f"{at:%H:%M}"
        names = (self._template(WEEKDAYS) or "").split()
        return clock if days < 1 else f"{names[at.weekday()]} {clock}"


def text(
    word: str,
    language: str = ENGLISH,
    *,
    amount: Money | None = None,
    opens: datetime | None = None,
    now: datetime | None = None,
    lane: str | None = None,
) -> str:
    """What to show for a word where a facility brings no texts of its own: see `Wording.text`."""
    return Wording(language).text(word, amount=amount, opens=opens, now=now, lane=lane)


def faults(word: str, own: str) -> Iterator[str]:
    """What is wrong with somebody's own text for a word of `WORDS`, as what was expected."""
    if word == WEEKDAYS:
        names = own.split(" ")
        if len(names) != 7 or not all(0 < len(name) <= WEEKDAY_LENGTH_MAX for name in names):
            yield f"expected seven names of at most {WEEKDAY_LENGTH_MAX} characters, Monday first"
        return
    lines = own.split("\n")
    if not all(line and line.isprintable() and line == line.strip() for line in lines):
        yield "expected printable lines without blanks around them"
    elif len(lines) > LINES_MAX:
        yield f"expected at most {LINES_MAX} lines, got {len(lines)}"
    allowed = PLACEHOLDERS.get(word, {})
    known = " or ".join(f"{{{name}}}" for name in allowed)
    for line in lines:
        names = _PLACEHOLDER.findall(line)
        rest = _PLACEHOLDER.sub("", line)
        if any(name not in allowed for name in names) or "{" in rest or "}" in rest:
            yield f"expected no braces but {known}" if known else "expected no braces"
            continue
        length = len(rest) + sum(allowed[name] for name in names)
        if length > LINE_LENGTH_MAX:
            filled = " when it is filled in" if names else ""
            yield f"expected lines of at most {LINE_LENGTH_MAX} characters, got {length}{filled}"


def _served_by(language: str) -> Iterator[str]:
    """The languages in which somebody is addressed who wants this one: de-AT, de, en."""
    yield language
    general = language.partition("-")[0]
    if general != language:
        yield general
    if general != ENGLISH:
        yield ENGLISH


def _filled(line: str, values: Mapping[str, str | None]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]] or "", line)
