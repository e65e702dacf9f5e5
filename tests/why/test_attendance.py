"""When a vehicle stood at its lane: what happened before and after there was about others."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gated.db.why_rows import Acted, Audit, Found, Message, effective
from gated.why.assemble import stories
from gated.why.attendance import there
from gated.why.evidence import Evidence
from tests.why.rows import (
    AT,
    ENTRY,
    NOW,
    PLATE,
    audit,
    decision,
    denial,
    found,
    id_of,
    loop,
    ms,
    read,
)

SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return AT + seconds * SECOND


def presence(seconds: float, *, on: bool) -> Message:
    return loop("presence", at(seconds), on=on)


def closing(seconds: float, *, on: bool) -> Message:
    return loop("closing", at(seconds), on=on)


def refused(*heard: Message, messages: Sequence[Message] = ()) -> Found:
    return found(
        decisions=(denial("e1", AT),),
        messages=(read("e1", PLATE, AT), *messages),
        heard=heard,
    )


def stood(rows: Found, event: str = "e1") -> tuple[float, float]:
    span = there(Evidence(rows, NOW), id_of(event))
    assert span is not None
    return round((span.since - AT) / SECOND, 3), round((span.until - AT) / SECOND, 3)


@pytest.mark.parametrize(
    ("rows", "since", "until"),
    [
        # It drove onto the loop, was refused, and backed off after 5 s.
        (refused(presence(-1, on=True), presence(5, on=False)), -1, 5),
        # The camera saw it before the loop did; who was there before it is somebody else.
        (
            refused(
                presence(-9, on=True), presence(-4, on=False),
                presence(1, on=True), presence(9, on=False),
            ), 0, 9,
        ),
        # It stands there still: no longer than a driver waits for help.
        (refused(presence(-1, on=True)), -1, 300),
        # Nothing says that it left; another one was decided about.
        (refused(messages=(read("e2", "OTHER1", at(30)),)), 0, 30),
        # What is read and led to nothing, or may be this plate, ends nothing.
        (
            refused(
                read("r1", "OTHER1", at(20), "superseded"), read("r2", PLATE, at(30)),
            ), 0, 300,
        ),
        # Without a presence loop: somebody has passed.
        (refused(closing(8, on=True), closing(10, on=False)), 0, 10),
        # Let in, and through.
        (ENTRY, -0.7, 4.195),
    ],
)  # fmt: skip
def test_from_its_coming_to_its_leaving(rows: Found, since: float, until: float) -> None:
    assert stood(rows) == (since, until)


def through(seconds: float, kind: str = "tailgating") -> Audit:
    details = {"lane": str(id_of("in-1")), "direction": "entry", "kind": kind}
    return audit("passage.ungranted", at(seconds), "passage", details)


@pytest.mark.parametrize(
    ("heard", "since"),
    [
        # Its follower stands on the presence loop before it is through.
        (
            (
                presence(-8, on=True), presence(-5, on=False), closing(-5, on=True),
                presence(-2, on=True),
            ), -8,
        ),
        # No presence loop: after the one before it.
        ((closing(-20, on=True), closing(-15, on=False), closing(-3, on=True)), -15),
        ((), -300),
    ],
)  # fmt: skip
def test_who_passed_without_a_grant_had_come_before_the_closing_loop(
    heard: tuple[Message, ...], since: float
) -> None:
    assert stood(found(heard=heard, audits=(through(0),)), "passage") == (since, 0)


def test_a_message_without_a_lane_stood_nowhere() -> None:
    asked = replace(read("e1", PLATE, AT), lane_id=None, lane=None)
    assert there(Evidence(found(messages=(asked,)), NOW), id_of("e1")) is None


def opened(name: str, seconds: float) -> Audit:
    return replace(
        audit(
            "operator.open", at(seconds), name, {"do": "open", "outcome": "done", "reason": name}
        ),
        actor="operator olga",
        resource_type="lane",
        resource=id_of("in-1"),
    )


def acts_told(rows: Found) -> list[str]:
    return [step.said for story in stories(rows, NOW) for step in story.steps if step.by]


def test_what_is_done_for_others_is_not_in_its_story() -> None:
    acts = [opened("before", -10), opened("its own", 3), opened("after", 14)]
    operated = {
        id_of("e1"): tuple(
            Acted(one.at, one.action, one.correlation) for one in acts if one.correlation
        )
    }
    rows = refused(presence(-1, on=True), presence(5, on=False))
    rows = replace(rows, audits=tuple(acts), operated=operated)
    assert acts_told(rows) == ["opened once by hand: its own"]


def test_what_it_drove_through_on_is_its_own_though_it_came_later() -> None:
    acts = [opened("another", -90), opened("the lorry is coming", -20)]
    rows = found(
        stays=ENTRY.stays,
        decisions=(decision("e1", AT),),
        heard=(presence(-9, on=True), presence(-5, on=False), closing(-5, on=True)),
        audits=(*acts, replace(through(0, "operator"), resource=ENTRY.stays[0].id)),
        operated={
            id_of("passage"): tuple(
                Acted(one.at, one.action, one.correlation) for one in acts if one.correlation
            )
        },
    )
    assert acts_told(rows) == ["opened once by hand: the lorry is coming"]
    another_way = replace(rows, audits=(*acts, through(0)))
    assert acts_told(another_way) == []


def test_what_stood_still_is_told_and_what_had_ended_is_not() -> None:
    steps = ("hold", "release", "lane_close", "evacuate", "resume", "open")
    acts = [
        Acted(AT + ms(place), f"operator.{step}", id_of(step)) for place, step in enumerate(steps)
    ]
    assert [one.correlation for one in effective(acts, AT + ms(5))] == [
        id_of("lane_close"),
        id_of("open"),
    ]
