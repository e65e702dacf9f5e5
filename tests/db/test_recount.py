"""The demo's recount is believed only if it finds what is planted."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import pytest

from gated.core.effects import PassageKnown
from gated.core.ids import command_number
from gated.demo.ledger import Ledger, Opened
from gated.demo.recount import latencies, quantile, recount, unfinished
from gated.records import AdmitRequest
from tests.db.site import NOW, Gate
from tests.db.stores import Bench

PLATES = ("AAA111", "BBB222", "CCC333")


@dataclass(slots=True)
class Played:
    """A small history: three vehicles came in, the first has left; and what hardware saw of it."""

    gate: Gate
    owner: asyncpg.Connection
    ledger: Ledger
    first: AdmitRequest

    async def violations(self) -> dict[str, int]:
        """The invariants that do not hold."""
        report = await recount(self.owner, self.ledger, "")
        return {name: count for name, count in report.invariants.items() if count}


@pytest.fixture
async def played(fresh_bench: Bench) -> AsyncIterator[Played]:
    gate = await fresh_bench.gate()
    store, site, fence = gate.store, gate.site, gate.fence
    ledger = Ledger()
    requests = []
    for plate in PLATES:
        request = await gate.entry(plate)
        await store.admit(site.id, fence, request)
        await store.dispatch_command(site.id, fence, request.command.id, NOW)
        await store.complete_passage(
            site.id, fence, request.stay, request.lane, PassageKnown.MEASURED, NOW, request.event
        )
        ledger.opened.append(opened(gate, request))
        ledger.entered(site.setup.slug, plate)
        requests.append(request)
    leaving = await gate.departure(requests[0].stay, PLATES[0])
    await store.release(site.id, fence, leaving)
    await store.complete_passage(
        site.id, fence, leaving.stay, leaving.lane, PassageKnown.MEASURED, leaving.at, leaving.event
    )
    ledger.left(site.setup.slug, PLATES[0])
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
    assert report.revenue == {"EUR": "5.00"}
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
        {"prices_unexplained": 1},
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
    played.ledger.inside[played.gate.site.setup.slug].add("ZZZ999")


def wait_in_vain(played: Played) -> None:
    played.ledger.outcomes["not_answered"] += 2


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (open_twice, {"opens_without_grant": 1}),
        (open_unasked, {"opens_without_grant": 1}),
        (open_late, {"commands_late": 1}),
        (slip_in, {"occupancy_wrong": 1}),
        (wait_in_vain, {"drivers_unanswered": 2}),
    ],
)
async def test_a_planted_fault_of_the_hardware_is_found(
    played: Played, fault: Callable[[Played], None], found: dict[str, int]
) -> None:
    fault(played)
    assert await played.violations() == found


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
