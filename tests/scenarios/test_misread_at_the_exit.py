"""A plate that nobody came in with: where it can only be one, it is that; else an operator says.

How near is near: tests/core/test_matching.py, tests/core/test_misread_exit.py. That the match and
its reason stay with the stay: tests/db/test_cli_why.py, tests/db/test_operations.py.
"""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.typing import EventDict

from gated.core.plates import Plate
from gated.core.site import LanePolicy, UnpaidExit
from tests.actors.conftest import Until
from tests.actors.support import CAR, OTHER_CAR
from tests.scenarios.story import told

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]

FAR = Plate("HHAX9934")  # two substitutions away
EITHER = (Plate("HHA81234"), Plate("HHABI234"))  # either may have been read as `CAR`
NEAR = Plate("HHA81234")  # an 8 for the B
ONE_OFF = LanePolicy(match_distance_max=1)
ONE_OFF_AND_PAID = LanePolicy(match_distance_max=1, unpaid_exit=UnpaidExit.WAIT)


async def test_one_look_alike_of_the_only_one_it_can_be_opens_by_itself(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        stay = await story.visits()
        other = await story.visits(OTHER_CAR, seconds=60)
        story.drives_up("exit", NEAR)
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.plate == CAR
        assert other.status == "ACTIVE"
        assert story.refusals() == []


async def test_also_then_it_pays_for_the_stay_first(until: Until) -> None:
    async with told(until, policy=ONE_OFF_AND_PAID) as story:
        stay = await story.visits(seconds=1800)
        story.drives_up("exit", NEAR)
        await until(lambda: story.asked == ["2.50"])
        assert story.opened("exit") == 0
        story.pays(stay.ticket, "2.50")
        await story.opens("exit")


async def test_where_it_may_be_two_the_operator_is_shown_both(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        await story.visits(CAR, seconds=60)
        await story.visits(Plate("HHAB1Z34"), seconds=60)
        story.drives_up("exit", Plate("HHA81234"))
        await until(lambda: story.refusals() == ["no_entry_found"])
        (needed,) = [note for note in story.notes if note.startswith("match_needed")]
        assert "HHAB1234 (confusable_one)" in needed
        assert "HHAB1Z34" in needed
        await asyncio.sleep(60)
        assert story.opened("exit") == 0


async def test_where_the_lane_wants_it_exact_nothing_opens_by_itself(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("exit", NEAR)
        await until(lambda: story.refusals() == ["no_entry_found"])
        assert story.opened("exit") == 0


async def test_two_substitutions_open_nothing_by_themselves(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        await story.visits()
        story.drives_up("exit", FAR)
        await until(lambda: story.refusals() == ["no_entry_found"])
        await asyncio.sleep(60)
        assert story.opened("exit") == 0


async def test_the_operator_is_told_whose_it_may_be_and_the_log_shows_no_whole_plate(
    until: Until, log_events: Sequence[EventDict]
) -> None:
    async with told(until, policy=LanePolicy(match_distance_max=1)) as story:
        for plate in EITHER:
            await story.visits(plate, seconds=60)
        story.drives_up("exit", CAR)
        await until(lambda: any("match_needed" in note for note in story.notes))
        note = next(note for note in story.notes if "match_needed" in note)
        assert [f"{plate} (confusable_one)" in note for plate in EITHER] == [True, True]
        logged = [str(one["detail"]) for one in log_events if one.get("notice") == "match_needed"]
        assert logged == ["HH****34 (confusable_one), HH****34 (confusable_one)"]


async def test_the_lane_calls_until_an_operator_has_chosen(until: Until) -> None:
    async with told(until, policy=ONE_OFF) as story:
        for plate in EITHER:
            await story.visits(plate, seconds=60)
        story.drives_up("exit", CAR)
        await story.reaches("exit", "denied")
        assert story.call("exit") == "match_needed"
        # It waits, and is read again and again: the intercom rings once.
        for _ in range(3):
            await asyncio.sleep(20)
            story.is_read("exit", CAR)
        await asyncio.sleep(20)
        assert await story.operator("match", lane="exit") == "stay_missing"
        assert story.near() == [plate.text for plate in EITHER]
        assert story.call("exit") == "match_needed"
        assert await story.operator("match", lane="exit", plate=story.near()[1]) is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: story.stay_of(EITHER[1]).exit_known is not None)
        assert story.stay_of(EITHER[0]).status == "ACTIVE"
        assert story.calls("exit") == [None, "match_needed", None]


async def test_also_where_nothing_opens_by_itself(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        await story.visits(OTHER_CAR)
        story.drives_up("exit", NEAR)
        await story.reaches("exit", "denied")
        assert story.call("exit") == "match_needed"
        assert await story.operator("match", lane="exit") == "stay_missing"
        assert story.near() == [CAR.text]
        assert story.place.shown.details[-1].endswith("it may be HHAB1234 (confusable_one)")
        story.backs_off("exit")
        await story.reaches("exit", "idle")
        assert story.call("exit") is None
        assert await story.operator("match", lane="exit") == "stay_missing"
        assert story.near() == []


async def test_one_that_nobody_here_is_like_calls_too(until: Until) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("exit", OTHER_CAR)
        await story.reaches("exit", "denied")
        assert story.call("exit") == "no_entry_found"
        assert await story.operator("match", lane="exit") == "stay_missing"
        assert story.near() == []
        assert await story.operator("open", lane="exit") is None
        await story.reaches("exit", "let_through")
        assert story.call("exit") is None


async def test_whose_it_may_be_is_told_to_those_alone_who_may_match(
    until: Until, log_events: Sequence[EventDict]
) -> None:
    async with told(until) as story:
        await story.visits()
        story.drives_up("exit", NEAR)
        await story.reaches("exit", "denied")
        story.may("bea", "open", "pay")
        story.may("cid", "match")
        for by, error in (("bea", "not_permitted"), ("eve", "user_unknown")):
            assert await story.operator("match", by=by, lane="exit") == error
            assert story.near() == []
            assert CAR.text not in story.place.shown.details[-1]
        assert await story.operator("match", by="cid", lane="exit") == "stay_missing"
        assert story.near() == [CAR.text]
        assert story.opened("exit") == 0
        acts = [(act.do.value, act.outcome.value) for act in story.place.rows.operations.acts]
        words = ["not_permitted", "user_unknown", "stay_missing"]
        assert acts == [("match", word) for word in words]
        # Refused, and settled; and no log has a plate of his answer.
        await until(lambda: story.unsettled == [])
        asked = [one for one in log_events if one["event"] == "operator.refused"]
        assert len(asked) == 3
        assert CAR.text not in str(asked)


async def test_matched_by_hand_it_leaves_by_its_own_stay_without_a_new_read(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.drives_up("exit", FAR)
        await story.reaches("exit", "denied")
        assert await story.operator("match", lane="exit", stay=str(stay.id)) is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)
        assert stay.plate == CAR
        assert stay.price is not None


async def test_also_one_that_no_camera_can_read(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        story.stands("exit")
        await story.reaches("exit", "denied")
        assert await story.operator("match", lane="exit", stay=str(stay.id)) is None
        await story.opens("exit")
        story.drives_through("exit")
        await until(lambda: stay.exit_known is not None)


async def test_a_match_for_nobody_is_refused(until: Until) -> None:
    async with told(until) as story:
        stay = await story.visits()
        assert await story.operator("match", lane="exit", stay=str(stay.id)) == "not_now"
        assert story.opened("exit") == 0


async def test_the_stay_of_another_is_not_touched(until: Until) -> None:
    async with told(until) as story:
        await story.visits(seconds=60)
        other = await story.visits(OTHER_CAR, seconds=60)
        story.drives_up("exit", FAR)
        await story.reaches("exit", "denied")
        ours = story.stay_of(CAR)
        assert await story.operator("match", lane="exit", stay=str(ours.id)) is None
        await story.opens("exit")
        assert other.status == "ACTIVE"
