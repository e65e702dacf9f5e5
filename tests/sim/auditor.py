"""The auditor: holds the database against the ledger, by plain SQL of its own.

Every difference is a finding. What nobody can know (whose vehicle a stay without a plate is, who
left unseen) is no finding if the database says so itself, as a case that waits for an operator.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import asyncpg

from tests.sim.ledger import Ledger, Visit, Where

Key = tuple[str | None, datetime]


class Kind(StrEnum):
    """What a finding is about."""

    OCCUPANCY = "occupancy"
    SPOTS = "spots"
    STAYS = "stays"
    MONEY = "money"
    OPENINGS = "openings"
    CASES = "cases"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the database and the ledger disagree."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass(frozen=True, slots=True)
class Total:
    """One line of the account: by the ledger, by the database."""

    name: str
    ledger: Decimal | int
    database: Decimal | int

    @property
    def agrees(self) -> bool:
        return self.ledger == self.database


@dataclass(frozen=True, slots=True)
class Look:
    """How many were inside at an instant: by the ledger, by the database; `unknowable`: how many of
    the latter have left unseen, and the database says of so many that it does not know."""

    at: datetime
    truth: int
    counted: int
    unknowable: int
    capacity: int

    @property
    def agrees(self) -> bool:
        return self.truth == self.counted - self.unknowable


_STAYS = """
SELECT b.id, b.plate_number AS plate, b.entry_time, b.status::text AS status, b.actual_exit,
    b.exit_known, b.final_price, b.spot_id,
    (SELECT coalesce(sum(p.amount - p.refunded), 0) FROM payments p
     WHERE p.booking_id = b.id AND p.status IN ('COMPLETED', 'REFUNDED')) AS paid
FROM bookings b WHERE b.facility_id = $1 AND b.status NOT IN ('CONFIRMED', 'NO_SHOW')
"""
_INSIDE = """
SELECT c.booking_id, c.plate, c.entry_time, c.spot_id
FROM gate.claims c WHERE c.facility_id = $1 AND c.kind = 'stay'
"""
_SPOTS = """
SELECT s.spot_number, s.status::text AS status, s.current_booking, c.booking_id AS claimed_by
FROM parking_spots s JOIN zones z ON z.id = s.zone_id
LEFT JOIN gate.claims c ON c.spot_id = s.id AND c.kind = 'stay'
WHERE z.facility_id = $1
    AND (s.status = 'OCCUPIED' OR s.current_booking IS NOT NULL OR c.booking_id IS NOT NULL)
    AND (s.status <> 'OCCUPIED' OR s.current_booking IS DISTINCT FROM c.booking_id)
    AND s.status <> 'RESERVED'
"""
_DRIFT = "SELECT kind, subject, field, stated, counted FROM gate.verify_v1($1)"
_CAPACITY = """
SELECT count(*) FROM parking_spots s JOIN zones z ON z.id = s.zone_id
WHERE z.facility_id = $1 AND s.is_active
"""
_GRANTS = """
SELECT d.event_id::text AS event, d.command_id::text AS command FROM gate.decisions d
WHERE d.facility_id = $1 AND d.decision = 'grant'
"""
_OPENS = """
SELECT c.id::text AS id, c.event_id::text AS event, c.status FROM gate.commands c
WHERE c.facility_id = $1 AND c.do_what = 'open'
"""
_REVENUE = """
SELECT coalesce(sum(b.final_price), 0) FROM bookings b
WHERE b.facility_id = $1 AND b.status = 'COMPLETED'
"""
_STAYS_COUNT = """
SELECT count(*) FROM bookings b
WHERE b.facility_id = $1 AND b.status IN ('ACTIVE', 'COMPLETED')
"""
_DEBTS = """
SELECT coalesce(sum(greatest(b.final_price - paid.amount, 0)), 0)
FROM bookings b, LATERAL (
    SELECT coalesce(sum(p.amount - p.refunded), 0) AS amount FROM payments p
    WHERE p.booking_id = b.id AND p.status IN ('COMPLETED', 'REFUNDED')
) paid
WHERE b.facility_id = $1 AND b.status = 'COMPLETED'
"""
_TAKINGS = """
SELECT coalesce(sum(p.amount - p.refunded), 0) FROM payments p
WHERE p.status IN ('COMPLETED', 'REFUNDED')
"""
_UNMATCHED = """
SELECT count(*) FROM gate.reconciliations r
WHERE r.facility_id = $1 AND r.kind = 'exit_unmatched' AND r.resolved_at IS NULL
"""
_TAILGATING = """
SELECT count(*) FROM violations v
WHERE v.facility_id = $1 AND v.violation_type::text = 'tailgating'
"""
_UNSETTLED = "SELECT count(*) FROM gate.events WHERE facility_id = $1 AND status = 'new'"


class Auditor:
    """Looks while the day goes on, and once more when everybody is gone."""

    def __init__(self, owner: asyncpg.Connection, facility: UUID, ledger: Ledger) -> None:
        self._owner = owner
        self._facility = facility
        self._ledger = ledger
        self.findings: list[Finding] = []
        self.looks: list[Look] = []
        self.totals: list[Total] = []

    async def look(self, now: datetime) -> None:
        """Who is inside, and on which spots, at an instant at which nothing is under way."""
        rows = await self._owner.fetch(_INSIDE, self._facility)
        stays = Counter[Key]((row["plate"], row["entry_time"]) for row in rows)
        here = [one for one in self._ledger.visits if one.where in (Where.COMING, Where.INSIDE)]
        unseen = [one for one in self._ledger.visits if one.unseen]
        should = Counter(_key(visit) for visit in (*here, *unseen))
        for plate, began in (should - stays).elements():
            self._found(Kind.OCCUPANCY, f"{now:%H:%M}: {plate or 'a vehicle'} came {began:%H:%M:%S}"
                        " and has no stay")  # fmt: skip
        for plate, began in (stays - should).elements():
            self._found(Kind.OCCUPANCY, f"{now:%H:%M}: a stay of {plate or 'nobody known'} since"
                        f" {began:%H:%M:%S}, and no such vehicle is inside")  # fmt: skip
        for row in await self._owner.fetch(_SPOTS, self._facility):
            self._found(Kind.SPOTS, f"{now:%H:%M}: {row['spot_number']} is {row['status']} of"
                        f" {row['current_booking']}, held by {row['claimed_by']}")  # fmt: skip
        for row in await self._owner.fetch(_DRIFT, self._facility):
            self._found(Kind.SPOTS, f"{now:%H:%M}: gate.verify_v1: {tuple(row)}")
        cases = await self._owner.fetchval(_UNMATCHED, self._facility)
        if cases != len(unseen):
            self._found(Kind.CASES, f"{now:%H:%M}: {len(unseen)} left unseen, and {cases} cases of"
                        " that wait for an operator")  # fmt: skip
        capacity = await self._owner.fetchval(_CAPACITY, self._facility)
        self.looks.append(Look(now, len(here), len(rows), len(unseen), capacity))

    async def close(self, now: datetime) -> None:
        """The day is over: every stay, every cent, every opening."""
        await self.look(now)
        await self._compare_stays()
        await self._compare_totals()
        await self._compare_openings()
        unsettled = await self._owner.fetchval(_UNSETTLED, self._facility)
        if unsettled:
            self._found(Kind.MESSAGES, f"{unsettled} are neither decided nor settled")

    async def _compare_stays(self) -> None:
        stays: defaultdict[Key, list[asyncpg.Record]] = defaultdict(list)
        for row in await self._owner.fetch(_STAYS, self._facility):
            if row["status"] == "CANCELLED":
                if row["paid"] or row["final_price"]:
                    self._found(Kind.MONEY, f"{row['plate']} backed out, and was charged")
                continue
            stays[row["plate"], row["entry_time"]].append(row)
        for visit in self._ledger.visits:
            if visit.began is None:
                continue
            found = stays[_key(visit)]
            if not found:
                self._found(Kind.STAYS, f"{_told(visit)} has none")
                continue
            self._compare_stay(visit, found.pop(0))
        for (plate, began), left in stays.items():
            for _ in left:
                self._found(Kind.STAYS, f"one of {plate} since {began:%H:%M:%S} is of no vehicle")

    def _compare_stay(self, visit: Visit, row: asyncpg.Record) -> None:
        if visit.where is Where.GONE and (
            row["status"] != "COMPLETED" or row["exit_known"] is None
        ):
            self._found(Kind.STAYS, f"{_told(visit)} left, and its stay goes on: {row['status']},"
                        f" exit {row['exit_known']}")  # fmt: skip
        if row["actual_exit"] != visit.ended:
            self._found(Kind.STAYS, f"{_told(visit)} ended {visit.ended}, and for gated"
                        f" {row['actual_exit']}")  # fmt: skip
        if visit.ended is not None and row["final_price"] != visit.price(visit.ended):
            self._found(Kind.MONEY, f"{_told(visit)} must pay {visit.price(visit.ended)}, and is"
                        f" charged {row['final_price']}")  # fmt: skip
        if row["paid"] != visit.paid:
            self._found(Kind.MONEY, f"{_told(visit)} paid {visit.paid}, and {row['paid']} are"
                        " written down")  # fmt: skip

    async def _compare_totals(self) -> None:
        ledger = self._ledger
        stays = await self._owner.fetchval(_STAYS_COUNT, self._facility)
        charged: Decimal = await self._owner.fetchval(_REVENUE, self._facility)
        taken: Decimal = await self._owner.fetchval(_TAKINGS)
        due: Decimal = await self._owner.fetchval(_DEBTS, self._facility)
        tailgating = await self._owner.fetchval(_TAILGATING, self._facility)
        self.totals += [
            Total("stays", sum(one.began is not None for one in ledger.visits), stays),
            Total("charged, EUR", ledger.to_be_paid(), charged),
            Total("taken, EUR", ledger.was_paid(), taken),
            Total("still owed, EUR", ledger.still_owed(), due),
            Total("tailgating", sum(one.slipped for one in ledger.visits), tailgating),
        ]
        for total in self.totals:
            if not total.agrees:
                self._found(Kind.MONEY, f"{total.name}: {total.database} in the database, and it"
                            f" should be {total.ledger}")  # fmt: skip

    async def _compare_openings(self) -> None:
        """One decision, one command, one arm that went up once, for somebody who stood there."""
        grants = await self._owner.fetch(_GRANTS, self._facility)
        opens = await self._owner.fetch(_OPENS, self._facility)
        raised = Counter(self._ledger.raised)
        by_event = Counter(row["event"] for row in opens)
        for grant in grants:
            if by_event[grant["event"]] != 1:
                self._found(Kind.OPENINGS, f"the grant {grant['event']} has"
                            f" {by_event[grant['event']]} commands to open")  # fmt: skip
        for row in opens:
            if raised[row["id"]] != 1:
                self._found(Kind.OPENINGS, f"an arm went up {raised[row['id']]} times for the"
                            f" command {row['id']}")  # fmt: skip
            elif row["status"] != "confirmed":
                self._found(Kind.OPENINGS, f"an arm is up for the command {row['id']}, which is"
                            f" {row['status']}")  # fmt: skip
        for command in raised.keys() - {row["id"] for row in opens}:
            self._found(Kind.OPENINGS, f"an arm went up for {command}, which nobody committed")
        for command in self._ledger.unasked:
            self._found(Kind.OPENINGS, f"an arm went up for {command}, and nobody stood there")
        asked = sum(visit.openings for visit in self._ledger.visits)
        self.totals.append(Total("openings", asked, len(opens)))
        if asked != sum(raised.values()):
            self._found(Kind.OPENINGS, f"arms went up {sum(raised.values())} times, for"
                        f" {asked} vehicles that asked")  # fmt: skip

    def _found(self, kind: Kind, text: str) -> None:
        self.findings.append(Finding(kind, text))


def _key(visit: Visit) -> Key:
    assert visit.began is not None
    return visit.known_as, visit.began


def _told(visit: Visit) -> str:
    known = "" if visit.known_as == visit.plate else f" (known as {visit.known_as})"
    return f"{visit.plate}{known}, visit {visit.number}"
