"""What a decision rests on is told in words beside it, from what was kept with it."""

from dataclasses import replace
from typing import Any

from gated.why.as_json import as_json
from gated.why.assemble import stories
from gated.why.story import Kind
from tests.why.rows import AT, ENTRY, NOW, PLATE, decision, denial, found, id_of, read

HALL, DECK = id_of("hall"), id_of("deck")
ZONES = {HALL: "Hall", DECK: "Deck 1"}


def grounds(facts: Any, *, deny: str | None = None, **more: Any) -> list[str]:
    """The lines beside the decision, without those about the spot and the price."""
    make = decision if deny is None else denial
    one = make("e1", AT, facts=facts, **({} if deny is None else {"reason": deny}), **more)
    rows = replace(ENTRY, stays=(), decisions=(one,), zones=ZONES)
    (story,) = stories(rows, NOW)
    (step,) = [step for step in story.steps if step.kind is Kind.DECISION]
    return [note for note in step.notes if not note.startswith(("spot ", "price "))]


def test_a_stranger_where_everyone_is_let_in_after_a_zone_that_said_no() -> None:
    facts = {
        "rule": {"admits": "everyone"},
        "known": {},
        "free": {str(HALL): 2, str(DECK): 9},
        "free_elsewhere": 30,
        "refused": [{"zone": str(HALL), "refusal": "zone_reserved"}],
    }
    assert grounds(facts) == [
        "known then: not registered, no right, not inside",
        "the lane's rule: everyone is let in (everyone)",
        "free then: Hall 2, Deck 1 9, elsewhere 30",
        "Hall refused: what was free is reserved for later (zone_reserved)",
    ]


def test_a_denial_for_all_zones_tells_each() -> None:
    facts = {
        "rule": {"admits": "known"},
        "known": {"vehicle": str(id_of("car")), "lapsed": "right_used_up", "violations": 2},
        "free": {str(HALL): 0, str(DECK): 4},
        "refused": [
            {"zone": str(HALL), "refusal": "zone_full"},
            {"zone": str(DECK), "refusal": "spots_too_small"},
            {"zone": str(id_of("gone")), "refusal": "of_a_later_version"},
        ],
    }
    assert grounds(facts, deny="full_class") == [
        (
            "known then: a registered vehicle, a right that is used up (right_used_up),"
            " 2 open violations, not inside"
        ),
        "the lane's rule: registered vehicles and holders of a right are let in (known)",
        "free then: Hall 0, Deck 1 4",
        "Hall refused: no spot of it was free (zone_full)",
        "Deck 1 refused: nothing in it is large enough (spots_too_small)",
        f"the zone {id_of('gone')} refused: of_a_later_version",
    ]


def test_rights_and_what_speaks_against_them() -> None:
    known = {
        "vehicle": str(id_of("car")),
        "blocked": True,
        "reservation": str(id_of("booking")),
        "subscription": str(id_of("plan")),
        "staff": True,
        "violations": 1,
        "violations_deny": True,
    }
    assert grounds({"known": known}, deny="blocked") == [
        (
            "known then: blocked, a registered vehicle, a reservation that is due, a subscription"
            " that holds, its owner may park as staff, 1 open violation, a reason to deny here,"
            " not inside"
        )
    ]


def test_an_exit_tells_stay_and_money() -> None:
    known = {
        "stay": {
            "id": str(id_of("stay")),
            "zone": str(DECK),
            "since": AT.isoformat(),
            "released": False,
        },
        "price": {"amount": "4.00", "currency": "EUR"},
        "due": {"amount": "1.5", "currency": "EUR"},
    }
    facts = {"rule": {"unpaid_exit": "wait"}, "known": known}
    assert grounds(facts, direction="exit") == [
        "known then: inside in Deck 1 since Mon 2026-05-04 09:31, 1.50 EUR due of 4.00 EUR",
        "the lane's rule: who has not paid waits until that is done (wait)",
    ]
    released = {"stay": {**known["stay"], "released": True, "since": "?"}}  # type: ignore[dict-item]
    assert grounds({"known": released}, direction="exit") == [
        "known then: inside in Deck 1, and let out before"
    ]


def test_what_a_read_lacked() -> None:
    assert grounds({"rule": {"read_confidence_min": 0.8}}, deny="read_uncertain") == [
        "the lane asks for a confidence of 0.8"
    ]
    old = {"event_age_seconds_max": 10.0, "age_seconds": 61.25}
    assert grounds({"rule": old}, deny="read_too_old") == [
        "the lane takes reads that are up to 10.0 s old",
        "the read was 61.25 s old",
    ]


def test_waits_are_told_where_they_are_worth_a_word() -> None:
    assert grounds(None, lock_waited_ms=3.4, fence_waited_ms=0.2) == ["waited 3 ms for the spot"]
    assert grounds(None, lock_waited_ms=0.0, fence_waited_ms=812.0) == [
        "waited 812 ms for the fence of the facility"
    ]
    assert grounds(None, direction="exit", lock_waited_ms=42.0) == ["waited 42 ms for the stay"]


def test_a_decision_that_kept_nothing_tells_nothing() -> None:
    assert grounds(None) == []
    assert grounds({}) == []
    # Of another version, or not gated's: told as far as it is understood.
    assert grounds({"known": 3, "refused": [1], "free": [], "rule": {"moon": "full"}}) == [
        "moon: full"
    ]


def test_machines_get_the_grounds_as_they_were_kept() -> None:
    facts = {"known": {"staff": True}}
    one = decision("e1", AT, facts=facts, lock_waited_ms=1.5, fence_waited_ms=0.1)
    (story,) = stories(found(decisions=(one,), messages=(read("e1", PLATE, AT),)), NOW)
    (step,) = [one for one in as_json(story)["steps"] if one["kind"] == "decision"]
    assert step["facts"]["rests_on"] == facts
    assert (step["facts"]["lock_waited_ms"], step["facts"]["fence_waited_ms"]) == (1.5, 0.1)
