"""The story of one stay or reservation: what belongs to it, how it ended, what it cost."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from gated.db.why_rows import Audit, Command, Decision, Found, RefusedPayment, Stay
from gated.desk.instants import shown
from gated.desk.receipt import Bill
from gated.why.acts import (
    act_steps,
    distinct,
    money_steps,
    ordered,
    refused_steps,
    violation_step,
)
from gated.why.attendance import by_hand
from gated.why.barrier import barrier_steps
from gated.why.evidence import Evidence
from gated.why.notes import note_steps
from gated.why.story import About, Story, Tone, in_order
from gated.why.words import KNOWN, RIGHTS, UNDONE, amount, exact, lasting, plain, stretch, words

# How long a vehicle may be on its way in before one stops to wait for its passage.
ON_ITS_WAY = timedelta(minutes=15)
_COUNT_AS_PAID = ("COMPLETED", "REFUNDED")


def stay_story(evidence: Evidence, stay: Stay) -> Story:
    found, now = evidence.found, evidence.now
    facility = evidence.facilities[stay.facility]
    zone = evidence.zone(facility.id)
    decisions = decisions_of(found, stay, now)
    events = {one.event for one in decisions}
    commands = [one for one in found.commands if one.stay == stay.id or one.event in events]
    payments = [one for one in found.payments if one.booking == stay.id]
    ids = {one.id for one in payments}
    refunds = [one for one in found.refunds if one.payment in ids]
    audits = _audits(evidence, stay, events | {one.event for one in commands}, ids)
    happened = _happened(audits, events, commands)
    done = by_hand(evidence, happened)
    steps = [
        *barrier_steps(evidence, decisions, [*commands, *ordered(evidence, done, commands)]),
        *act_steps(evidence, distinct([*audits, *done]), stay, zone),
        *money_steps(evidence, payments, refunds),
        *refused_steps((one for one in found.refused if _meant(one, stay)), zone),
        *(
            violation_step(evidence, one, zone)
            for one in found.violations
            if one.booking == stay.id
        ),
    ]
    steps += note_steps(evidence, happened, steps)
    paid = sum(
        (one.amount - one.refunded for one in payments if one.status in _COUNT_AS_PAID),
        Decimal(0),
    )
    let_in = any(one.stay == stay.id for one in decisions)
    verdict, tone = _verdict(stay, now, let_in=let_in)
    return Story(
        about=About.STAY,
        facility=facility,
        plate=stay.plate or stay.vehicle_plate,
        verdict=verdict,
        tone=tone,
        steps=in_order(steps),
        head=tuple(_head(evidence, stay, paid, zone)),
        stay=stay,
        bill=_bill(evidence, stay, paid, zone),
    )


def _meant(refused: RefusedPayment, stay: Stay) -> bool:
    told = refused.details
    return told.get("stay") == str(stay.id) or told.get("ticket") == stay.ticket


def decisions_of(found: Found, stay: Stay, now: datetime) -> list[Decision]:
    """Those about the stay, and the denials of its plate while its vehicle was inside."""
    own = [one for one in found.decisions if one.stay == stay.id]
    if not own:
        return []
    since = own[0].decided_at
    until = stay.exit_at or (now if stay.open else own[-1].decided_at)
    plate = stay.plate or stay.vehicle_plate
    return [
        one
        for one in found.decisions
        if one.stay == stay.id
        or (
            one.stay is None
            and one.plate == plate is not None
            and one.facility == stay.facility
            and since <= one.received_at <= until
        )
    ]


def _happened(
    audits: Iterable[Audit], events: Iterable[UUID], commands: Iterable[Command]
) -> set[UUID]:
    """The messages that led to what is told."""
    correlations = {one.correlation for one in audits if one.correlation is not None}
    return {*events, *correlations, *(one.event for one in commands)}


def _audits(
    evidence: Evidence, stay: Stay, events: Iterable[UUID], payments: Iterable[UUID]
) -> list[Audit]:
    rows = [*evidence.under(stay.id), *evidence.of(stay.id)]
    for correlation in events:
        rows += evidence.under(correlation)
    for payment in payments:
        rows += evidence.of(payment)
    return distinct(rows)


def _verdict(stay: Stay, now: datetime, *, let_in: bool) -> tuple[str, Tone]:
    match stay.status:
        case "ACTIVE" if stay.entry_known is None and now - stay.entry_at < ON_ITS_WAY:
            return "let in, and not seen passing yet", Tone.PLAIN
        case "ACTIVE":
            return f"inside, for {lasting(max(now - stay.entry_at, timedelta()))} so far", Tone.GOOD
        case "COMPLETED":
            return _ended(stay)
        case "CANCELLED" if let_in:
            return f"let in, and never came in: {_cancelled(stay)}", Tone.BAD
        case "CANCELLED":
            return f"cancelled: {_cancelled(stay)}", Tone.BAD
        case "NO_SHOW":
            return "reserved, and nobody came", Tone.BAD
        case "CONFIRMED":
            return "reserved, and expected", Tone.PLAIN
        case "PENDING":
            return "a booking that holds no spot yet", Tone.PLAIN
        case _:
            return stay.status, Tone.PLAIN


def _ended(stay: Stay) -> tuple[str, Tone]:
    assert stay.exit_at is not None, "bookings_completed_check"
    long = lasting(stay.exit_at - stay.entry_at)
    if stay.closed_reason is not None or stay.exit_lane is None:
        why = "" if stay.closed_reason is None else f": {plain(stay.closed_reason)}"
        return f"ended after {long}, and nobody saw it leave{why}", Tone.PLAIN
    unseen = "" if stay.exit_known is not None else ", and was not seen leaving"
    return f"let out after {long}{unseen}", Tone.GOOD


def _cancelled(stay: Stay) -> str:
    return words(UNDONE, stay.cancel_reason) if stay.cancel_reason else "no reason stated"


def _head(
    evidence: Evidence, stay: Stay, paid: Decimal, zone: ZoneInfo
) -> Iterator[tuple[str, str]]:
    if stay.reserved_from is not None and stay.reserved_until is not None:
        yield (
            "reserved",
            stretch(stay.reserved_from, stay.reserved_until, zone),
        )
    if stay.entry_lane is not None:
        yield "in", _passed(stay.entry_at, stay.entry_lane, stay.entry_known, zone)
    if stay.exit_at is not None:
        yield "out", _passed(stay.exit_at, stay.exit_lane, stay.exit_known, zone)
    if stay.spot is not None:
        yield "spot", f"{plain(stay.spot)} in {plain(stay.zone or 'no zone')}"
    if stay.entitlement is not None:
        yield "right", RIGHTS.get(stay.entitlement, stay.entitlement)
    yield from _context(stay)
    if (price := _price(evidence, stay, paid)) is not None:
        yield "price", price
    yield "stay", str(stay.id)


def _passed(at: datetime, lane: str | None, known: str | None, zone: ZoneInfo) -> str:
    where = f", lane {lane}" if lane is not None else ""
    how = f", {KNOWN.get(known, known)}" if known is not None else ", passage not seen"
    return f"{shown(at, zone)}{where}{how}"


def _context(stay: Stay) -> Iterator[tuple[str, str]]:
    """What the price depends on besides times, vehicle and reservation."""
    said = []
    if (percent := stay.context.get("occupancy_percent")) is not None:
        said.append(f"{percent} % of the spots taken at entry")
    validations = stay.context.get("validations")
    if isinstance(validations, list) and validations:
        said.append("validated by " + ", ".join(plain(str(one)) for one in validations))
    if stay.context.get("lost_ticket"):
        said.append("ticket lost")
    if said:
        yield "priced", "; ".join(said)


def _price(evidence: Evidence, stay: Stay, paid: Decimal) -> str | None:
    charge = evidence.found.charges.get(stay.id)
    if charge is not None and charge.refusal:
        return f"cannot be told: {plain(charge.refusal)}"
    if stay.final_price is not None:
        price, due = (
            amount(stay.final_price, stay.currency),
            max(stay.final_price - paid, Decimal(0)),
        )
    elif charge is not None:
        price, due = f"{amount(charge.amount, charge.currency)} by now", charge.due
    elif paid:
        return f"{amount(paid, stay.currency)} paid"
    else:
        return None
    return f"{price}, paid {exact(paid, stay.currency)}, due {exact(due, stay.currency)}"


def _bill(evidence: Evidence, stay: Stay, paid: Decimal, zone: ZoneInfo) -> Bill | None:
    charge = evidence.found.charges.get(stay.id)
    if stay.final_price is not None:
        total, currency, lines = stay.final_price, stay.currency, stay.price_lines
        due, until = max(total - paid, Decimal(0)), stay.exit_at or evidence.now
    elif charge is not None and not charge.refusal:
        total, currency, lines, due = charge.amount, charge.currency, charge.lines, charge.due
        until = max(evidence.now, stay.entry_at)
    else:
        return None
    return Bill(
        facility=evidence.facilities[stay.facility].name,
        zone=zone,
        ticket=stay.ticket,
        plate=stay.plate or stay.vehicle_plate or "",
        entry=stay.entry_at,
        exit=stay.exit_at,
        until=until,
        lines=lines,
        amount=exact(total, currency),
        currency=currency,
        paid=exact(paid, currency),
        due=exact(due, currency),
    )
