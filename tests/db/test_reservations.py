"""Reservations: which spot one gets, when it is refused, and that no two overlap."""

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

from gated.core.errors import StoreError
from gated.core.ids import FacilityId, StayId
from gated.core.money import Money
from gated.db.bookings import (
    Actor,
    CancelOutcome,
    FreeSpots,
    ReserveAnswer,
    ReserveOutcome,
)
from tests.db.scene import (
    HOUR,
    MINUTE,
    OWNER_SAYS,
    PLATE,
    START,
    TICK,
    UNTIL,
    R,
    Scene,
    plate,
    request,
    until_it_waits,
)
from tests.db.site import NOW, Gate, Spot, drifts, make_site, set_up, write_spots, written
from tests.db.stores import Bench

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

Changes = Callable[[Scene, Gate], dict[str, object]]

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
