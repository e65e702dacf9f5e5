"""Vehicles that pass without a grant, on every store: what each becomes, and what it owes."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from gated.core.effects import FreeKind, PassageKnown
from gated.core.errors import FencedOut
from gated.core.events import PlateRead
from gated.core.ids import EventId, Fence, LaneId, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.records import (
    AdmitOutcome,
    FreeOutcome,
    FreePassage,
    FreePassageAnswer,
    ReleaseOutcome,
    ZoneCount,
)
from tests.db.site import NOW, Gate, make_site
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
PLATE = "BAB123"
FULL: list[list[str]] = [[]]


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def passage(
    gate: Gate,
    kind: FreeKind = FreeKind.HELD,
    *,
    lane: LaneId | None = None,
    plate: str | None = PLATE,
    at: datetime = NOW,
    **more: Any,
) -> FreePassage:
    """One through the site's entry, or through the lane given."""
    lane = lane or gate.site.entry
    direction = Direction.EXIT if lane == gate.site.exit else Direction.ENTRY
    read = PlateRead(Plate(plate), f"{plate} raw", confidence=0.5) if plate else None
    stay = StayId(uuid4())
    return FreePassage(EventId(uuid4()), lane, direction, kind, stay, at, read, **more)


async def passes(gate: Gate, *args: Any, **kwargs: Any) -> FreePassageAnswer:
    return await gate.store.pass_freely(gate.site.id, gate.fence, passage(gate, *args, **kwargs))


async def leaves(gate: Gate, kind: FreeKind, plate: str | None = PLATE) -> FreePassageAnswer:
    """61 minutes after NOW."""
    return await passes(
        gate, kind, lane=gate.site.exit, plate=plate, at=NOW + timedelta(minutes=61)
    )


# ── entries ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", FreeKind)
async def test_whoever_comes_in_has_a_stay_on_a_free_spot(bench: Bench, kind: FreeKind) -> None:
    gate = await bench.gate(make_site([["1", "2"], ["3"]]))
    told = passage(gate, kind)
    answer = await bench.store.pass_freely(gate.site.id, gate.fence, told)
    assert answer == FreePassageAnswer(FreeOutcome.STAY_OPENED, told.stay)
    snapshot = await bench.store.plate_snapshot(gate.site.id, Plate(PLATE), Direction.ENTRY, NOW)
    assert snapshot.open_stay is not None
    assert (snapshot.open_stay.id, snapshot.open_stay.spot_number) == (told.stay, "1")
    assert snapshot.open_stay.entry_at == NOW
    assert await bench.store.zone_count(gate.site.zone) == ZoneCount(2, 1, 0)
    assert list(await bench.store.pending_passages(gate.site.id, NOW - HOUR)) == []


async def test_the_zones_of_the_lane_are_filled_in_their_order(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1"], ["2"]]))
    zones = gate.site.setup.zones
    await passes(gate)
    await passes(gate, plate="C2")
    assert [(await bench.store.zone_count(zone.id)).occupied for zone in zones] == [1, 1]


async def test_a_vehicle_that_nobody_could_read_has_a_stay_of_its_own(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1", "2"]]))
    for _ in range(2):
        answer = await passes(gate, FreeKind.TAILGATING, plate=None)
        assert answer.outcome is FreeOutcome.STAY_OPENED
    assert (await bench.store.zone_count(gate.site.zone)).available == 0
    assert list(await bench.store.open_stays(gate.site.id)) == [], "there is no plate to match"


async def test_where_no_spot_is_left_the_stay_has_none_and_is_counted(bench: Bench) -> None:
    gate = await bench.gate(make_site([["1"]]))
    await gate.admitted("A1")
    answer = await passes(gate)
    assert answer.outcome is FreeOutcome.STAY_OPENED
    snapshot = await bench.store.plate_snapshot(
        gate.site.id, Plate(PLATE), Direction.EXIT, NOW + HOUR
    )
    stay = snapshot.open_stay
    assert stay is not None
    assert (stay.id, stay.spot, stay.spot_number) == (answer.stay, None, "")
    assert (stay.zone, snapshot.due) == (gate.site.zone, eur("2.50"))
    count = await bench.store.zone_count(gate.site.zone)
    assert (count, count.available) == (ZoneCount(1, 2, 0), 0)
    inside = {stay.id for stay in await bench.store.open_stays(gate.site.id)}
    assert answer.stay in inside


async def test_a_stay_without_a_spot_is_released_like_any_other(bench: Bench) -> None:
    gate = await bench.gate(make_site(FULL))
    stay = (await passes(gate)).stay
    assert stay is not None
    asked = await gate.departure(stay)
    answer = await bench.store.release(gate.site.id, gate.fence, asked)
    assert (answer.outcome, answer.price) == (ReleaseOutcome.RELEASED, eur("5.00"))
    assert (answer.zone, answer.spot_number, answer.available) == (gate.site.zone, "", 0)
    assert await bench.store.release(gate.site.id, gate.fence, asked) == answer, "repeated"
    assert await bench.store.zone_count(gate.site.zone) == ZoneCount(0, 0, 0)


async def test_a_plate_that_is_inside_gets_no_second_stay(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    answer = await passes(gate, at=NOW + HOUR)
    assert answer == FreePassageAnswer(FreeOutcome.ALREADY_INSIDE, stay)
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1
    refused = await bench.store.admit(gate.site.id, gate.fence, await gate.entry(at=NOW + HOUR))
    assert refused.outcome is AdmitOutcome.ALREADY_INSIDE


async def test_who_was_let_in_and_not_seen_passing_is_seen_now(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    assert len(await bench.store.pending_passages(gate.site.id, NOW - HOUR)) == 1
    answer = await passes(gate, at=NOW + timedelta(minutes=1))
    assert answer == FreePassageAnswer(FreeOutcome.ALREADY_INSIDE, stay)
    assert list(await bench.store.pending_passages(gate.site.id, NOW - HOUR)) == []


# ── exits ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [one for one in FreeKind if one is not FreeKind.EVACUATION])
async def test_whoever_leaves_owes_the_price(bench: Bench, kind: FreeKind) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    answer = await leaves(gate, kind)
    assert answer == FreePassageAnswer(FreeOutcome.STAY_ENDED, stay, eur("5.00"))
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 0
    again = await bench.store.admit(gate.site.id, gate.fence, await gate.entry(at=NOW + 2 * HOUR))
    assert again.outcome is AdmitOutcome.ADMITTED


async def test_leaving_in_an_evacuation_costs_nothing(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    answer = await leaves(gate, FreeKind.EVACUATION)
    assert answer == FreePassageAnswer(FreeOutcome.STAY_ENDED, stay, eur("0"))


@pytest.mark.parametrize("plate", [None, "STRANGER"])
async def test_who_is_not_known_to_be_inside_ends_nothing(bench: Bench, plate: str | None) -> None:
    gate = await bench.gate()
    await gate.admitted()
    answer = await leaves(gate, FreeKind.HELD, plate)
    assert answer == FreePassageAnswer(FreeOutcome.NOBODY_KNOWN)
    assert (await bench.store.zone_count(gate.site.zone)).occupied == 1


async def test_who_was_let_out_and_not_seen_passing_is_seen_now(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    await bench.store.complete_passage(
        gate.site.id, gate.fence, stay, gate.site.entry, PassageKnown.MEASURED, NOW, uuid4()
    )
    await bench.store.release(gate.site.id, gate.fence, await gate.departure(stay))
    answer = await passes(gate, lane=gate.site.exit, at=NOW + timedelta(minutes=62))
    assert answer == FreePassageAnswer(FreeOutcome.STAY_ENDED, stay, eur("5.00"))
    assert list(await bench.store.pending_passages(gate.site.id, NOW - HOUR)) == []


async def test_a_message_that_arrives_before_the_entry_of_its_stay_ends_it_at_once(
    bench: Bench,
) -> None:
    """Clocks lie: a stay never ends before it began."""
    gate = await bench.gate()
    stay = await gate.admitted()
    answer = await passes(gate, lane=gate.site.exit, at=NOW - timedelta(seconds=3))
    assert answer == FreePassageAnswer(FreeOutcome.STAY_ENDED, stay, eur("0"))


# ── once ────────────────────────────────────────────────────────────────────────────────────


async def test_a_passage_counts_once_and_its_answer_stands(bench: Bench) -> None:
    gate = await bench.gate()
    stay = await gate.admitted()
    told = passage(gate, lane=gate.site.exit, at=NOW + timedelta(minutes=61))
    first = await bench.store.pass_freely(gate.site.id, gate.fence, told)
    for again in (told, replace(told, at=NOW + 5 * HOUR, stay=StayId(uuid4()))):
        answer = await bench.store.pass_freely(gate.site.id, gate.fence, again)
        assert answer == replace(first, outcome=FreeOutcome.DONE_BEFORE)
    assert first.stay == stay


async def test_an_old_fence_is_refused_and_nothing_stands(bench: Bench) -> None:
    gate = await bench.gate()
    told = passage(gate)
    with pytest.raises(FencedOut):
        await bench.store.pass_freely(gate.site.id, Fence(gate.fence + 1), told)
    answer = await bench.store.pass_freely(gate.site.id, gate.fence, told)
    assert answer.outcome is FreeOutcome.STAY_OPENED
