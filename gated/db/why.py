"""Finds what the tables tell of a vehicle at the barrier, all of it at one instant.

Each kind of row leads to the next: from a plate, ticket or id to stays and decisions, from those
to all that they led to. What it means, and how it is told, is `gated.why`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from gated.core.errors import ConfigError, StoreError
from gated.core.ids import DeviceId, LaneId, Slug
from gated.core.site import DeviceSetup, Direction
from gated.db.connect import Connection
from gated.db.errors import FAILURES, translated
from gated.db.sql import sql
from gated.db.values import json_value, storable
from gated.db.why_rows import (
    ACTIVE,
    AFTER,
    DAY,
    Acted,
    Audit,
    Charge,
    Command,
    Decision,
    Facility,
    Found,
    LaneNote,
    Message,
    Payment,
    Refund,
    RefusedPayment,
    Stay,
    Violation,
    effective,
)

# What an id that bears no time is looked for in.
IDS_PERIOD = timedelta(days=400)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_MAX = 7_000 * 365 * 86_400_000  # beyond, an id was made up, and Python has no dates
# Visits of one plate that are told, the newest; and decisions of one plate that lead to them.
STAYS_MAX = 50
DECISIONS_MAX = 500
# Plate reads of one lane that are looked through for those that were never decided about.
READS_MAX = 5000
READ = "plate"
MESSAGES_MAX = 200
# What tells how long a vehicle stood there, and the most of it that is looked through.
COMING_AND_GOING = (READ, "input")
COMING_AND_GOING_MAX = 1000
NOTES_MAX = 50
_LOOKALIKES = str.maketrans("OIL", "011", "- ")
# What a lane hears: the words of `gated.devices.codec.Kind`, and that of the inbox itself.
HEARD = (READ, "lost", "input", "barrier", "ack", "online", "rejected")
# A read that was decided about, or that is of a vehicle that was.
_DECIDED = frozenset({"decided", "folded"})
VIOLATION_STATES = ("OPEN", "PAID", "WAIVED", "DISPUTED", "RESOLVED")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for. `plate` in normal form, `id`: where the text can be one.

    `since` and `until` bound where a plate is looked for; an id that bears no time is looked for
    there too, where they are given. `until` None: up to now, and what the plate holds now.
    """

    text: str
    now: datetime
    plate: str | None = None
    id: UUID | None = None
    facility: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def period(self) -> tuple[datetime, datetime]:
        """Where a plate is looked for: a day, if nothing is said."""
        until = self.until or self.now + DAY  # clocks of others may be ahead
        return self.since or (self.until or self.now) - DAY, until

    @property
    def id_period(self) -> tuple[datetime, datetime]:
        """Where an event of this id can be: ids of gated's own making bear their time."""
        if self.id is not None and self.id.version == 7:
            at = EPOCH + timedelta(milliseconds=min(self.id.int >> 80, MILLISECONDS_MAX))
            return at - DAY, at + DAY
        return self.since or self.now - IDS_PERIOD, self.until or self.now + DAY


async def look(connection: Connection, question: Question) -> Found:
    """Everything about what the question names, in one transaction that only reads.

    Raises ConfigError for an unknown facility, StoreError when the database cannot be had.
    """
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await _Look(connection, question).found()
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigError(f"{error}: the owner of the database may (--dsn names it)") from error
    except FAILURES as error:
        raise translated(error, "why") from error


@dataclass(slots=True)
class _Look:
    """One look: from what was named to stays and decisions, from those to all that they led to."""

    connection: Connection
    question: Question
    facilities: list[UUID] = field(default_factory=list)
    found_so_far: Found = field(default_factory=Found)

    async def found(self) -> Found:
        asked = self.question
        slug = None if asked.facility is None else storable(asked.facility)
        facilities = tuple(Facility(**row) for row in await self._rows("why_facilities", slug))
        if asked.facility is not None and not facilities:
            raise ConfigError(f'--facility: there is no facility "{asked.facility}"')
        self.facilities = [one.id for one in facilities]
        self.found_so_far = Found(facilities=facilities)

        stays, events = await self._named()
        await self._begin(stays, events)
        await self._money()
        await self._acts()
        await self._operated()
        await self._heard()
        await self._names()
        await self._charges()
        return self.found_so_far

    # ── from the name to stays, decisions and messages ──────────────────────────────────────

    async def _named(self) -> tuple[set[UUID], list[tuple[UUID, datetime, datetime]]]:
        """What the name leads to: stays, and events with the time to look for each."""
        asked = self.question
        texts = [storable(text) for text in {asked.text, asked.text.upper(), _ticket(asked.text)}]
        stays: set[UUID] = set()
        events: list[tuple[UUID, datetime, datetime]] = []
        for row in await self._rows("why_named", texts, asked.id):
            if row["stay"] is not None:
                stays.add(row["stay"])
            if row["event"] is not None and (row["stay"] is None or row["what"] == "passage"):
                events.append((row["event"], row["at"] - DAY, row["at"] + DAY))
        if asked.id is not None and not stays and not events:
            events.append((asked.id, *asked.id_period))
        if asked.plate is not None:
            since, until = asked.period
            rows = await self._rows(
                "why_stays_of_plate",
                self.facilities,
                asked.plate,
                since,
                until,
                until if asked.until else asked.now + IDS_PERIOD,
                STAYS_MAX + 1,
            )
            stays.update(row["id"] for row in rows)
            for row in await self._rows(
                "why_passages_of_plate", self.facilities, asked.plate, since, until
            ):
                events.append((row["event"], row["at"] - DAY, row["at"] + DAY))
                if row["stay"] is not None:
                    stays.add(row["stay"])
        return stays, events

    async def _begin(
        self, named: set[UUID], events: Sequence[tuple[UUID, datetime, datetime]]
    ) -> None:
        """Decisions by plate and by event lead to stays, stays to their other decisions."""
        asked = self.question
        plates = []
        if asked.plate is not None:
            plates = [(one, asked.plate, *asked.period) for one in self.facilities]
        first = await self._decisions(plates, (), events)
        ids = named | {one.stay for one in first if one.stay is not None}
        stays = [_stay(row) for row in await self._rows("why_stays", [*ids], self.facilities)]
        left_out = max(0, len(stays) - STAYS_MAX)
        stays = stays[left_out:]
        second = await self._decisions(
            [
                (stay.facility, plate, *inside)
                for stay in stays
                if (plate := stay.plate or stay.vehicle_plate) is not None
                and (inside := stay.inside(asked.now)) is not None
            ],
            [(stay.id, *stay.visits(asked.now)) for stay in stays],
            (),
        )
        kept = {stay.id for stay in stays}
        decisions = {
            one.id: one for one in (*first, *second) if one.stay is None or one.stay in kept
        }
        asked_for = [
            *events,
            *((one.event, *_exactly(one.received_at)) for one in decisions.values()),
        ]
        messages = await self._messages(asked_for)
        undecided, cut = await self._undecided()
        self.found_so_far = replace(
            self.found_so_far,
            stays=tuple(stays),
            decisions=tuple(sorted(decisions.values(), key=lambda one: (one.decided_at, one.id))),
            messages=tuple(messages),
            undecided=tuple(undecided),
            left_out=left_out,
            decisions_cut=any(
                sum(one.facility == facility for one in first) >= DECISIONS_MAX
                for facility in self.facilities
            ),
            lanes_cut=cut,
        )

    async def _decisions(
        self,
        plates: Sequence[tuple[UUID, str, datetime, datetime]],
        stays: Sequence[tuple[UUID, datetime, datetime]],
        events: Sequence[tuple[UUID, datetime, datetime]],
    ) -> list[Decision]:
        rows = await self._rows(
            "why_decisions",
            self.facilities,
            *_columns(plates, 4),
            *_columns(stays, 3),
            *_columns(events, 3),
            DECISIONS_MAX,
        )
        return [_decision(row) for row in rows]

    async def _messages(self, keys: Iterable[tuple[UUID, datetime, datetime]]) -> list[Message]:
        rows = await self._rows("why_events", self.facilities, *_columns([*keys], 3))
        return [Message(**row) for row in rows]

    async def _undecided(self) -> tuple[list[Message], frozenset[str]]:
        if self.question.plate is None:
            return [], frozenset()
        since, until = self.question.period
        rows = await self._rows("why_undecided", self.facilities, since, until, READ, READS_MAX)
        cut = frozenset(row["lane"] for row in rows if row["last"])
        reads = [Message(**_without(row, "last")) for row in rows]
        return [one for one in reads if one.outcome not in _DECIDED], cut

    # ── what they led to ────────────────────────────────────────────────────────────────────

    async def _money(self) -> None:
        asked, stays = self.question, self.found_so_far.stays
        ids = [stay.id for stay in stays]
        payments = [Payment(**row) for row in await self._rows("why_payments", ids)]
        refunds = await self._rows("why_refunds", [one.id for one in payments])
        refused = await self._rows(
            "why_refused_payments",
            self.facilities,
            [str(one.id) for one in stays],
            [one.ticket for one in stays],
        )
        periods: list[tuple[UUID, datetime, datetime]] = [
            (stay.facility, *stay.period(asked.now)) for stay in stays
        ]
        if asked.plate is not None:
            periods += [(one, *asked.period) for one in self.facilities]
        plates = [asked.plate] if asked.plate is not None else []
        violations = await self._rows(
            "why_violations", *_columns(periods, 3), VIOLATION_STATES, ids, plates
        )
        self.found_so_far = replace(
            self.found_so_far,
            payments=tuple(payments),
            refunds=tuple(Refund(**row) for row in refunds),
            refused=tuple(
                RefusedPayment(**{**row, "details": json_value(row["details"])}) for row in refused
            ),
            violations=tuple(
                Violation(**{**row, "evidence": json_value(row["evidence"])}) for row in violations
            ),
        )

    async def _acts(self) -> None:
        """Commands of the stays, the audit of all of it, and the commands that only that names."""
        so_far = self.found_so_far
        ids = [one.command for one in so_far.decisions if one.command is not None]
        commands = {
            one.id: one for one in await self._commands([one.id for one in so_far.stays], ids)
        }
        so_far = replace(so_far, commands=tuple(commands.values()))
        audits = await self._audits(so_far)
        missing = _commands_of(audits) - commands.keys()
        if missing:
            commands |= {one.id: one for one in await self._commands([], [*missing])}
        known = {one.id for one in so_far.messages}
        asked_first = [  # a command without a decision: what is due was shown
            (one.event, one.issued_at - DAY, one.issued_at + AFTER)
            for one in commands.values()
            if one.event not in known
        ]
        messages = {one.id: one for one in (*so_far.messages, *await self._messages(asked_first))}
        self.found_so_far = replace(
            so_far,
            commands=tuple(sorted(commands.values(), key=lambda one: (one.issued_at, one.id))),
            audits=tuple(audits),
            messages=tuple(sorted(messages.values(), key=lambda one: (one.received_at, one.seq))),
        )

    async def _commands(self, stays: list[UUID], ids: list[UUID]) -> list[Command]:
        rows = await self._rows("why_commands", self.facilities, stays, ids)
        return [Command(**row) for row in rows]

    async def _audits(self, found: Found) -> list[Audit]:
        now = self.question.now
        keys = [
            *((one.id, *one.period(now)) for one in found.stays),
            *((one.event, one.decided_at - DAY, one.decided_at + DAY) for one in found.decisions),
            *((one.event, one.issued_at - DAY, one.issued_at + DAY) for one in found.commands),
            *((one.id, one.received_at - DAY, one.received_at + DAY) for one in found.messages),
        ]
        things = [
            *((one.id, one.at) for one in found.payments),
            *((one.payment, one.at) for one in found.refunds),
            *((one.id, one.at) for one in found.violations),
        ]
        # A passage that nobody granted begins, moves or ends its stay, and bears that instant.
        moves = await self._rows("why_moves", [one.id for one in found.stays])
        passed = [
            (one.id, at)
            for one in found.stays
            for at in (one.entry_at, one.exit_at)
            if at is not None
        ] + [(row["stay"], row["at"]) for row in moves]
        keys += [(id_, at - DAY, at + DAY) for id_, at in things]
        keys += [(one.id, one.at - DAY, one.at + DAY) for one in found.refunds]
        return await self._audited([*dict.fromkeys(keys)], [*things, *passed])

    async def _audited(
        self,
        correlations: Sequence[tuple[UUID, datetime, datetime]],
        things: Sequence[tuple[UUID, datetime]] = (),
    ) -> list[Audit]:
        rows = await self._rows("why_audit", *_columns(correlations, 3), *_columns(things, 2))
        return [Audit(**{**row, "details": json_value(row["details"])}) for row in rows]

    async def _operated(self) -> None:
        """What operators did at the lanes meanwhile, with all that came of it: and what they did
        in the day before that stood still."""
        so_far = self.found_so_far
        spans = so_far.operable()
        keys = [(one.lane, one.since - DAY, one.until) for one in spans.values()]
        events = list(spans)
        acts: dict[UUID, list[Acted]] = {event: [] for event in events}
        for row in await self._rows("why_operated", *_columns(keys, 3)):
            acted = Acted(row["at"], row["action"], row["correlation"])
            acts[events[row["span"] - 1]].append(acted)
        operated = {
            event: tuple(effective(acts[event], span.since)) for event, span in spans.items()
        }
        when = {one.correlation: one.at for having in operated.values() for one in having}
        audits = await self._with_all_of(so_far.audits, when)
        named = _commands_of(audits) - {one.id for one in so_far.commands}
        commands = [*so_far.commands, *await self._commands([], [*named])] if named else []
        self.found_so_far = replace(
            so_far,
            operated=operated,
            audits=tuple(audits),
            commands=tuple(sorted(commands, key=lambda one: (one.issued_at, one.id)))
            or so_far.commands,
        )

    async def _with_all_of(
        self, audits: Iterable[Audit], when: Mapping[UUID, datetime]
    ) -> list[Audit]:
        """Those, and what was done under these correlations, which began then."""
        wanted = [(one, at - DAY, at + DAY) for one, at in when.items()]
        having = {one.id: one for one in (*audits, *await self._audited(wanted))}
        return sorted(having.values(), key=lambda one: (one.at, one.id))

    async def _names(self) -> None:
        """The zones that decisions rest on, and the stays in whose opening somebody passed."""
        told = {one.facility for one in self.found_so_far.decisions if one.facts}
        if told:
            rows = await self._rows("why_zones", [*told])
            zones = {row["id"]: row["name"] for row in rows}
            self.found_so_far = replace(self.found_so_far, zones=zones)
        found = self.found_so_far
        evidence = [
            *(one.details for one in found.audits),
            *(one.evidence for one in found.violations),
        ]
        followed = {_uuid(one.get("after")) for one in evidence} - {None}
        if followed:
            rows = await self._rows("why_tickets", [*followed])
            tickets = {row["stay"]: row["ticket"] for row in rows}
            self.found_so_far = replace(self.found_so_far, tickets=tickets)

    async def _heard(self) -> None:
        """What else came from the lanes while a vehicle was there."""
        so_far = self.found_so_far
        heard: dict[UUID, Message] = {}
        for spans, kinds, most in (
            (so_far.episodes().values(), HEARD, MESSAGES_MAX),
            (so_far.operable().values(), COMING_AND_GOING, COMING_AND_GOING_MAX),
        ):
            keys = [(one.lane, one.since, one.until) for one in spans]
            rows = await self._rows("why_lane_messages", *_columns(keys, 3), kinds, most)
            heard |= {row["id"]: Message(**row) for row in rows}
        notes = await self._notes(so_far)
        devices = await self._rows("why_devices", self.facilities)
        self.found_so_far = replace(
            so_far,
            heard=tuple(sorted(heard.values(), key=lambda one: (one.received_at, one.seq))),
            notes=notes,
            devices={row["id"]: _device(row) for row in devices},
        )

    async def _notes(self, so_far: Found) -> dict[UUID, tuple[LaneNote, ...]]:
        """What was noted of the lanes, by the message that was there then."""
        noted = so_far.noted()
        spans = [(one.lane, one.since, one.until) for one in noted.values()]
        notes: dict[UUID, tuple[LaneNote, ...]] = dict.fromkeys(noted, ())
        events = list(noted)
        for row in await self._rows("why_lane_notes", *_columns(spans, 3), NOTES_MAX):
            event = events[row["span"] - 1]
            notes[event] = (*notes[event], LaneNote(**_without(row, "span")))
        return notes

    async def _charges(self) -> None:
        """What the open stays cost by now. One without a price is told so, and undoes nothing."""
        charges: dict[UUID, Charge] = {}
        for stay in self.found_so_far.stays:
            if stay.status == ACTIVE:
                charges[stay.id] = await self._charge(stay)
        self.found_so_far = replace(self.found_so_far, charges=charges)

    async def _charge(self, stay: Stay) -> Charge:
        now = max(self.question.now, stay.entry_at)
        try:
            async with self.connection.transaction():
                (row,) = await self._rows(
                    "tariff_charge", stay.facility, stay.id, stay.entry_at, now
                )
        except asyncpg.PostgresError as error:
            refusal = translated(error, "price")
            if isinstance(refusal, StoreError) and refusal.retryable:
                raise
            return Charge(refusal=str(error))
        return Charge(row["amount"], row["currency"], _lines(row["lines"]), row["due"])

    async def _rows(self, name: str, *arguments: object) -> Sequence[asyncpg.Record]:
        return await self.connection.fetch(sql(name), *arguments)


def _ticket(text: str) -> str:
    """As gated writes ticket numbers, where somebody took a digit for a letter (Crockford)."""
    return text.upper().translate(_LOOKALIKES)


def _commands_of(audits: Iterable[Audit]) -> set[UUID]:
    """The commands that acts name: their own steps, and what operators had the barrier told."""
    named = {one.resource for one in audits if one.resource_type == "command"}
    named |= {
        _uuid(one.details.get("command")) for one in audits if one.action.startswith("operator.")
    }
    return {one for one in named if one is not None}


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _exactly(at: datetime) -> tuple[datetime, datetime]:
    return at, at + timedelta(microseconds=1)


def _columns(keys: Sequence[tuple[object, ...]], width: int) -> list[list[Any]]:
    """Keys as the arrays that a statement unnests."""
    return [[key[place] for key in keys] for place in range(width)]


def _stay(row: asyncpg.Record) -> Stay:
    parsed = {"context": json_value(row["context"]), "price_lines": _lines(row["price_lines"])}
    return Stay(**{**row, **parsed})


def _decision(row: asyncpg.Record) -> Decision:
    facts = row["facts"]
    return Decision(**{**row, "facts": None if facts is None else json_value(facts)})


def _device(row: asyncpg.Record) -> DeviceSetup:
    return DeviceSetup(
        id=DeviceId(row["id"]),
        slug=Slug(row["slug"]),
        facility=Slug(row["facility"]),
        lane=LaneId(row["lane"]),
        lane_slug=Slug(row["lane_slug"]),
        direction=Direction(row["direction"]),
        family=row["family"],
        topic=row["topic"],
        options=json_value(row["options"]),
    )


def _lines(text: str | None) -> tuple[Mapping[str, Any], ...]:
    return () if text is None else tuple(json_value(text))


def _without(row: asyncpg.Record, name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
