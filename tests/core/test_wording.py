"""What displays say: complete, short, in the language of the facility, with its own texts first."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from gated.core.money import Money
from gated.core.reasons import DenyReason, DisplayNotice, GrantReason
from gated.core.wording import (
    BUILT_IN,
    LINE_LENGTH_MAX,
    LINES_MAX,
    PLACEHOLDERS,
    WEEKDAYS,
    WORDS,
    Wording,
    faults,
    text,
)

NOW = datetime(2026, 12, 23, 22, 30, tzinfo=ZoneInfo("Europe/Berlin"))
AMOUNT = Money(Decimal("12.5"), "EUR")


def test_there_is_one_word_for_each_thing_to_say() -> None:
    words = [*GrantReason, *DenyReason, *DisplayNotice, WEEKDAYS]
    assert list(WORDS) == words
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("language", BUILT_IN)
def test_the_built_in_languages_are_complete_and_fit_the_display(language: str) -> None:
    assert set(BUILT_IN[language]) == set(WORDS)
    for word, own in BUILT_IN[language].items():
        assert list(faults(word, own)) == [], word


@pytest.mark.parametrize("language", [*BUILT_IN, "de-CH"])
@pytest.mark.parametrize("word", [word for word in WORDS if word != WEEKDAYS])
def test_whatever_is_filled_in_fits(language: str, word: str) -> None:
    shown = text(
        word,
        language,
        amount=Money(Decimal("99999999.99"), "EUR"),
        opens=NOW + timedelta(days=20),
        now=NOW,
        lane="entry-north-of-the-river",
    )
    lines = shown.split("\n")
    assert 0 < len(lines) <= LINES_MAX
    assert all(0 < len(line) <= LINE_LENGTH_MAX for line in lines)
    assert "{" not in shown
    # What nobody knows is not told.
    assert "{" not in text(word, language)
    assert text(word, language)


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        (GrantReason.TRANSIENT, "en", "Welcome"),
        (GrantReason.STAY_OPEN, "de", "Gute Fahrt"),
        (DenyReason.PAYMENT_DUE, "en", "Please pay\n12.50 EUR"),
        (DenyReason.PAYMENT_DUE, "de", "Bitte zahlen\n12,50 EUR"),
        (DenyReason.PAYMENT_DUE, "de-AT", "Bitte zahlen\n12,50 EUR"),
        (DenyReason.PAYMENT_DUE, "de-CH", "Bitte zahlen\n12.50 EUR"),
        (DenyReason.OUT_OF_SERVICE, "de", "Außer Betrieb"),
        (DenyReason.OUT_OF_SERVICE, "de-CH", "Ausser Betrieb"),
        (DenyReason.VEHICLE_TOO_LARGE, "de-LI", "Fahrzeug zu gross\nfür unsere Plätze"),
        (DisplayNotice.USE_LANE_BESIDE, "de-CH", "Ausser Betrieb\nBitte Spur in-2"),
        (DenyReason.READ_UNDATED, "de", "Kennzeichen unklar\nBitte Personal rufen"),
        (DenyReason.READ_UNCERTAIN, "de", "Kennzeichen unklar\nBitte neu anfahren"),
        (DisplayNotice.PAYMENT_REST, "de", "Noch zu zahlen\n12,50 EUR"),
        (DenyReason.CLOSED, "fr", "Closed"),
        (DisplayNotice.USE_LANE_BESIDE, "en", "Out of service\nPlease use in-2"),
        ("a word of another version", "en", ""),
    ],
)
def test_text(word: str, language: str, expected: str) -> None:
    assert text(word, language, amount=AMOUNT, lane="in-2") == expected


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        (NOW.replace(day=23, hour=23, minute=0), "23:00"),
        (NOW.replace(day=24, hour=6, minute=0), "Do 06:00"),
        (NOW.replace(day=29, hour=6, minute=0), "Di 06:00"),
        (NOW.replace(day=30, hour=6, minute=0), "2026-12-30"),
    ],
)
def test_the_next_opening_is_told_as_short_as_it_is_clear(opens: datetime, expected: str) -> None:
    shown = text(DenyReason.OUTSIDE_OPENING_HOURS, "de", opens=opens, now=NOW)
    assert shown == f"Zurzeit geschlossen\nÖffnet {expected}"


def test_a_line_is_left_out_whose_value_is_not_known() -> None:
    assert text(DenyReason.OUTSIDE_OPENING_HOURS) == "Closed now"
    assert text(DenyReason.PAYMENT_DUE) == "Please pay"
    assert text(DisplayNotice.USE_LANE_BESIDE) == "Out of service"


def test_own_texts_come_first_and_a_special_language_before_the_general_one() -> None:
    own = {
        "de": {"closed": "Zu", "blocked": "Nein"},
        "de-AT": {"closed": "Gesperrt"},
        "fr": {"closed": "Fermé", "weekdays": "lu ma me je ve sa di", "payment_due": "{amount}"},
    }
    assert Wording("de", own).text("closed") == "Zu"
    assert Wording("de-AT", own).text("closed") == "Gesperrt"
    assert Wording("de-AT", own).text("blocked") == "Nein"
    assert Wording("de-AT", own).text("transient") == "Willkommen"
    assert Wording("en", own).text("closed") == "Closed"
    swiss = Wording("de-CH", {"de": {"closed": "Große Pause"}})
    assert swiss.text("closed") == "Große Pause", "own texts are written as they are given"
    french = Wording("fr", own)
    assert french.text("closed") == "Fermé"
    assert french.text("payment_due", amount=AMOUNT) == "12,50 EUR"
    opens = NOW + timedelta(days=1)
    shown = french.text("outside_opening_hours", opens=opens, now=NOW)
    assert shown == "Closed now\nOpens je 22:30"


@pytest.mark.parametrize(
    ("word", "own", "expected"),
    [
        ("closed", "Zu", []),
        ("closed", "Zu\nBis auf Weiteres", []),
        ("closed", "", ["expected printable lines without blanks around them"]),
        ("closed", "Zu\n", ["expected printable lines without blanks around them"]),
        ("closed", "Zu\x1b[2J", ["expected printable lines without blanks around them"]),
        ("closed", "a\nb\nc", ["expected at most 2 lines, got 3"]),
        ("closed", "x" * 21, ["expected lines of at most 20 characters, got 21"]),
        ("closed", "{amount}", ["expected no braces"]),
        ("payment_due", "Zahlen {betrag}", ["expected no braces but {amount}"]),
        ("payment_due", "Zahlen {amount", ["expected no braces but {amount}"]),
        ("payment_due", "{0.amount}", ["expected no braces but {amount}"]),
        (
            "payment_due",
            "Zahlen: {amount}",
            ["expected lines of at most 20 characters, got 22 when it is filled in"],
        ),
        ("weekdays", "Mo Di Mi Do Fr Sa So", []),
        ("weekdays", "Mo Di", ["expected seven names of at most 3 characters, Monday first"]),
        ("weekdays", "a b c d e f long", ["expected seven names of at most 3 characters, Monday"]),
    ],
)
def test_what_does_not_fit_is_named(word: str, own: str, expected: list[str]) -> None:
    found = list(faults(word, own))
    assert len(found) == len(expected)
    assert all(one.startswith(other) for one, other in zip(found, expected, strict=True))


def test_placeholders_are_of_words_that_there_are() -> None:
    assert set(PLACEHOLDERS) <= set(WORDS)
