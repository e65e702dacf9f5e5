"""What a decision rests on, in words: what was known, which rule held, which zones said no, and how
long its transaction waited. A decision that kept none of it tells none."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gated.db.why_rows import Decision
from gated.desk.instants import shown
from gated.why.evidence import Evidence
from gated.why.words import (
    ADMITS,
    LAPSED,
    REFUSED,
    UNPAID_EXIT,
    amount,
    decimal,
    plain,
    words,
)

# Below this a wait is no news.
WORTH_A_WORD_MS = 0.5
_WAITED_FOR = {"entry": "the spot", "exit": "the stay", "transfer": "the stay and its spot"}


def grounds(evidence: Evidence, decision: Decision) -> Iterator[str]:
    """A line for each ground, those first that others follow from."""
    facts = decision.facts or {}
    if isinstance(known := facts.get("known"), Mapping):
        yield f"known then: {', '.join(_known(evidence, decision, known))}"
    if isinstance(rule := facts.get("rule"), Mapping):
        yield from _rule(rule)
    if isinstance(free := facts.get("free"), Mapping):
        counts = [f"{_zone(evidence, zone)} {plain(str(count))}" for zone, count in free.items()]
        if elsewhere := facts.get("free_elsewhere"):
            counts.append(f"elsewhere {plain(str(elsewhere))}")
        yield f"free then: {', '.join(counts)}"
    refused = facts.get("refused")
    for one in refused if isinstance(refused, list) else ():
        if isinstance(one, Mapping):
            why = words(REFUSED, str(one.get("refusal")))
            yield f"{_zone(evidence, one.get('zone'))} refused: {why}"
    yield from _waits(decision)


def _known(evidence: Evidence, decision: Decision, known: Mapping[str, Any]) -> Iterator[str]:
    entering = decision.direction == "entry"
    if known.get("blocked"):
        yield "blocked"
    if known.get("vehicle"):
        yield "a registered vehicle"
    elif decision.plate is not None and entering:
        yield "not registered"
    yield from _rights(decision, known)
    if count := known.get("violations"):
        many = "1 open violation" if count == 1 else f"{plain(str(count))} open violations"
        yield f"{many}, a reason to deny here" if known.get("violations_deny") else many
    if isinstance(stay := known.get("stay"), Mapping):
        yield _stay(evidence, decision, stay)
    elif decision.plate is not None:
        yield "not inside"
    if (due := _money(known.get("due"))) is not None:
        price = _money(known.get("price"))
        yield f"{due} due" if price is None else f"{due} due of {price}"


def _rights(decision: Decision, known: Mapping[str, Any]) -> Iterator[str]:
    """Those that hold, or why the one does not that was there last; asked for at entries alone."""
    held = [
        said
        for key, said in (
            ("reservation", "a reservation that is due"),
            ("subscription", "a subscription that holds"),
            ("staff", "its owner may park as staff"),
        )
        if known.get(key)
    ]
    yield from held
    if lapsed := known.get("lapsed"):
        yield words(LAPSED, str(lapsed))
    elif not held and decision.direction == "entry" and decision.plate is not None:
        yield "no right"


def _stay(evidence: Evidence, decision: Decision, stay: Mapping[str, Any]) -> str:
    where = _zone(evidence, stay.get("zone"))
    left = ", and let out before" if stay.get("released") else ""
    try:
        at = datetime.fromisoformat(str(stay.get("since")))
    except ValueError:
        return f"inside in {where}{left}"
    return f"inside in {where} since {shown(at, evidence.zone(decision.facility))}{left}"


def _rule(rule: Mapping[str, Any]) -> Iterator[str]:
    for key, value in rule.items():
        match key:
            case "admits":
                yield f"the lane's rule: {words(ADMITS, str(value))}"
            case "unpaid_exit":
                yield f"the lane's rule: {words(UNPAID_EXIT, str(value))}"
            case "read_confidence_min":
                yield f"the lane asks for a confidence of {plain(str(value))}"
            case "age_seconds":
                yield f"the read was {plain(str(value))} s old"
            case "event_age_seconds_max":
                yield f"the lane takes reads that are up to {plain(str(value))} s old"
            case _:
                yield f"{plain(key)}: {plain(str(value))}"


def _waits(decision: Decision) -> Iterator[str]:
    waits = (
        (decision.lock_waited_ms, _WAITED_FOR.get(decision.direction or "", "its rows")),
        (decision.fence_waited_ms, "the fence of the facility"),
    )
    for waited, what in waits:
        if waited is not None and waited >= WORTH_A_WORD_MS:
            yield f"waited {waited:.0f} ms for {what}"


def _zone(evidence: Evidence, zone: object) -> str:
    try:
        return plain(evidence.found.zones[UUID(str(zone))])
    except (ValueError, KeyError):
        return f"the zone {plain(str(zone))}"


def _money(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return None
    number = decimal(value.get("amount"))
    return amount(Decimal(0) if number is None else number, plain(str(value.get("currency", ""))))
