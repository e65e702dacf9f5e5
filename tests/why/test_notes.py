"""What was noted of a lane is told beside the vehicles that were there then."""

from dataclasses import replace
from datetime import timedelta

from gated.db.why_rows import Audit, Found, LaneNote
from gated.why.assemble import stories
from gated.why.story import Kind, Tone
from gated.why.words import NOTICES
from tests.why.rows import AT, DEVICES, ENTRY, NORTH, NOW, PLATE, STAY, id_of, message


def note(name: str, at: timedelta, detail: str = "") -> LaneNote:
    return LaneNote(id_of(f"note {name} {at}"), "in-1", AT + at, name, detail, None)


SECOND = timedelta(seconds=1)


def test_faults_and_notices_are_told_once_beside_the_vehicle_that_was_there() -> None:
    standing = note("fault_raised", -5 * 60 * SECOND, "arm_stuck")
    notes = (
        standing,
        note("fault_cleared", -3 * SECOND, "arm_stuck"),
        note("fault_raised", SECOND, "of_a_later_version"),
        note("right_gone", 2 * SECOND, "right_used_up"),
        note("nobody_passed", 2 * SECOND),
        note("long_vehicle", 2 * SECOND, "on both loops"),
        note("odd", 3 * SECOND),
    )
    found = replace(ENTRY, notes={id_of("e1"): notes, id_of("another"): (standing,)})
    (story,) = stories(found, NOW)
    assert [(step.said, step.tone) for step in story.steps if step.kind is Kind.NOTE] == [
        ("the arm did not move as it was told (arm_stuck)", Tone.BAD),
        ("over: the arm did not move as it was told (arm_stuck)", Tone.QUIET),
        ("of_a_later_version", Tone.BAD),
        (
            f"{NOTICES['right_gone']} (right_gone): right_used_up",
            Tone.QUIET,
        ),
        ("opened by hand, and nobody was seen passing (nobody_passed)", Tone.QUIET),
        ("long_vehicle: on both loops", Tone.QUIET),
        ("odd", Tone.QUIET),
    ]


def ungranted(**details: object) -> Audit:
    return Audit(
        id_of("audit ungranted"),
        STAY.entry_at,
        "passage.ungranted",
        "booking",
        STAY.id,
        "operator",
        None,
        None,
        id_of("loop"),
        {
            "lane": str(id_of("in-1")),
            "direction": "entry",
            "kind": "held",
            "outcome": "stay_opened",
            **details,
        },
    )


def test_a_passage_that_nobody_granted_is_told_with_the_notes_of_its_lane() -> None:
    found = Found(
        facilities=(NORTH,),
        devices=DEVICES,
        stays=(STAY,),
        audits=(ungranted(reason="the queue reached the street", spot="x"),),
        notes={id_of("loop"): (note("mode_held", -60 * SECOND),)},
    )
    (story,) = stories(found, NOW)
    assert story.plate == PLATE
    mode, passage = story.steps
    assert (mode.kind, mode.said) == (Kind.NOTE, "mode_held")
    assert passage.kind is Kind.PASSAGE
    assert passage.said == "came in without a grant: the lane was held open (held)"
    assert passage.notes == ("the queue reached the street",)
    assert (passage.lane, passage.by) == ("in-1", "an operator")


def test_what_it_owes_and_where_it_stands_is_told() -> None:
    details = {
        "direction": "exit",
        "kind": "tailgating",
        "outcome": "stay_ended",
        "due": "5.0000",
        "currency": "EUR",
        "after": "that one",
    }
    for changes, notes in (
        (details, ("5.00 EUR due", "behind the vehicle of stay that one")),
        ({}, ("no spot was left for it",)),
        ({"outcome": "already_inside"}, ("the plate was inside already: that stay stands",)),
    ):
        found = Found(facilities=(NORTH,), stays=(STAY,), audits=(ungranted(**changes),))
        (story,) = stories(found, NOW)
        assert story.steps[0].notes == notes


def test_where_and_when_notes_are_looked_for() -> None:
    """Around the message that asked, and a passage that nobody granted; the lane must be known."""
    assert ENTRY.noted().keys() == {id_of("e1")}
    span = ENTRY.noted()[id_of("e1")]
    assert span.lane == id_of("in-1")
    assert span.since < AT - timedelta(minutes=10)
    assert span.until > AT
    found = Found(audits=(ungranted(),))
    (span,) = found.noted().values()
    assert (span.lane, span.until > STAY.entry_at) == (id_of("in-1"), True)
    assert Found(audits=(ungranted(lane="nowhere"),)).noted() == {}


def test_whose_opening_it_was_is_told_by_the_ticket_and_who_opened_by_name() -> None:
    ada = id_of("ada")
    opened = Audit(
        id_of("opened"), STAY.entry_at - SECOND, "operator.open", "lane", id_of("in-1"),
        "operator ada", ada, "STAFF", id_of("request"), {"do": "open", "outcome": "done"},
    )  # fmt: skip
    passage = replace(
        ungranted(kind="operator", spot="x", after=str(id_of("first"))), user=ada, role="STAFF"
    )
    found = Found(
        facilities=(NORTH,),
        stays=(STAY,),
        audits=(opened, passage),
        tickets={id_of("first"): "000001A4"},
    )
    (story,) = stories(found, NOW)
    (step,) = story.steps
    assert step.said == "came in without a grant: it was opened by hand (operator)"
    assert step.by == "operator ada"
    assert step.notes == (
        "behind the vehicle of ticket 000001A4",
        f"account {ada} (STAFF)",
    )


def test_what_names_nobody_is_of_who_stood_there() -> None:
    """An unread plate and a button, at a vehicle that was let in on a ticket."""
    unread = message("unread", "plate", {"plate": ""}, AT - 0.5 * SECOND, outcome="decided")
    before = message("before", "plate", {"plate": ""}, AT - 3 * SECOND, outcome="decided")
    notes = tuple(
        replace(note("intercom_call", SECOND, name), event=id_of(name))
        for name in ("unread", "before")
    )
    found = replace(
        ENTRY, heard=(before, ENTRY.heard[0], unread, *ENTRY.heard[1:]), notes={id_of("e1"): notes}
    )
    (story,) = stories(found, NOW)
    told = [step.facts["detail"] for step in story.steps if step.kind is Kind.NOTE]
    assert told == ["unread"]


def test_notices_about_others_are_not_told() -> None:
    """A notice is of whom its message is; the plates that come near to this one are of others."""
    near = "AFBL809Z (confusable_two), AFBL8O92 (several)"
    notes = (
        replace(note("match_needed", SECOND, near), event=id_of("e1")),
        replace(note("match_needed", 2 * SECOND, near), event=id_of("somebody else's read")),
        replace(note("rolled_back", 2 * SECOND), event=ENTRY.heard[1].id),
        note("vehicle_not_moving", 3 * SECOND),
        note("vehicle_not_moving", 7 * SECOND),  # it has passed
        note("fault_raised", 3 * SECOND, "camera_silent"),
        note("fault_raised", 7 * SECOND, "device_offline"),
    )
    (story,) = stories(replace(ENTRY, notes={id_of("e1"): notes}), NOW)
    steps = [step for step in story.steps if step.kind is Kind.NOTE]
    assert [(step.said, step.facts["detail"]) for step in steps] == [
        (
            f"{NOTICES['match_needed']} (match_needed): confusable_two, several",
            "confusable_two, several",
        ),
        (f"{NOTICES['rolled_back']} (rolled_back)", ""),
        (f"{NOTICES['vehicle_not_moving']} (vehicle_not_moving)", ""),
        ("the camera says nothing (camera_silent)", "camera_silent"),
    ]
