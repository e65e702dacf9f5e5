"""Reservations: which spot is held and when none is, who may come when, and how they end."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.effects import PassageKnown
from gated.core.errors import StoreError
from gated.core.ids import FacilityId, SpotId, StayId, ZoneId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, PlateSnapshot, Reservation, Right
from gated.db.store_bookings import (
    Actor,
    CancelOutcome,
    FreeSpots,
    ReserveAnswer,
    ReserveOutcome,
    ReserveRequest,
)
from gated.records import AdmitAnswer, AdmitOutcome, ZoneCount
from tests.db.site import NOW, Gate, Spot, drifts, make_site, set_up, write_spots, written
from tests.db.stores import Bench
from tests.e2e.waiting import eventually_asked

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
START, UNTIL = NOW + HOUR, NOW + 3 * HOUR
PLATE = "RES123"

SPOTS = [
    Spot("1", "COMPACT"),
    Spot("2"),
    Spot("3", charger=True),
    Spot("4", accessible=True),
    Spot("5", "LARGE"),
    Spot("6", status="MAINTENANCE"),
    Spot("7", active=False),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """A facility with one spot of each kind, a second zone with one, and the means to ask."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate
    spots: dict[str, SpotId]

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    @property
    def zone_two(self) -> ZoneId:
        return self.gate.site.setup.zones[1].id

    async def reserve(self, **changes: object) -> ReserveAnswer:
        return await self.ask(request(**changes))

    async def ask(self, asked: ReserveRequest) -> ReserveAnswer:
        return await self.bench.postgres.reserve(self.id, asked)

    async def held(self, **changes: object) -> StayId:
        """A reservation that was made; of spot 2 where none is named."""
        asked = request(**{"spot": self.spots["2"], "plate": PLATE, **changes})
        answer = await self.ask(asked)
        assert answer.outcome is ReserveOutcome.RESERVED
        return asked.id

    async def snapshot(self, at: datetime, plate: str = PLATE) -> PlateSnapshot:
        return await self.gate.store.plate_snapshot(self.id, Plate(plate), Direction.ENTRY, at)

    async def arrive(
        self,
        booking: StayId,
        at: datetime,
        *,
        plate: str = PLATE,
        zone: ZoneId | None = None,
        vehicle: UUID | None = None,
    ) -> AdmitAnswer:
        asked = await self.gate.entry(
            plate,
            at=at,
            zone=zone,
            vehicle=vehicle,
            entitlement=Entitlement(Right.RESERVATION, booking),
        )
        return await self.gate.store.admit(self.id, self.gate.fence, asked)

    async def back_out(self, stay: StayId, at: datetime) -> None:
        available = await self.gate.store.cancel_admission(
            self.id, self.gate.fence, stay, self.gate.site.entry, "backed out", at, uuid4()
        )
        assert available is not None

    async def leave(self, stay: StayId, at: datetime, plate: str = PLATE) -> None:
        await self.gate.store.release(
            self.id, self.gate.fence, await self.gate.departure(stay, plate, at=at)
        )

    async def keep(self, at: datetime) -> tuple[int, int]:
        """No-shows that were ended, spots that were marked as held."""
        return await self.bench.postgres.keep_reservations(self.id, at)

    async def booking(self, booking: StayId) -> asyncpg.Record:
        row = await self.owner.fetchrow("SELECT * FROM bookings WHERE id = $1", booking)
        assert row is not None
        return row

    async def state(self, number: str) -> tuple[str, UUID | None]:
        row = await self.owner.fetchrow(
            "SELECT status::text, current_booking FROM parking_spots WHERE id = $1",
            self.spots[number],
        )
        assert row is not None
        return row[0], row[1]

    async def audits(self, booking: StayId) -> list[tuple[str, str]]:
        rows = await self.owner.fetch(
            "SELECT action, actor FROM audit_logs WHERE facility_id = $1 AND resource_id = $2"
            " ORDER BY timestamp, action",
            self.id,
            booking,
        )
        return [tuple(row) for row in rows]


def request(**changes: object) -> ReserveRequest:
    asked = ReserveRequest(StayId(uuid4()), START, UNTIL, NOW)
    return replace(asked, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def scene(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Scene:
    gate = await postgres_bench.gate(make_site([[], ["B-1"]]))
    return Scene(postgres_bench, owner_of, gate, await write_spots(owner_of, gate.site, SPOTS))


@pytest.fixture
async def alone(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Scene:
    """One spot, 2, and nothing else."""
    gate = await postgres_bench.gate(make_site([[], []]))
    return Scene(
        postgres_bench, owner_of, gate, await write_spots(owner_of, gate.site, [Spot("2")])
    )


def plate() -> str:
    """One that nobody else has: vehicles are known to all facilities."""
    return uuid4().hex[:12].upper()


# ── making one ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("needs", "number"),
    [
        ({}, "1"),
        ({"size": "STANDARD"}, "2"),
        ({"size": "LARGE"}, "5"),
        ({"wants_charger": True}, "3"),
        ({"wants_charger": True, "size": "LARGE"}, "5"),
        ({"accessible": True}, "4"),
        ({"accessible": True, "size": "LARGE"}, "5"),
        ({"size": "OVERSIZED"}, None),
    ],
    ids=str,
)
async def test_a_reservation_gets_the_fittest_spot(
    scene: Scene, needs: dict[str, object], number: str | None
) -> None:
    answer = await scene.reserve(**needs)
    if number is None:
        assert answer == ReserveAnswer(ReserveOutcome.NO_SPOT)
        return
    assert (answer.outcome, answer.spot_number) == (ReserveOutcome.RESERVED, number)
    assert (answer.zone, answer.spot) == (scene.gate.site.zone, scene.spots[number])
    assert answer.estimate == Money(Decimal("5.00"), "EUR")
    assert answer.ticket


@pytest.mark.parametrize(
    ("kind", "asked", "number"),
    [
        ({"kind": "VAN"}, {}, "5"),
        ({"kind": "VAN"}, {"size": "COMPACT"}, "1"),
        ({"electric": True}, {}, "3"),
        ({"electric": True}, {"wants_charger": False}, "1"),
        ({"permit": True}, {"accessible": True}, "4"),
        ({"permit": True}, {}, "1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("by", ["plate", "vehicle"])
async def test_what_is_needed_is_known_from_the_vehicle(
    scene: Scene, kind: dict[str, str], asked: dict[str, object], number: str, by: str
) -> None:
    known = await scene.bench.register(plate(), **kind)  # type: ignore[arg-type]
    named = {"plate": known.plate.text} if by == "plate" else {"vehicle": known.id}
    booking = request(**asked, **named)
    assert (await scene.ask(booking)).spot_number == number
    row = await scene.booking(booking.id)
    assert (row["vehicle_id"], row["plate_number"]) == (known.id, known.plate.text)


async def test_a_stranger_needs_what_the_facility_takes_it_for(scene: Scene) -> None:
    await scene.owner.execute(
        "UPDATE gate.facility_settings SET vehicle_type_default = 'SUV' WHERE facility_id = $1",
        scene.id,
    )
    assert (await scene.reserve(plate=PLATE)).spot_number == "2"


async def test_the_owner_of_the_vehicle_is_whose_booking_it_is(scene: Scene) -> None:
    one, other = await scene.bench.user(), await scene.bench.user()
    known = await scene.bench.register(plate(), user=one)
    for user, expected in ((None, one), (other, other)):
        booking = request(plate=known.plate.text, user=user)
        await scene.ask(booking)
        assert (await scene.booking(booking.id))["user_id"] == expected


async def test_of_two_vehicles_of_a_plate_it_is_the_users_own(scene: Scene) -> None:
    users = [await scene.bench.user() for _ in range(2)]
    same = plate()
    known = [await scene.bench.register(same, user=user) for user in users]
    for user, vehicle in zip(users, known, strict=True):
        booking = request(plate=same, user=user)
        await scene.ask(booking)
        assert (await scene.booking(booking.id))["vehicle_id"] == vehicle.id


async def test_zones_are_tried_in_the_order_of_their_codes(scene: Scene) -> None:
    needs: dict[str, object] = {"size": "STANDARD", "plate": PLATE}
    numbers = [(await scene.reserve(**needs)).spot_number for _ in range(4)]
    assert numbers == ["2", "5", "B-1", ""]


async def test_a_closed_zone_is_not_tried(scene: Scene) -> None:
    await scene.owner.execute(
        "UPDATE zones SET is_active = false WHERE id = $1", scene.gate.site.zone
    )
    assert (await scene.reserve()).spot_number == "B-1"


async def test_a_zone_or_a_spot_may_be_named(scene: Scene) -> None:
    assert (await scene.reserve(zone=scene.zone_two)).spot_number == "B-1"
    assert (await scene.reserve(spot=scene.spots["5"])).spot_number == "5"
    both = await scene.reserve(zone=scene.gate.site.zone, spot=scene.spots["2"])
    assert both.spot_number == "2"
    assert (await scene.reserve(zone=scene.zone_two)).outcome is ReserveOutcome.NO_SPOT


async def test_a_reservation_is_written_down(scene: Scene) -> None:
    user, clerk = await scene.bench.user(), await scene.bench.user()
    asked = request(plate="re-s 123", user=user)
    answer = await scene.bench.postgres.reserve(scene.id, asked, Actor("desk", clerk))
    row = await scene.booking(asked.id)
    assert (row["status"], row["booking_type"]) == ("CONFIRMED", "RESERVATION")
    assert (row["entry_time"], row["expected_exit"]) == (START, UNTIL)
    assert (row["reserved_from"], row["reserved_until"]) == (START, UNTIL)
    assert (row["plate_number"], row["plate_raw"]) == (PLATE, "re-s 123")
    assert (row["user_id"], row["ticket_number"]) == (user, answer.ticket)
    assert (row["size_needed"], row["currency"]) == ("COMPACT", "EUR")
    assert row["estimated_price"] == Decimal(5)
    audit = await scene.owner.fetchrow(
        "SELECT action, actor, user_id, correlation_id FROM audit_logs WHERE resource_id = $1",
        asked.id,
    )
    assert audit is not None
    assert tuple(audit) == ("booking.reserved", "desk", clerk, asked.id)
    assert await scene.state("1") == ("AVAILABLE", None), "it is held by its claim alone"
    assert await drifts(scene.owner, scene.id) == []


async def test_without_a_tariff_there_is_no_estimate(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([["1"]], tariffs=[]))
    answer = await postgres_bench.postgres.reserve(gate.site.id, request())
    assert (answer.outcome, answer.estimate) == (ReserveOutcome.RESERVED, None)


# ── refusals ────────────────────────────────────────────────────────────────────────────────

OWNER_SAYS = {
    "facility closed": "UPDATE facilities SET is_active = false WHERE id = $1",
    "zone closed": "UPDATE zones SET is_active = false WHERE facility_id = $1",
    "chargers not kept": (
        "UPDATE gate.facility_settings SET ev_spots_kept = false WHERE facility_id = $1"
    ),
}
Changes = Callable[[Scene, Gate], dict[str, object]]
R = ReserveOutcome

REFUSED: dict[str, tuple[ReserveOutcome, Changes]] = {
    "facility closed": (R.FACILITY_CLOSED, lambda s, _: {}),
    "zone closed": (R.ZONE_CLOSED, lambda s, _: {"zone": s.gate.site.zone}),
    "zone closed, by its spot": (R.ZONE_CLOSED, lambda s, _: {"spot": s.spots["2"]}),
    "zone unknown": (R.ZONE_UNKNOWN, lambda s, _: {"zone": uuid4()}),
    "zone of another facility": (R.ZONE_UNKNOWN, lambda s, o: {"zone": o.site.zone}),
    "spot unknown": (R.SPOT_UNKNOWN, lambda s, _: {"spot": uuid4()}),
    "spot of another facility": (R.SPOT_UNKNOWN, lambda s, o: {"spot": elsewhere(o)}),
    "spot of another zone": (
        R.SPOT_UNKNOWN,
        lambda s, _: {"zone": s.zone_two, "spot": s.spots["2"]},
    ),
    "spot under maintenance": (R.SPOT_OUT_OF_SERVICE, lambda s, _: {"spot": s.spots["6"]}),
    "spot taken away": (R.SPOT_OUT_OF_SERVICE, lambda s, _: {"spot": s.spots["7"]}),
    "spot too small": (R.SPOT_UNFIT, lambda s, _: {"spot": s.spots["1"], "size": "STANDARD"}),
    "spot for permits": (R.SPOT_UNFIT, lambda s, _: {"spot": s.spots["4"]}),
    "spot for electric ones": (R.SPOT_UNFIT, lambda s, _: {"spot": s.spots["3"]}),
    "no length": (R.PERIOD_INVALID, lambda s, _: {"until": START}),
    "less than no length": (R.PERIOD_INVALID, lambda s, _: {"until": START - TICK}),
    "over": (R.PERIOD_INVALID, lambda s, _: {"start": NOW - HOUR, "until": NOW}),
    "begun long ago": (R.PERIOD_INVALID, lambda s, _: {"start": NOW - timedelta(days=100)}),
    "years ahead": (
        R.PERIOD_TOO_FAR,
        lambda s, _: {"start": NOW + timedelta(days=732), "until": NOW + timedelta(days=733)},
    ),
    "separators": (R.PLATE_INVALID, lambda s, _: {"plate": " -._ "}),
    "nothing": (R.PLATE_INVALID, lambda s, _: {"plate": ""}),
    "seventeen letters": (R.PLATE_INVALID, lambda s, _: {"plate": "A" * 17}),
    "brackets": (R.PLATE_INVALID, lambda s, _: {"plate": "AB(12)"}),
    "a plus": (R.PLATE_INVALID, lambda s, _: {"plate": "AB+12"}),
    "a new line": (R.PLATE_INVALID, lambda s, _: {"plate": "AB\n12"}),
    "a hidden space": (R.PLATE_INVALID, lambda s, _: {"plate": "AB\u200b12"}),
    "a hidden hyphen": (R.PLATE_INVALID, lambda s, _: {"plate": "AB\u00ad12"}),
    "a hyphen of its own": (R.PLATE_INVALID, lambda s, _: {"plate": "AB\u201112"}),
    "a currency": (R.PLATE_INVALID, lambda s, _: {"plate": "AB\u20ac12"}),
    "vehicle unknown": (R.VEHICLE_UNKNOWN, lambda s, _: {"vehicle": uuid4()}),
}


def elsewhere(gate: Gate) -> UUID:
    return UUID(int=gate.site.zone.int)  # its only spot has the id of its zone


@pytest.mark.parametrize("case", REFUSED)
async def test_a_reservation_that_is_refused_writes_nothing(scene: Scene, case: str) -> None:
    outcome, changes = REFUSED[case]
    other = await scene.bench.gate(make_site([[]]))
    await scene.owner.execute(
        "INSERT INTO parking_spots (id, zone_id, spot_number) VALUES ($1, $1, '1')",
        other.site.zone,
    )
    if (told := OWNER_SAYS.get(case.partition(",")[0])) is not None:
        await scene.owner.execute(told, scene.id)
    before = await written(scene.owner, scene.id)
    answer = await scene.reserve(**changes(scene, other))
    assert answer == ReserveAnswer(outcome)
    assert await written(scene.owner, scene.id) == before


async def test_an_unknown_facility_is_said_to_be(scene: Scene) -> None:
    for facility in (FacilityId(uuid4()), await platforms_own(scene.owner)):
        answer = await scene.bench.postgres.reserve(facility, request())
        assert answer == ReserveAnswer(R.FACILITY_UNKNOWN)


async def platforms_own(owner: asyncpg.Connection) -> FacilityId:
    """A facility that is not set up for gated."""
    made: FacilityId = await owner.fetchval(
        "INSERT INTO facilities (name, city) VALUES ('Theirs', 'Bonn') RETURNING id"
    )
    return made


@pytest.mark.parametrize("bound", ["start", "until"])
async def test_a_period_has_two_ends(scene: Scene, bound: str) -> None:
    """Only who calls the function itself can leave one out, or send infinity."""
    for value in ("NULL", "'infinity'", "'-infinity'"):
        ends = {"start": "now()", "until": "now() + interval '1 hour'"} | {bound: value}
        answer = await scene.owner.fetchval(
            f"SELECT outcome FROM gate.reserve_v1(gen_random_uuid(), $1, {ends['start']},"
            f" {ends['until']}, now())",
            scene.id,
        )
        assert answer == R.PERIOD_INVALID


@pytest.mark.parametrize("by", ["plate", "vehicle", "vehicle under another plate"])
async def test_a_blocked_vehicle_reserves_nothing(scene: Scene, by: str) -> None:
    known = await scene.bench.register(plate(), blocked=True)
    named: dict[str, dict[str, object]] = {
        "plate": {"plate": known.plate.text.lower()},
        "vehicle": {"vehicle": known.id},
        "vehicle under another plate": {"vehicle": known.id, "plate": plate()},
    }
    assert await scene.reserve(**named[by]) == ReserveAnswer(R.VEHICLE_BLOCKED)


async def test_a_vehicle_that_is_no_longer_in_use_is_unknown(scene: Scene) -> None:
    known = await scene.bench.register(plate())
    await scene.owner.execute("UPDATE vehicles SET is_active = false WHERE id = $1", known.id)
    assert await scene.reserve(vehicle=known.id) == ReserveAnswer(R.VEHICLE_UNKNOWN)
    stranger = await scene.reserve(plate=known.plate.text)
    assert stranger.outcome is R.RESERVED, "its plate is a stranger's"


@pytest.mark.parametrize("by", ["plate", "vehicle"])
async def test_an_accessible_spot_needs_the_permit(scene: Scene, by: str) -> None:
    known = await scene.bench.register(plate())
    named = {"plate": known.plate.text} if by == "plate" else {"vehicle": known.id}
    answer = await scene.reserve(**named, accessible=True)
    assert answer == ReserveAnswer(R.ACCESSIBLE_NOT_PERMITTED)


async def test_a_charger_that_is_not_kept_may_be_reserved(scene: Scene) -> None:
    await scene.owner.execute(OWNER_SAYS["chargers not kept"], scene.id)
    assert (await scene.reserve(spot=scene.spots["3"])).outcome is R.RESERVED


async def test_two_years_ahead_is_not_too_far(scene: Scene) -> None:
    start = NOW.replace(year=NOW.year + 2)
    answer = await scene.reserve(start=start, until=start + HOUR)
    assert answer.outcome is R.RESERVED


async def test_a_period_that_has_begun_may_be_reserved(scene: Scene) -> None:
    answer = await scene.reserve(start=NOW - HOUR, until=NOW + TICK)
    assert answer.outcome is R.RESERVED


async def test_a_spot_that_is_taken_and_a_zone_that_has_none(alone: Scene) -> None:
    await alone.held()
    for asked, outcome in (
        ({"spot": alone.spots["2"]}, R.SPOT_TAKEN),
        ({"zone": alone.gate.site.zone}, R.NO_SPOT),
        ({}, R.NO_SPOT),
    ):
        before = await written(alone.owner, alone.id)
        assert await alone.reserve(**asked) == ReserveAnswer(outcome)
        assert await written(alone.owner, alone.id) == before


async def test_somebody_unknown_is_an_error_in_plain_words(scene: Scene) -> None:
    before = await written(scene.owner, scene.id)
    with pytest.raises(StoreError, match=r"^reserve: unknown user$"):
        await scene.reserve(user=uuid4())
    with pytest.raises(StoreError, match=r"^reserve: unknown user$"):
        await scene.bench.postgres.reserve(scene.id, request(), Actor("desk", uuid4()))
    assert await written(scene.owner, scene.id) == before


# ── the same request again ──────────────────────────────────────────────────────────────────


async def test_the_same_reservation_is_made_once(scene: Scene) -> None:
    asked = request(plate=PLATE)
    first = await scene.ask(asked)
    before = await written(scene.owner, scene.id)
    assert await scene.ask(asked) == first
    assert await written(scene.owner, scene.id) == before
    await scene.arrive(asked.id, START)
    assert await scene.ask(asked) == first, "its vehicle is inside"
    await scene.leave(asked.id, UNTIL)
    ended = await scene.ask(asked)
    assert ended.outcome is ReserveOutcome.BOOKING_ENDED


async def test_a_cancelled_reservation_does_not_come_back(scene: Scene) -> None:
    asked = request()
    await scene.ask(asked)
    await scene.bench.postgres.cancel_booking(scene.id, asked.id, "changed my mind", NOW)
    assert (await scene.ask(asked)).outcome is ReserveOutcome.BOOKING_ENDED


@pytest.mark.parametrize("named", [True, False], ids=["a spot is named", "any spot"])
async def test_the_same_reservation_asked_for_many_times_at_once_is_made_once(
    alone: Scene, named: bool
) -> None:
    """As after a time-out: the first call is still at work when the second one comes."""
    for turn in range(10):
        asked = request(
            start=START + turn * HOUR,
            until=START + (turn + 1) * HOUR,
            spot=alone.spots["2"] if named else None,
        )
        answers = await asyncio.gather(*(alone.ask(asked) for _ in range(6)))
        assert {answer.outcome for answer in answers} == {ReserveOutcome.RESERVED}
        assert len({answer.ticket for answer in answers}) == 1
        assert await alone.audits(asked.id) == [("booking.reserved", "operator")]


async def test_an_id_that_another_facility_has_used_is_an_error(scene: Scene) -> None:
    other = await scene.bench.gate()
    asked = request()
    await scene.ask(asked)
    with pytest.raises(StoreError) as refusal:
        await scene.bench.postgres.reserve(other.site.id, asked)
    assert not refusal.value.retryable


# ── rivals ──────────────────────────────────────────────────────────────────────────────────


async def test_one_spot_is_reserved_by_one_of_two(alone: Scene) -> None:
    for turn in range(25):
        period = {"start": START + turn * HOUR, "until": START + (turn + 1) * HOUR}
        answers = await asyncio.gather(*(alone.reserve(**period) for _ in range(2)))
        assert sorted(answer.outcome for answer in answers) == [R.NO_SPOT, R.RESERVED]
    assert await drifts(alone.owner, alone.id) == []


async def test_many_rivals_reserve_every_spot_once(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate = await postgres_bench.gate(make_site([[str(number) for number in range(10)]]))
    answers = await asyncio.gather(
        *(postgres_bench.postgres.reserve(gate.site.id, request()) for _ in range(30))
    )
    assert Counter(answer.outcome for answer in answers) == {R.RESERVED: 10, R.NO_SPOT: 20}
    assert len({answer.spot for answer in answers if answer.spot}) == 10


WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND query LIKE '%{}%'"
)


async def until_it_waits(owner: asyncpg.Connection, function: str) -> None:
    async def waits() -> bool:
        await owner.execute("SELECT pg_stat_clear_snapshot()")
        return bool(await owner.fetchval(WAITS.format(function)))

    await eventually_asked(waits, f"{function} waits")


@pytest.mark.parametrize("stands", [True, False], ids=["rival commits", "rival fails"])
async def test_a_rival_with_the_last_spot_is_waited_for(alone: Scene, stands: bool) -> None:
    """Its row is locked and free by what is committed: who knows what becomes of it?"""
    transaction = alone.owner.transaction()
    await transaction.start()
    await alone.owner.fetchval(
        "SELECT outcome FROM gate.reserve_v1(gen_random_uuid(), $1, $2, $3, $4)",
        alone.id,
        START,
        UNTIL,
        NOW,
    )
    answer = asyncio.create_task(alone.reserve())
    await until_it_waits(alone.owner, "reserve_v1")
    await (transaction.commit() if stands else transaction.rollback())
    assert (await answer).outcome is (R.NO_SPOT if stands else R.RESERVED)


@pytest.mark.parametrize("stands", [True, False], ids=["rival commits", "rival fails"])
@pytest.mark.parametrize("named", [True, False], ids=["a spot is named", "any spot"])
async def test_who_books_behind_our_back_gets_the_spot_or_does_not(
    alone: Scene, stands: bool, named: bool
) -> None:
    """The web shop may insert bookings by itself and locks no spot: the referee decides."""
    transaction = alone.owner.transaction()
    await transaction.start()
    await alone.owner.execute(
        "INSERT INTO bookings (facility_id, spot_id, status, entry_time, expected_exit)"
        " VALUES ($1, $2, 'CONFIRMED', $3, $4)",
        alone.id,
        alone.spots["2"],
        START,
        UNTIL,
    )
    answer = asyncio.create_task(alone.reserve(spot=alone.spots["2"] if named else None))
    await until_it_waits(alone.owner, "reserve_v1")
    await (transaction.commit() if stands else transaction.rollback())
    lost = R.SPOT_TAKEN if named else R.NO_SPOT
    assert (await answer).outcome is (lost if stands else R.RESERVED)
    assert await drifts(alone.owner, alone.id) == []


NEVER_FREE = """
CREATE OR REPLACE FUNCTION gate.spot_free_v1(
    p_spot uuid, p_during tstzrange, p_at timestamptz, p_stay_minutes integer
) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT false $$;
"""


async def test_spots_that_change_hands_for_ever_are_an_error_that_may_pass(
    fresh_bench: Bench,
) -> None:
    """The planted fault: each time that the spot is locked somebody has claimed it meanwhile."""
    gate = await fresh_bench.gate(make_site([["1"]]))
    await fresh_bench.owner_value(NEVER_FREE)
    with pytest.raises(StoreError, match="changed hands too often") as refusal:
        await fresh_bench.postgres.reserve(gate.site.id, request())
    assert refusal.value.retryable


# ── periods ─────────────────────────────────────────────────────────────────────────────────


async def test_periods_that_touch_share_a_spot(alone: Scene) -> None:
    """Half-open: one may come at the instant at which the other is gone."""
    await alone.held()
    for start, until, outcome in (
        (START - HOUR, START, R.RESERVED),
        (UNTIL, UNTIL + HOUR, R.RESERVED),
        (START - HOUR, START + TICK, R.NO_SPOT),
        (UNTIL - TICK, UNTIL + HOUR, R.NO_SPOT),
        (START + TICK, UNTIL - TICK, R.NO_SPOT),
        (START - 9 * HOUR, UNTIL + 9 * HOUR, R.NO_SPOT),
    ):
        asked = request(start=start, until=until, at=NOW - timedelta(days=1))
        assert (await alone.ask(asked)).outcome is outcome


@dataclass(slots=True)
class Calendar:
    """The oracle: which periods of which spot are taken."""

    taken: dict[str, list[tuple[datetime, datetime, StayId]]]

    def free(self, start: datetime, until: datetime) -> Iterator[str]:
        for number in sorted(self.taken):
            if not any(one < until and start < end for one, end, _ in self.taken[number]):
                yield number

    def remove(self, booking: StayId) -> None:
        for periods in self.taken.values():
            periods[:] = [one for one in periods if one[2] != booking]


@pytest.mark.parametrize("seed", range(3))
async def test_no_two_periods_of_a_spot_ever_overlap(
    postgres_bench: Bench, owner_of: asyncpg.Connection, seed: int
) -> None:
    """Random periods on two spots, some cancelled: each answer is the calendar's own."""
    rng = random.Random(seed)
    gate = await postgres_bench.gate(make_site([["1", "2"]]))
    scene = Scene(postgres_bench, owner_of, gate, {})
    calendar = Calendar({"1": [], "2": []})
    made: list[StayId] = []
    outcomes: Counter[ReserveOutcome] = Counter()
    for _ in range(80):
        if made and rng.random() < 0.2:
            booking = made.pop(rng.randrange(len(made)))
            cancelled = await postgres_bench.postgres.cancel_booking(scene.id, booking, "x", NOW)
            assert cancelled is CancelOutcome.CANCELLED
            calendar.remove(booking)
            continue
        start = NOW + rng.randrange(48) * 30 * MINUTE
        asked = request(start=start, until=start + rng.randrange(1, 9) * 30 * MINUTE)
        answer = await scene.ask(asked)
        expected = next(calendar.free(asked.start, asked.until), "")
        assert (answer.spot_number, answer.outcome) == (
            expected,
            R.RESERVED if expected else R.NO_SPOT,
        ), f"seed {seed}"
        if expected:
            calendar.taken[expected].append((asked.start, asked.until, asked.id))
            made.append(asked.id)
        outcomes[answer.outcome] += 1
    assert min(outcomes[R.RESERVED], outcomes[R.NO_SPOT]) > 5, "both were put to the test"
    assert await drifts(owner_of, gate.site.id) == []


async def test_a_vehicle_that_overstays_keeps_its_spot_from_the_next_hours(alone: Scene) -> None:
    """It was expected to leave four hours after it came; from then on each instant it may."""
    stay = await alone.gate.admitted("STAYS1")
    overdue = NOW + 5 * HOUR
    for start, outcome in (
        (overdue, R.NO_SPOT),
        (overdue + 4 * HOUR - TICK, R.NO_SPOT),
        (overdue + 4 * HOUR, R.RESERVED),
    ):
        asked = request(start=start, until=start + HOUR, at=overdue)
        assert (await alone.ask(asked)).outcome is outcome
    early = request(start=NOW + 4 * HOUR, until=NOW + 5 * HOUR, at=NOW + HOUR)
    assert (await alone.ask(early)).outcome is R.RESERVED, "it is not overdue yet"
    await alone.bench.postgres.cancel_booking(alone.id, early.id, "x", NOW)
    await alone.leave(stay, overdue, "STAYS1")
    asked = request(start=overdue, until=overdue + HOUR, at=overdue)
    assert (await alone.ask(asked)).outcome is R.RESERVED, "it has left"


# ── what is free ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wants_charger", [False, True], ids=["no charger", "charger"])
@pytest.mark.parametrize("accessible", [False, True], ids=["no permit", "permit"])
@pytest.mark.parametrize(("size", "kept"), [("COMPACT", True), ("STANDARD", False)])
async def test_what_is_called_free_can_be_reserved_and_no_more(
    postgres_bench: Bench,
    owner_of: asyncpg.Connection,
    wants_charger: bool,
    accessible: bool,
    size: str,
    kept: bool,
) -> None:
    gate = await postgres_bench.gate(make_site([[], [], []]))
    scene = Scene(postgres_bench, owner_of, gate, {})
    await set_up(owner_of, scene.id, ev_spots_kept=kept)
    rng = random.Random(f"{wants_charger} {accessible} {size}")
    for zone in gate.site.setup.zones:
        spots = [
            Spot(
                str(number),
                rng.choice(("MOTORCYCLE", "COMPACT", "STANDARD", "LARGE")),
                charger=rng.random() < 0.3,
                accessible=rng.random() < 0.3,
                status=rng.choice(("AVAILABLE",) * 5 + ("MAINTENANCE",)),
                active=rng.random() < 0.9,
            )
            for number in range(20)
        ]
        await write_spots(owner_of, gate.site, spots, zone.id)
    closed = gate.site.setup.zones[2].id
    await owner_of.execute("UPDATE zones SET is_active = false WHERE id = $1", closed)
    overdue = NOW - 6 * HOUR
    for number in range(3):
        await gate.admitted(f"STAYS{number}", at=overdue)
    for _ in range(3):
        await scene.reserve(start=UNTIL - TICK, until=UNTIL + HOUR)

    needs = {"size": size, "wants_charger": wants_charger, "accessible": accessible}
    told = await postgres_bench.postgres.free_spots(
        scene.id,
        START,
        UNTIL,
        NOW,
        **needs,  # type: ignore[arg-type]
    )
    got: Counter[FreeSpots] = Counter()
    while (answer := await scene.reserve(**needs)).outcome is R.RESERVED:
        row = await owner_of.fetchrow(
            "SELECT z.id, z.code, s.size::text, s.has_ev_charger, s.is_accessible, 0"
            " FROM parking_spots s JOIN zones z ON z.id = s.zone_id WHERE s.id = $1",
            answer.spot,
        )
        assert row is not None
        got[FreeSpots(*row)] += 1
    assert answer.outcome is R.NO_SPOT
    assert Counter({replace(one, free=0): one.free for one in told}) == got
    assert sum(got.values()) > 2
    assert await drifts(owner_of, scene.id) == []


async def test_nothing_is_free_where_nothing_can_be_reserved(scene: Scene) -> None:
    free = scene.bench.postgres.free_spots
    assert sum(one.free for one in await free(scene.id, START, UNTIL, NOW)) == 4
    assert list(await free(scene.id, UNTIL, UNTIL, NOW)) == [], "no length"
    assert list(await free(scene.id, NOW - HOUR, NOW, NOW)) == [], "over"
    assert list(await free(FacilityId(uuid4()), START, UNTIL, NOW)) == [], "unknown"
    await scene.owner.execute(OWNER_SAYS["facility closed"], scene.id)
    assert list(await free(scene.id, START, UNTIL, NOW)) == [], "closed"


# ── coming ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("late_minutes_max", "at", "due"),
    [
        (None, START - 30 * MINUTE - TICK, False),
        (None, START - 30 * MINUTE, True),
        (None, START, True),
        (None, UNTIL - TICK, True),
        (None, UNTIL, False),
        (20, START - 30 * MINUTE, True),
        (20, START + 20 * MINUTE - TICK, True),
        (20, START + 20 * MINUTE, False),
        (0, START - TICK, True),
        (0, START, False),
        (999, UNTIL - TICK, True),
        (999, UNTIL, False),
    ],
)
async def test_a_vehicle_may_come_a_little_early_and_as_late_as_it_is_waited_for(
    scene: Scene, late_minutes_max: int | None, at: datetime, due: bool
) -> None:
    await set_up(scene.owner, scene.id, late_minutes_max=late_minutes_max)
    booking = await scene.held()
    snapshot = await scene.snapshot(at)
    expected = Reservation(booking, scene.gate.site.zone) if due else None
    assert snapshot.reservation == expected
    before = await written(scene.owner, scene.id)
    answer = await scene.arrive(booking, at)
    if due:
        assert (answer.outcome, answer.spot_number) == (AdmitOutcome.ADMITTED, "2")
    else:
        assert answer.outcome is AdmitOutcome.BOOKING_NOT_DUE
        after = await written(scene.owner, scene.id)
        assert after == before | {"pending": 1}, "its message waits to be decided otherwise"


async def test_how_early_is_the_facilitys_own_setting(scene: Scene) -> None:
    await set_up(scene.owner, scene.id, early_minutes_max=5)
    booking = await scene.held()
    at = START - 5 * MINUTE
    assert (await scene.arrive(booking, at - TICK)).outcome is AdmitOutcome.BOOKING_NOT_DUE
    assert (await scene.arrive(booking, at)).outcome is AdmitOutcome.ADMITTED


async def test_a_reservation_without_an_end_is_waited_for(scene: Scene) -> None:
    """As the web shop may write it."""
    booking = StayId(uuid4())
    await scene.owner.execute(
        "INSERT INTO bookings (id, facility_id, spot_id, status, entry_time, plate_number)"
        " VALUES ($1, $2, $3, 'CONFIRMED', $4, $5)",
        booking,
        scene.id,
        scene.spots["2"],
        START,
        PLATE,
    )
    later = START + timedelta(days=3)
    assert (await scene.keep(later))[0] == 0, "it is no no-show yet"
    assert (await scene.snapshot(later)).reservation is not None
    assert (await scene.arrive(booking, later)).spot_number == "2"
    row = await scene.booking(booking)
    assert (row["reserved_from"], row["reserved_until"]) == (None, None)
    await scene.back_out(booking, later)
    assert (await scene.arrive(booking, later + MINUTE)).spot_number == "2"
    assert await drifts(scene.owner, scene.id) == []


async def test_the_first_of_several_reservations_counts(scene: Scene) -> None:
    second = await scene.held(start=UNTIL, until=UNTIL + HOUR, spot=scene.spots["1"])
    first = await scene.held()
    zone = scene.gate.site.zone
    at = UNTIL - 30 * MINUTE
    assert (await scene.snapshot(at)).reservation == Reservation(first, zone)
    assert (await scene.snapshot(UNTIL)).reservation == Reservation(second, zone)


@pytest.mark.parametrize(
    "written_plate",
    [
        "\u0412\u0410\u0412-123",  # Cyrillic
        "\u0392 \u0391\u0392 \u00b7 123",  # Greek
        "b.ab:123",
        "\uff22\uff21\uff22\uff11\uff12\uff13",  # wide
    ],
    ids=ascii,
)
async def test_a_plate_is_found_however_it_was_written(scene: Scene, written_plate: str) -> None:
    booking = await scene.held(plate=written_plate)
    snapshot = await scene.snapshot(START, "BAB123")
    assert snapshot.reservation is not None
    assert snapshot.reservation.id == booking
    assert (await scene.arrive(booking, START, plate="BAB123")).outcome is AdmitOutcome.ADMITTED


async def test_the_reservation_becomes_the_stay(scene: Scene) -> None:
    asked = request(plate="re-s 123", spot=scene.spots["2"])
    ticket = (await scene.ask(asked)).ticket
    at = START + 7 * MINUTE
    answer = await scene.arrive(asked.id, at)
    assert answer == AdmitAnswer(AdmitOutcome.ADMITTED, 4, asked.id, scene.spots["2"], "2", ticket)
    row = await scene.booking(asked.id)
    assert (row["status"], row["entitlement"]) == ("ACTIVE", "reservation")
    assert (row["entry_time"], row["expected_exit"]) == (at, UNTIL)
    assert (row["reserved_from"], row["reserved_until"]) == (START, UNTIL)
    assert (row["plate_number"], row["plate_raw"]) == (PLATE, f"{PLATE} raw")
    assert row["entry_lane_id"] == scene.gate.site.entry
    assert row["pricing_rule_id"] is not None
    snapshot = await scene.snapshot(at)
    assert snapshot.open_stay is not None
    assert (snapshot.open_stay.id, snapshot.open_stay.ticket) == (asked.id, ticket)
    assert snapshot.reservation is None, "it is used"
    assert await drifts(scene.owner, scene.id) == []


async def test_a_repeated_arrival_gets_the_same_answer(scene: Scene) -> None:
    booking = await scene.held()
    asked = await scene.gate.entry(
        PLATE, at=START, entitlement=Entitlement(Right.RESERVATION, booking)
    )
    first = await scene.gate.store.admit(scene.id, scene.gate.fence, asked)
    before = await written(scene.owner, scene.id)
    assert await scene.gate.store.admit(scene.id, scene.gate.fence, asked) == first
    assert await written(scene.owner, scene.id) == before


@pytest.mark.parametrize("what", ["cancelled", "unknown", "of another facility", "used"])
async def test_a_reservation_that_is_not_open_lets_nobody_in(scene: Scene, what: str) -> None:
    booking = await scene.held()
    match what:
        case "cancelled":
            await scene.bench.postgres.cancel_booking(scene.id, booking, "x", NOW)
        case "unknown":
            booking = StayId(uuid4())
        case "of another facility":
            other = await scene.bench.gate()
            booking = await scene.bench.reserve(other, PLATE, START, UNTIL)
        case _:
            await scene.arrive(booking, START)
    before = await written(scene.owner, scene.id)
    answer = await scene.arrive(booking, START, plate="OTHER1")
    assert answer.outcome is AdmitOutcome.BOOKING_NOT_OPEN
    assert await written(scene.owner, scene.id) == before | {"pending": 1}


async def test_with_a_reservation_too_a_zone_must_be_open_and_the_facilitys(scene: Scene) -> None:
    booking = await scene.held()
    other = await scene.bench.gate()
    with pytest.raises(StoreError, match="unknown zone"):
        await scene.arrive(booking, START, zone=other.site.zone)
    await scene.owner.execute(OWNER_SAYS["zone closed"], scene.id)
    assert (await scene.arrive(booking, START)).outcome is AdmitOutcome.ZONE_CLOSED


async def test_a_plate_that_is_inside_does_not_come_with_its_next_reservation(
    scene: Scene,
) -> None:
    stay = await scene.gate.entry(PLATE)
    await scene.gate.store.admit(scene.id, scene.gate.fence, stay)
    await scene.gate.store.complete_passage(
        scene.id, scene.gate.fence, stay.stay, stay.lane, PassageKnown.MEASURED, NOW, stay.event
    )
    booking = await scene.held()
    assert (await scene.arrive(booking, START)).outcome is AdmitOutcome.ALREADY_INSIDE


# ── whose spot is not free ──────────────────────────────────────────────────────────────────


async def test_one_whose_spot_is_still_taken_gets_another(scene: Scene) -> None:
    """Somebody overstays: the one that reserved the spot after it stands elsewhere."""
    overstayer = await scene.held(plate="STAYS1", until=START + HOUR)
    await scene.arrive(overstayer, START, plate="STAYS1")
    booking = await scene.held(start=START + HOUR)
    answer = await scene.arrive(booking, START + HOUR)
    assert (answer.outcome, answer.stay) == (AdmitOutcome.ADMITTED, booking)
    assert answer.spot_number == "1", "the smallest that a car fits"
    assert (await scene.booking(booking))["spot_id"] == scene.spots["1"]
    assert await drifts(scene.owner, scene.id) == []


@pytest.mark.parametrize("case", ["maintenance", "taken away", "in another zone"])
async def test_one_whose_spot_cannot_be_had_gets_another(scene: Scene, case: str) -> None:
    booking = await scene.held()
    zone = None
    match case:
        case "maintenance":
            await scene.owner.execute(
                "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE id = $1", scene.spots["2"]
            )
        case "taken away":
            await scene.owner.execute(
                "UPDATE parking_spots SET is_active = false WHERE id = $1", scene.spots["2"]
            )
        case _:
            zone = scene.zone_two
    answer = await scene.arrive(booking, START, zone=zone)
    assert answer.spot_number == ("B-1" if zone else "1")
    assert await drifts(scene.owner, scene.id) == []


async def test_one_that_comes_early_does_not_take_what_another_has_until_then(
    scene: Scene,
) -> None:
    """The spot stands empty, but who has it for the hour before may come yet."""
    before = await scene.held(plate="FIRST1", start=START - HOUR, until=START)
    booking = await scene.held()
    early = START - 20 * MINUTE
    assert (await scene.arrive(booking, early)).spot_number == "1"
    assert (await scene.arrive(before, early, plate="FIRST1")).spot_number == "2"
    assert await drifts(scene.owner, scene.id) == []


async def test_one_that_comes_early_takes_its_own_spot_where_nobody_has_it(scene: Scene) -> None:
    booking = await scene.held()
    assert (await scene.arrive(booking, START - 20 * MINUTE)).spot_number == "2"
    claim = await scene.owner.fetchval(
        "SELECT during FROM gate.claims WHERE booking_id = $1", booking
    )
    assert (claim.lower, claim.upper) == (START - 20 * MINUTE, UNTIL)


async def test_one_whose_spot_is_gone_may_find_the_zone_full(alone: Scene) -> None:
    await alone.gate.admitted("STAYS1", at=NOW - 9 * HOUR)
    booking = StayId(uuid4())
    await alone.owner.execute(  # behind our back: by the rules there was no spot for it
        "INSERT INTO bookings (id, facility_id, spot_id, status, entry_time, expected_exit)"
        " VALUES ($1, $2, $3, 'CONFIRMED', $4, $5)",
        booking,
        alone.id,
        alone.spots["2"],
        START,
        UNTIL,
    )
    before = await written(alone.owner, alone.id)
    assert (await alone.arrive(booking, START)).outcome is AdmitOutcome.ZONE_FULL
    assert await written(alone.owner, alone.id) == before | {"pending": 1}


@pytest.mark.parametrize(
    ("says", "number"),
    [
        ("the booking", "5"),
        ("its vehicle", "5"),
        ("the vehicle that comes", "5"),
        ("the facility", "2"),
        ("nobody", "1"),
    ],
)
async def test_another_spot_is_one_that_fits(scene: Scene, says: str, number: str) -> None:
    """Also where the web shop made the booking by itself and said less than `reserve` does."""
    van = await scene.bench.register(plate(), kind="VAN")
    if says == "the facility":
        await scene.owner.execute(
            "UPDATE gate.facility_settings SET vehicle_type_default = 'SUV' WHERE facility_id = $1",
            scene.id,
        )
    booking = StayId(uuid4())
    await scene.owner.execute(
        "INSERT INTO bookings (id, facility_id, status, entry_time, expected_exit, size_needed,"
        " vehicle_id) VALUES ($1, $2, 'CONFIRMED', $3, $4, $5::text::spot_size, $6)",
        booking,
        scene.id,
        START,
        UNTIL,
        "LARGE" if says == "the booking" else None,
        van.id if says == "its vehicle" else None,
    )
    comes = van.id if says == "the vehicle that comes" else None
    answer = await scene.arrive(booking, START, vehicle=comes)
    assert answer.spot_number == number
    row = await scene.booking(booking)
    assert (row["reserved_from"], row["reserved_until"]) == (START, UNTIL), "what it asked for"


# ── over the end of a month ─────────────────────────────────────────────────────────────────


async def test_one_may_come_in_another_month_than_it_reserved(scene: Scene) -> None:
    midnight = (NOW.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0)
    start, until = midnight + 10 * MINUTE, midnight + 2 * HOUR
    asked = request(plate=PLATE, spot=scene.spots["2"], start=start, until=until)
    ticket = (await scene.ask(asked)).ticket
    await scene.keep(start - 30 * MINUTE)
    early = midnight - 5 * MINUTE
    for _ in range(2):
        answer = await scene.arrive(asked.id, early)
        assert (answer.spot_number, answer.ticket) == ("2", ticket)
        assert (await scene.booking(asked.id))["entry_time"] == early
        assert await scene.state("2") == ("OCCUPIED", asked.id)
        assert await drifts(scene.owner, scene.id) == []
        await scene.back_out(asked.id, early + MINUTE)
        assert (await scene.booking(asked.id))["entry_time"] == start
        assert await drifts(scene.owner, scene.id) == []
    await scene.arrive(asked.id, early)
    await scene.leave(asked.id, midnight)
    row = await scene.booking(asked.id)
    assert (row["status"], row["final_price"]) == ("COMPLETED", Decimal("2.50"))


async def test_a_booking_that_moves_to_another_month_meanwhile_is_followed(scene: Scene) -> None:
    booking = await scene.held()
    transaction = scene.owner.transaction()
    await transaction.start()
    await scene.owner.execute(
        "UPDATE bookings SET entry_time = entry_time + interval '62 days',"
        " expected_exit = expected_exit + interval '62 days' WHERE id = $1",
        booking,
    )
    cancelling = asyncio.create_task(
        scene.bench.postgres.cancel_booking(scene.id, booking, "x", NOW)
    )
    await until_it_waits(scene.owner, "cancel_booking_v1")
    await transaction.commit()
    assert await cancelling is CancelOutcome.CANCELLED
    assert (await scene.booking(booking))["status"] == "CANCELLED"


# ── backing out ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("minutes", [-20, 0, 40])
async def test_one_that_backs_out_has_its_reservation_again(scene: Scene, minutes: int) -> None:
    booking = await scene.held()
    at = START + minutes * MINUTE
    await scene.arrive(booking, at)
    await scene.back_out(booking, at + MINUTE)
    row = await scene.booking(booking)
    assert (row["status"], row["entitlement"], row["entry_lane_id"]) == ("CONFIRMED", None, None)
    assert (row["entry_time"], row["expected_exit"]) == (max(START, at), UNTIL)
    assert await scene.state("2") == ("AVAILABLE", None)
    assert (await scene.snapshot(at + 2 * MINUTE)).reservation is not None
    again = await scene.arrive(booking, at + 2 * MINUTE)
    assert (again.outcome, again.stay, again.spot_number) == (AdmitOutcome.ADMITTED, booking, "2")
    assert await drifts(scene.owner, scene.id) == []


async def test_one_that_backed_out_is_waited_for_as_long_as_the_entrance_says(
    scene: Scene,
) -> None:
    """Who came in time and turned back has the time again: for both who ask."""
    await set_up(scene.owner, scene.id, late_minutes_max=30)
    booking = await scene.held()
    came = START + 20 * MINUTE
    await scene.arrive(booking, came)
    await scene.back_out(booking, came)
    for at, waits in ((START + 30 * MINUTE, True), (came + 30 * MINUTE - TICK, True)):
        assert (await scene.keep(at))[0] == 0
        assert ((await scene.snapshot(at)).reservation is not None) is waits
    at = came + 30 * MINUTE
    assert (await scene.snapshot(at)).reservation is None
    assert (await scene.keep(at))[0] == 1


# ── holding ─────────────────────────────────────────────────────────────────────────────────


async def test_a_spot_that_is_about_to_be_needed_is_held(scene: Scene) -> None:
    zone, far = scene.gate.site.zone, timedelta(days=60)  # nowhere near the server's own clock
    start = START + far
    booking = await scene.held(start=start, until=start + HOUR)
    count = scene.gate.store.zone_count
    assert await count(zone) == ZoneCount(5, 0, 0)
    assert await scene.keep(start - 30 * MINUTE - TICK) == (0, 0)
    assert await scene.state("2") == ("AVAILABLE", None)
    assert await scene.keep(start - 30 * MINUTE) == (0, 1)
    assert await scene.state("2") == ("RESERVED", booking)
    assert await scene.keep(start - 29 * MINUTE) == (0, 0), "it is held already"
    assert await count(zone) == ZoneCount(5, 0, 1)
    snapshot = await scene.snapshot(NOW)
    assert (snapshot.available or {})[zone] == 4
    assert await drifts(scene.owner, scene.id) == []
    await scene.arrive(booking, start)
    assert await scene.state("2") == ("OCCUPIED", booking)
    assert await count(zone) == ZoneCount(5, 1, 0)


async def test_one_that_may_come_now_counts_before_it_is_held(scene: Scene) -> None:
    """Reserved for now, between two rounds of the housekeeping; once, although it overlaps."""
    now = await scene.owner.fetchval("SELECT now()")
    await scene.held(start=now - HOUR, until=now + HOUR, at=now)
    zone = scene.gate.site.zone
    assert await scene.gate.store.zone_count(zone) == ZoneCount(5, 0, 1)
    await scene.keep(now)
    assert await scene.gate.store.zone_count(zone) == ZoneCount(5, 0, 1)


@pytest.mark.parametrize("status", ["MAINTENANCE", "OCCUPIED"])
async def test_a_spot_that_is_not_free_is_not_held(alone: Scene, status: str) -> None:
    if status == "OCCUPIED":
        await alone.gate.admitted("STAYS1", at=START - 4 * HOUR)
    booking = await alone.held(at=START - 2 * HOUR)
    if status == "MAINTENANCE":
        await alone.owner.execute(
            "UPDATE parking_spots SET status = 'MAINTENANCE' WHERE id = $1", alone.spots["2"]
        )
    assert await alone.keep(START) == (0, 0)
    assert (await alone.state("2"))[0] == status
    assert (await alone.booking(booking))["status"] == "CONFIRMED"


async def test_holding_waits_for_no_spot_that_is_being_worked_on(alone: Scene) -> None:
    await alone.held()
    async with alone.owner.transaction():
        await alone.owner.execute(
            "SELECT FROM parking_spots WHERE id = $1 FOR UPDATE", alone.spots["2"]
        )
        assert await alone.keep(START) == (0, 0)
    assert await alone.keep(START) == (0, 1)


PAUSE = """
CREATE FUNCTION gate.pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(42);
    RETURN NEW;
END $$;
CREATE TRIGGER pause BEFORE UPDATE ON parking_spots FOR EACH ROW EXECUTE FUNCTION gate.pause();
SELECT pg_advisory_lock(42);
"""


@pytest.mark.direct("holds a lock of its session")
async def test_a_reservation_that_is_cancelled_during_the_round_holds_nothing(
    fresh_bench: Bench,
) -> None:
    """The planted pause: the round has seen the last of twelve, and is busy with the first."""
    gate = await fresh_bench.gate(make_site([[str(number) for number in range(12)]]))
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        scene = Scene(fresh_bench, owner, gate, {})
        made = [request(start=START + number * MINUTE) for number in range(12)]
        for one in made:
            await scene.ask(one)
        await owner.execute(PAUSE)
        keeping = asyncio.create_task(scene.keep(START))
        await until_it_waits(owner, "hold_spots_v1")
        await owner.execute("UPDATE bookings SET status = 'CANCELLED' WHERE id = $1", made[-1].id)
        await owner.execute("SELECT pg_advisory_unlock(42)")
        assert await keeping == (0, 11)
        assert await drifts(owner, gate.site.id) == []
    finally:
        await owner.close()


# ── ending ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("late_minutes_max", "end"), [(None, UNTIL), (15, START + 15 * MINUTE)])
async def test_one_that_does_not_come_is_a_no_show_and_its_spot_free(
    alone: Scene, late_minutes_max: int | None, end: datetime
) -> None:
    await set_up(alone.owner, alone.id, late_minutes_max=late_minutes_max)
    booking = await alone.held()
    assert await alone.keep(end - TICK) == (0, 1)
    assert await alone.state("2") == ("RESERVED", booking)
    assert await alone.keep(end) == (1, 0)
    assert await alone.state("2") == ("AVAILABLE", None)
    assert (await alone.booking(booking))["status"] == "NO_SHOW"
    assert await alone.audits(booking) == [
        ("booking.reserved", "operator"),
        ("booking.no_show", "gated"),
    ]
    assert await alone.keep(end) == (0, 0)
    assert (await alone.reserve(start=end, until=UNTIL + HOUR, at=end)).outcome is R.RESERVED
    assert (await alone.arrive(booking, end)).outcome is AdmitOutcome.BOOKING_NOT_OPEN
    assert await drifts(alone.owner, alone.id) == []


async def test_one_that_is_worked_on_just_now_is_no_no_show_yet(alone: Scene) -> None:
    booking = await alone.held()
    async with alone.owner.transaction():
        await alone.owner.execute("SELECT FROM bookings WHERE id = $1 FOR UPDATE", booking)
        assert (await alone.keep(UNTIL))[0] == 0
    assert (await alone.keep(UNTIL))[0] == 1


async def test_facilities_are_awaited_while_somebody_is_expected(alone: Scene) -> None:
    awaited = alone.bench.postgres.awaited_facilities
    assert alone.id not in await awaited(START + HOUR)
    await alone.held()
    assert alone.id not in await awaited(START)
    assert alone.id in await awaited(START + TICK)
    await alone.keep(UNTIL)
    assert alone.id not in await awaited(START + TICK)


@pytest.mark.parametrize("held", [True, False])
async def test_a_cancelled_reservation_frees_its_spot(alone: Scene, held: bool) -> None:
    booking = await alone.held()
    if held:
        await alone.keep(START)
    clerk = await alone.bench.user()
    for _ in range(2):  # the second time nothing is left to do
        cancelled = await alone.bench.postgres.cancel_booking(
            alone.id, booking, "changed my mind", NOW, Actor("desk", clerk)
        )
        assert cancelled is CancelOutcome.CANCELLED
    row = await alone.booking(booking)
    assert (row["status"], row["cancel_reason"]) == ("CANCELLED", "changed my mind")
    assert await alone.audits(booking) == [
        ("booking.cancelled", "desk"),
        ("booking.reserved", "operator"),
    ]
    assert await alone.state("2") == ("AVAILABLE", None)
    assert (await alone.reserve()).outcome is R.RESERVED
    assert await drifts(alone.owner, alone.id) == []


async def test_what_has_begun_or_is_over_is_not_cancelled(scene: Scene) -> None:
    cancel = scene.bench.postgres.cancel_booking
    inside, missed = await scene.held(until=UNTIL), await scene.held(spot=scene.spots["5"])
    await scene.arrive(inside, START)
    await scene.keep(UNTIL)
    other = await scene.bench.gate()
    cases = [
        (inside, CancelOutcome.BOOKING_ACTIVE),
        (missed, CancelOutcome.BOOKING_ENDED),
        (StayId(uuid4()), CancelOutcome.BOOKING_UNKNOWN),
    ]
    for booking, outcome in cases:
        before = await written(scene.owner, scene.id)
        assert await cancel(scene.id, booking, "x", UNTIL) is outcome
        assert await written(scene.owner, scene.id) == before
    elsewhere = await cancel(other.site.id, inside, "x", UNTIL)
    assert elsewhere is CancelOutcome.BOOKING_UNKNOWN
    await scene.leave(inside, UNTIL)
    assert await cancel(scene.id, inside, "x", UNTIL) is CancelOutcome.BOOKING_ENDED


async def test_a_booking_that_holds_no_spot_yet_can_be_cancelled(scene: Scene) -> None:
    booking = StayId(uuid4())
    await scene.owner.execute(
        "INSERT INTO bookings (id, facility_id, entry_time) VALUES ($1, $2, $3)",
        booking,
        scene.id,
        START,
    )
    cancelled = await scene.bench.postgres.cancel_booking(scene.id, booking, "x", NOW)
    assert cancelled is CancelOutcome.CANCELLED


# ── all at once ─────────────────────────────────────────────────────────────────────────────

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@dataclass(slots=True)
class Crowd:
    """People and machines that all want the same few spots, each doing what chance says."""

    scene: Scene
    made: list[tuple[StayId, datetime]]
    outcomes: Counter[str]

    async def reserve(self, rng: random.Random) -> None:
        start = NOW + rng.randrange(6) * HOUR / 2
        asked = request(start=start, until=start + HOUR, plate=f"CROWD{rng.randrange(9)}")
        answers = await asyncio.gather(*(self.scene.ask(asked) for _ in range(rng.randrange(1, 3))))
        self.outcomes.update(answer.outcome for answer in answers)
        if R.RESERVED in {answer.outcome for answer in answers}:
            self.made.append((asked.id, start))

    async def keep_house(self, rng: random.Random) -> None:
        await self.scene.keep(NOW + rng.randrange(6) * HOUR / 2)

    async def cancel(self, rng: random.Random) -> None:
        if self.made:
            booking, _ = rng.choice(self.made)
            store = self.scene.bench.postgres
            self.outcomes[await store.cancel_booking(self.scene.id, booking, "x", NOW)] += 1

    async def come(self, rng: random.Random) -> None:
        """With a reservation or without, through any zone; then back out, or leave at once."""
        booking, at = rng.choice(self.made) if self.made else (None, NOW)
        plate = f"CROWD{rng.randrange(9)}"
        zone = rng.choice(self.scene.gate.site.setup.zones).id
        right = Entitlement(Right.RESERVATION, booking) if booking and rng.random() < 0.6 else None
        asked = await self.scene.gate.entry(plate, at=at, zone=zone, entitlement=right)
        answer = await self.scene.gate.store.admit(self.scene.id, self.scene.gate.fence, asked)
        self.outcomes[answer.outcome] += 1
        if answer.stay is None:
            return
        if rng.random() < 0.5:
            await self.scene.gate.store.cancel_admission(
                self.scene.id, self.scene.gate.fence, answer.stay, asked.lane, "no", at, uuid4()
            )
        else:
            await self.scene.leave(answer.stay, at + HOUR, plate)

    async def act(self, seed: str) -> None:
        rng = random.Random(seed)
        for _ in range(12):
            await rng.choice((self.reserve, self.keep_house, self.cancel, self.come))(rng)


@pytest.mark.parametrize("seed", range(3))
async def test_a_crowd_leaves_one_truth_and_nobody_waits_for_each_other(
    postgres_bench: Bench, owner_of: asyncpg.Connection, seed: int
) -> None:
    gate = await postgres_bench.gate(make_site([["1", "2", "3"], ["4"]]))
    await set_up(owner_of, gate.site.id, stay_minutes_expected=20)
    before = await owner_of.fetchval(DEADLOCKS)
    crowd = Crowd(Scene(postgres_bench, owner_of, gate, {}), [], Counter())
    await asyncio.gather(*(crowd.act(f"{seed} {number}") for number in range(12)))
    assert await drifts(owner_of, gate.site.id) == [], f"seed {seed}"
    await owner_of.execute("SELECT pg_stat_clear_snapshot()")
    assert await owner_of.fetchval(DEADLOCKS) == before, f"seed {seed}"
    assert {R.RESERVED, AdmitOutcome.ADMITTED} <= set(crowd.outcomes)
