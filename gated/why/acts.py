"""The steps beside the barrier: what was reserved, paid, given back, cancelled, and by whom."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from gated.db.why_rows import Audit, Command, Payment, Refund, Stay, Violation
from gated.desk.instants import shown
from gated.why.evidence import Evidence
from gated.why.passages import TOLD, passage_act
from gated.why.story import Kind, Step, Tone
from gated.why.words import NOT_DONE, UNDONE, amount, decimal, exact, plain, stretch, words

# Told by decisions, commands and passages; and by the rows of payments, refunds and violations.
_TOLD = frozenset(
    {
        "stay.admitted", "stay.readmitted", "stay.released", "stay.released_again",
        "stay.moved", "stay.moved_again",
        "vehicle.denied", "passage.entered", "passage.left", "passage.moved", "payment.recorded",
        "payment.refunded", "violation.opened",
    }
)  # fmt: skip
# Acts that somebody should see who looks for what went wrong.
_BAD = frozenset({"stay.payment_refused"})
_GATED = "gated"
# Who opened for a passage: its row has the account, and the act itself the name.
_OPERATOR = "operator"
# What operators did, by their own words for it.
BY_HAND = {
    "open": "opened once by hand",
    "hold": "lane held open",
    "release": "lane released",
    "lane_close": "lane closed for traffic",
    "lane_open": "lane opened for traffic again",
    "evacuate": "evacuation begun",
    "resume": "evacuation ended",
    "match": "matched by an operator",
    "waive": "waived by hand",
    "pay": "paid by hand",
}
_PAID = {
    "PENDING": ("payment under way", Tone.PLAIN),
    "FAILED": ("payment failed", Tone.BAD),
}


def act_steps(
    evidence: Evidence, audits: Iterable[Audit], stay: Stay | None, zone: ZoneInfo
) -> Iterator[Step]:
    """What the audit alone tells, acts that are not known here by their own names."""
    for audit in audits:
        if audit.action in _TOLD or audit.resource_type == "command":
            continue
        kind, said, notes = _told(evidence, audit, stay, zone)
        yield Step(
            at=audit.at,
            kind=kind,
            said=said,
            notes=(*notes, *account(audit)),
            lane=evidence.lane(audit.details.get("lane")),
            tone=Tone.BAD if kind is Kind.CANCELLATION or audit.action in _BAD else Tone.PLAIN,
            since=None if audit.correlation is None else evidence.began(audit.correlation),
            by=evidence.operator(audit.user) if audit.actor == _OPERATOR else who(audit),
            correlation=audit.correlation,
            facts={
                "action": audit.action,
                "resource_type": audit.resource_type,
                "resource": audit.resource,
                "actor": audit.actor,
                "user": audit.user,
                "details": audit.details,
            },
        )


def _told(
    evidence: Evidence, audit: Audit, stay: Stay | None, zone: ZoneInfo
) -> tuple[Kind, str, Iterable[str]]:
    if audit.action in TOLD:
        return passage_act(evidence, audit, zone)
    return _act(audit, stay, zone)


def _act(audit: Audit, stay: Stay | None, zone: ZoneInfo) -> tuple[Kind, str, Iterable[str]]:
    details = {key: plain(str(value)) for key, value in audit.details.items()}
    reason = details.get("reason", "no reason stated")
    match audit.action:
        case "booking.reserved":
            return Kind.BOOKING, f"reserved{_reserved(audit, zone)}", _spot(stay)
        case "booking.cancelled":
            return Kind.CANCELLATION, f"booking cancelled: {reason}", ()
        case "booking.no_show":
            return Kind.CANCELLATION, "nobody came in time: the spot is free", ()
        case "stay.cancelled" | "stay.move_cancelled" | "stay.resumed":
            said, notes = _taken_back(audit.action, details, reason)
            return Kind.CANCELLATION, said, notes
        case "stay.closed":
            return (
                Kind.ACT,
                f"closed, its vehicle seemed to be gone: {reason}",
                _closed(audit, zone),
            )
        case "payment.asked" | "stay.waived" | "stay.payment_refused":
            return (
                Kind.PAYMENT,
                _of_money(audit.action, details, reason),
                _number(details.get("txn")),
            )
        case "stay.validated":
            name = details.get("validation", "of no name")
            return Kind.VALIDATION, f"validation given: {name}", ()
        case "stay.ticket_lost":
            return Kind.VALIDATION, "to be priced as a lost ticket", ()
        case action if action.startswith("operator."):
            return Kind.ACT, _operated(details, reason), ()
        case _:
            return Kind.ACT, plain(audit.action), (f"{key}: {details[key]}" for key in details)


def _taken_back(action: str, details: dict[str, str], reason: str) -> tuple[str, Iterable[str]]:
    if action == "stay.move_cancelled":
        said = f"never went on into the other zone: {words(UNDONE, reason)}"
        return said, ("its stay goes on where it was",)
    if action == "stay.resumed":
        said = f"did not leave: {words(UNDONE, reason)}"
        return said, ("its stay goes on, and is priced anew when it leaves",)
    return f"admission undone: {words(UNDONE, reason)}", _undone(details)


def _of_money(action: str, details: dict[str, str], reason: str) -> str:
    named = "due" if action == "payment.asked" else "amount"
    money = amount(decimal(details.get(named)) or Decimal(0), details.get("currency"))
    match action:
        case "payment.asked":
            return f"asked to pay {money}"
        case "stay.payment_refused":
            why = words(NOT_DONE, details.get("outcome", "no outcome is known"))
            return f"money that did not count: {money}, {details.get('provider')}: {why}"
        case _:
            return f"waived {money}: {reason}"


def _operated(details: dict[str, str], reason: str) -> str:
    do, outcome = details.get("do", "act of no name"), details.get("outcome")
    if outcome != "done":
        why = "no outcome is known" if outcome is None else words(NOT_DONE, outcome)
        return f"{do} was refused to an operator, {why}: {reason}"
    return f"{BY_HAND.get(do, do)}: {reason}"


def _reserved(audit: Audit, zone: ZoneInfo) -> str:
    try:
        start, until = (datetime.fromisoformat(audit.details[key]) for key in ("from", "until"))
    except (KeyError, TypeError, ValueError):
        return ""
    return f" from {stretch(start, until, zone)}"


def _spot(stay: Stay | None) -> Iterator[str]:
    if stay is not None and stay.estimated_price is not None:
        yield f"estimated at {amount(stay.estimated_price, stay.currency)}"


def _undone(details: dict[str, str]) -> Iterator[str]:
    match details.get("entitlement"):
        case "reservation":
            yield "the reservation waits for its vehicle again"
        case "subscription":
            yield "the spot is free, the entry given back to the subscription"
        case _:
            yield "the spot is free"


def _closed(audit: Audit, zone: ZoneInfo) -> Iterator[str]:
    """When it ended, what is left to people, and the signs of which one alone is no news."""
    details = audit.details
    if (ended := _instant(details.get("ended_at"))) is not None:
        yield f"ended at {shown(ended, zone)}, the last sign of it"
    left = decimal(details.get("remainder"))
    if left:
        what = "stays due" if details.get("debt") else "is not charged"
        yield f"{amount(left, details.get('currency'))} {what}"
    signs = details.get("evidence")
    for sign in signs if isinstance(signs, list) else []:
        if isinstance(sign, dict) and sign.get("kind") != "entry":
            at = _instant(sign.get("at"))
            yield f"{plain(str(sign.get('kind')))}{f' at {shown(at, zone)}' if at else ''}"


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def distinct(audits: Iterable[Audit]) -> list[Audit]:
    """Each once."""
    return list({one.id: one for one in audits}.values())


def ordered(evidence: Evidence, acts: Iterable[Audit], known: Iterable[Command]) -> list[Command]:
    """The commands that operators' acts led to, without those that are known already."""
    events = {one.correlation for one in acts}
    told = {one.id for one in known}
    return [one for one in evidence.found.commands if one.event in events and one.id not in told]


def money_steps(
    evidence: Evidence, payments: Sequence[Payment], refunds: Sequence[Refund]
) -> Iterator[Step]:
    """Payments, also those under way and failed, and what was given back of them."""
    for payment in payments:
        audit = _audit(evidence.of(payment.id), "payment.recorded")
        paid = amount(payment.amount, payment.currency)
        said, tone = _PAID.get(payment.status, ("paid", Tone.GOOD))
        due = None if audit is None else decimal(audit.details.get("due"))
        yield Step(
            at=payment.at if audit is None else audit.at,
            kind=Kind.PAYMENT,
            said=f"{said}: {paid}, {payment.provider}",
            notes=(*_due(due, payment.currency), *_number(payment.txn), *account(audit)),
            tone=tone,
            by=who(audit),
            correlation=None if audit is None else audit.correlation,
            facts={
                "payment": payment.id,
                "amount": exact(payment.amount, payment.currency),
                "currency": payment.currency,
                "provider": payment.provider,
                "status": payment.status,
                "txn": payment.txn,
                "due": None if due is None else exact(due, payment.currency),
            },
        )
    currencies = {payment.id: payment.currency for payment in payments}
    for refund in refunds:
        currency = currencies.get(refund.payment)
        told = [
            one
            for one in evidence.of(refund.payment)
            if one.details.get("refund") == str(refund.id)
        ]
        audit = _audit(told, "payment.refunded")
        yield Step(
            at=refund.at,
            kind=Kind.REFUND,
            said=f"given back: {amount(refund.amount, currency)}: {plain(refund.reason)}",
            notes=(*_number(refund.txn), *account(audit)),
            by=who(audit),
            correlation=None if audit is None else audit.correlation,
            facts={
                "refund": refund.id,
                "payment": refund.payment,
                "amount": exact(refund.amount, currency),
                "currency": currency,
                "reason": refund.reason,
                "txn": refund.txn,
            },
        )


def _due(due: Decimal | None, currency: str) -> Iterator[str]:
    if due is not None:
        yield f"{amount(due, currency)} still due" if due else "nothing is due any more"


def _number(txn: str | None) -> Iterator[str]:
    if txn is not None:
        yield f"transaction {plain(txn)}"


def violation_step(evidence: Evidence, violation: Violation, zone: ZoneInfo) -> Step:
    """An offence, with what it costs and where it stands today."""
    audit = _audit(evidence.of(violation.id), "violation.opened")
    costs = amount(violation.penalty, violation.currency) if violation.penalty else "no penalty"
    shows = (
        f"{plain(key)}: {_shown(evidence, key, value, zone)}"
        for key, value in violation.evidence.items()
    )
    return Step(
        at=violation.at,
        kind=Kind.VIOLATION,
        said=f"violation: {plain(violation.kind)}, {costs}; it is {violation.status} today",
        notes=(*shows, *account(audit)),
        tone=Tone.BAD,
        by=who(audit),
        correlation=None if audit is None else audit.correlation,
        facts={
            "violation": violation.id,
            "type": violation.kind,
            "penalty": exact(violation.penalty, violation.currency),
            "currency": violation.currency,
            "status": violation.status,
            "evidence": violation.evidence,
        },
    )


def _shown(evidence: Evidence, key: str, value: object, zone: ZoneInfo) -> str:
    """What proves an offence, with names for ids and the facility's clock."""
    if key == "lane" and (lane := evidence.lane(value)):
        return lane
    if key == "after":
        return evidence.ticket(value)
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return plain(str(value))
    return shown(at, zone) if at.tzinfo is not None else plain(str(value))


def who(audit: Audit | None) -> str:
    """Who did it; nothing for gated itself."""
    return "" if audit is None or audit.actor == _GATED else plain(audit.actor)


def account(audit: Audit | None) -> Iterator[str]:
    """Whose account it was. Names and addresses are not for gated's roles to read."""
    if audit is not None and audit.user is not None:
        yield f"account {audit.user}" + (f" ({audit.role})" if audit.role else "")


def _audit(audits: Iterable[Audit], action: str) -> Audit | None:
    return next((one for one in audits if one.action == action), None)
