"""What a facility tells: of state the newest, of answers each one, once, in order."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import structlog

from gated.announcer import Announcer
from gated.core.errors import DeliveryError
from gated.core.ids import Slug, StayId
from gated.core.lane import Call, LaneShown
from gated.core.matching import MatchReason, Near
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.reasons import CallReason
from gated.core.snapshot import StayInside
from gated.records import PaymentOutcome, PaymentTakenAnswer, Publication
from tests.actors.support import running

pytestmark = pytest.mark.looptime

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ANSWER = "gated/v1/north/operator/ada/answer"


@dataclass
class Broken:
    """A link that fails as told, and then takes everything."""

    failures: list[DeliveryError] = field(default_factory=list)
    published: list[Publication] = field(default_factory=list)
    connected: bool = True

    async def publish(self, publication: Publication) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.published.append(publication)


def ids(link: Broken) -> list[object]:
    return [json.loads(one.payload)["id"] for one in link.published if one.topic == ANSWER]


async def test_each_answer_is_sent_once_and_not_retained() -> None:
    link = Broken()
    announcer = Announcer(Slug("north"), link)
    async with running(announcer.run):
        announcer.answer("ada", 7)
        announcer.answer("ada", "x", "not_permitted", "no right to this")
        announcer.lane_state(Slug("in-1"), LaneShown("idle", NOW))
        announcer.lane_state(Slug("in-1"), LaneShown("held", NOW))
        await asyncio.sleep(1)
        announcer.repeat()
        await asyncio.sleep(1)
    answers = [one for one in link.published if one.topic == ANSWER]
    assert [(one.qos, one.retain) for one in answers] == [(1, False)] * 2
    assert [json.loads(one.payload) for one in answers] == [
        {"id": 7, "ok": True},
        {"id": "x", "ok": False, "error": "not_permitted", "detail": "no right to this"},
    ]
    states = [json.loads(one.payload)["state"] for one in link.published if one.retain]
    assert states == ["held", "held"]


async def test_a_lane_says_whether_somebody_there_needs_a_person() -> None:
    link = Broken()
    announcer = Announcer(Slug("north"), link)
    call = Call(CallReason.MATCH_NEEDED, NOW - timedelta(seconds=9))
    async with running(announcer.run):
        for shown in (LaneShown("denied", NOW, call=call), LaneShown("idle", NOW)):
            announcer.lane_state(Slug("out-1"), shown)
            await asyncio.sleep(1)
    first, second = (json.loads(one.payload) for one in link.published)
    assert first == {
        "state": "denied",
        "since": "2026-05-04T12:00:00.000Z",
        "mode": "in_service",
        "faults": [],
        "call": {"why": "match_needed", "since": "2026-05-04T11:59:51.000Z"},
    }
    # That nobody calls is said, and not left out.
    assert (second["state"], second["call"]) == ("idle", None)


async def test_an_answer_has_the_stays_that_may_be_meant() -> None:
    link = Broken()
    announcer = Announcer(Slug("north"), link)
    stay = StayInside(StayId(UUID(int=7)), Plate("HHA81234"), NOW)
    near = Near(stay, MatchReason.CONFUSABLE_ONE, 1)
    async with running(announcer.run):
        announcer.answer("ada", 7, "stay_missing", "name the stay", [near])
        await asyncio.sleep(1)
    (answer,) = link.published
    assert json.loads(answer.payload) == {
        "id": 7,
        "ok": False,
        "error": "stay_missing",
        "detail": "name the stay",
        "stays": [
            {
                "stay": "00000000-0000-0000-0000-000000000007",
                "plate": "HHA81234",
                "entered_at": "2026-05-04T12:00:00.000Z",
                "distance": 1,
                "reason": "confusable_one",
            }
        ],
    }
    assert not answer.retain


async def test_a_terminal_is_told_what_became_of_its_money() -> None:
    link = Broken()
    announcer = Announcer(Slug("north"), link)
    due = PaymentTakenAnswer(PaymentOutcome.PART_PAID, "0000011", Money(Decimal("1.50"), "EUR"))
    paid = replace(
        due,
        outcome=PaymentOutcome.PAID,
        due=Money(Decimal("0.00"), "EUR"),
        grace_until=NOW + timedelta(minutes=15),
    )
    async with running(announcer.run):
        announcer.payment_taken(7, due)
        announcer.payment_taken("x", paid)
        announcer.payment_refused("y", PaymentOutcome.BOOKING_UNKNOWN, "nobody has it")
        announcer.payment_refused("z", "bad_request")
        await asyncio.sleep(1)
        announcer.repeat()
        await asyncio.sleep(1)
    assert {(one.topic, one.qos, one.retain) for one in link.published} == {
        ("gated/v1/north/payment/answer", 1, False)
    }
    counts = {"ok": True, "ticket": "0000011", "currency": "EUR"}
    assert [json.loads(one.payload) for one in link.published] == [
        {"id": 7, "outcome": "part_paid", "due": "1.50", **counts},
        {
            "id": "x",
            "outcome": "paid",
            "due": "0.00",
            "grace_until": "2026-05-04T12:15:00.000Z",
            **counts,
        },
        {"id": "y", "ok": False, "error": "booking_unknown", "detail": "nobody has it"},
        {"id": "z", "ok": False, "error": "bad_request"},
    ]


async def test_an_answer_waits_for_the_link() -> None:
    for uncertain in (False, True):
        link = Broken([DeliveryError("no link", uncertain=uncertain)], connected=False)
        announcer = Announcer(Slug("north"), link)
        async with running(announcer.run):
            announcer.answer("ada", 1)
            announcer.answer("ada", 2)
            await asyncio.sleep(1)
            assert ids(link) == []
            link.connected = True
            announcer.repeat()
            await asyncio.sleep(1)
        assert ids(link) == [1, 2]


async def test_an_answer_that_the_broker_refuses_holds_nothing_up() -> None:
    link = Broken([DeliveryError("not authorized", uncertain=False)])
    announcer = Announcer(Slug("north"), link)
    with structlog.testing.capture_logs() as events:
        async with running(announcer.run):
            announcer.answer("ada", 1)
            announcer.answer("ada", 2)
            announcer.lane_state(Slug("in-1"), LaneShown("idle", NOW))
            await asyncio.sleep(1)
    assert ids(link) == [2]
    assert len([one for one in link.published if one.retain]) == 1
    assert [event["event"] for event in events] == ["operator.answer_lost"]


async def test_of_money_that_nobody_hears_the_log_tells() -> None:
    link = Broken([DeliveryError("not authorized", uncertain=False)])
    announcer = Announcer(Slug("north"), link)
    with structlog.testing.capture_logs() as events:
        async with running(announcer.run):
            announcer.payment_refused(1, "booking_unknown")
            await asyncio.sleep(1)
    assert [(one["event"], one["topic"]) for one in events] == [
        ("payment.answer_lost", "gated/v1/north/payment/answer")
    ]
