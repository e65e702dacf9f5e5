"""What was noted of a lane is told beside the vehicles that were there then."""

from dataclasses import replace
from datetime import timedelta

from gated.db.why_rows import Audit, Found, LaneNote
from gated.why.assemble import stories
from gated.why.story import Kind, Tone
from tests.why.rows import AT, DEVICES, ENTRY, NORTH, NOW, PLATE, STAY, id_of


def note(name: str, at: timedelta, lane: str = "in-1", detail: str = "") -> LaneNote:
    return LaneNote(
        id_of(f"note {name} {at}"), NORTH.id, id_of(lane), lane, AT + at, name, detail, None
    )


SECOND = timedelta(seconds=1)


def told(found: Found) -> list[tuple[str, Tone]]:
    (story,) = stories(found, NOW)
    return [(step.said, step.tone) for step in story.steps if step.kind is Kind.NOTE]


def test_a_fault_shortly_before_and_a_notice_meanwhile_are_told() -> None:
    notes = (
        note("arm_stuck", -5 * 60 * SECOND, detail="raised"),
        note("long_vehicle", SECOND),
    )
    assert told(replace(ENTRY, notes=notes)) == [
        ("the arm did not move as it was told (arm_stuck): raised", Tone.BAD),
        ("long_vehicle", Tone.QUIET),
    ]


def test_notes_of_other_lanes_and_other_times_are_not() -> None:
    notes = (
        note("arm_stuck", SECOND, lane="out-1"),
        note("arm_stuck", -15 * 60 * SECOND),
        note("arm_stuck", 15 * 60 * SECOND),
    )
    assert told(replace(ENTRY, notes=notes)) == []


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
        notes=(note("mode_held", -60 * SECOND),),
    )
    (story,) = stories(found, NOW)
    assert story.plate == PLATE
    mode, passage = story.steps
    assert (mode.kind, mode.said) == (Kind.NOTE, "mode_held")
    assert passage.kind is Kind.PASSAGE
    assert passage.said == "came in without a grant: the lane was held open (held)"
    assert passage.notes == ("the queue reached the street",)
    assert (passage.lane, passage.by) == ("in-1", "operator")


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
        (details, ("5.00 EUR due", "behind the stay that one")),
        ({}, ("no spot was left for it",)),
        ({"outcome": "already_inside"}, ("the plate was inside already: that stay stands",)),
    ):
        found = Found(facilities=(NORTH,), stays=(STAY,), audits=(ungranted(**changes),))
        (story,) = stories(found, NOW)
        assert story.steps[0].notes == notes


def test_a_lane_that_is_not_named_has_no_notes() -> None:
    found = Found(
        facilities=(NORTH,),
        stays=(STAY,),
        audits=(ungranted(lane="nowhere"),),
        notes=(note("mode_held", -60 * SECOND),),
    )
    (story,) = stories(found, NOW)
    assert [step.kind for step in story.steps] == [Kind.PASSAGE]
