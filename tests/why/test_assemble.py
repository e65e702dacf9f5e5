"""Rows become stories: what belongs together, in which order, and in which words it ends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gated.core.ids import command_number
from gated.db.why_rows import Charge, Found, Payment, Refund, Violation
from gated.why.assemble import stories
from gated.why.story import About, Kind, Story, Tone
from tests.why.rows import (
    AT,
    ENDED,
    ENTRY,
    NORTH,
    NOW,
    PLATE,
    STAY,
    audit,
    command,
    decision,
    denial,
    found,
    id_of,
    loop,
    message,
    ms,
    passed,
    read,
)

MINUTE = timedelta(minutes=1)


def told(rows: Found) -> list[Story]:
    return stories(rows, NOW, PLATE)


def the_story(rows: Found) -> Story:
    (story,) = told(rows)
    return story


def said(story: Story, *kinds: Kind) -> list[str]:
    return [step.said for step in story.steps if not kinds or step.kind in kinds]


def notes(story: Story, kind: Kind) -> Sequence[str]:
    return next(step.notes for step in story.steps if step.kind is kind)


def test_an_entry_in_the_order_of_time() -> None:
    story = the_story(ENTRY)
    assert [(round((step.at - AT).total_seconds() * 1000), step.said) for step in story.steps] == [
        (-700, "presence loop on"),
        (0, "read HHXY1234, confidence 0.94"),
        (21, "granted: a stranger, and the lane lets everyone in (transient)"),
        (21, "command open to gate-in-1: taken for sending (dispatched)"),
        (421, "open: the hardware reports the arm up (confirmed)"),
        (2900, "closing loop on"),
        (4190, "closing loop off"),
        (4195, "came in: measured by the closing loop"),
    ]
    assert {step.correlation for step in story.steps} == {id_of("e1")}
    assert {step.since for step in story.steps} == {AT}
    assert notes(story, Kind.DECISION) == ("spot A-017 in Deck 1",)
    assert (story.verdict, story.tone) == ("inside, for 3 h so far", Tone.GOOD)
    assert dict(story.head) == {
        "in": "Mon 2026-05-04 09:31, lane in-1, measured by the closing loop",
        "spot": "A-017 in Deck 1",
        "stay": str(STAY.id),
    }


def test_the_read_says_what_the_camera_said() -> None:
    candidates = [{"plate": "HHXY1284", "confidence": 0.41}, {"plate": "HHXY1Z34"}]
    payload = {"plate": "HH-XY 1234", "confidence": 0.94, "candidates": candidates}
    sent = message("e1", "plate", payload, AT, outcome="decided", device_at=AT - ms(1500))
    rows = replace(
        ENTRY,
        messages=(sent,),
        decisions=(decision("e1", AT, plate_raw="HH-XY\x1b 1234", confidence=None),),
    )
    story = the_story(rows)
    assert "read HHXY1234, no confidence stated" in said(story)
    assert notes(story, Kind.READ) == (
        r'as sent: "HH-XY\x1b 1234"',
        "the camera also thought of HHXY1284 0.41, HHXY1Z34",
        "taken 1.5 s before, by the camera's clock",
        f"event {id_of('e1')}",
    )


def test_who_was_refused_and_let_in_later_was_not_read_anew() -> None:
    sent = message("e1", "again", {"plate": "HHXY1234"}, AT, outcome="decided")
    facts = {"again": str(id_of("e0"))}
    rows = replace(ENTRY, messages=(sent,), decisions=(decision("e1", AT, facts=facts),))
    story = the_story(rows)
    assert said(story, Kind.READ) == ["HHXY1234 stood there still: decided on once more"]
    assert notes(story, Kind.READ) == (
        f"by the read of event {id_of('e0')}",
        f"event {id_of('e1')}",
    )


def test_what_is_not_kept_any_more_is_said() -> None:
    story = the_story(replace(ENTRY, messages=(), heard=(), audits=(), commands=()))
    assert said(story, Kind.READ, Kind.DECISION) == [
        "read HHXY1234, confidence 0.94",
        "granted: a stranger, and the lane lets everyone in (transient)",
    ]
    assert "the message itself is not kept any more" in notes(story, Kind.READ)
    story = the_story(replace(ENTRY, stays=()))
    assert story.verdict == "let in at in-1; the stay itself is not kept any more"


def test_the_audit_remembers_what_the_row_of_a_command_forgot() -> None:
    """A late word of the hardware ends the `unknown`, and its time."""
    steps = [("dispatched", 60), ("unknown", 3021), ("confirmed", 5000)]
    row = command("e1", AT + ms(21), dispatched_at=AT + ms(60), confirmed_at=AT + ms(5000))
    audits = [
        audit(f"command.{word}", AT + ms(at), "e1", resource=row.id, resource_type="command")
        for word, at in steps
    ]
    story = the_story(replace(ENTRY, commands=(row,), audits=tuple(audits)))
    assert said(story, Kind.COMMAND) == [
        "command open to gate-in-1: ordered, to be sent (accepted)",
        "open: taken for sending (dispatched)",
        "open: no answer in time: it may have been done, and is never sent again (unknown)",
        "open: the hardware reports the arm up (confirmed)",
    ]


@pytest.mark.parametrize(
    ("changes", "last", "note"),
    [
        (
            {"status": "failed", "error": "arm blocked", "ended_at": AT + ms(90)},
            "open: refused, or certainly not sent (failed)",
            "arm blocked",
        ),
        (
            {"status": "expired", "dispatched_at": None, "ended_at": AT + ms(3100)},
            "open: not sent in time, and never will be (expired)",
            None,
        ),
        (
            {"status": "dispatched"},
            "command open to gate-in-1: taken for sending (dispatched)",
            "no word of the hardware so far; it is good for 3 s",
        ),
    ],
)
def test_how_a_command_ends(changes: dict[str, Any], last: str, note: str | None) -> None:
    row = command("e1", AT + ms(21), **{"confirmed_at": None, **changes})
    story = the_story(replace(ENTRY, commands=(row,)))
    step = [step for step in story.steps if step.kind is Kind.COMMAND][-1]
    assert step.said == last
    assert step.notes == (() if note is None else (note,))


def test_what_the_display_said_is_told_with_the_order() -> None:
    row = command("e1", AT + ms(21), text="Zurzeit geschlossen\nÖffnet 06:00")
    first, *others = (
        step
        for step in the_story(replace(ENTRY, commands=(row,))).steps
        if step.kind is Kind.COMMAND
    )
    assert first.notes == ('the display: "Zurzeit geschlossen / Öffnet 06:00"',)
    assert first.facts["text"] == row.text
    assert [step.notes for step in others] == [()]


def test_who_backed_out() -> None:
    undone = audit(
        "stay.cancelled",
        AT + ms(20_000),
        "e1",
        {"reason": "no_passage", "lane": str(id_of("in-1")), "entitlement": "subscription"},
    )
    stay = replace(STAY, status="CANCELLED", cancel_reason="no_passage", entry_known=None)
    story = the_story(replace(ENTRY, stays=(stay,), audits=(undone,)))
    assert story.verdict == "let in, and never came in: no passage was seen (no_passage)"
    step = story.steps[-1]
    assert (step.kind, step.lane, step.since) == (Kind.CANCELLATION, "in-1", AT)
    assert step.said == "admission undone: no passage was seen (no_passage)"
    assert step.notes == ("the spot is free, the entry given back to the subscription",)


# ── whose a message is ──────────────────────────────────────────────────────────────────────


def test_loops_and_arms_of_others_are_left_out() -> None:
    ours = command_number(id_of("command e1"))
    theirs = id_of("another command")
    assert ours != command_number(theirs)
    others = (
        read("before", "OTHER1", AT - ms(9000)),
        loop("closing", AT - ms(8000), on=False),
        loop("presence", AT - ms(6000), on=False),
        read("behind", "OTHER2", AT + ms(3000), "superseded"),
        message("ack", "ack", {"command": str(theirs), "ok": True}, AT + ms(3100)),
        message(
            "arm", "barrier", {"state": "opened", "command": str(id_of("command e1"))}, AT + ms(420)
        ),
        loop("presence", AT + ms(4500), on=True),
    )
    everything = tuple(sorted((*ENTRY.heard, *others), key=lambda one: one.received_at))
    assert said(the_story(replace(ENTRY, heard=everything))) == said(the_story(ENTRY))


def test_what_went_wrong_at_the_lane_is_told() -> None:
    gone = message("gone", "online", False, AT - ms(5000))
    broken = message(
        "broken", "plate", {}, AT + ms(90), kind="rejected", status="quarantined",
        outcome=None, error="not_json: expected value",
    )  # fmt: skip
    refused = message(
        "refused",
        "ack",
        {"command": str(id_of("command e1")), "ok": False, "error": "fire"},
        AT + ms(95),
    )
    heard = (gone, *ENTRY.heard[:1], broken, refused, *ENTRY.heard[1:])
    steps = said(the_story(replace(ENTRY, heard=heard)))
    assert "gate-in-1 is gone" in steps
    assert "not_json: expected value: not understood (quarantined)" in steps
    assert "command refused: fire" in steps


def test_a_denied_vehicle_is_there_until_it_leaves_the_loop() -> None:
    rows = found(
        decisions=(denial("d1", AT),),
        messages=(read("d1", PLATE, AT),),
        heard=(
            loop("presence", AT + ms(300), on=True),
            loop("presence", AT + ms(900), on=False),
            loop("presence", AT + ms(1500), on=True),
        ),
    )
    assert said(the_story(rows), Kind.MESSAGE) == ["presence loop on", "presence loop off"]


def test_a_message_that_todays_set_up_cannot_read() -> None:
    strange = message("strange", "input/presence", {}, AT + ms(50), topic="gone/away")
    unknown = message("unknown", "input/presence", {"on": True}, AT + ms(60), device=None)
    rows = replace(ENTRY, heard=(strange, unknown))
    assert said(the_story(rows), Kind.MESSAGE) == ["a message of kind input"] * 2


# ── denials and lost reads ──────────────────────────────────────────────────────────────────


def test_denials_in_a_row_are_one_story() -> None:
    times = [AT, AT + MINUTE, AT + 2 * MINUTE, AT + 30 * MINUTE]
    decisions = [denial(f"d{number}", at) for number, at in enumerate(times)]
    first, second = told(found(decisions=tuple(decisions)))
    assert first.about is About.DENIAL
    assert (
        first.verdict
        == "not let in at in-1, 3 times: no spot of the facility was free (full_facility)"
    )
    assert second.verdict == "not let in at in-1: no spot of the facility was free (full_facility)"


def test_a_denial_while_the_vehicle_was_inside_belongs_to_the_stay() -> None:
    stay = replace(ENDED, exit_at=AT + 75 * MINUTE)
    exit_ = decision(
        "x2", AT + 75 * MINUTE, lane="out-1", lane_id=id_of("out-1"), direction="exit",
        reason="stay_open", price=Decimal("4.0000"), currency="EUR",
        decided_at=AT + 75 * MINUTE, command=None,
    )  # fmt: skip
    unsure = denial("x1", AT + 74 * MINUTE, "read_uncertain", lane="out-1", direction="exit")
    back = denial("x3", AT + 90 * MINUTE, "no_entry_found", lane="out-1", direction="exit")
    match = {
        "plate": PLATE,
        "reason": "confusable_two",
        "distance": 2,
        "detail": "3: B for 8, 5: nothing for 1",
    }
    rows = replace(
        ENTRY,
        stays=(stay,),
        decisions=(*ENTRY.decisions, unsure, exit_, back),
        audits=(
            *ENTRY.audits,
            audit("stay.released", AT + 75 * MINUTE, "x2", {"due": "1.0000", "match": match}),
            passed("x2", AT + 75 * MINUTE + ms(9000), "left", "reported"),
        ),
    )
    first, second = told(rows)
    assert said(first, Kind.DECISION, Kind.PASSAGE)[2:] == [
        "denied: the camera was not sure enough of the plate (read_uncertain)",
        "granted: its stay is open (stay_open)",
        "left: reported by the arm",
    ]
    granted = [step for step in first.steps if step.kind is Kind.DECISION][-1]
    assert granted.notes == (
        "price 4.00 EUR, of which 1.00 was due",
        (
            "read as another plate, and taken for this one: two characters are others that look"
            " like them (confusable_two), B for 8 at place 3, nothing for 1 at place 5"
        ),
    )
    assert first.verdict == "let out after 1 h 15 min"
    verdict = "not let out at out-1: no vehicle with this plate is inside (no_entry_found)"
    assert second.verdict == verdict


def test_a_read_that_led_to_nothing_is_found_by_its_plate() -> None:
    lost = read("lost", "hh xy-1234", AT + MINUTE, "failed")
    rows = replace(ENTRY, undecided=(lost, read("other", "OTHER1", AT, "failed"), *ENTRY.messages))
    _, story = told(rows)
    assert story.about is About.MESSAGE
    assert story.verdict == (
        "read at in-1, and nothing was decided: the database gave no answer in time (failed)"
    )
    assert story.tone is Tone.BAD
    # One that is told beside a decision is not told again.
    earlier = read("earlier", PLATE, AT - ms(3), "superseded")
    rows = replace(ENTRY, undecided=(earlier,), heard=(earlier, *ENTRY.heard))
    assert [step.said for step in the_story(rows).steps][1].endswith(
        "a newer read took its place (superseded)"
    )


def test_a_message_by_its_id() -> None:
    contact = loop("presence", AT, on=True)
    story = the_story(found(messages=(contact,)))
    assert (story.verdict, said(story)) == (
        "a message at in-1: the lane took note (noted)",
        ["presence loop on"],
    )
    lost = replace(contact, lane=None, lane_id=None, device=None, error="no_device: nobody")
    assert the_story(found(messages=(lost,))).verdict == "a message: the lane took note (noted)"


def test_what_a_driver_is_asked_to_pay_is_told_before_it_is_decided() -> None:
    asked = command(
        "x1", AT + MINUTE, do="deny", reason="payment_due", price=Decimal(2), currency="EUR",
        status="acknowledged", confirmed_at=None, acknowledged_at=AT + MINUTE + ms(80),
    )  # fmt: skip
    rows = replace(
        ENTRY,
        commands=(*ENTRY.commands, asked),
        messages=(*ENTRY.messages, read("x1", PLATE, AT + MINUTE - ms(9), None, lane="out-1")),
        audits=(
            *ENTRY.audits,
            audit("payment.asked", AT + MINUTE, "x1", {"due": "2.0000", "currency": "EUR"}),
        ),
    )
    steps = the_story(rows).steps
    assert [step.said for step in steps[-4:]] == [
        "read HHXY1234, confidence 0.94: not handled yet (new)",
        "command deny to gate-in-1: taken for sending (dispatched)",
        "asked to pay 2.00 EUR",
        "deny: the hardware has taken it (acknowledged)",
    ]
    assert steps[-3].notes == ("its stay is not paid (payment_due)", "shows 2.00 EUR")


# ── beside the barrier ──────────────────────────────────────────────────────────────────────


def test_who_is_let_on_into_a_full_zone_is_told_to_be_there_without_a_spot() -> None:
    on = decision("t1", AT + MINUTE, reason="stay_open", direction="transfer", lane="yard-out")
    notes = {
        spot: next(
            step.notes
            for step in the_story(
                replace(ENTRY, decisions=(*ENTRY.decisions, replace(on, spot=spot)))
            ).steps
            if step.kind is Kind.DECISION and step.lane == "yard-out"
        )
        for spot in ("7", None)
    }
    assert notes["7"][0] == "spot 7 in Deck 1"
    assert notes[None][0] == "no spot was free in Deck 1: it is there without one"


def test_a_stay_that_was_closed_tells_why_and_what_spoke_for_it() -> None:
    closed = {
        "reason": "bay empty",
        "ended_at": "2026-11-30T08:00:00Z",
        "remainder": "3.50",
        "currency": "EUR",
        "debt": False,
        "evidence": [
            {"kind": "entry", "at": "2026-11-30T07:25:00Z"},
            {"kind": "read_outside", "at": "2026-11-30T09:00:00Z", "lane": "in-1"},
            "torn",
        ],
    }
    acts = (
        audit("stay.closed", AT + MINUTE, "stay", closed, actor="operator ada"),
        audit("stay.closed", AT + 2 * MINUTE, "stay", {"reason": "again", "ended_at": "soon"}),
    )
    steps = the_story(replace(ENTRY, audits=(*ENTRY.audits, *acts))).steps[-2:]
    assert [step.said for step in steps] == [
        "closed, its vehicle seemed to be gone: bay empty",
        "closed, its vehicle seemed to be gone: again",
    ]
    assert steps[0].by == "operator ada"
    assert steps[0].notes == (
        "ended at Mon 2026-11-30 09:00, the last sign of it",
        "3.50 EUR is not charged",
        "read_outside at Mon 2026-11-30 10:00",
    )
    assert steps[1].notes == ()


def test_money_and_manual_acts_with_who_did_them() -> None:
    anna = {"actor": "operator anna", "user": id_of("anna"), "role": "STAFF"}
    payment = Payment(
        id_of("payment"), STAY.id, Decimal("4.0000"), Decimal("1.0000"), "EUR", "CARD",
        "COMPLETED", "9f27-2201", AT + 70 * MINUTE,
    )  # fmt: skip
    pending = replace(payment, id=id_of("other"), status="PENDING", txn=None, refunded=Decimal(0))
    refund = Refund(
        id_of("refund"), payment.id, Decimal("1.0000"), "wrong\x1b amount", None, AT + 72 * MINUTE
    )
    audits = (
        audit("stay.validated", AT + 60 * MINUTE, "stay", {"validation": "cinema"}, **anna),
        audit("lane.opened_by_hand", AT + 61 * MINUTE, "stay", {"why": "fire brigade"}, **anna),
        audit(
            "payment.recorded", payment.at, "payment", {"due": "0.0000"},
            actor="web", resource=payment.id, resource_type="payment",
        ),
        audit(
            "payment.refunded", refund.at, "refund", {"refund": str(refund.id)},
            resource=payment.id, resource_type="payment", **anna,
        ),
    )  # fmt: skip
    stay = replace(ENDED, context={"validations": ["cinema"], "occupancy_percent": 12.5})
    rows = replace(
        ENTRY,
        stays=(stay,),
        payments=(payment, pending),
        refunds=(refund,),
        audits=(*ENTRY.audits, *audits),
    )
    story = the_story(rows)
    acts = story.steps[-5:]
    assert [(step.kind, step.said, step.by) for step in acts] == [
        (Kind.VALIDATION, "validation given: cinema", "operator anna"),
        (Kind.ACT, "lane.opened_by_hand", "operator anna"),
        (Kind.PAYMENT, "paid: 4.00 EUR, CARD", "web"),
        (Kind.PAYMENT, "payment under way: 4.00 EUR, CARD", ""),
        (Kind.REFUND, r"given back: 1.00 EUR: wrong\x1b amount", "operator anna"),
    ]
    account = f"account {id_of('anna')} (STAFF)"
    assert acts[1].notes == ("why: fire brigade", account)
    assert acts[2].notes == ("nothing is due any more", "transaction 9f27-2201")
    head = dict(story.head)
    assert head["priced"] == "12.5 % of the spots taken at entry; validated by cinema"
    assert head["price"] == "4.00 EUR, paid 3.00, due 1.00"
    assert story.bill is not None
    assert (story.bill.amount, story.bill.due) == (Decimal("4.00"), Decimal("1.00"))


def test_what_operators_did_is_told_with_name_and_reason() -> None:
    ada = {"actor": "operator ada", "user": id_of("ada"), "role": "STAFF"}
    told = [
        ("stay.waived", {"amount": "1.5000", "currency": "EUR", "reason": "machine broken"}),
        ("operator.match", {"do": "match", "outcome": "done", "reason": "mud on the plate"}),
        ("operator.refused", {"do": "open", "outcome": "not_permitted", "reason": "a friend"}),
        ("operator.open", {"do": "open", "outcome": "done", "reason": "fire brigade"}),
    ]
    audits = [
        audit(action, AT + (60 + minute) * MINUTE, "stay", details, **ada)
        for minute, (action, details) in enumerate(told)
    ]
    story = the_story(replace(ENTRY, audits=(*ENTRY.audits, *audits)))
    assert [(step.kind, step.said, step.by) for step in story.steps[-4:]] == [
        (Kind.PAYMENT, "waived 1.50 EUR: machine broken", "operator ada"),
        (Kind.ACT, "matched by an operator: mud on the plate", "operator ada"),
        (
            Kind.ACT,
            (
                "open was refused to an operator, the operator has no right to it"
                " (not_permitted): a friend"
            ),
            "operator ada",
        ),
        (Kind.ACT, "opened once by hand: fire brigade", "operator ada"),
    ]


def test_reservations_that_came_to_nothing() -> None:
    reserved = audit(
        "booking.reserved",
        AT,
        "stay",
        {"from": "2026-05-05T07:00:00.000000Z", "until": "2026-05-05T09:00:00.000000Z"},
        actor="web",
    )
    stay = replace(
        STAY,
        entry_at=AT + timedelta(days=1),
        reserved_from=AT + timedelta(days=1),
        reserved_until=AT + timedelta(days=1, hours=2),
        entry_lane=None,
        entry_known=None,
        estimated_price=Decimal(5),
    )
    for status, reason, action, verdict in (
        ("CONFIRMED", None, None, "reserved, and expected"),
        ("NO_SHOW", None, "booking.no_show", "reserved, and nobody came"),
        ("CANCELLED", "plans changed", "booking.cancelled", "cancelled: plans changed"),
    ):
        acts = (audit(action, AT + MINUTE, "stay", {"reason": reason}),) if action else ()
        row = replace(stay, status=status, cancel_reason=reason)
        story = the_story(found(stays=(row,), audits=(reserved, *acts)))
        assert story.verdict == verdict
        assert story.steps[0].said == "reserved from Tue 2026-05-05 09:00 until 11:00"
        assert story.steps[0].notes == ("estimated at 5.00 EUR",)
        assert len(story.steps) == 1 + len(acts)
    nothing = the_story(found(stays=(stay,)))
    assert (nothing.steps, nothing.at) == ((), AT)


def test_offences_in_a_stay_and_without_one() -> None:
    offence = Violation(
        id_of("v"), NORTH.id, STAY.id, "overstay", Decimal(25), "EUR", "OPEN", AT + MINUTE, PLATE,
        {"lane": str(id_of("out-1")), "left_at": "2026-05-04T08:00:00.000000Z", "seen": "twice",
         "after": str(id_of("another"))},
    )  # fmt: skip
    loose = replace(offence, id=id_of("w"), booking=None, penalty=Decimal(0), evidence={})
    tickets = {id_of("another"): "0000012C"}
    stay, alone = told(replace(ENTRY, violations=(offence, loose), tickets=tickets))
    assert said(stay, Kind.VIOLATION) == ["violation: overstay, 25.00 EUR; it is OPEN today"]
    assert notes(stay, Kind.VIOLATION) == (
        "lane out-1",
        "left Mon 2026-05-04 10:00",
        "seen: twice",
        "in the opening for ticket 0000012C",
    )
    assert (alone.about, said(alone)) == (
        About.VIOLATION,
        ["violation: overstay, no penalty; it is OPEN today"],
    )


@pytest.mark.parametrize(
    ("charge", "price"),
    [
        (
            Charge(Decimal("2.5000"), "EUR", (), Decimal("2.5")),
            "2.50 EUR by now, paid 0.00, due 2.50",
        ),
        (Charge(refusal="no pricing rule"), "cannot be told: no pricing rule"),
    ],
)
def test_what_an_open_stay_costs_by_now(charge: Charge, price: str) -> None:
    story = the_story(replace(ENTRY, charges={STAY.id: charge}))
    assert dict(story.head)["price"] == price
    assert (story.bill is None) == bool(charge.refusal)


def test_a_vehicle_on_its_way() -> None:
    stay = replace(STAY, entry_known=None)
    rows = replace(ENTRY, stays=(stay,), audits=())
    (story,) = stories(rows, AT + MINUTE, PLATE)
    assert story.verdict == "let in, and not seen passing yet"
    gone = replace(ENDED, exit_known=None)
    verdict = the_story(replace(rows, stays=(gone,))).verdict
    assert verdict == "let out after 1 h 15 min, and was not seen leaving"
