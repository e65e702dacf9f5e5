"""Stays whose vehicle is gone: found by what speaks for it, ended by an operator or the policy, and
given up to an exit whenever there is one."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from gated.core.effects import Do, FreeKind, PassageKnown
from gated.core.errors import StoreError
from gated.core.events import PlateRead
from gated.core.ids import EventId, FacilityId, Slug, StayId
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.reasons import DenyReason
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, Right
from gated.db.bookings import Payment
from gated.db.occupancy import (
    CloseAnswer,
    CloseOutcome,
    CloseRequest,
    PhantomOutcome,
    PhantomStay,
)
from gated.records import (
    AdmitOutcome,
    AskRequest,
    EventStatus,
    FreePassage,
    InboxRow,
    MoveOutcome,
    PaymentOutcome,
    ReleaseAnswer,
    ReleaseOutcome,
    SpotSeen,
)
from tests.db.scene import until_it_waits
from tests.db.site import NOW, Gate, drifts, end_tariffs, make_site, nested, set_up, written
from tests.db.stores import Bench

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
# A stay of two begun hours costs five.


@dataclass(slots=True)
class Lot:
    """A car park where one vehicle came in at NOW, and the means to look at what became of it."""

    bench: Bench
    owner: asyncpg.Connection
    gate: Gate
    stay: StayId
    # Of this test alone: its facilities share the database, and a plate is looked for in all.
    plate: str

    @property
    def id(self) -> FacilityId:
        return self.gate.site.id

    async def phantoms(
        self, at: datetime = NOW + HOUR, days: int | None = None
    ) -> list[PhantomStay]:
        return list(await self.bench.postgres.phantom_stays(self.id, at, days))

    async def strength(self, at: datetime = NOW + 3 * HOUR) -> tuple[str, list[str]] | None:
        """What the stay looks like, and the signs since its entry."""
        found = [one for one in await self.phantoms(at) if one.stay == self.stay]
        if not found:
            return None
        return found[0].strength, [sign["kind"] for sign in found[0].evidence[1:]]

    async def ended_at(self, at: datetime = NOW + 3 * HOUR) -> timedelta:
        (found,) = await self.phantoms(at)
        return found.ended_at - NOW

    async def close(
        self,
        at: datetime = NOW + 3 * HOUR,
        *,
        operator: str = "ada",
        reason: str = "looked for it",
        stay: StayId | None = None,
        debt: bool = False,
        closing: UUID | None = None,
    ) -> CloseAnswer:
        request = CloseRequest(closing or uuid4(), stay or self.stay, operator, reason, at, debt)
        return await self.bench.postgres.close_stay(self.id, request)

    async def release(self, at: datetime) -> ReleaseAnswer:
        request = await self.gate.departure(self.stay, self.plate, at=at)
        return await self.gate.store.release(self.id, self.gate.fence, request)

    async def sense(
        self,
        number: str,
        at: datetime,
        *,
        occupied: bool = True,
        plate: str | None = None,
        said: datetime | None = None,
        zone: str = "zone-0",
    ) -> None:
        row = InboxRow(
            id=EventId(uuid4()),
            key=uuid4().hex,
            device=None,
            lane=None,
            topic="t",
            payload=b"{}",
            kind="spot",
            status=EventStatus.NEW,
            device_at=at,
            received_at=at,
        )
        await self.gate.store.append_events(self.id, self.gate.fence, [row])
        said = said or at
        read = Plate(plate) if plate else None
        word = SpotSeen("k", Slug(zone), number, occupied, said, said, read)
        await self.gate.store.note_sensor(self.id, self.gate.fence, row.id, word, at)

    async def denied(self, lane: str, at: datetime) -> None:
        site = self.gate.site
        lanes = {one.slug: one.id for one in site.setup.lanes}
        where = {"exit": site.exit, "entry": site.entry}.get(lane) or lanes[Slug(lane)]
        event = await self.gate.happened(where, at)
        request = await self.gate.denial(DenyReason.READ_UNCERTAIN, show=False, at=at)
        read = PlateRead(Plate(self.plate), self.plate)
        await self.gate.store.deny(
            site.id, self.gate.fence, replace(request, event=event, lane=where, read=read)
        )

    async def booking(self) -> asyncpg.Record:
        row = await self.owner.fetchrow("SELECT * FROM bookings WHERE id = $1", self.stay)
        assert row is not None
        return row

    async def reconciliations(self) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT details::text AS details FROM gate.reconciliations"
            " WHERE facility_id = $1 AND kind = 'stay_closed' AND resolved_at IS NULL",
            self.id,
        )
        return [json.loads(row["details"]) for row in rows]

    async def audits(self) -> list[dict[str, Any]]:
        rows = await self.owner.fetch(
            "SELECT actor, user_id, details::text AS details FROM audit_logs"
            " WHERE facility_id = $1 AND action = 'stay.closed'",
            self.id,
        )
        return [dict(row) | {"details": json.loads(row["details"])} for row in rows]


async def employ(lot: Lot, name: str, *permissions: str) -> UUID:
    user = await lot.bench.user()
    await lot.owner.execute(
        "INSERT INTO facility_staff (facility_id, staff_member, permissions, operator_name)"
        " VALUES ($1, $2, $3, $4)",
        lot.id,
        user,
        list(permissions),
        name,
    )
    return user


@pytest.fixture
async def lot(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Lot:
    gate = await postgres_bench.gate()
    plate = f"P{uuid4().hex[:7].upper()}"
    lot = Lot(postgres_bench, owner_of, gate, await gate.admitted(plate), plate)
    await employ(lot, "ada", "close_stay")
    return lot


# ── what speaks for it ──────────────────────────────────────────────────────────────────────


async def test_a_stay_of_which_nothing_was_seen_for_days_is_weak(lot: Lot) -> None:
    assert await lot.phantoms(NOW + 7 * DAY - TICK) == []
    assert await lot.strength(NOW + 7 * DAY) == ("weak", [])
    assert await lot.phantoms(NOW + 2 * DAY) == []
    (found,) = await lot.phantoms(NOW + 2 * DAY, days=2)
    assert (found.stay, found.plate, found.strength) == (lot.stay, lot.plate, "weak")
    assert (found.zone, found.spot_number, found.ended_at) == ("zone-0", "A-1", NOW)


async def test_the_days_are_the_facility_s_own(lot: Lot) -> None:
    await set_up(lot.owner, lot.id, phantom_days=30)
    assert await lot.phantoms(NOW + 29 * DAY) == []
    assert await lot.strength(NOW + 30 * DAY) == ("weak", [])


async def test_who_has_reserved_for_so_long_is_no_phantom(lot: Lot) -> None:
    await lot.owner.execute(
        "UPDATE bookings SET reserved_from = $2, reserved_until = $3 WHERE id = $1",
        lot.stay,
        NOW,
        NOW + 20 * DAY,
    )
    assert await lot.phantoms(NOW + 20 * DAY - TICK) == []
    assert await lot.strength(NOW + 20 * DAY) == ("weak", [])


async def test_a_payment_is_a_sign_of_life(lot: Lot) -> None:
    paid = Payment(uuid4(), Decimal(10), "EUR", "CASH", NOW + 3 * HOUR, plate=lot.plate)
    answer = await lot.bench.postgres.record_payment(lot.id, paid)
    assert answer.outcome is PaymentOutcome.PAID
    assert await lot.phantoms(NOW + 7 * DAY) == []
    assert await lot.strength(NOW + 7 * DAY + 3 * HOUR) == ("weak", ["paid"])


async def test_so_is_a_part_of_it_and_what_was_given_back(lot: Lot) -> None:
    paid = Payment(uuid4(), Decimal(1), "EUR", "CASH", NOW + 3 * HOUR, plate=lot.plate)
    answer = await lot.bench.postgres.record_payment(lot.id, paid)
    assert answer.outcome is PaymentOutcome.PART_PAID
    assert await lot.phantoms(NOW + 7 * DAY) == []
    assert await lot.strength(NOW + 7 * DAY + 3 * HOUR) == ("weak", ["paid"])
    await lot.bench.postgres.refund(lot.id, paid.id, uuid4(), Decimal(1), "asked for it", NOW + DAY)
    assert await lot.strength(NOW + 7 * DAY + 3 * HOUR) == ("weak", ["paid"])
    assert await lot.ended_at(NOW + 7 * DAY + 3 * HOUR) == 3 * HOUR
    unseen = "SELECT count(*) FROM gate.unseen_stays_v1($1, $2)"
    assert await lot.owner.fetchval(unseen, lot.id, NOW + 2 * HOUR) == 0, "it was there later"
    assert await lot.owner.fetchval(unseen, lot.id, NOW + 4 * HOUR) == 1


async def test_a_read_at_an_exit_that_opened_nothing_is_medium(lot: Lot) -> None:
    await lot.denied("exit", NOW + HOUR)
    assert await lot.strength(NOW + 2 * HOUR - TICK) is None, "it may stand there yet"
    assert await lot.strength(NOW + 2 * HOUR) == ("medium", ["read_at_exit"])
    assert await lot.ended_at() == HOUR


async def test_who_was_let_out_and_turned_back_was_read_at_the_exit(lot: Lot) -> None:
    at = NOW + 6 * DAY
    assert (await lot.release(at)).outcome is ReleaseOutcome.RELEASED
    site = lot.gate.site
    assert await lot.gate.store.resume_stay(
        lot.id, lot.gate.fence, lot.stay, site.exit, "no_passage", at + MINUTE, uuid4()
    )
    assert await lot.phantoms(at + HOUR - TICK) == []
    assert await lot.strength(at + HOUR) == ("medium", ["read_at_exit"])
    assert await lot.ended_at(at + DAY) == 6 * DAY


async def test_who_was_asked_to_pay_was_read_at_the_exit(lot: Lot) -> None:
    at, site = NOW + 6 * DAY, lot.gate.site
    event = await lot.gate.happened(site.exit, at)
    command = lot.gate.command(event, site.exit, lot.stay, Plate(lot.plate), at)
    command = replace(command, do=Do.DENY, reason="payment_due")
    due = Money(Decimal(5), "EUR")
    asked = AskRequest(event, site.exit, lot.stay, Plate(lot.plate), due, at, command)
    await lot.gate.store.ask_payment(lot.id, lot.gate.fence, asked)
    assert await lot.strength(at + DAY) == ("medium", ["read_at_exit"])
    assert await lot.ended_at(at + DAY) == 6 * DAY


async def test_a_read_at_an_entrance_is_strong(lot: Lot) -> None:
    await lot.denied("entry", NOW + 5 * MINUTE)
    assert await lot.strength() is None, "still the entry that it came in by"
    await lot.denied("entry", NOW + 2 * HOUR)
    assert await lot.strength(NOW + 2 * HOUR) == ("strong", ["read_outside"])
    assert await lot.ended_at() == timedelta(0), "the last sign of it inside"


async def test_its_entry_at_another_facility_is_strong_and_names_it(lot: Lot) -> None:
    other = await lot.bench.gate()
    await other.admitted(lot.plate, at=NOW + 2 * HOUR)
    (found,) = await lot.phantoms(NOW + 2 * HOUR)
    assert found.strength == "strong"
    assert found.evidence[-1] == {
        "kind": "elsewhere",
        "at": f"{NOW + 2 * HOUR:%Y-%m-%dT%H:%M:%S.%fZ}",
        "facility": other.site.setup.slug,
    }
    assert await lot.bench.postgres.phantom_stays(other.site.id, NOW + 3 * HOUR) == []


async def test_an_earlier_visit_elsewhere_says_nothing(lot: Lot) -> None:
    other = await lot.bench.gate()
    await other.admitted(lot.plate, at=NOW - HOUR)
    assert await lot.phantoms() == []


async def test_a_spot_that_is_empty_for_hours_is_medium(lot: Lot) -> None:
    await lot.sense("A-1", NOW + MINUTE)
    await lot.sense("A-1", NOW + HOUR, occupied=False)
    assert await lot.strength(NOW + 3 * HOUR - TICK) is None
    assert await lot.strength(NOW + 3 * HOUR) == ("medium", ["spot_free"])
    assert await lot.ended_at() == HOUR, "until then it stood there"


async def test_a_spot_that_was_empty_before_says_nothing(lot: Lot) -> None:
    await lot.sense("A-1", NOW - HOUR, occupied=False)
    assert await lot.phantoms(NOW + 6 * HOUR) == []


async def test_another_vehicle_on_its_spot_is_medium_and_two_signs_are_strong(lot: Lot) -> None:
    await lot.sense("A-1", NOW + HOUR, plate="OTHER77")
    assert await lot.strength() == ("medium", ["spot_other"])
    await lot.denied("exit", NOW + 30 * MINUTE)
    assert await lot.strength() == ("strong", ["read_at_exit", "spot_other"])


async def test_another_vehicle_on_its_spot_is_no_sign_of_it(lot: Lot) -> None:
    await lot.denied("exit", NOW + HOUR)
    await lot.sense("A-1", NOW + 20 * HOUR, plate="OTHER77")
    (found,) = await lot.phantoms(NOW + 22 * HOUR)
    assert (found.strength, found.seen_at - NOW, found.ended_at - NOW) == ("strong", HOUR, HOUR)
    answer = await lot.close(NOW + 22 * HOUR, debt=True)
    assert (answer.ended_at, str(answer.remainder)) == (NOW + HOUR, "2.50 EUR")


@pytest.mark.parametrize(
    ("number", "plate", "sign"),
    [("A-1", None, "spot_occupied"), ("A-1", "own", "seen"), ("A-10", "own", "seen")],
)
async def test_what_a_sensor_sees_of_it_speaks_against(
    lot: Lot, number: str, plate: str | None, sign: str
) -> None:
    own = lot.plate if plate else None
    await lot.sense(number, NOW + HOUR, plate=own)
    assert await lot.phantoms(NOW + 60 * DAY) == [], "however long it stands"
    await lot.denied("entry", NOW + 2 * HOUR)
    assert await lot.strength() == ("contradicted", [sign, "read_outside"])


async def test_a_sensor_whose_clock_is_behind_speaks_against_it_all_the_same(lot: Lot) -> None:
    await lot.sense("A-1", NOW + HOUR, said=NOW - 5 * HOUR)
    assert await lot.phantoms(NOW + 60 * DAY) == []


async def test_how_its_entry_is_known_stands_with_the_evidence(lot: Lot) -> None:
    site = lot.gate.site
    await lot.gate.store.complete_passage(
        lot.id, lot.gate.fence, lot.stay, site.entry, PassageKnown.ASSUMED, NOW, uuid4()
    )
    (found,) = await lot.phantoms(NOW + 8 * DAY)
    assert found.evidence[0]["known"] == "assumed"


async def test_a_stay_without_spot_or_plate_is_weighed_too(lot: Lot) -> None:
    await lot.owner.execute(
        "UPDATE bookings SET spot_id = NULL, plate_number = NULL WHERE id = $1", lot.stay
    )
    (found,) = await lot.phantoms(NOW + 8 * DAY)
    assert (found.plate, found.spot_number, found.strength) == (None, None, "weak")


async def test_who_has_left_is_no_phantom(lot: Lot) -> None:
    await lot.release(NOW + HOUR)
    assert await lot.phantoms(NOW + 60 * DAY) == []


# ── in a facility with a zone within ────────────────────────────────────────────────────────


@pytest.fixture
async def nest(postgres_bench: Bench, owner_of: asyncpg.Connection) -> Lot:
    """The same with an inner zone, reached by `inward` and left by `outward`."""
    gate = await postgres_bench.gate(nested(make_site([["O-1", "O-2"], ["I-1", "I-2"]])))
    plate = f"P{uuid4().hex[:7].upper()}"
    lot = Lot(postgres_bench, owner_of, gate, await gate.admitted(plate), plate)
    await employ(lot, "ada", "close_stay")
    return lot


async def move_in(lot: Lot, at: datetime) -> None:
    site = lot.gate.site
    request = await lot.gate.move(lot.stay, site.inner, lot.plate, lane=site.inward, at=at)
    answer = await lot.gate.store.move_stay(lot.id, lot.gate.fence, request)
    assert answer.outcome is MoveOutcome.MOVED


async def test_who_is_turned_away_at_an_inner_lane_is_inside(nest: Lot) -> None:
    await nest.denied("inward", NOW + HOUR)
    assert await nest.phantoms(NOW + 7 * DAY) == []
    assert await nest.strength(NOW + 7 * DAY + HOUR) == ("weak", ["read_within"])
    assert await nest.ended_at(NOW + 7 * DAY + HOUR) == HOUR


async def test_who_is_turned_away_at_an_inner_lane_after_an_evacuation_has_not_left_in_it(
    nest: Lot,
) -> None:
    await nest.gate.store.complete_passage(
        nest.id, nest.gate.fence, nest.stay, nest.gate.site.entry, PassageKnown.MEASURED, NOW,
        uuid4(),
    )  # fmt: skip
    asked = "SELECT stay FROM gate.unseen_stays_v1($1, $2)"
    assert await nest.owner.fetchval(asked, nest.id, NOW + HOUR) == nest.stay
    await nest.denied("inward", NOW + 2 * HOUR)
    assert await nest.owner.fetchval(asked, nest.id, NOW + HOUR) is None


async def test_who_goes_on_into_another_zone_gives_a_sign_of_life(nest: Lot) -> None:
    await nest.denied("inward", NOW + DAY)
    await move_in(nest, NOW + 6 * DAY)
    assert await nest.phantoms(NOW + 13 * DAY - TICK) == []
    assert await nest.strength(NOW + 13 * DAY) == ("weak", ["read_within"])
    assert await nest.ended_at(NOW + 13 * DAY) == 6 * DAY


async def test_who_was_let_on_and_turned_back_gave_a_sign_of_life_too(nest: Lot) -> None:
    await move_in(nest, NOW + 6 * DAY)
    undone = await nest.gate.store.cancel_move(
        nest.id, nest.gate.fence, nest.stay, nest.gate.site.inward, "no_passage", NOW + 6 * DAY,
        uuid4(),
    )  # fmt: skip
    assert undone is not None
    assert await nest.phantoms(NOW + 13 * DAY - TICK) == []


async def test_who_went_on_without_a_grant_gave_a_sign_of_life_too(nest: Lot) -> None:
    passage = FreePassage(
        EventId(uuid4()),
        nest.gate.site.inward,
        Direction.TRANSFER,
        FreeKind.HELD,
        StayId(uuid4()),
        NOW + 6 * DAY,
        PlateRead(Plate(nest.plate), nest.plate),
    )
    await nest.gate.store.pass_freely(nest.id, nest.gate.fence, passage)
    assert await nest.phantoms(NOW + 13 * DAY - TICK) == []
    assert await nest.ended_at(NOW + 13 * DAY) == 6 * DAY


async def test_what_a_sensor_said_before_it_was_given_the_spot_is_of_another(nest: Lot) -> None:
    await nest.sense("I-1", NOW + MINUTE, zone="zone-1")
    await nest.sense("I-1", NOW + HOUR, occupied=False, zone="zone-1")
    await move_in(nest, NOW + 3 * HOUR)
    assert await nest.phantoms(NOW + 6 * HOUR) == []
    await nest.sense("I-1", NOW + 6 * HOUR, zone="zone-1")
    await nest.sense("I-1", NOW + 7 * HOUR, occupied=False, zone="zone-1")
    assert await nest.strength(NOW + 9 * HOUR) == ("medium", ["read_within", "spot_free"])


# ── closed by an operator ───────────────────────────────────────────────────────────────────


async def test_a_closed_stay_ends_at_the_last_sign_and_gives_its_spot_back(lot: Lot) -> None:
    await lot.sense("A-1", NOW + MINUTE)
    await lot.sense("A-1", NOW + 90 * MINUTE, occupied=False)
    answer = await lot.close(NOW + 5 * HOUR)
    assert answer == CloseAnswer(
        CloseOutcome.CLOSED, NOW + 90 * MINUTE, Money(Decimal(0), "EUR"), Money(Decimal(5), "EUR")
    )
    booking = await lot.booking()
    assert (booking["status"], booking["actual_exit"]) == ("COMPLETED", NOW + 90 * MINUTE)
    assert (booking["exit_known"], booking["closed_reason"]) == ("assumed", "looked for it")
    assert (booking["final_price"], booking["currency"]) == (0, "EUR")
    lines = json.loads(booking["price_lines"])
    assert lines[-1] == {"kind": "not_charged", "amount": "-5.00"}
    assert sum(Decimal(line["amount"]) for line in lines) == booking["final_price"]
    assert (await lot.bench.postgres.zone_count(lot.gate.site.zone)).occupied == 0
    assert await drifts(lot.owner, lot.id) == []


async def test_what_was_not_paid_waits_for_people_and_is_no_debt(lot: Lot) -> None:
    paid = Payment(uuid4(), Decimal("1.50"), "EUR", "CASH", NOW + 61 * MINUTE, plate=lot.plate)
    await lot.bench.postgres.record_payment(lot.id, paid)
    await lot.denied("exit", NOW + 90 * MINUTE)
    answer = await lot.close(NOW + 3 * HOUR)
    assert (answer.price, answer.remainder) == (
        Money(Decimal("1.50"), "EUR"),
        Money(Decimal("3.50"), "EUR"),
    )
    (left,) = await lot.reconciliations()
    assert (left["stay"], left["price"], left["paid"]) == (str(lot.stay), "5.00", "1.5000")
    assert (Decimal(left["remainder"]), left["currency"]) == (Decimal("3.50"), "EUR")
    late = replace(paid, id=uuid4(), at=NOW + 4 * HOUR, plate=None, ticket=left["ticket"])
    assert (await lot.bench.postgres.record_payment(lot.id, late)).due == Money(Decimal(0), "EUR")


async def test_an_operator_may_leave_it_as_a_debt(lot: Lot) -> None:
    await lot.denied("exit", NOW + 90 * MINUTE)
    answer = await lot.close(NOW + 3 * HOUR, debt=True)
    assert (answer.price, answer.remainder) == (
        Money(Decimal(5), "EUR"),
        Money(Decimal(5), "EUR"),
    )
    assert (await lot.booking())["final_price"] == 5
    assert await lot.reconciliations() == []


async def test_what_is_paid_leaves_nothing_to_people(lot: Lot) -> None:
    paid = Payment(uuid4(), Decimal("2.50"), "EUR", "CASH", NOW + MINUTE, plate=lot.plate)
    await lot.bench.postgres.record_payment(lot.id, paid)
    answer = await lot.close(NOW + 3 * HOUR)
    assert (answer.price, answer.remainder) == (
        Money(Decimal("2.50"), "EUR"),
        Money(Decimal(0), "EUR"),
    )
    assert await lot.reconciliations() == []


async def test_the_act_is_audited_with_who_why_and_what_spoke_for_it(lot: Lot) -> None:
    user = await employ(lot, "grace", "close_stay")
    await lot.denied("entry", NOW + HOUR)
    await lot.close(NOW + 2 * HOUR, operator="grace", reason="gone, see camera 4")
    (audit,) = await lot.audits()
    assert (audit["actor"], audit["user_id"]) == ("operator grace", user)
    details = audit["details"]
    assert (details["reason"], details["strength"]) == ("gone, see camera 4", "strong")
    assert [sign["kind"] for sign in details["evidence"]] == ["entry", "read_outside"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"operator": "nobody"}, CloseOutcome.USER_UNKNOWN),
        ({"operator": "eve"}, CloseOutcome.NOT_PERMITTED),
        ({"reason": " \t"}, CloseOutcome.REASON_MISSING),
        ({"stay": StayId(UUID(int=7))}, CloseOutcome.STAY_UNKNOWN),
    ],
    ids=str,
)
async def test_whoever_may_not_changes_nothing(
    lot: Lot, changes: dict[str, Any], refusal: CloseOutcome
) -> None:
    await employ(lot, "eve", "open", "park")
    before = await written(lot.owner, lot.id)
    assert await lot.close(**changes) == CloseAnswer(refusal)
    assert await written(lot.owner, lot.id) == before


async def test_a_stay_of_another_facility_is_unknown_here(lot: Lot) -> None:
    other = await lot.bench.gate()
    stay = await other.admitted(f"Q{lot.plate[1:]}")
    assert (await lot.close(stay=stay)).outcome is CloseOutcome.STAY_UNKNOWN


async def test_the_same_call_again_is_the_same_act(lot: Lot) -> None:
    await lot.denied("exit", NOW + 90 * MINUTE)
    closing = uuid4()
    first = await lot.close(closing=closing)
    before = await written(lot.owner, lot.id)
    assert await lot.close(NOW + 9 * HOUR, closing=closing) == first
    assert (await lot.close()).outcome is CloseOutcome.STAY_ENDED, "another call"
    assert await written(lot.owner, lot.id) == before
    assert len(await lot.reconciliations()) == 1


async def test_nobody_is_closed_at_an_unknown_price(lot: Lot) -> None:
    await end_tariffs(lot.owner, lot.id, NOW - HOUR)
    before = await written(lot.owner, lot.id)
    with pytest.raises(StoreError, match="no pricing rule in force"):
        await lot.close()
    assert await written(lot.owner, lot.id) == before


async def test_a_covered_stay_costs_nothing_and_leaves_nothing(lot: Lot) -> None:
    user = await lot.bench.user()
    plate = f"S{lot.plate[1:]}"
    vehicle = await lot.bench.register(plate, user=user)
    subscription = await lot.bench.subscribe(lot.gate, user, 5)
    request = await lot.gate.entry(
        plate,
        vehicle=vehicle.id,
        user=user,
        entitlement=Entitlement(Right.SUBSCRIPTION, subscription),
    )
    admitted = await lot.gate.store.admit(lot.id, lot.gate.fence, request)
    assert admitted.outcome is AdmitOutcome.ADMITTED
    answer = await lot.close(stay=request.stay)
    assert (answer.outcome, answer.remainder) == (CloseOutcome.CLOSED, Money(Decimal(0), "EUR"))
    assert await lot.reconciliations() == []


# ── closed by the policy ────────────────────────────────────────────────────────────────────


async def policy(lot: Lot, days: int = 14) -> None:
    await set_up(lot.owner, lot.id, phantom_close_days=days)
    await set_up(lot.owner, lot.id, phantom_policy="close_after_days")


async def closed_by_policy(lot: Lot, at: datetime) -> list[PhantomOutcome]:
    """As housekeeping does it."""
    store = lot.bench.postgres
    return [
        await store.close_phantom(lot.id, stay, at) for stay in await store.phantoms_due(lot.id, at)
    ]


async def test_the_default_policy_closes_nothing(lot: Lot) -> None:
    store = lot.bench.postgres
    assert lot.id not in await store.phantom_facilities()
    assert await store.phantoms_due(lot.id, NOW + 300 * DAY) == []
    outcome = await store.close_phantom(lot.id, lot.stay, NOW + 300 * DAY)
    assert outcome is PhantomOutcome.NOT_DUE


async def test_a_policy_closes_after_its_days_and_is_named(lot: Lot) -> None:
    await policy(lot)
    assert lot.id in await lot.bench.postgres.phantom_facilities()
    assert await closed_by_policy(lot, NOW + 14 * DAY - TICK) == []
    assert await closed_by_policy(lot, NOW + 14 * DAY) == [PhantomOutcome.CLOSED]
    booking = await lot.booking()
    assert (booking["status"], booking["actual_exit"]) == ("COMPLETED", NOW)
    (audit,) = await lot.audits()
    assert (audit["actor"], audit["user_id"]) == ("policy close_after_days", None)
    assert audit["details"]["reason"] == "no sign of it for 14 days"
    assert await closed_by_policy(lot, NOW + 15 * DAY) == []


async def test_a_policy_wants_silence_even_where_the_evidence_is_strong(lot: Lot) -> None:
    await policy(lot)
    await lot.denied("exit", NOW + 10 * DAY)
    await lot.denied("entry", NOW + 11 * DAY)
    assert await closed_by_policy(lot, NOW + 20 * DAY) == []
    assert await closed_by_policy(lot, NOW + 24 * DAY) == [PhantomOutcome.CLOSED]


async def test_a_policy_leaves_what_a_sensor_sees_to_people(lot: Lot) -> None:
    await policy(lot)
    await lot.sense("A-1", NOW + MINUTE)
    assert await closed_by_policy(lot, NOW + 60 * DAY) == []
    await lot.denied("entry", NOW + HOUR)
    assert await closed_by_policy(lot, NOW + 60 * DAY) == []
    assert await lot.strength(NOW + 60 * DAY) is not None


async def test_a_policy_that_is_told_again_finds_its_own_act(lot: Lot) -> None:
    await policy(lot)
    at = NOW + 14 * DAY
    closing = lot.bench.postgres.close_phantom
    answers = await asyncio.gather(*(closing(lot.id, lot.stay, at) for _ in range(6)))
    assert set(answers) == {PhantomOutcome.CLOSED}
    assert (len(await lot.audits()), len(await lot.reconciliations())) == (1, 0)


async def test_a_policy_does_not_take_the_act_of_an_operator_for_its_own(lot: Lot) -> None:
    await policy(lot)
    await lot.close()
    outcome = await lot.bench.postgres.close_phantom(lot.id, lot.stay, NOW + 14 * DAY)
    assert outcome is PhantomOutcome.STAY_ENDED


# ── the exit wins ───────────────────────────────────────────────────────────────────────────


async def test_a_stay_that_has_left_is_not_closed(lot: Lot) -> None:
    await lot.release(NOW + HOUR)
    before = await written(lot.owner, lot.id)
    assert (await lot.close()).outcome is CloseOutcome.STAY_ENDED
    await policy(lot)
    outcome = await lot.bench.postgres.close_phantom(lot.id, lot.stay, NOW + 60 * DAY)
    assert outcome is PhantomOutcome.STAY_ENDED
    assert await written(lot.owner, lot.id) == before


async def test_an_exit_that_comes_after_the_closing_wins(lot: Lot) -> None:
    """Its vehicle was looked at before the stay was closed, and is let out after it."""
    await lot.close(NOW + 2 * HOUR)
    assert len(await lot.reconciliations()) == 0, "closed at its entry, it cost nothing"
    answer = await lot.release(NOW + 3 * HOUR)
    assert (answer.outcome, answer.price) == (
        ReleaseOutcome.RELEASED,
        Money(Decimal("7.50"), "EUR"),
    )
    booking = await lot.booking()
    assert (booking["actual_exit"], booking["final_price"]) == (NOW + 3 * HOUR, Decimal("7.5"))
    assert (booking["closed_reason"], booking["exit_known"]) == (None, None)
    assert await drifts(lot.owner, lot.id) == []
    (left,) = [
        row
        for row in await lot.gate.store.pending_passages(lot.id, NOW)
        if row.lane == lot.gate.site.exit
    ]
    assert left.stay == lot.stay, "its passage is awaited like any other"


async def test_what_the_closing_left_to_people_is_settled_by_the_exit(lot: Lot) -> None:
    await lot.denied("exit", NOW + 90 * MINUTE)
    await lot.close(NOW + 3 * HOUR)
    assert len(await lot.reconciliations()) == 1
    await lot.release(NOW + 4 * HOUR)
    assert await lot.reconciliations() == []


async def test_a_closed_stay_is_found_at_the_exit_and_its_spot_may_be_another_s_by_then(
    lot: Lot,
) -> None:
    await lot.close(NOW + 2 * HOUR)
    for number in range(3):
        await lot.gate.admitted(f"N{number}{lot.plate[2:]}", at=NOW + 150 * MINUTE)
    snapshot = await lot.gate.store.plate_snapshot(
        lot.id, Plate(lot.plate), Direction.EXIT, NOW + 3 * HOUR
    )
    assert snapshot.open_stay is not None
    assert (snapshot.open_stay.id, snapshot.open_stay.released) == (lot.stay, False)
    assert snapshot.price == snapshot.due == Money(Decimal("7.50"), "EUR")
    assert (await lot.release(NOW + 3 * HOUR)).outcome is ReleaseOutcome.RELEASED
    assert (await lot.bench.postgres.zone_count(lot.gate.site.zone)).occupied == 3
    assert await drifts(lot.owner, lot.id) == []


async def test_a_later_visit_is_the_one_that_counts(lot: Lot) -> None:
    await lot.close(NOW + 2 * HOUR)
    again = await lot.gate.admitted(lot.plate, at=NOW + 5 * HOUR)
    request = await lot.gate.departure(again, lot.plate, at=NOW + 6 * HOUR)
    await lot.gate.store.release(lot.id, lot.gate.fence, request)
    await lot.gate.store.complete_passage(
        lot.id,
        lot.gate.fence,
        again,
        request.lane,
        PassageKnown.MEASURED,
        NOW + 6 * HOUR,
        request.event,
    )
    snapshot = await lot.gate.store.plate_snapshot(
        lot.id, Plate(lot.plate), Direction.EXIT, NOW + 7 * HOUR
    )
    assert snapshot.open_stay is None, "of the phantom nobody has to be told any more"


@pytest.mark.parametrize("turn", range(4))
async def test_closing_and_leaving_at_once_ends_with_the_exit(lot: Lot, turn: int) -> None:
    request = await lot.gate.departure(lot.stay, lot.plate, at=NOW + 3 * HOUR)
    await policy(lot, days=1)
    # The policy is asked at a time when the stay is due.
    acts = [
        lot.gate.store.release(lot.id, lot.gate.fence, request),
        lot.close(NOW + 3 * HOUR),
        lot.bench.postgres.close_phantom(lot.id, lot.stay, NOW + 2 * DAY),
    ]
    order = acts[turn % 3 :] + acts[: turn % 3]
    answers = await asyncio.gather(*order)
    (released,) = [answer for answer in answers if isinstance(answer, ReleaseAnswer)]
    assert released.outcome is ReleaseOutcome.RELEASED
    assert released.price == Money(Decimal("7.50"), "EUR")
    booking = await lot.booking()
    assert (booking["status"], booking["actual_exit"]) == ("COMPLETED", NOW + 3 * HOUR)
    assert (booking["closed_reason"], booking["final_price"]) == (None, Decimal("7.5"))
    assert await lot.reconciliations() == []
    assert await drifts(lot.owner, lot.id) == []


async def test_a_closing_waits_for_an_exit_that_is_under_way(lot: Lot) -> None:
    await policy(lot, days=1)
    async with lot.owner.transaction():
        await lot.owner.fetchval("SELECT gate.lock_booking_v1($1, $2)", lot.id, lot.stay)
        closing = asyncio.create_task(
            lot.bench.postgres.close_phantom(lot.id, lot.stay, NOW + 2 * DAY)
        )
        await until_it_waits(lot.owner, "close_phantom")
        await lot.owner.execute(
            "UPDATE bookings SET status = 'COMPLETED', actual_exit = $2 WHERE id = $1",
            lot.stay,
            NOW + HOUR,
        )
    assert await closing is PhantomOutcome.STAY_ENDED
    assert (await lot.booking())["actual_exit"] == NOW + HOUR


# ── with vehicles that came in when no spot was left ────────────────────────────────────────


async def squeeze_in(lot: Lot, plate: str, at: datetime) -> StayId:
    """One that passed without a grant: beside the stay, the lot has room for three."""
    passage = FreePassage(
        EventId(uuid4()),
        lot.gate.site.entry,
        Direction.ENTRY,
        FreeKind.HELD,
        StayId(uuid4()),
        at,
        PlateRead(Plate(plate), plate),
    )
    answer = await lot.gate.store.pass_freely(lot.id, lot.gate.fence, passage)
    assert answer.stay is not None
    return answer.stay


async def test_the_spot_of_a_phantom_goes_to_who_is_inside_without_one(lot: Lot) -> None:
    rest = [await squeeze_in(lot, f"F{number}{lot.plate[2:]}", NOW) for number in range(4)]
    spots = "SELECT count(*) FROM bookings WHERE id = ANY ($1) AND spot_id IS NOT NULL"
    assert await lot.owner.fetchval(spots, rest) == 3
    drift = await lot.bench.postgres.zone_drift(lot.gate.site.zone, NOW)
    assert (drift.counted, drift.stays) == (4, 4), "counted, though it has no spot"
    await lot.close()
    assert await lot.owner.fetchval(spots, rest) == 4
    drift = await lot.bench.postgres.zone_drift(lot.gate.site.zone, NOW)
    assert (drift.counted, drift.stays) == (3, 3)
    assert await drifts(lot.owner, lot.id) == []


async def test_a_phantom_without_a_spot_is_listed_with_its_zone_and_closed(lot: Lot) -> None:
    for number in range(3):
        await squeeze_in(lot, f"F{number}{lot.plate[2:]}", NOW)
    plate = f"G{lot.plate[1:]}"
    stay = await squeeze_in(lot, plate, NOW)
    (found,) = [one for one in await lot.phantoms(NOW + 8 * DAY) if one.stay == stay]
    assert (found.zone, found.spot_number, found.plate) == ("zone-0", None, plate)
    waits = (
        "SELECT count(*) FROM gate.reconciliations WHERE facility_id = $1"
        " AND kind = 'over_capacity' AND resolved_at IS NULL"
    )
    assert await lot.owner.fetchval(waits, lot.id) == 1
    assert (await lot.close(NOW + 8 * DAY, stay=stay)).outcome is CloseOutcome.CLOSED
    assert await lot.owner.fetchval(waits, lot.id) == 0
    snapshot = await lot.gate.store.plate_snapshot(
        lot.id, Plate(plate), Direction.EXIT, NOW + 8 * DAY + HOUR
    )
    assert snapshot.open_stay is not None
    assert (snapshot.open_stay.id, snapshot.open_stay.zone) == (stay, lot.gate.site.zone)
