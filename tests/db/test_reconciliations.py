"""Contradictions that wait for an operator: listed, resolved with a reason, once."""

import asyncio
from uuid import uuid4

import pytest

from gated.db.bookings import Actor
from gated.db.review import Reconciliation, ResolveOutcome
from tests.db.desk import HOUR, MINUTE, Desk
from tests.db.site import NOW

OPERATOR = Actor("operator test")


async def waiting(desk: Desk) -> Reconciliation:
    (found,) = await desk.store.reconciliations(desk.id)
    return found


async def test_they_are_listed_with_the_names_of_what_they_are_about(small: Desk) -> None:
    await small.inside("A1")
    stay = (await small.enters(at=NOW + MINUTE)).stay
    await small.leaves(plate=None, at=NOW + HOUR)
    capacity, unmatched = await small.store.reconciliations(small.id)
    ticket = (await small.booking(stay))["ticket_number"]
    assert (capacity.kind, capacity.lane, capacity.ticket) == ("over_capacity", "entry-1", ticket)
    assert (unmatched.kind, unmatched.lane, unmatched.ticket) == ("exit_unmatched", "exit-1", None)
    assert [capacity.at, unmatched.at] == [NOW + MINUTE, NOW + HOUR]


async def test_one_with_particulars_of_any_kind_is_listed(desk: Desk) -> None:
    await desk.owner.execute(
        "INSERT INTO gate.reconciliations (facility_id, kind, details)"
        ' VALUES ($1, \'odd\', \'{"stay": "none", "lane": 7}\')',
        desk.id,
    )
    found = await waiting(desk)
    assert (found.kind, found.lane, found.ticket) == ("odd", None, None)
    assert found.details == {"stay": "none", "lane": 7}


async def test_one_that_is_resolved_says_by_whom_and_how_and_waits_no_more(desk: Desk) -> None:
    clerk = await desk.bench.user()
    await desk.leaves(plate=None)
    one = await waiting(desk)
    later = NOW + 5 * HOUR
    outcome = await desk.store.resolve_reconciliation(
        desk.id, one.id, "it was the tow truck", later, Actor("operator test", clerk)
    )
    assert outcome is ResolveOutcome.RESOLVED
    assert list(await desk.store.reconciliations(desk.id)) == []
    row = await desk.owner.fetchrow("SELECT * FROM gate.reconciliations WHERE id = $1", one.id)
    assert row is not None
    assert (row["resolved_at"], row["resolved_by"]) == (later, clerk)
    assert row["resolution"] == "it was the tow truck"
    (audit,) = await desk.audits("reconciliation.resolved")
    assert (audit["actor"], audit["user_id"], audit["resource_id"]) == (
        "operator test",
        clerk,
        one.id,
    )
    assert audit["details"] == {"kind": "exit_unmatched", "reason": "it was the tow truck"}


async def test_of_two_operators_one_resolves_it(desk: Desk) -> None:
    await desk.leaves(plate=None)
    one = await waiting(desk)
    outcomes = await asyncio.gather(
        *(
            desk.store.resolve_reconciliation(desk.id, one.id, f"by {n}", NOW + HOUR, OPERATOR)
            for n in range(3)
        )
    )
    assert sorted(outcomes) == [
        ResolveOutcome.RESOLVED,
        ResolveOutcome.RESOLVED_BEFORE,
        ResolveOutcome.RESOLVED_BEFORE,
    ]
    assert len(await desk.audits("reconciliation.resolved")) == 1


async def test_what_is_not_the_facilitys_is_unknown(desk: Desk) -> None:
    await desk.leaves(plate=None)
    one = await waiting(desk)
    other = await desk.bench.gate()
    for facility, id_ in ((other.site.id, one.id), (desk.id, uuid4())):
        outcome = await desk.store.resolve_reconciliation(facility, id_, "x", NOW, OPERATOR)
        assert outcome is ResolveOutcome.UNKNOWN
    assert (await waiting(desk)).id == one.id


@pytest.mark.parametrize("reason", ["", "\t "])
async def test_nobody_resolves_without_a_reason(desk: Desk, reason: str) -> None:
    await desk.leaves(plate=None)
    one = await waiting(desk)
    outcome = await desk.store.resolve_reconciliation(desk.id, one.id, reason, NOW, OPERATOR)
    assert outcome is ResolveOutcome.REASON_MISSING
    assert (await waiting(desk)).id == one.id
