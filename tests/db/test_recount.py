"""The demo's recount is believed only if it finds what is planted."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import FreeKind, PassageKnown
from gated.core.ids import EventId, StayId, command_number
from gated.core.money import Money
from gated.core.site import Direction
from gated.demo.ledger import Car, Ledger, Opened
from gated.demo.recount import latencies, quantile, recount, unfinished
from gated.records import AdmitRequest, FreePassage
from tests.db.site import NOW, Gate
from tests.db.stores import Bench

PLATES = ("AAA111", "BBB222", "CCC333")
PRICE = Money(Decimal(5), "EUR")


@dataclass(slots=True)
class Played:
    """A small history: three vehicles came in, the first has left; and what hardware saw of it."""

    gate: Gate
    owner: asyncpg.Connection
    ledger: Ledger
    first: AdmitRequest

    @property
    def slug(self) -> str:
        return self.gate.site.setup.slug

    async def violations(self) -> dict[str, int]:
        """The invariants that do not hold."""
        report = await recount(self.owner, self.ledger, "")
        return {name: count for name, count in report.invariants.items() if count}


@pytest.fixture
async def played(fresh_bench: Bench) -> AsyncIterator[Played]:
    gate = await fresh_bench.gate()
    store, site, fence = gate.store, gate.site, gate.fence
    ledger = Ledger()
    cars = [Car(plate, plate) for plate in PLATES]
    requests = []
    for car in cars:
        request = await gate.entry(car.plate)
        await store.admit(site.id, fence, request)
        await store.dispatch_command(site.id, fence, request.command.id, NOW)
        await store.complete_passage(
            site.id, fence, request.stay, request.lane, PassageKnown.MEASURED, NOW, request.event
        )
        ledger.opened.append(opened(gate, request))
        ledger.entered(site.setup.slug, car)
        requests.append(request)
    leaving = await gate.departure(requests[0].stay, PLATES[0])
    await store.release(site.id, fence, leaving)
    await store.complete_passage(
        site.id, fence, leaving.stay, leaving.lane, PassageKnown.MEASURED, leaving.at, leaving.event
    )
    ledger.left(site.setup.slug, cars[0], PRICE)
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        yield Played(gate, owner, ledger, requests[0])
    finally:
        await owner.close()


def opened(gate: Gate, request: AdmitRequest) -> Opened:
    return Opened(
        gate.site.setup.slug, "entry-1", command_number(request.command.id), NOW, request.command.id
    )


async def test_a_true_history_has_no_violations(played: Played) -> None:
    report = await recount(played.owner, played.ledger, "")
    assert report.sound
    assert (report.entries, report.exits) == (3, 1)
    assert (report.revenue, report.paid) == ({"EUR": "5.00"}, {"EUR": "0.00"})
    assert report.owed == {"EUR": "5.00"}
    assert report.opened == 3
    assert report.decision_ms == {"p50": None, "p99": None}


# What is planted, with which statement (without triggers, where they would not let it happen), and
# how many violations it makes.
PLANTED = {
    "two stays on one spot": (
        """SET session_replication_role = replica;
           UPDATE bookings a SET spot_id = b.spot_id FROM bookings b
           WHERE a.plate_number = 'CCC333' AND b.plate_number = 'BBB222'""",
        {"spots_claimed_twice": 1},
    ),
    "a counter off by one": (
        "UPDATE zones SET available_spots = available_spots + 1 WHERE code = 'zone-0'",
        {"occupancy_wrong": 1},
    ),
    "a stay that ended behind our back": (
        """SET session_replication_role = replica;
           UPDATE bookings SET status = 'CANCELLED' WHERE plate_number = 'CCC333'""",
        {"occupancy_wrong": 2},  # the zone's stays are not its claims, and the vehicle is inside
    ),
    "a grant that is gone": (
        "DELETE FROM gate.decisions WHERE plate = 'BBB222'",
        {"opens_without_grant": 1},
    ),
    "a price that its lines do not explain": (
        "UPDATE bookings SET final_price = final_price + 1 WHERE plate_number = 'AAA111'",
        {"prices_unexplained": 1, "money_wrong": 2},  # charged and owed
    ),
    "a violation that nobody committed": (
        """INSERT INTO violations (facility_id, violation_type)
           SELECT facility_id, 'tailgating' FROM gate.facility_settings""",
        {"violations_wrong": 1},
    ),
    "a vehicle to be found out that nobody lost": (
        """INSERT INTO gate.reconciliations (facility_id, kind)
           SELECT facility_id, 'exit_unmatched' FROM gate.facility_settings""",
        {"cases_wrong": 1},
    ),
    "money that could not be counted": (
        """INSERT INTO gate.reconciliations (facility_id, kind)
           SELECT facility_id, 'payment_refused' FROM gate.facility_settings""",
        {"cases_wrong": 1},
    ),
    "money that nobody paid": (
        """INSERT INTO payments (amount, currency, provider, status)
           VALUES (1, 'EUR', 'CARD', 'COMPLETED')""",
        {"money_wrong": 1},
    ),
    "a match where nothing was misread": (
        """UPDATE bookings SET exit_match = '{"reason": "confusable_one"}'
           WHERE plate_number = 'AAA111'""",
        {"matches_wrong": 1},
    ),
}


@pytest.mark.direct("sets its session's replication role")
@pytest.mark.parametrize("fault", PLANTED)
async def test_a_planted_fault_in_the_database_is_found(played: Played, fault: str) -> None:
    statement, found = PLANTED[fault]
    await played.owner.execute(statement)
    assert await played.violations() == found


def open_twice(played: Played) -> None:
    played.ledger.opened.append(opened(played.gate, played.first))


def open_unasked(played: Played) -> None:
    played.ledger.opened.append(Opened(played.gate.site.setup.slug, "entry-1", 7, NOW))


def open_late(played: Played) -> None:
    one = played.ledger.opened.pop()
    late = NOW + timedelta(seconds=4)
    played.ledger.opened.append(Opened(one.facility, one.lane, one.number, late, one.command))


def slip_in(played: Played) -> None:
    played.ledger.entered(played.slug, Car("ZZZ999", "ZZZ999"))


def slip_in_unread(played: Played) -> None:
    played.ledger.entered(played.slug, Car("ZZZ999"))


def slip_out(played: Played) -> None:
    played.ledger.left_unknown(played.slug, next(iter(played.ledger.inside[played.slug])))


def open_by_hand(played: Played) -> None:
    played.ledger.outcomes["opened_by_hand"] += 1


def follow(played: Played) -> None:
    played.ledger.violations["tailgating"] += 1


def pay(played: Played) -> None:
    played.ledger.paid["EUR"] += 5


def be_matched(played: Played) -> None:
    played.ledger.outcomes["matched_by_hand"] += 1


def wait_in_vain(played: Played) -> None:
    played.ledger.outcomes["not_answered"] += 2


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (open_twice, {"opens_without_grant": 1}),
        (open_unasked, {"opens_without_grant": 1}),
        (open_late, {"commands_late": 1}),
        (slip_in, {"occupancy_wrong": 1}),
        (slip_in_unread, {"occupancy_wrong": 1}),
        (slip_out, {"cases_wrong": 1}),
        (open_by_hand, {"leaks_uncounted": 2}),  # neither audited nor in the metric
        (follow, {"violations_wrong": 1}),
        (pay, {"money_wrong": 1}),
        (be_matched, {"matches_wrong": 1}),
        (wait_in_vain, {"drivers_unanswered": 2}),
    ],
)
async def test_a_planted_fault_of_the_hardware_is_found(
    played: Played, fault: Callable[[Played], None], found: dict[str, int]
) -> None:
    fault(played)
    assert await played.violations() == found


async def test_who_came_in_one_too_many_stands_on_a_spot_from_when_it_got_one(
    played: Played,
) -> None:
    gate, site, fence = played.gate, played.gate.site, played.gate.fence
    later = NOW + timedelta(minutes=70)
    rest = sum(len(spots) for spots in site.spots.values()) - 2
    cars = [Car(f"FOLLOWED{number}") for number in range(rest + 1)]
    for car in cars:
        passage = FreePassage(
            passage=EventId(uuid4()),
            lane=site.entry,
            direction=Direction.ENTRY,
            kind=FreeKind.TAILGATING,
            stay=StayId(uuid4()),
            at=later,
        )
        await gate.store.pass_freely(site.id, fence, passage)
        played.ledger.entered(played.slug, car)
        played.ledger.violations["tailgating"] += 1
    assert (await recount(played.owner, played.ledger, "")).cases == {"over_capacity": 1}
    stay = await played.owner.fetchval("SELECT id FROM bookings WHERE plate_number = 'BBB222'")
    leaving = await gate.departure(StayId(stay), "BBB222", at=later + timedelta(minutes=5))
    await gate.store.release(site.id, fence, leaving)
    bbb = next(car for car in played.ledger.inside[played.slug] if car.plate == "BBB222")
    played.ledger.left(played.slug, bbb, PRICE)
    report = await recount(played.owner, played.ledger, "")
    assert report.sound, report.invariants
    assert report.cases == {}


async def test_a_spot_that_is_held_for_a_reservation_is_nobodys(
    played: Played, fresh_bench: Bench
) -> None:
    await fresh_bench.reserve(played.gate, "DDD444")
    assert await played.violations() == {}
    assert await played.owner.fetchval(
        "SELECT gate.hold_spots_v1($1, $2)", played.gate.site.id, NOW
    )
    assert await played.violations() == {}


async def test_what_is_under_way_is_counted(played: Played) -> None:
    before = await unfinished(played.owner)
    await played.gate.entry("DDD444")  # a stored message that nobody has decided on
    assert await unfinished(played.owner) == before + 1


@pytest.mark.parametrize(
    ("buckets", "share", "milliseconds"),
    [
        ({}, 0.5, None),
        ({0.01: 0, float("inf"): 0}, 0.5, None),
        ({0.01: 10, float("inf"): 10}, 0.5, 5.0),
        ({0.01: 5, 0.02: 10, float("inf"): 10}, 0.75, 15.0),
        ({0.01: 5, float("inf"): 10}, 0.99, 10.0),  # beyond the last bound nothing is known
    ],
)
def test_quantiles_are_interpolated_within_a_bucket(
    buckets: dict[float, int], share: float, milliseconds: float | None
) -> None:
    assert quantile(buckets, share) == milliseconds


def test_latencies_add_up_all_facilities() -> None:
    text = "\n".join(
        f'gated_decision_seconds_bucket{{facility="{name}",direction="entry",le="{le}"}} {count}'
        for name in ("a", "b")
        for le, count in (("0.01", 5), ("+Inf", 5))
    )
    scrape = f"# TYPE gated_decision_seconds histogram\n{text}\n"
    assert latencies(scrape) == {"p50": 5.0, "p99": 9.9}
