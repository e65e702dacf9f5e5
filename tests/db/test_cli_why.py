"""`gated why` on a real database: visits written by the store, told by the command."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from gated.cli.main import app
from gated.core.effects import Do, FreeKind, Outcome, PassageKnown
from gated.core.errors import ConfigError
from gated.core.events import CommandStatus, OperatorDo, PlateRead
from gated.core.ids import CommandId, EventId, LaneId, StayId, uuid7
from gated.core.money import Money
from gated.core.plates import Plate
from gated.core.reasons import DenyReason, GrantReason
from gated.core.site import Direction
from gated.core.snapshot import Entitlement, FacilityMode, Right
from gated.db.bookings import Actor, Payment, ReserveRequest, Violation
from gated.db.occupancy import CloseOutcome, CloseRequest
from gated.db.pool import DatabaseSettings
from gated.db.store import PostgresStore, open_store
from gated.db.why import Question, look
from gated.operations import ModeRequest, OperateRequest
from gated.records import (
    AdmitRequest,
    AskRequest,
    DenyRequest,
    EventStatus,
    FreePassage,
    InboxRow,
    LaneNote,
    PaymentTaken,
    ReleaseRequest,
)
from tests.db.site import (
    Gate,
    Site,
    Tariff,
    by_blocks,
    make_site,
    message,
    nested,
    set_up,
    write_site,
)
from tests.db.test_plans import LISTEN, Filled, Plans, filled, judged  # noqa: F401  a fixture
from tests.services.databases import Database

Command = Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ANNA = Actor("operator anna")


def ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


@dataclass(frozen=True, slots=True)
class Passed:
    """What one vehicle left behind at the entrance."""

    stay: StayId
    event: EventId
    command: CommandId
    ticket: str


@dataclass(frozen=True, slots=True)
class Barriers:
    """Drives vehicles through the lanes of a site, with messages as its devices send them."""

    gate: Gate
    slug: str
    now: datetime

    @property
    def site(self) -> Site:
        return self.gate.site

    @property
    def store(self) -> PostgresStore:
        assert isinstance(self.gate.store, PostgresStore)
        return self.gate.store

    async def tell(
        self,
        lane: LaneId,
        leaf: str,
        payload: dict[str, Any],
        at: datetime,
        outcome: Outcome | None = Outcome.NOTED,
    ) -> EventId:
        name = next(one.slug for one in self.site.setup.lanes if one.id == lane)
        row = InboxRow(
            id=EventId(uuid7(at, uuid4().bytes[:10])),
            key=str(uuid4()),
            device=self.site.device(lane),
            lane=lane,
            topic=f"gated/v1/{self.slug}/lane/{name}/{leaf}",
            payload=json.dumps(payload).encode(),
            kind=leaf.partition("/")[0],
            status=EventStatus.NEW,
            device_at=None,
            received_at=at,
        )
        await self.store.append_events(self.site.id, self.gate.fence, [row])
        if outcome is not None:
            await self.store.settle_events(self.site.id, self.gate.fence, [(row.id, outcome)])
        return row.id

    async def read(
        self, lane: LaneId, plate: str, at: datetime, outcome: Outcome | None = None
    ) -> EventId:
        return await self.tell(lane, "plate", {"plate": plate, "confidence": 0.9}, at, outcome)

    async def enter(
        self,
        plate: str,
        at: datetime,
        *,
        right: Entitlement | None = None,
        known: PassageKnown | None = PassageKnown.MEASURED,
    ) -> Passed:
        lane, site, fence = self.site.entry, self.site.id, self.gate.fence
        await self.tell(lane, "input/presence", {"on": True}, at - ms(500))
        event = await self.read(lane, plate, at)
        stay = StayId(uuid4())
        command = self.gate.command(event, lane, stay, Plate(plate), at + ms(20))
        reason = GrantReason(right.right) if right else GrantReason.TRANSIENT
        request = AdmitRequest(
            event=event,
            lane=lane,
            zone=self.site.zone,
            stay=stay,
            read=PlateRead(Plate(plate), f"{plate[:2]}-{plate[2:]}", confidence=0.9),
            at=at + ms(20),
            reason=reason,
            vehicle=None,
            user=None,
            command=replace(command, reason=reason, taken=True),
            entitlement=right,
        )
        answer = await self.store.admit(site, fence, request)
        assert answer.stay is not None
        await self.store.advance_command(
            site, fence, command.id, CommandStatus.CONFIRMED, None, at + ms(900)
        )
        if known is not None:
            await self.tell(lane, "input/closing", {"on": True}, at + ms(2000))
            await self.store.complete_passage(
                site, fence, answer.stay, lane, known, at + ms(4000), event
            )
        return Passed(answer.stay, event, command.id, answer.ticket)

    async def enter_on_ticket(self, at: datetime) -> Passed:
        """A vehicle that nobody can read: told so, it presses the button and passes."""
        lane, site, fence = self.site.entry, self.site.id, self.gate.fence
        unread = await self.tell(lane, "plate", {"plate": ""}, at, None)
        denial = DenyRequest(unread, lane, DenyReason.PLATE_UNREAD, None, at + ms(10), None)
        await self.store.deny(site, fence, denial)
        pressed = at + ms(5000)
        event = await self.tell(lane, "input/button", {"on": True}, pressed, None)
        stay = StayId(uuid4())
        command = self.gate.command(event, lane, stay, None, pressed + ms(20))
        command = replace(command, reason=GrantReason.TICKET, taken=True)
        request = AdmitRequest(
            event=event,
            lane=lane,
            zone=self.site.zone,
            stay=stay,
            read=None,
            at=pressed + ms(20),
            reason=GrantReason.TICKET,
            vehicle=None,
            user=None,
            command=command,
        )
        answer = await self.store.admit(site, fence, request)
        known = PassageKnown.MEASURED
        await self.store.complete_passage(site, fence, stay, lane, known, pressed + ms(4000), event)
        return Passed(stay, event, command.id, answer.ticket)

    async def leave(self, plate: str, stay: StayId, at: datetime) -> EventId:
        lane, site, fence = self.site.exit, self.site.id, self.gate.fence
        event = await self.read(lane, plate, at)
        command = self.gate.command(event, lane, stay, Plate(plate), at + ms(30))
        await self.store.release(
            site,
            fence,
            ReleaseRequest(
                event=event,
                lane=lane,
                stay=stay,
                read=PlateRead(Plate(plate), plate, confidence=0.9),
                at=at,
                reason=GrantReason.STAY_OPEN,
                command=command,
            ),
        )
        await self.store.dispatch_command(site, fence, command.id, at + ms(80))
        await self.store.expire_commands(site, fence, at + ms(4000))
        await self.store.advance_command(
            site, fence, command.id, CommandStatus.CONFIRMED, None, at + ms(6000)
        )
        await self.store.complete_passage(
            site, fence, stay, lane, PassageKnown.REPORTED, at + ms(9000), event
        )
        return event

    async def asks(self, do: str, lane: LaneId | None, at: datetime) -> EventId:
        """The message of an operator, who is Ada."""
        row = InboxRow(
            id=EventId(uuid7(at, uuid4().bytes[:10])),
            key=str(uuid4()),
            device=None,
            lane=None,
            topic=f"gated/v1/{self.slug}/operator/ada/request",
            payload=json.dumps({"do": do, "reason": "said so"}).encode(),
            kind="operator",
            status=EventStatus.NEW,
            device_at=None,
            received_at=at,
        )
        await self.store.append_events(self.site.id, self.gate.fence, [row])
        return row.id

    async def operate(self, do: OperatorDo, at: datetime, lane: LaneId | None = None) -> EventId:
        lane = lane or self.site.entry
        event = await self.asks(do, lane, at)
        command = None
        if do in (OperatorDo.OPEN, OperatorDo.HOLD, OperatorDo.RELEASE):
            command = self.gate.command(event, lane, None, None, at + ms(10))
            command = replace(command, do=Do(do), reason=f"operator_{do}", text=None)
        request = OperateRequest(event, lane, "ada", do, "said so", at + ms(10), command)
        await self.store.operate(self.site.id, self.gate.fence, request)
        return event

    async def pass_freely(
        self, kind: FreeKind, plate: str | None, at: datetime, *, leaves: bool = False
    ) -> EventId:
        lane = self.site.exit if leaves else self.site.entry
        event = await self.tell(lane, "input/closing", {"on": False}, at)
        way = Direction.EXIT if leaves else Direction.ENTRY
        read = None if plate is None else PlateRead(Plate(plate), plate, confidence=0.9)
        passage = FreePassage(event, lane, way, kind, StayId(uuid4()), at, read)
        await self.store.pass_freely(self.site.id, self.gate.fence, passage)
        return event

    async def deny(self, plate: str, at: datetime, lane: LaneId | None = None) -> EventId:
        lane = lane or self.site.entry
        event = await self.read(lane, plate, at)
        command = self.gate.command(event, lane, None, Plate(plate), at + ms(10))
        await self.store.deny(
            self.site.id,
            self.gate.fence,
            DenyRequest(
                event=event,
                lane=lane,
                reason=DenyReason.FULL_FACILITY,
                read=PlateRead(Plate(plate), plate, confidence=0.9),
                at=at,
                command=replace(command, do=Do.DENY, reason="full_facility"),
            ),
        )
        return event


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def barriers(database: Database, owner: asyncpg.Connection) -> AsyncIterator[Barriers]:
    """The facility `north`, whose lanes are driven through at times before now."""
    tariff = Tariff(
        config=by_blocks(
            "2.50",
            validations=[{"name": "cinema", "amount": "1.00"}],
            validation_order="listed",
            validation_stacking="all",
        )
    )
    site = make_site([["A-1", "A-2"]], tariffs=[tariff])
    await write_site(database.dsn, site)
    await owner.execute("UPDATE gate.facility_settings SET slug = 'north'")
    async with open_store(DatabaseSettings(database.dsn_as("gated_daemon"))) as store:
        lease = await store.acquire_lease(site.id, "why", 3600)
        assert lease is not None
        now = datetime.now(UTC).replace(microsecond=0)
        yield Barriers(Gate(store, site, lease[0]), "north", now)


@pytest.fixture
def why(database: Database, tmp_path: Path) -> Command:
    """Runs the command as the daemon's role; answers status, output and standard error."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'[database]\ndsn = "{database.dsn_as("gated_daemon")}"\n[mqtt]\nhost = "127.0.0.1"\n'
    )

    async def run(*line: str | UUID) -> tuple[int, str, str]:
        def invoke() -> tuple[int, str, str]:
            words = ["why", *map(str, line), "--config", str(config)]
            result = CliRunner().invoke(app, words)
            if isinstance(result.exception, ConfigError):  # gated.cli.main makes it status 2
                return 2, result.stdout, str(result.exception)
            assert result.exception is None or isinstance(result.exception, SystemExit)
            return result.exit_code, result.stdout, result.stderr

        return await asyncio.to_thread(invoke)

    return run


async def told(why: Command, *line: str | UUID) -> list[str]:
    """What the steps of the only story say, latencies in front where there are some."""
    status, out, _ = await why(*line, "--json")
    (story,) = json.loads(out)
    assert status == 0
    return [step["said"] for step in story["steps"]]


VISIT = [
    "presence loop on",
    "read HHXY1234, confidence 0.90",
    "granted: a stranger, and the lane lets everyone in (transient)",
    "command open to gate-entry-1: taken for sending (dispatched)",
    "open: the hardware reports the arm up (confirmed)",
    "closing loop on",
    "came in: measured by the closing loop",
    "validation given: cinema",
    "paid: 4.00 EUR, CARD",
    "given back: 1.00 EUR: charged twice",
    "read HHXY1234, confidence 0.90",
    "granted: its stay is open (stay_open)",
    "command open to gate-exit-1: ordered, to be sent (accepted)",
    "open: taken for sending (dispatched)",
    "open: no answer in time: it may have been done, and is never sent again (unknown)",
    "open: the hardware reports the arm up (confirmed)",
    "left: reported by the arm",
]


async def test_a_vehicle_on_a_ticket_is_found_by_it(why: Command, barriers: Barriers) -> None:
    visit = await barriers.enter_on_ticket(barriers.now - HOUR)
    for name in (visit.ticket, visit.stay, visit.event):
        story = await told(why, name)
        assert "granted: its plate could not be read, and it asked for a ticket (ticket)" in story
        assert story[-1] == "came in: measured by the closing loop"
    status, out, errors = await why(visit.ticket)
    assert (status, errors) == (0, "")
    assert visit.ticket in out


async def test_an_overlay_that_was_ignored_is_found(why: Command, barriers: Barriers) -> None:
    at = barriers.now - HOUR
    await barriers.read(barriers.site.entry, "CAM03", at, Outcome.IGNORED)
    status, out, _ = await why("CAM03")
    assert status == 0
    assert "read CAM03, confidence 0.90: not taken for a plate (ignored)" in out


async def test_one_visit_by_every_name_that_it_has(why: Command, barriers: Barriers) -> None:
    at, store, site = barriers.now - 5 * HOUR, barriers.store, barriers.site.id
    visit = await barriers.enter("HHXY1234", at)
    await store.validate_stay(site, visit.stay, "cinema", at + HOUR, ANNA)
    payment = Payment(
        uuid4(), Decimal("4.00"), "EUR", "CARD", at + 70 * MINUTE, ticket=visit.ticket, txn="9f27"
    )
    await store.record_payment(site, payment, actor=Actor("web"))
    refund = at + 72 * MINUTE
    await store.refund(
        site, payment.id, uuid4(), Decimal("1.00"), "charged twice", refund, actor=ANNA
    )
    left = await barriers.leave("HHXY1234", visit.stay, at + 75 * MINUTE)
    # Somebody else is not part of it, nor is another day.
    await barriers.deny("OTHER1", at + 30 * MINUTE)
    await barriers.deny("HHXY1234", at - 24 * HOUR)

    assert await told(why, "hh-xy 1234") == VISIT
    misread = visit.ticket.replace("0", "O").replace("1", "l").lower()
    names = (visit.ticket, misread, visit.stay, visit.event, left, visit.command)
    for name in (*names, payment.id):
        assert await told(why, name) == VISIT, name
    assert await told(why, "hhxy1234", "-f", "north", "--since", "6h", "--until", "4h") == VISIT

    status, out, errors = await why("HHXY1234")
    assert (status, errors) == (0, "")
    for line in (
        f"HHXY1234  ticket {visit.ticket}  north, Test site",
        "let out after 1 h 15 min",
        "  price     4.00 EUR, paid 3.00, due 1.00",
        "nothing is due any more",
        "open: the hardware reports the arm up (confirmed)",
        "validation given: cinema (by operator anna)",
        'as sent: "HH-XY1234"',
        "price 4.00 EUR, of which 1.00 was due",
        "  validation cinema                          -1.00",
        "  Due                                     EUR 1.00",
    ):
        assert line in out
    clock = (at + ms(900)).astimezone().strftime("%M:%S.900")
    assert f"{clock}  +900 ms  entry-1  open: the hardware" in out


async def test_denied_lost_backed_out_and_inside(why: Command, barriers: Barriers) -> None:
    at, store = barriers.now - HOUR, barriers.store
    first = await barriers.deny("WAITS1", at)
    await barriers.deny("WAITS1", at + ms(12_000))
    await barriers.read(barriers.site.entry, "WAITS1", at + ms(30_000), Outcome.FAILED)
    status, out, _ = await why("waits 1")
    assert status == 0
    assert "not let in at entry-1, 2 times: no spot of the facility was free (full_facility)" in out
    assert "read at entry-1, and nothing was decided: the database gave no answer in time" in out
    assert (await told(why, first))[1] == "denied: no spot of the facility was free (full_facility)"

    gone = await barriers.enter("BACKED1", at + 5 * MINUTE, known=None)
    await store.cancel_admission(
        barriers.site.id, barriers.gate.fence, gone.stay, barriers.site.entry, "no_passage",
        at + 5 * MINUTE + ms(20_000), gone.event,
    )  # fmt: skip
    status, out, _ = await why(gone.ticket)
    assert "let in, and never came in: no passage was seen (no_passage)" in out
    assert "+20.0 s  entry-1  admission undone: no passage was seen (no_passage)" in out

    # Came in long before the period, and is still inside.
    await barriers.enter("INSIDE1", barriers.now - 40 * HOUR)
    status, out, _ = await why("INSIDE1")
    assert "inside, for 1 d 16 h so far" in out
    assert "102.50 EUR by now, paid 0.00, due 102.50" in out
    assert (await why("INSIDE1", "--until", "41h"))[0] == 1


async def test_money_that_does_not_count_is_told_with_what_became_of_it(
    why: Command, barriers: Barriers
) -> None:
    at, store, site, fence = barriers.now - HOUR, barriers.store, barriers.site, barriers.gate.fence
    visit = await barriers.enter("HHXY1234", at)

    async def told_of(txn: str, currency: str) -> EventId:
        row = replace(message(site, site.exit, at=at + MINUTE), device=None, lane=None)
        row = replace(row, kind="payment", topic=f"gated/v1/{barriers.slug}/payment")
        await store.append_events(site.id, fence, [row])
        payment = PaymentTaken(
            txn, txn, uuid4(), Decimal("2.50"), currency, "CARD", txn, at + MINUTE, at + MINUTE,
            visit.ticket,
        )  # fmt: skip
        if currency == "EUR":
            await store.give_up_payment(site.id, fence, row.id, payment)
        else:
            await store.take_payment(site.id, fence, row.id, payment)
        return row.id

    given_up = await told_of("t1", "EUR")
    await told_of("t2", "CHF")
    said = "not counted: 2.50 EUR, CARD: the database could not take it (failed)"
    other = "not counted: 2.50 CHF, CARD: it is in another currency (currency_mismatch)"
    cases = {one.details["txn"]: one.id for one in await store.reconciliations(site.id)}
    await store.resolve_reconciliation(
        site.id, cases["t2"], "given back", barriers.now - MINUTE, ANNA
    )
    for name in (visit.ticket, "HHXY1234"):
        assert {said, other} < set(await told(why, name))
    _, out, _ = await why(visit.ticket)
    assert "transaction t1" in out
    assert f"waits for an operator: gated reconcile, {cases['t1']}" in out
    assert ": given back" in out
    assert said in await told(why, given_up)


async def test_reservations_and_offences(
    why: Command, barriers: Barriers, owner: asyncpg.Connection
) -> None:
    now, store, site = barriers.now, barriers.store, barriers.site.id
    held = StayId(uuid4())
    request = ReserveRequest(held, now - 4 * HOUR, now - 2 * HOUR, now - 6 * HOUR, plate="RES1")
    await store.reserve(site, request, Actor("web"))
    await owner.execute("INSERT INTO gate.penalties VALUES ($1, 'overstay', 25)", site)
    await barriers.enter("RES1", now - 4 * HOUR, right=Entitlement(Right.RESERVATION, held))
    await barriers.leave("RES1", held, now - HOUR)
    said = await told(why, "RES1")
    assert said[0].startswith("reserved from ")
    assert "granted: it has a reservation (reservation)" in said
    assert "violation: overstay, 25.00 EUR; it is OPEN today" in said

    coming = StayId(uuid4())
    later = replace(request, id=coming, start=now + HOUR, until=now + 2 * HOUR, at=now)
    await store.reserve(site, replace(later, plate="PLANS1"), ANNA)
    assert "reserved, and expected" in (await why("plans1"))[1]
    await store.cancel_booking(site, coming, "plans changed", now, ANNA)
    assert await told(why, coming) == [
        (await told(why, "PLANS1"))[0],
        "booking cancelled: plans changed",
    ]
    await store.open_violation(site, Violation(uuid4(), "blocking", now, {}, plate="OFF1"), ANNA)
    assert await told(why, "OFF1") == ["violation: blocking, no penalty; it is OPEN today"]


async def test_what_is_asked_for_at_an_exit_is_told_while_it_waits(
    why: Command, barriers: Barriers
) -> None:
    at, lane = barriers.now - 5 * MINUTE, barriers.site.exit
    visit = await barriers.enter("PAYS1", at - HOUR)
    event = await barriers.read(lane, "PAYS1", at)
    command = barriers.gate.command(event, lane, visit.stay, Plate("PAYS1"), at + ms(40))
    due = Money(Decimal("5.00"), "EUR")
    shown = replace(command, do=Do.DENY, reason="payment_due", price=due, taken=True)
    asked = AskRequest(event, lane, visit.stay, Plate("PAYS1"), due, at + ms(40), shown)
    await barriers.store.ask_payment(barriers.site.id, barriers.gate.fence, asked)
    said = await told(why, "PAYS1")
    assert said[-3:] == [
        "read PAYS1, confidence 0.90: not handled yet (new)",
        "command deny to gate-exit-1: taken for sending (dispatched)",
        "asked to pay 5.00 EUR",
    ]


async def test_a_price_that_cannot_be_told_hides_nothing_else(
    why: Command, barriers: Barriers, owner: asyncpg.Connection
) -> None:
    await owner.execute("ALTER TABLE pricing_rules DISABLE TRIGGER USER")
    await owner.execute("UPDATE pricing_rules SET valid_from = now() + interval '1 day'")
    for minutes in (30, 20):
        await barriers.enter(f"FREE{minutes}", barriers.now - minutes * MINUTE)
    status, out, _ = await why("FREE30")
    assert status == 0
    assert "  price     cannot be told: " in out
    assert "came in: measured by the closing loop" in out


async def test_nothing_found_says_what_was_looked_for(why: Command, barriers: Barriers) -> None:
    await barriers.enter("HHXY1234", barriers.now - 30 * HOUR)
    await barriers.deny("WAITS1", barriers.now - 30 * HOUR)
    status, out, errors = await why("WAITS1")
    assert (status, out) == (1, "")
    assert errors.startswith(
        "gated why: nothing found at north: no ticket WAITS1, nothing about a plate WAITS1 from "
    )
    assert errors.endswith(" until now (Europe/Berlin); --since looks further back\n")
    assert (await why("WAITS1", "--since", "2d"))[0] == 0

    unknown = uuid4()
    status, out, errors = await why(unknown, "--json")
    assert (status, out) == (1, "[]\n")
    assert f"no stay, command or payment has the id {unknown}, and no message from " in errors
    for made_up in ("ffffffff-ffff-7fff-bfff-ffffffffffff", UUID(int=0), UUID(int=2**128 - 1)):
        assert (await why(made_up))[0] == 1
    assert (await why("*~$"))[2] == (
        "gated why: nothing found at north: no ticket *~$, and it cannot be a plate\n"
    )
    for line, fault in (
        (("X", "-f", "south"), '--facility: there is no facility "south"'),
        (("X", "--since", "yesterday"), "--since: expected a time with offset such as"),
        (("X", "--since", "999999d"), "--since: expected a time with offset such as"),
        (("X", "--until", "0001-01-01T00:00+01:00"), "--until: expected a time with offset"),
        (("X", "--since", "1h", "--until", "2h"), "--until: expected a time after --since"),
    ):
        status, _, errors = await why(*line)
        assert (status, errors[: len(fault)]) == (2, fault)


async def test_what_is_left_out_is_said(
    why: Command, barriers: Barriers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gated.db.why.STAYS_MAX", 1)
    monkeypatch.setattr("gated.db.why.READS_MAX", 1)
    for hours in (3, 2):
        visit = await barriers.enter("HHXY1234", barriers.now - hours * HOUR)
        await barriers.leave("HHXY1234", visit.stay, barriers.now - hours * HOUR + MINUTE)
    status, out, errors = await why("HHXY1234")
    assert (status, out.count("ticket "), visit.ticket in out) == (0, 1, True)
    assert errors.splitlines()[0] == (
        "gated why: 1 older visit is left out: --since and --until choose others"
    )
    assert "reads of entry-1, exit-1 were looked through" in errors.splitlines()[1]


async def test_facilities_are_kept_apart(
    why: Command, barriers: Barriers, database: Database
) -> None:
    await write_site(database.dsn, make_site([["B-1"]]))
    visit = await barriers.enter("HHXY1234", barriers.now - HOUR)
    other = barriers.site.setup.slug
    assert other != "north"
    assert (await why("HHXY1234"))[0] == 0
    async with open_store(DatabaseSettings(database.dsn_as("gated_daemon"))) as store:
        (south,) = [one for one in await store.facility_ids() if one != barriers.site.id]
        slug = (await store.facility_setup(south)).slug
    for name in ("HHXY1234", visit.ticket, visit.stay, visit.event, visit.command):
        assert (await why(name, "-f", slug))[0] == 1, name


async def test_a_database_that_cannot_be_had_is_told(why: Command) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    status, _, errors = await why("X", "--dsn", nowhere)
    assert (status, errors[:42]) == (1, "gated why: PostgreSQL cannot be reached: [")


@pytest.mark.direct("loads auto_explain into its session")
async def test_a_look_reads_by_index_and_in_few_months(filled: Filled) -> None:  # noqa: F811
    """Of a plate of today among some months of traffic, by its plate, ticket and event."""
    plans = Plans()
    connection = await asyncpg.connect(filled.dsn, statement_cache_size=0)
    try:
        now = datetime.now(UTC)
        stay, ticket = await _visited(filled, connection, now)
        await connection.execute(LISTEN)
        connection.add_log_listener(plans.note)
        faults: list[str] = []
        for question in (
            Question("WHY1", now, plate="WHY1"),
            Question("WHY1", now, plate="WHY1", facility=filled.old.setup.slug),
            Question(ticket, now),
            Question(str(stay), now, id=stay),
        ):
            plans.collected.clear()
            found = await look(connection, question)
            assert [one.id for one in found.stays] == [stay]
            assert len(found.decisions) == 2
            assert found.audits
            faults += [f"{question.text}: {fault}" for fault in judged(plans)]
        connection.remove_log_listener(plans.note)
    finally:
        await connection.close()
    assert not faults, "\n".join(sorted(set(faults)))


async def _visited(
    filled: Filled,  # noqa: F811
    connection: asyncpg.Connection,
    now: datetime,
) -> tuple[StayId, str]:
    async with open_store(DatabaseSettings(filled.dsn)) as store:
        lease = await store.acquire_lease(filled.old.id, "why", 3600)
        assert lease is not None
        barriers = Barriers(Gate(store, filled.old, lease[0]), filled.old.setup.slug, now)
        visit = await barriers.enter("WHY1", now - HOUR)
        await barriers.leave("WHY1", visit.stay, now - MINUTE)
    return visit.stay, visit.ticket


async def test_who_passed_without_a_grant_and_what_was_wrong_with_the_lane(
    why: Command, barriers: Barriers
) -> None:
    at, store, site = barriers.now - 2 * HOUR, barriers.store, barriers.site
    for lane, name, detail, ago in (
        (site.entry, "fault_raised", "arm_stuck", 5 * HOUR),
        (site.entry, "fault_raised", "camera_silent", 4 * HOUR),
        (site.entry, "fault_cleared", "camera_silent", 3 * HOUR),
        (site.entry, "fault_cleared", "device_offline", MINUTE),
        (site.exit, "fault_raised", "arm_forced", 30 * MINUTE),
        (site.entry, "fault_raised", "device_offline", -MINUTE),
    ):
        note = LaneNote(uuid4(), lane, at - ago, name, detail)
        await store.note_lane(site.id, barriers.gate.fence, note)
    stay = StayId(uuid4())
    read = PlateRead(Plate("FREE123"), "FREE 123", confidence=0.9)
    for lane, direction, kind, when in (
        (site.entry, Direction.ENTRY, FreeKind.HELD, at),
        (site.exit, Direction.EXIT, FreeKind.TAILGATING, at + HOUR),
    ):
        event = await barriers.tell(lane, "input/closing", {"on": True}, when)
        passage = FreePassage(event, lane, direction, kind, stay, when, read)
        await store.pass_freely(site.id, barriers.gate.fence, passage)
    assert await told(why, "free 123") == [
        "the arm did not move as it was told (arm_stuck)",
        "the arm moved though nobody told it to (arm_forced)",
        "over: a device is gone (device_offline)",
        "came in without a grant: the lane was held open (held)",
        "left without a grant: in the opening of another vehicle (tailgating)",
        "violation: tailgating, no penalty; it is OPEN today",
    ]
    assert await told(why, stay) == await told(why, "free 123")


@pytest.fixture
async def ada(owner: asyncpg.Connection, barriers: Barriers) -> UUID:
    """An operator who may do whatever is asked of a lane."""
    user: UUID = await owner.fetchval(
        "INSERT INTO users (email, role) VALUES ('ada@example.com', 'STAFF') RETURNING id"
    )
    await owner.execute(
        "INSERT INTO facility_staff (facility_id, staff_member, permissions, operator_name)"
        " VALUES ($1, $2, '{open,hold,release,lane_close,lane_open,evacuate,resume}', 'ada')",
        barriers.site.id,
        user,
    )
    return user


async def test_an_operators_request_is_found_by_its_event(
    why: Command, barriers: Barriers, ada: UUID
) -> None:
    event = await barriers.operate(OperatorDo.OPEN, barriers.now - HOUR)
    status, out, _ = await why(event)
    assert status == 0
    assert "an operator's request: decided about (decided)" in out
    assert f"account {ada} (STAFF)" in out
    assert await told(why, event) == [
        "operator ada asks for open: said so",
        "command open to gate-entry-1: ordered, to be sent (accepted)",
        "opened once by hand: said so",
    ]
    refused = await barriers.operate(OperatorDo.MATCH, barriers.now - MINUTE)
    assert await told(why, refused) == [
        "operator ada asks for match: said so: refused (refused)",
        (
            "match was refused to an operator, the operator has no right to it (not_permitted):"
            " said so"
        ),
    ]


async def test_who_was_refused_and_let_through_by_hand(
    why: Command, barriers: Barriers, ada: UUID
) -> None:
    at = barriers.now - HOUR
    await barriers.operate(OperatorDo.OPEN, at - 10 * MINUTE)  # for somebody else
    first = await barriers.deny("HAND1", at)
    await barriers.operate(OperatorDo.OPEN, at + MINUTE, barriers.site.exit)  # elsewhere
    await barriers.operate(OperatorDo.OPEN, at + 2 * MINUTE)
    # It came in, and nobody knows it any more: its denial tells what was done about it.
    story = await told(why, first)
    assert story[-2:] == [
        "command open to gate-entry-1: ordered, to be sent (accepted)",
        "opened once by hand: said so",
    ]
    assert story.count("opened once by hand: said so") == 1
    passed = await barriers.pass_freely(FreeKind.OPERATOR, "HAND1", at + 3 * MINUTE)
    status, out, _ = await why("HAND1")
    assert status == 0
    assert "came in without a grant: it was opened by hand (operator)" in out
    assert out.count("opened once by hand: said so (by operator ada)") == 2, "denial and stay"
    by_event = await told(why, passed)
    assert by_event[-1] == "came in without a grant: it was opened by hand (operator)"
    assert "opened once by hand: said so" in by_event


async def test_money_that_did_not_count_is_told(why: Command, barriers: Barriers) -> None:
    at, store, site = barriers.now - 5 * HOUR, barriers.store, barriers.site.id
    visit = await barriers.enter("HHXY1234", at)
    inside = await barriers.enter("HHXY9999", at)
    first = PaymentTaken(
        message="1",
        key="payment#1",
        id=uuid4(),
        amount=Decimal("12.50"),
        currency="CHF",
        provider="CARD",
        txn="txn-1",
        at=at + 4 * HOUR,
        device_at=at + 4 * HOUR,
        ticket=visit.ticket,
    )
    second = replace(first, id=uuid4(), currency="EUR", ticket=inside.ticket)
    third = replace(second, ticket=visit.ticket)  # a terminal whose numbers start anew
    said = []
    for minute, payment in enumerate((first, second, third)):
        row = InboxRow(
            id=EventId(uuid7(payment.at, uuid4().bytes[:10])),
            key=f"payment#{minute}",
            device=None,
            lane=None,
            topic="gated/v1/north/payment",
            payload=b"{}",
            kind="payment",
            status=EventStatus.NEW,
            device_at=None,
            received_at=payment.at,
        )
        await store.append_events(site, barriers.gate.fence, [row])
        answer = await store.take_payment(
            site, barriers.gate.fence, row.id, replace(payment, at=payment.at + minute * MINUTE)
        )
        said.append(answer.outcome.value)
    assert said == ["currency_mismatch", "paid", "told_differently"]
    first_said, second_said = (await told(why, visit.ticket))[-2:]
    assert first_said == (
        "not counted: 12.50 CHF, CARD: it is in another currency (currency_mismatch)"
    )
    assert second_said == (
        "not counted: 12.50 EUR, CARD: other money was told by the same number before"
        " (told_differently)"
    )
    assert "not counted" not in "".join(await told(why, inside.ticket))


async def test_a_stay_whose_vehicle_came_in_anew_tells_how_it_ended(
    why: Command, barriers: Barriers, owner: asyncpg.Connection
) -> None:
    await set_up(owner, barriers.site.id, anti_passback="soft")
    at = barriers.now - 5 * HOUR
    first = await barriers.enter("HHXY1234", at)
    second = await barriers.enter("HHXY1234", at + 3 * HOUR)
    assert first.stay != second.stay
    left = "left, and nobody saw it: the plate came to the entrance again"
    for name in (first.ticket, first.stay):
        status, out, _ = await why(name)
        assert (status, out.count(left)) == (0, 1)
        assert "\nended after 0 min, and nobody saw it leave\n" in out
    assert left not in (await why(second.ticket))[1], "that was the one before"
    assert (await why("HHXY1234"))[1].count(left) == 1


async def test_who_went_on_into_another_zone_without_a_grant_has_not_left(
    why: Command, database: Database, owner: asyncpg.Connection
) -> None:
    site = nested(make_site([["O-1"], ["I-1"]]))
    await write_site(database.dsn, site)
    await owner.execute("UPDATE gate.facility_settings SET slug = 'north'")
    async with open_store(DatabaseSettings(database.dsn_as("gated_daemon"))) as store:
        lease = await store.acquire_lease(site.id, "why", 3600)
        assert lease is not None
        now = datetime.now(UTC).replace(microsecond=0)
        barriers = Barriers(Gate(store, site, lease[0]), "north", now)
        visit = await barriers.enter("HHXY1234", now - 3 * HOUR)
        at = now - HOUR
        event = await barriers.tell(site.inward, "input/closing", {"on": False}, at)
        passage = FreePassage(
            event,
            site.inward,
            Direction.TRANSFER,
            FreeKind.HELD,
            StayId(uuid4()),
            at,
            PlateRead(Plate("HHXY1234"), "HHXY1234"),
        )
        await store.pass_freely(site.id, barriers.gate.fence, passage)
        for name in ("HHXY1234", visit.ticket, visit.stay, event):
            assert (await told(why, name))[-1] == (
                "went on into another zone without a grant: the lane was held open (held)"
            )


async def test_who_closed_a_stay_and_why_is_told(
    why: Command, barriers: Barriers, owner: asyncpg.Connection, ada: UUID
) -> None:
    at, store = barriers.now - 5 * HOUR, barriers.store
    await owner.execute(
        "UPDATE facility_staff SET permissions = '{close_stay}' WHERE staff_member = $1", ada
    )
    visit = await barriers.enter("HHXY1234", at)
    request = CloseRequest(uuid4(), visit.stay, "ada", "bay empty", at + 3 * HOUR)
    for _ in range(2):  # the answer to the first call was lost
        answer = await store.close_stay(barriers.site.id, request)
        assert (answer.outcome, answer.ended_at) == (CloseOutcome.CLOSED, at + ms(20))
    for name in ("HHXY1234", visit.ticket):
        status, out, _ = await why(name)
        assert status == 0
        assert out.count("closed, its vehicle seemed to be gone: bay empty (by operator ada)") == 1
        assert "\nended after 0 min, and nobody saw it leave: bay empty\n" in out
        assert "let out" not in out


async def test_other_peoples_matters_are_not_in_its_story(
    why: Command, barriers: Barriers, ada: UUID
) -> None:
    """It left; then somebody opened for another, whose plate is near to others' again."""
    at, lane, site = barriers.now - HOUR, barriers.site.entry, barriers.site.id
    await barriers.tell(lane, "input/presence", {"on": True}, at - ms(300))
    mine = await barriers.deny("MINE1", at)
    await barriers.operate(OperatorDo.LANE_CLOSE, at + ms(2000))
    await barriers.tell(lane, "input/presence", {"on": False}, at + ms(5000))
    theirs = await barriers.deny("THEIRS1", at + ms(12_000))
    for cause in (mine, theirs):
        note = LaneNote(
            uuid4(), lane, at + ms(100), "match_needed", "AFBL809Z (confusable_two)", cause
        )
        await barriers.store.note_lane(site, barriers.gate.fence, note)
    await barriers.operate(OperatorDo.OPEN, at + ms(19_000))
    story = await told(why, mine)
    assert "lane closed for traffic: said so" in story
    assert "opened once by hand: said so" not in story
    assert [one for one in story if "match_needed" in one] == [
        "the plate is of no open stay, and comes near to some (match_needed): confusable_two"
    ]
    for line in ((mine,), (mine, "--json")):
        _, out, _ = await why(*line)
        assert "AFBL809Z" not in out
        assert "THEIRS1" not in out
    assert "opened once by hand: said so" in await told(why, theirs)


async def test_who_passed_behind_whom_is_told_by_the_ticket(
    why: Command, barriers: Barriers
) -> None:
    at, site = barriers.now - HOUR, barriers.site
    first = await barriers.enter("FIRST1", at)
    passage = FreePassage(
        await barriers.tell(site.entry, "input/closing", {"on": False}, at + ms(6000)),
        site.entry, Direction.ENTRY, FreeKind.TAILGATING, StayId(uuid4()), at + ms(6000),
        PlateRead(Plate("BEHIND1"), "BEHIND1", confidence=0.9), first.stay,
    )  # fmt: skip
    await barriers.store.pass_freely(site.id, barriers.gate.fence, passage)
    status, out, _ = await why("BEHIND1")
    assert status == 0
    assert f"behind the vehicle of ticket {first.ticket}" in out
    assert f"in the opening for ticket {first.ticket}" in out
    assert "passed_at" not in out
    assert str(first.stay) not in out


async def test_what_stood_when_it_passed_is_told(
    why: Command, barriers: Barriers, ada: UUID
) -> None:
    at = barriers.now - 6 * HOUR
    await barriers.operate(OperatorDo.LANE_CLOSE, at - HOUR)
    await barriers.operate(OperatorDo.LANE_OPEN, at - 30 * MINUTE)
    await barriers.operate(OperatorDo.HOLD, at - 20 * MINUTE)
    passed = await barriers.pass_freely(FreeKind.HELD, "HELD1", at)
    assert await told(why, "HELD1") == [
        "command hold to gate-entry-1: ordered, to be sent (accepted)",
        "lane held open: said so",
        "came in without a grant: the lane was held open (held)",
    ]
    assert await told(why, passed) == await told(why, "HELD1")
    await barriers.operate(OperatorDo.RELEASE, at + MINUTE)
    event = await barriers.asks("evacuate", None, at + HOUR)
    request = ModeRequest(event, FacilityMode.EVACUATION, "ada", "smoke", at + HOUR)
    await barriers.store.set_facility_mode(barriers.site.id, barriers.gate.fence, request)
    await barriers.pass_freely(FreeKind.EVACUATION, "HELD1", at + 2 * HOUR, leaves=True)
    assert (await told(why, "HELD1"))[3:] == [
        "evacuation begun: smoke",
        "left without a grant: the facility was evacuated (evacuation)",
    ]


async def test_a_passage_of_nobody_is_found_by_its_plate_and_its_event(
    why: Command, barriers: Barriers
) -> None:
    at = barriers.now - HOUR
    event = await barriers.pass_freely(FreeKind.TAILGATING, "NOBODY1", at, leaves=True)
    left = "left without a grant: in the opening of another vehicle (tailgating)"
    for name in ("NOBODY1", event):
        status, out, _ = await why(name)
        assert (status, out.count(left)) == (0, 1), name
    assert (await why("NOBODY1", "--until", "2h"))[0] == 1
    nameless = await barriers.pass_freely(FreeKind.HELD, None, at + MINUTE, leaves=True)
    assert "left without a grant: the lane was held open (held)" in await told(why, nameless)


async def test_a_decision_tells_what_it_rests_on(
    why: Command, barriers: Barriers, owner: asyncpg.Connection
) -> None:
    at, site = barriers.now - HOUR, barriers.site
    event = await barriers.read(site.entry, "RESTS1", at)
    refused = [{"zone": str(site.zone), "refusal": "zone_reserved"}]
    facts = {"rule": {"admits": "everyone"}, "known": {}, "free": {str(site.zone): 1}}
    read = PlateRead(Plate("RESTS1"), "RESTS1", confidence=0.9)
    request = DenyRequest(
        event, site.entry, DenyReason.FULL_CLASS, read, at, None, {**facts, "refused": refused}
    )
    await barriers.store.deny(site.id, barriers.gate.fence, request)
    await owner.execute("UPDATE gate.decisions SET fence_waited_ms = 42")
    name = await owner.fetchval("SELECT name FROM zones WHERE id = $1", site.zone)
    status, out, _ = await why("RESTS1")
    assert status == 0
    for line in (
        "known then: not registered, no right, not inside",
        "the lane's rule: everyone is let in (everyone)",
        f"free then: {name} 1",
        f"{name} refused: what was free is reserved for later (zone_reserved)",
        "waited 42 ms for the fence of the facility",
    ):
        assert line in out
    (story,) = json.loads((await why("RESTS1", "--json"))[1])
    (step,) = [one for one in story["steps"] if one["kind"] == "decision"]
    assert step["facts"]["rests_on"] == {**facts, "refused": refused}
