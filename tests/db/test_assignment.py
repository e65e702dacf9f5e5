"""Which spot a vehicle gets, and why it gets none.

Tables of spots and of the vehicles that come one after the other. After each refusal nothing may
have been written, and its message must still be there to be decided otherwise.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from gated.core.effects import Do
from gated.core.errors import StoreError
from gated.core.ids import SpotId, StayId, ZoneId
from gated.db.bookings import ReserveOutcome, ReserveRequest
from gated.records import AdmitAnswer, AdmitOutcome, AdmitRequest, DenyRequest
from tests.db.site import NOW, Gate, Spot, drifts, make_site, set_up, write_spots, written
from tests.db.stores import Bench

HOUR = timedelta(hours=1)
FULL = AdmitOutcome.ZONE_FULL
RESERVED = AdmitOutcome.ZONE_RESERVED
TOO_SMALL = AdmitOutcome.SPOTS_TOO_SMALL
SIZE_TAKEN = AdmitOutcome.SIZE_TAKEN
CHARGERS_KEPT = AdmitOutcome.CHARGERS_KEPT
ACCESSIBLE_KEPT = AdmitOutcome.ACCESSIBLE_KEPT


@dataclass(frozen=True, slots=True)
class Vehicle:
    kind: str = "CAR"
    electric: bool = False
    permit: bool = False


CAR = Vehicle()
EV = Vehicle(electric=True)
PERMIT = Vehicle(permit=True)
STRANGER = None

Coming = tuple[Vehicle | None, str | AdmitOutcome]


async def furnished(
    bench: Bench, owner: asyncpg.Connection, spots: Sequence[Spot], **settings: object
) -> tuple[Gate, dict[str, SpotId]]:
    """A facility whose first zone has these spots."""
    gate = await bench.gate(make_site([[], []]))
    await set_up(owner, gate.site.id, **settings)
    return gate, await write_spots(owner, gate.site, spots)


async def comes(bench: Bench, gate: Gate, vehicle: Vehicle | None) -> AdmitRequest:
    plate = uuid4().hex[:12].upper()
    if vehicle is STRANGER:
        return await gate.entry(plate)
    known = await bench.register(
        plate, kind=vehicle.kind, electric=vehicle.electric, permit=vehicle.permit
    )
    return await gate.entry(plate, vehicle=known.id)


async def refused(
    owner: asyncpg.Connection, gate: Gate, request: AdmitRequest, outcome: AdmitOutcome
) -> AdmitAnswer:
    """Ask, be refused without a trace, and deny what was asked."""
    before = await written(owner, gate.site.id)
    answer = await gate.store.admit(gate.site.id, gate.fence, request)
    assert (answer.outcome, answer.stay, answer.spot, answer.ticket) == (outcome, None, None, "")
    assert await written(owner, gate.site.id) == before
    denial = DenyRequest(
        request.event,
        request.lane,
        (await gate.denial(show=False)).reason,
        request.read,
        request.at,
        replace(request.command, do=Do.DENY),
    )
    assert await gate.store.deny(gate.site.id, gate.fence, denial) is True
    return answer


async def come(
    bench: Bench, owner: asyncpg.Connection, gate: Gate, coming: Sequence[Coming]
) -> None:
    """One after the other, each gets what is expected for it."""
    for vehicle, expected in coming:
        request = await comes(bench, gate, vehicle)
        if isinstance(expected, AdmitOutcome):
            await refused(owner, gate, request, expected)
        else:
            answer = await gate.store.admit(gate.site.id, gate.fence, request)
            assert (answer.outcome, answer.spot_number) == (AdmitOutcome.ADMITTED, expected)
    assert await drifts(owner, gate.site.id) == []


# ── kinds of spots ──────────────────────────────────────────────────────────────────────────

SIZES = [
    Spot("1", "OVERSIZED"),
    Spot("2", "LARGE"),
    Spot("3", "STANDARD"),
    Spot("4", "COMPACT"),
    Spot("5", "MOTORCYCLE"),
]
CHARGERS = [Spot("1", charger=True), Spot("2"), Spot("3", charger=True)]
ACCESSIBLE = [Spot("1"), Spot("2", accessible=True)]
BOTH = [
    Spot("1"),
    Spot("2", charger=True),
    Spot("3", accessible=True),
    Spot("4", charger=True, accessible=True),
]

BY_KIND: dict[str, tuple[list[Spot], list[Coming]]] = {
    "a car: the smallest first, then larger ones": (
        SIZES,
        [(CAR, "4"), (CAR, "3"), (CAR, "2"), (CAR, "1"), (CAR, SIZE_TAKEN)],
    ),
    "each kind its size": (
        SIZES,
        [
            (Vehicle("MOTORCYCLE"), "5"),
            (Vehicle("SUV"), "3"),
            (Vehicle("VAN"), "2"),
            (Vehicle("TRUCK"), "1"),
            (Vehicle("BUS"), SIZE_TAKEN),
            (Vehicle("SUV"), SIZE_TAKEN),
            (STRANGER, "4"),
            (STRANGER, FULL),
        ],
    ),
    "a bus needs the largest": (SIZES, [(Vehicle("BUS"), "1")]),
    "a motorcycle fits everywhere": (
        SIZES,
        [(Vehicle("MOTORCYCLE"), number) for number in "54321"],
    ),
    "size comes before number": ([Spot("1", "LARGE"), Spot("2")], [(CAR, "2"), (CAR, "1")]),
    "natural order among equals": (
        [Spot("A-10"), Spot("A-2"), Spot("B-1"), Spot("A-1")],
        [(CAR, "A-1"), (CAR, "A-2"), (CAR, "A-10"), (CAR, "B-1"), (CAR, FULL)],
    ),
    "electric: a charger first, an ordinary one after": (
        CHARGERS,
        [(EV, "1"), (EV, "3"), (EV, "2"), (EV, FULL)],
    ),
    "chargers are kept for others": (
        CHARGERS,
        [(CAR, "2"), (CAR, CHARGERS_KEPT), (STRANGER, CHARGERS_KEPT), (EV, "1")],
    ),
    "an accessible one for holders of a permit alone": (
        ACCESSIBLE,
        [(CAR, "1"), (CAR, ACCESSIBLE_KEPT), (EV, ACCESSIBLE_KEPT), (PERMIT, "2"), (PERMIT, FULL)],
    ),
    "a permit holder goes to ordinary ones too": (
        ACCESSIBLE,
        [(PERMIT, "2"), (PERMIT, "1"), (PERMIT, FULL)],
    ),
    "who wants and may have both": (
        BOTH,
        [(Vehicle(electric=True, permit=True), number) for number in "4231"],
    ),
    "who may have neither": (BOTH, [(CAR, "1"), (CAR, CHARGERS_KEPT)]),
    "a charger on an accessible spot is kept for permits": (
        [Spot("1", charger=True, accessible=True)],
        [(CAR, ACCESSIBLE_KEPT), (EV, ACCESSIBLE_KEPT), (PERMIT, CHARGERS_KEPT)],
    ),
    "too small comes before kept": (
        [Spot("1", "COMPACT"), Spot("2", "COMPACT", charger=True)],
        [(Vehicle("VAN"), TOO_SMALL)],
    ),
    "large ones that are taken, in service or not, are no reason to call it too large": (
        [Spot("1", "LARGE", status="MAINTENANCE"), Spot("2", "COMPACT")],
        [(Vehicle("VAN"), SIZE_TAKEN)],
    ),
    "a large one that was taken away helps nobody": (
        [Spot("1", "LARGE", active=False), Spot("2", "COMPACT")],
        [(Vehicle("VAN"), TOO_SMALL)],
    ),
    "a fitting one that is kept, and a free one that is too small": (
        [Spot("1", "COMPACT"), Spot("2", "LARGE", charger=True)],
        [(Vehicle("VAN"), CHARGERS_KEPT)],
    ),
    "out of service and taken away": (
        [Spot("1", status="MAINTENANCE"), Spot("2", active=False), Spot("3")],
        [(CAR, "3"), (CAR, FULL)],
    ),
    "none at all": ([], [(CAR, FULL)]),
}


@pytest.mark.parametrize("case", BY_KIND)
async def test_the_spot_that_a_vehicle_gets(
    postgres_bench: Bench, owner_of: asyncpg.Connection, case: str
) -> None:
    spots, coming = BY_KIND[case]
    gate, _ = await furnished(postgres_bench, owner_of, spots)
    await come(postgres_bench, owner_of, gate, coming)


async def test_chargers_that_are_not_kept_are_given_last(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, _ = await furnished(postgres_bench, owner_of, CHARGERS, ev_spots_kept=False)
    await come(
        postgres_bench, owner_of, gate, [(CAR, "2"), (CAR, "1"), (STRANGER, "3"), (CAR, FULL)]
    )


async def test_a_stranger_is_taken_for_what_the_facility_says(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, _ = await furnished(postgres_bench, owner_of, SIZES)
    await owner_of.execute(
        "UPDATE gate.facility_settings SET vehicle_type_default = 'VAN' WHERE facility_id = $1",
        gate.site.id,
    )
    await come(
        postgres_bench,
        owner_of,
        gate,
        [(STRANGER, "2"), (STRANGER, "1"), (STRANGER, SIZE_TAKEN), (CAR, "4")],
    )


# ── who comes later ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("minutes_expected", "expected"), [(119, "1"), (120, "1"), (121, RESERVED), (600, RESERVED)]
)
async def test_a_spot_is_given_until_it_is_reserved(
    postgres_bench: Bench,
    owner_of: asyncpg.Connection,
    minutes_expected: int,
    expected: str | AdmitOutcome,
) -> None:
    """What would collide is the stay as it is expected: two hours fit before two hours from now."""
    gate, ids = await furnished(
        postgres_bench, owner_of, [Spot("1")], stay_minutes_expected=minutes_expected
    )
    later = ReserveRequest(
        StayId(uuid4()), NOW + 2 * HOUR, NOW + 3 * HOUR, NOW, plate="LATER1", spot=ids["1"]
    )
    answer = await postgres_bench.postgres.reserve(gate.site.id, later)
    assert answer.outcome is ReserveOutcome.RESERVED
    await come(postgres_bench, owner_of, gate, [(STRANGER, expected)])


async def test_a_reserved_spot_is_passed_over_for_a_higher_one(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, ids = await furnished(postgres_bench, owner_of, [Spot("1"), Spot("2", "LARGE")])
    later = ReserveRequest(
        StayId(uuid4()), NOW + HOUR, NOW + 2 * HOUR, NOW, plate="LATER1", spot=ids["1"]
    )
    await postgres_bench.postgres.reserve(gate.site.id, later)
    await come(postgres_bench, owner_of, gate, [(CAR, "2"), (CAR, RESERVED)])


async def test_a_spot_that_is_held_is_not_given_for_a_moment_either(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """A stay of ten minutes would be over in time; but the vehicle may come at once."""
    gate, ids = await furnished(
        postgres_bench, owner_of, [Spot("1"), Spot("2")], stay_minutes_expected=10
    )
    start = NOW + timedelta(minutes=25)
    later = ReserveRequest(StayId(uuid4()), start, start + HOUR, NOW, plate="LATER1", spot=ids["1"])
    await postgres_bench.postgres.reserve(gate.site.id, later)
    assert await postgres_bench.postgres.keep_reservations(gate.site.id, NOW) == (0, 1)
    await come(postgres_bench, owner_of, gate, [(CAR, "2"), (CAR, RESERVED)])


# ── zones ───────────────────────────────────────────────────────────────────────────────────


async def test_a_closed_zone_gives_nothing_out(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, _ = await furnished(postgres_bench, owner_of, [Spot("1")])
    await owner_of.execute("UPDATE zones SET is_active = false WHERE id = $1", gate.site.zone)
    await come(postgres_bench, owner_of, gate, [(STRANGER, AdmitOutcome.ZONE_CLOSED)])


async def test_a_closed_facility_gives_nothing_out(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, _ = await furnished(postgres_bench, owner_of, [Spot("1")])
    await owner_of.execute("UPDATE facilities SET is_active = false WHERE id = $1", gate.site.id)
    await come(postgres_bench, owner_of, gate, [(STRANGER, AdmitOutcome.ZONE_CLOSED)])


async def test_a_zone_that_is_not_the_facilitys_is_an_error(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, _ = await furnished(postgres_bench, owner_of, [Spot("1")])
    other, _ = await furnished(postgres_bench, owner_of, [Spot("1")])
    request = await comes(postgres_bench, gate, STRANGER)
    before = await written(owner_of, gate.site.id)
    for zone in (other.site.zone, ZoneId(uuid4())):
        with pytest.raises(StoreError, match="unknown zone") as refusal:
            await gate.store.admit(gate.site.id, gate.fence, replace(request, zone=zone))
        assert not refusal.value.retryable
    assert await written(owner_of, gate.site.id) == before
    answer = await gate.store.admit(gate.site.id, gate.fence, request)
    assert answer.outcome is AdmitOutcome.ADMITTED


# ── how a zone is filled ────────────────────────────────────────────────────────────────────


async def fill(owner: asyncpg.Connection, gate: Gate, policy: str) -> None:
    await owner.execute(
        "INSERT INTO gate.zone_settings (zone_id, fill_policy) VALUES ($1, $2)",
        gate.site.zone,
        policy,
    )


SCATTERED = [
    Spot("1", metres=90),
    Spot("2", metres=20),
    Spot("3"),
    Spot("4", "LARGE", metres=5),
    Spot("5", metres=20),
    Spot("6"),
]


async def test_the_lowest_number_is_a_policy_too(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, _ = await furnished(postgres_bench, owner_of, SCATTERED)
    await fill(owner_of, gate, "lowest")
    await come(postgres_bench, owner_of, gate, [(CAR, number) for number in "123564"])


async def test_the_nearest_to_its_lane_comes_first(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """Among equals of size; those of unknown distance come last, in order."""
    gate, _ = await furnished(postgres_bench, owner_of, SCATTERED)
    await fill(owner_of, gate, "nearest")
    await come(
        postgres_bench, owner_of, gate, [*((CAR, number) for number in "251364"), (CAR, FULL)]
    )


async def test_what_is_near_depends_on_the_lane(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    gate, ids = await furnished(postgres_bench, owner_of, SCATTERED)
    await fill(owner_of, gate, "nearest")
    await owner_of.execute(
        "INSERT INTO gate.spot_distances (lane_id, spot_id, metres) VALUES ($1, $2, 1)",
        gate.site.entry_two,
        ids["6"],
    )
    taken = []
    for plate, lane in (("A1", gate.site.entry_two), ("B1", gate.site.entry_two)):
        request = await gate.entry(plate, lane=lane)
        taken.append((await gate.store.admit(gate.site.id, gate.fence, request)).spot_number)
    assert taken == ["6", "1"]


async def test_spread_is_chance_that_can_be_repeated(
    postgres_bench: Bench, owner_of: asyncpg.Connection
) -> None:
    """The stay's own id is the die: a repeated call would land on the same spot."""
    gate, _ = await furnished(
        postgres_bench, owner_of, [*(Spot(str(number)) for number in range(8)), Spot("L", "LARGE")]
    )
    await fill(owner_of, gate, "spread")
    given: Counter[str] = Counter()
    for turn in range(60):
        request = await gate.entry(f"S{turn}")
        foretold = {
            await owner_of.fetchval(
                "SELECT s.spot_number FROM gate.lock_spot_v1($1, $2, 'COMPACT', false, false,"
                " tstzrange($3, $4), $5) l JOIN parking_spots s ON s.id = l.spot",
                gate.site.zone,
                request.lane,
                NOW,
                NOW + HOUR,
                request.stay,
            )
            for _ in range(2)
        }
        answer = await gate.store.admit(gate.site.id, gate.fence, request)
        assert foretold == {answer.spot_number}
        given[answer.spot_number] += 1
        await gate.store.cancel_admission(
            gate.site.id, gate.fence, request.stay, request.lane, "next turn", NOW, request.event
        )
    assert set(given) == {str(number) for number in range(8)}, "all of them, and no larger one"
    assert max(given.values()) < 30
    await come(postgres_bench, owner_of, gate, [(Vehicle("VAN"), "L")])


# ── the last word ───────────────────────────────────────────────────────────────────────────

# Each second look at a claim sees it, and each first one does not.
FLICKER = """
CREATE SEQUENCE gate.looks;
GRANT USAGE ON gate.looks TO gated_daemon;
ALTER TABLE gate.claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY flicker ON gate.claims TO gated_daemon USING (nextval('gate.looks') % 2 = 0);
"""


async def test_spots_that_change_hands_for_ever_are_an_error_that_may_pass(
    fresh_bench: Bench,
) -> None:
    """The planted fault: each time that the spot is locked somebody has claimed it meanwhile."""
    owner = await asyncpg.connect(fresh_bench.owner_dsn)
    try:
        gate, ids = await furnished(fresh_bench, owner, [Spot("1")])
        request = await gate.entry()
        later = ReserveRequest(
            StayId(uuid4()), NOW + HOUR, NOW + 2 * HOUR, NOW, plate="LATER1", spot=ids["1"]
        )
        await fresh_bench.postgres.reserve(gate.site.id, later)
        await owner.execute(FLICKER)
        with pytest.raises(StoreError, match="changed hands too often") as refusal:
            await gate.store.admit(gate.site.id, gate.fence, request)
        assert refusal.value.retryable
        assert (await written(owner, gate.site.id))["claims"] == 1
    finally:
        await owner.close()
