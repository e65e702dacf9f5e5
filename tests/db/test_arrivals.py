"""Coming with a reservation: when, on which spot, and what it becomes."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gated.core.effects import PassageKnown
from gated.core.errors import StoreError
from gated.core.ids import StayId
from gated.core.snapshot import Entitlement, Reservation, Right
from gated.db.bookings import (
    CancelOutcome,
)
from gated.records import AdmitAnswer, AdmitOutcome
from tests.db.scene import (
    HOUR,
    MINUTE,
    OWNER_SAYS,
    PLATE,
    START,
    TICK,
    UNTIL,
    Scene,
    plate,
    request,
    until_it_waits,
)
from tests.db.site import NOW, drifts, set_up, written

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
