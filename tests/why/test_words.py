"""The words of the records, for people."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest

from gated.core.effects import Fault, FreeKind, Outcome, PassageKnown
from gated.core.events import CommandStatus, OperateOutcome, OperatorDo, ZoneRefusal
from gated.core.matching import MatchReason
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Admits, UnpaidExit
from gated.core.snapshot import Lapse
from gated.records import EventStatus
from gated.why.acts import BY_HAND
from gated.why.words import (
    ADMITS,
    BECAME,
    DENIED,
    FAULTS,
    GRANTED,
    KNOWN,
    LAPSED,
    LIFE,
    MATCHED,
    NOT_DONE,
    NOTICES,
    ORDERED,
    REFUSED,
    UNGRANTED,
    UNPAID_EXIT,
    amount,
    decimal,
    exact,
    lasting,
    later,
    plain,
    stretch,
    words,
)
from tests.log_catalogue import used

AT = datetime(2026, 5, 4, 7, 31, tzinfo=UTC)
# What no barrier is told for.
OF_THE_FACILITY = {OperatorDo.EVACUATE, OperatorDo.RESUME, OperatorDo.WAIVE, OperatorDo.PAY}


@pytest.mark.parametrize(
    "known",
    [
        *(GRANTED, DENIED, KNOWN, BECAME, LIFE, UNGRANTED, FAULTS),
        *(REFUSED, ADMITS, UNPAID_EXIT, LAPSED, NOT_DONE, MATCHED),
    ],
)
def test_every_word_of_the_records_has_words(known: dict[str, str]) -> None:
    """A new reason needs a line in gated/why/words.py, or operators read the bare word."""
    wanted: dict[int, list[type[StrEnum]]] = {
        id(GRANTED): [GrantReason],
        id(DENIED): [DenyReason],
        id(KNOWN): [PassageKnown],
        id(BECAME): [Outcome, EventStatus],
        id(LIFE): [CommandStatus],
        id(UNGRANTED): [FreeKind],
        id(FAULTS): [Fault],
        id(REFUSED): [ZoneRefusal],
        id(ADMITS): [Admits],
        id(UNPAID_EXIT): [UnpaidExit],
        id(LAPSED): [Lapse],
        id(NOT_DONE): [OperateOutcome],
        id(MATCHED): [MatchReason],
    }
    every = {member.value for kind in wanted[id(known)] for member in kind}
    # Done is what a row in the inbox is that has an outcome, and an operator's request that was not
    # refused; what is confirmed is told by command.
    told_otherwise = {EventStatus.DONE, OperateOutcome.DONE, CommandStatus.CONFIRMED}
    assert every - known.keys() <= told_otherwise


def test_every_operators_act_has_words() -> None:
    assert BY_HAND.keys() == set(OperatorDo)


def test_every_notice_and_every_order_has_words() -> None:
    assert used().notices == NOTICES.keys()
    by_hand = {f"operator_{act}" for act in OperatorDo if act not in OF_THE_FACILITY}
    assert ORDERED.keys() == by_hand | {"arm_came_down", "arm_not_opened"}


def test_a_word_of_another_version_stands_for_itself() -> None:
    assert words(DENIED, "full_facility") == "no spot of the facility was free (full_facility)"
    assert words(DENIED, "moon_phase") == "moon_phase"


def test_nothing_in_a_text_is_obeyed_by_a_terminal() -> None:
    hostile = "A\x1b[2J\u202eB\n\x07"
    assert plain(hostile) == r"A\x1b[2J\u202eB\n\x07"
    assert plain("Ü 京都 1") == "Ü 京都 1"


@pytest.mark.parametrize(
    ("value", "currency", "said"),
    [
        ("4.0000", "EUR", "4.00 EUR"),
        ("100", "JPY", "100 JPY"),
        ("0.1250", "KWD", "0.125 KWD"),
        ("1.2345", "EUR", "1.2345 EUR"),
        ("0", "EUR", "0.00 EUR"),
        ("1E+3", "XTS", "1000 XTS"),
        ("2.50", None, "2.5"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    value: str, currency: str | None, said: str
) -> None:
    assert amount(Decimal(value), currency) == said
    assert exact(Decimal(value), currency) == Decimal(value)


def test_what_is_no_amount_is_none() -> None:
    assert decimal("2.50") == Decimal("2.50")
    nothing: list[object] = ["", None, "NaN", []]
    assert [decimal(one) for one in nothing] == [None] * 4


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, ""),
        (0.4, ""),
        (0.6, "+1 ms"),
        (412, "+412 ms"),
        (-700, "-700 ms"),
        (999.6, "+1.0 s"),
        (59_900, "+59.9 s"),
        (59_960, "+1 min"),
        (130_000, "+2 min 10 s"),
    ],
)
def test_how_much_later(milliseconds: float, said: str) -> None:
    assert later(AT + timedelta(milliseconds=milliseconds), AT) == said


def test_how_long_and_from_when_until_when() -> None:
    assert lasting(timedelta(seconds=75)) == "1 min 15 s"
    assert lasting(timedelta(minutes=75, seconds=59)) == "1 h 15 min"
    berlin = ZoneInfo("Europe/Berlin")
    assert stretch(AT, AT + timedelta(hours=2), berlin) == "Mon 2026-05-04 09:31 until 11:31"
    assert (
        stretch(AT, AT + timedelta(hours=15), berlin)
        == "Mon 2026-05-04 09:31 until Tue 2026-05-05 00:31"
    )
