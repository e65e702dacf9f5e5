"""Violations: what an offence costs, what proves it, and the one that a gate finds by itself."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.errors import FencedOut, RefusedValue, StoreError
from gated.core.ids import FacilityId, StayId
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import Actor, Violation
from gated.db.errors import UNKNOWN, translated
from gated.records import ReleaseOutcome
from tests.db.site import NOW, Gate, set_up, written
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
PLATE = "BAD123"
PENALTIES = {"overstay": "30", "two_spots": "12.50", "smoking": "0"}


@dataclass(frozen=True, slots=True)
class Warden:
    """A facility that lists penalties, and the means to look at what was opened."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    async def open(self, offence: Violation, actor: Actor | None = None) -> Decimal:
        return await self.bench.postgres.open_violation(self.id, offence, actor)

    async def opened(self) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT *, status::text AS status, evidence::text AS evidence FROM violations"
            " WHERE facility_id = $1 ORDER BY violation_time",
            self.id,
        )
        return [dict(row) | {"evidence": json.loads(row["evidence"])} for row in rows]

    async def audits(self) -> list[asyncpg.Record]:
        return await self.owner.fetch(
            "SELECT actor, user_id, correlation_id, resource_id, timestamp,"
            " details ->> 'penalty' AS penalty"
            " FROM audit_logs WHERE facility_id = $1 AND action = 'violation.opened'",
            self.id,
        )


@pytest.fixture
async def warden(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Warden:
    gate = await postgres_bench.gate()
    await owner_of.executemany(
        "INSERT INTO gate.penalties (facility_id, violation_type, amount) VALUES ($1, $2, $3)",
        [(gate.site.id, kind, Decimal(amount)) for kind, amount in PENALTIES.items()],
    )
    return Warden(postgres_bench, owner_of, gate)


def offence(kind: str = "two_spots", **changes: Any) -> Violation:
    return replace(Violation(uuid4(), kind, NOW, {}), **changes)


# ── one that somebody reports ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "penalty"),
    [("two_spots", "12.5"), ("smoking", "0"), ("singing", "0"), ("TWO_SPOTS", "0")],
)
async def test_an_offence_costs_what_the_facility_lists(
    warden: Warden, kind: str, penalty: str
) -> None:
    assert await warden.open(offence(kind)) == Decimal(penalty)
    (row,) = await warden.opened()
    assert (row["violation_type"], row["penalty_amount"]) == (kind, Decimal(penalty))
    assert (row["currency"], row["status"], row["violation_time"]) == ("EUR", "OPEN", NOW)


async def test_what_another_facility_lists_costs_nothing_here(warden: Warden) -> None:
    other = await warden.bench.gate()
    assert await warden.bench.postgres.open_violation(other.site.id, offence()) == 0


async def test_an_offence_is_stored_with_what_proves_it(warden: Warden) -> None:
    user, clerk = await warden.bench.user(), await warden.bench.user()
    vehicle = await warden.bench.register(uuid4().hex[:9].upper(), user=user)
    stay = await warden.gate.admitted(PLATE)
    evidence = {
        "photo": "https://example.com/1.jpg",
        "wheels": 2,
        "spots": ["A-1", "A-2"],
        "note": "über 'der' \"Linie\"",
    }
    told = offence(evidence=evidence, booking=stay, vehicle=vehicle.id, user=user, plate="ba-d 123")
    await warden.open(told, Actor("warden", clerk))
    (row,) = await warden.opened()
    assert row["id"] == told.id
    assert (row["booking_id"], row["vehicle_id"], row["user_id"]) == (stay, vehicle.id, user)
    assert (row["plate_number"], row["evidence"]) == (PLATE, evidence)
    (audit,) = await warden.audits()
    assert tuple(audit) == ("warden", clerk, told.id, told.id, NOW, "12.5000")


async def test_without_a_word_it_was_gated(warden: Warden) -> None:
    await warden.open(offence())
    (audit,) = await warden.audits()
    assert (audit["actor"], audit["user_id"]) == ("gated", None)


async def test_the_same_offence_is_opened_once(warden: Warden) -> None:
    told = offence()
    assert await warden.open(told) == Decimal("12.5")
    before = await written(warden.owner, warden.id)
    await warden.owner.execute(
        "UPDATE gate.penalties SET amount = 99 WHERE facility_id = $1", warden.id
    )
    assert await warden.open(replace(told, kind="smoking")) == Decimal("12.5"), "it stands"
    assert await written(warden.owner, warden.id) == before


async def test_the_same_offence_told_many_times_at_once_is_opened_once(warden: Warden) -> None:
    told = offence()
    answers = await asyncio.gather(*(warden.open(told) for _ in range(8)))
    assert set(answers) == {Decimal("12.5")}
    assert (len(await warden.opened()), len(await warden.audits())) == (1, 1)


async def test_separators_are_no_plate(warden: Warden) -> None:
    await warden.open(offence(plate=" - "))
    (row,) = await warden.opened()
    assert row["plate_number"] is None


# ── one of something that is not there ──────────────────────────────────────────────────────


@pytest.mark.parametrize("what", ["booking", "vehicle", "user", "facility", "clerk"])
async def test_something_unknown_is_an_error_in_plain_words(warden: Warden, what: str) -> None:
    facility, actor, told = warden.id, None, offence()
    match what:
        case "facility":
            facility = FacilityId(uuid4())
        case "clerk":
            actor = Actor("warden", uuid4())
        case _:
            told = replace(told, **{what: uuid4()})  # type: ignore[arg-type]
    before = await written(warden.owner, warden.id)
    with pytest.raises(StoreError) as refusal:
        await warden.bench.postgres.open_violation(facility, told, actor)
    word = "user" if what == "clerk" else what
    assert str(refusal.value) == f"open_violation: unknown {word}"
    assert not refusal.value.retryable
    assert isinstance(refusal.value.__cause__, asyncpg.PostgresError), "the log has the rest"
    assert await written(warden.owner, warden.id) == before


async def test_a_booking_of_another_facility_is_unknown_here(warden: Warden) -> None:
    other = await warden.bench.gate()
    stay = await other.admitted(PLATE)
    with pytest.raises(StoreError, match="unknown booking"):
        await warden.open(offence(booking=stay))
    assert await warden.opened() == []


async def test_a_facility_without_settings_lists_nothing(warden: Warden) -> None:
    facility = await warden.owner.fetchval(
        "INSERT INTO facilities (name, city) VALUES ('Theirs', 'Bonn') RETURNING id"
    )
    assert await warden.bench.postgres.open_violation(facility, offence()) == 0


async def test_an_offence_has_a_name(warden: Warden) -> None:
    with pytest.raises(RefusedValue):
        await warden.open(offence(""))


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("leases_facility_id_fkey", "unknown facility"),
        ("violations_facility_id_fkey", "unknown facility"),
        ("violations_booking_fkey", "unknown booking"),
        ("payments_booking_fkey", "unknown booking"),
        ("bookings_vehicle_id_fkey", "unknown vehicle"),
        ("audit_logs_user_id_fkey", "unknown user"),
        ("lane_zones_lane_id_fkey", "unknown lane"),
        ("lane_zones_zone_id_fkey", "unknown zone"),
        ("claims_spot_id_fkey", "unknown spot"),
        ("bookings_spot_check", "spot of another facility"),
    ],
)
def test_what_is_not_there_is_said_in_our_own_words(constraint: str, words: str) -> None:
    state = "23514" if constraint.endswith("check") else "23503"
    error: asyncpg.PostgresError = asyncpg.PostgresError.new(
        {"S": "ERROR", "C": state, "M": "violates constraint", "n": constraint}
    )
    failure = translated(error, "some_call")
    assert isinstance(failure, StoreError)
    assert (str(failure), failure.retryable) == (f"some_call: {words}", False)


async def test_every_word_for_something_unknown_is_of_a_constraint_that_exists(
    warden: Warden,
) -> None:
    """Constraints that triggers stand in for are not in the catalogue."""
    names = {row[0] for row in await warden.owner.fetch("SELECT conname FROM pg_constraint")}
    names |= {"violations_booking_fkey", "payments_booking_fkey"}
    names |= {"bookings_spot_check", "bookings_zone_check"}
    for end in UNKNOWN:
        assert any(name.endswith(end) for name in names), end


async def test_the_lease_of_an_unknown_facility_is_refused_in_plain_words(warden: Warden) -> None:
    with pytest.raises(StoreError, match=r"^acquire_lease: unknown facility$") as refusal:
        await warden.gate.store.acquire_lease(FacilityId(uuid4()), "test", 3600)
    assert not isinstance(refusal.value, FencedOut)


# ── one that the gate finds ─────────────────────────────────────────────────────────────────


async def parked(warden: Warden, vehicle: UUID | None = None) -> StayId:
    """A stay on a reservation from NOW on, for an hour."""
    booking = await warden.bench.reserve(warden.gate, PLATE, NOW, NOW + HOUR)
    request = await warden.gate.entry(
        PLATE, vehicle=vehicle, entitlement=Entitlement(Right.RESERVATION, booking)
    )
    answer = await warden.gate.store.admit(warden.id, warden.gate.fence, request)
    assert answer.stay == booking
    return booking


async def leave(warden: Warden, stay: StayId, at: datetime) -> UUID:
    """Let it out; the message that asked for it."""
    departure = await warden.gate.departure(stay, PLATE, at=at)
    for _ in range(2):  # the same call again finds itself
        answer = await warden.gate.store.release(warden.id, warden.gate.fence, departure)
        assert answer.outcome is ReleaseOutcome.RELEASED
    return departure.event


async def test_one_that_stays_past_its_reservation_offends(warden: Warden) -> None:
    user = await warden.bench.user()
    vehicle = await warden.bench.register(uuid4().hex[:9].upper(), user=user)
    stay = await parked(warden, vehicle=vehicle.id)
    left_at = NOW + HOUR + TICK
    event = await leave(warden, stay, left_at)
    (row,) = await warden.opened()
    assert (row["violation_type"], row["penalty_amount"]) == ("overstay", Decimal(30))
    assert (row["booking_id"], row["plate_number"]) == (stay, PLATE)
    assert (row["vehicle_id"], row["violation_time"]) == (vehicle.id, left_at)
    assert row["evidence"] == {
        "reserved_until": f"{NOW + HOUR:%Y-%m-%dT%H:%M:%S}.000000Z",
        "left_at": f"{left_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        "lane": str(warden.gate.site.exit),
    }
    (audit,) = await warden.audits()
    assert (audit["actor"], audit["correlation_id"]) == ("gated", event)


async def test_one_that_stands_at_the_exit_again_offends_once(warden: Warden) -> None:
    stay = await parked(warden)
    for minutes in (61, 65):
        await leave(warden, stay, NOW + timedelta(minutes=minutes))
    assert len(await warden.opened()) == 1


async def test_one_that_leaves_in_time_does_not_offend(warden: Warden) -> None:
    await leave(warden, await parked(warden), NOW + HOUR)
    assert await warden.opened() == []


async def test_one_that_reserved_nothing_does_not_offend(warden: Warden) -> None:
    """However long it stays: what a stay was thought to last is no promise."""
    stay = await warden.gate.admitted(PLATE)
    await leave(warden, stay, NOW + 40 * HOUR)
    assert await warden.opened() == []


async def test_where_overstaying_is_not_listed_nobody_offends(warden: Warden) -> None:
    await warden.owner.execute(
        "DELETE FROM gate.penalties WHERE facility_id = $1 AND violation_type = 'overstay'",
        warden.id,
    )
    await leave(warden, await parked(warden), NOW + 9 * HOUR)
    assert await warden.opened() == []


async def test_an_offence_that_costs_nothing_is_one_all_the_same(warden: Warden) -> None:
    await warden.owner.execute(
        "UPDATE gate.penalties SET amount = 0 WHERE facility_id = $1", warden.id
    )
    await leave(warden, await parked(warden), NOW + 9 * HOUR)
    assert [row["penalty_amount"] for row in await warden.opened()] == [0]


async def test_backing_out_and_coming_again_does_not_move_the_end(warden: Warden) -> None:
    stay = await parked(warden)
    await warden.gate.store.cancel_admission(
        warden.id, warden.gate.fence, stay, warden.gate.site.entry, "no", NOW, uuid4()
    )
    again = NOW + HOUR / 2
    await set_up(warden.owner, warden.id, late_minutes_max=60)
    request = await warden.gate.entry(
        PLATE, at=again, entitlement=Entitlement(Right.RESERVATION, stay)
    )
    await warden.gate.store.admit(warden.id, warden.gate.fence, request)
    await leave(warden, stay, NOW + HOUR + TICK)
    assert len(await warden.opened()) == 1


async def test_evidence_of_a_devices_text_is_stored_whatever_it_says(
    postgres_bench: Bench,
) -> None:
    gate = await postgres_bench.gate()
    text = "\x00 \ud800 \u2028"
    violation = Violation(uuid4(), "tailgating\x00", NOW, {"text": text}, plate="AB1")
    await postgres_bench.postgres.open_violation(gate.site.id, violation)
    stored = await postgres_bench.owner_value(
        "SELECT evidence ->> 'text' FROM violations WHERE id = $1", violation.id
    )
    assert stored == "\ufffd \ufffd\ufffd\ufffd \u2028"
