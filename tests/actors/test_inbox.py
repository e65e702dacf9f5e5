"""The inbox: stored, then acknowledged, then handed over, each once and in order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from gated.actors.inbox import BATCH_COUNT_MAX
from gated.actors.messages import ForLane
from gated.core.effects import Outcome
from gated.core.errors import FencedOut, RefusedValue, StoreError
from gated.core.events import InputChanged, InputName, PlateRead, Reported
from gated.core.ids import FacilityId, Fence
from gated.records import EventStatus, InboxRow
from tests.actors.conftest import Events, Until
from tests.actors.support import CAR, ENTRY, EPOCH, Place, running
from tests.fakes.store import Event

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("log_events")]


def stored(place: Place) -> list[Event]:
    return list(place.rows.events.values())


def payloads(place: Place) -> list[str]:
    return [message.payload.decode() for message in place.acknowledged]


def ages(place: Place) -> list[float | None]:
    return [m.event.cause.age_seconds for m in place.delivered if isinstance(m.event, Reported)]


class TestOrder:
    async def test_nothing_is_acknowledged_before_it_is_stored(self, until: Until) -> None:
        place = Place()
        gate = asyncio.Event()

        async def hold(name: str) -> None:
            if name == "append_events":
                await gate.wait()

        place.store.before = hold
        async with running(place.inbox.run):
            place.say("entry", "plate HHAB1234 at=0 id=1")
            await asyncio.sleep(5)
            assert (place.acknowledged, place.delivered, place.inbox.depth) == ([], [], 1)
            assert place.inbox.oldest_seconds() == 5
            gate.set()
            await until(lambda: bool(place.delivered))
        assert len(place.acknowledged) == 1
        assert place.inbox.depth == 0
        assert place.inbox.oldest_seconds() == 0

    async def test_all_of_a_batch_is_acknowledged_before_any_of_it_is_handed_over(self) -> None:
        """A lane that is slow must not keep the broker waiting."""
        place = Place()
        order: list[str] = []
        place.inbox._acknowledge = lambda _: order.append("ack")

        async def deliver(_: object) -> None:
            order.append("deliver")

        place.inbox._deliver = deliver
        for number in range(3):
            place.say("entry", f"presence on at=0 id={number}")
        async with running(place.inbox.run):
            await asyncio.sleep(0.1)
        assert order == ["ack"] * 3 + ["deliver"] * 3

    async def test_a_flood_keeps_its_order_in_bounded_batches(self, until: Until) -> None:
        place = Place()
        sizes: list[int] = []
        append = place.store.append_events

        async def counted(
            facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
        ) -> Sequence[bool]:
            sizes.append(len(rows))
            return await append(facility, fence, rows)

        place.store.append_events = counted  # type: ignore[method-assign]
        said = [f"presence on at=0 id={number}" for number in range(BATCH_COUNT_MAX * 2 + 1)]
        for words in said:
            place.say("entry", words)
        async with running(place.inbox.run):
            await until(lambda: len(place.delivered) == len(said))
        assert sizes == [BATCH_COUNT_MAX, BATCH_COUNT_MAX, 1]
        assert payloads(place) == said
        assert [message.delivery for message in place.delivered] == [
            (event.row.id, 0) for event in stored(place)
        ]


class TestOnce:
    async def test_what_is_known_is_acknowledged_and_not_handed_over(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            for _ in range(2):
                place.say("entry", "plate HHAB1234 at=0 id=7")
                await asyncio.sleep(0.1)
            await until(lambda: len(place.acknowledged) == 2)
        assert len(place.delivered) == 1
        assert [event.row.key for event in stored(place)] == ["7"]

    async def test_without_an_id_the_text_and_its_time_tell(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            for words in ("presence on at=1", "presence on at=1", "presence on at=2"):
                place.say("entry", words)
            place.say("exit", "presence on at=1")
            await until(lambda: len(place.acknowledged) == 4)
            await asyncio.sleep(0.1)
        assert len(place.delivered) == 3
        assert len({event.row.key for event in stored(place)}) == 3

    async def test_with_neither_each_message_counts(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            for _ in range(2):
                place.say("entry", "presence on")
            await until(lambda: len(place.delivered) == 2)
        assert len({event.row.key for event in stored(place)}) == 2

    async def test_an_id_is_the_devices_own(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say("entry", "presence on at=0 id=7")
            place.say("exit", "presence on at=0 id=7")
            await until(lambda: len(place.delivered) == 2)

    async def test_a_numbered_message_gets_its_receipt_even_when_it_is_known(
        self, until: Until
    ) -> None:
        """Or a sender whose receipt was lost would send it for ever."""
        place = Place()
        async with running(place.inbox.run):
            for _ in range(2):
                place.say("entry", "presence on at=0 id=7 boot=b seq=7")
            await until(lambda: len(place.shown.receipts) == 2)
        assert place.shown.receipts == [("entry", "b", 7)] * 2
        assert len(place.delivered) == 1


class TestPutAside:
    @pytest.mark.parametrize(
        ("topic", "payload", "defect", "reason"),
        [
            ("entry", b"boom", None, "not_words"),
            ("nowhere", b"presence on", None, "no_device"),
            ("entry", b"presence on", "malformed properties", "broken_packet"),
        ],
    )
    async def test_what_cannot_be_understood_is_kept_acknowledged_and_told(
        self,
        topic: str,
        payload: bytes,
        defect: str | None,
        reason: str,
        until: Until,
        log_events: Events,
    ) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say(topic, payload.decode(), defect=defect)
            place.say("entry", "presence on at=0 id=1")
            await until(lambda: bool(place.delivered))
        put_aside = stored(place)[0]
        assert put_aside.status is EventStatus.QUARANTINED
        assert put_aside.row.error is not None
        assert put_aside.row.error.startswith(reason)
        assert len(place.acknowledged) == 2
        told = [event for event in log_events if event["event"] == "inbox.quarantined"]
        assert [event["reason"] for event in told] == [reason]

    @pytest.mark.parametrize("words", ["plate HHAB1234 at=0", "presence on at=0"])
    async def test_a_retained_plate_or_contact_is_no_trigger(
        self, words: str, until: Until
    ) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say("entry", words, retain=True)
            await until(lambda: bool(place.acknowledged))
            await asyncio.sleep(0.1)
        assert stored(place)[0].status is EventStatus.DROPPED
        assert place.delivered == []

    async def test_retained_liveness_is_believed(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say("entry", "online", retain=True)
            await until(lambda: len(place.delivered) == 1)

    async def test_a_message_that_says_nothing_to_a_lane_is_done(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say("entry", "nothing id=1")
            await until(lambda: bool(place.acknowledged))
        assert stored(place)[0].status is EventStatus.DONE
        assert place.delivered == []

    async def test_one_row_that_the_database_refuses_lets_the_others_pass(
        self, until: Until
    ) -> None:
        place = Place()
        append = place.store.append_events

        async def picky(
            facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
        ) -> Sequence[bool]:
            if any(row.key == "bad" and row.status is EventStatus.NEW for row in rows):
                raise RefusedValue("cannot be stored")
            return await append(facility, fence, rows)

        place.store.append_events = picky  # type: ignore[method-assign]
        for key in ("1", "bad", "2"):
            place.say("entry", f"presence on at=0 id={key}")
        async with running(place.inbox.run):
            await until(lambda: len(place.delivered) == 2)
        assert len(place.acknowledged) == 3
        assert [event.status for event in stored(place)] == [
            EventStatus.NEW,
            EventStatus.QUARANTINED,
            EventStatus.NEW,
        ]

    async def test_an_error_of_the_database_is_no_rows_fault(self) -> None:
        place = Place()

        async def broken(name: str) -> None:
            raise StoreError("no such function", retryable=False)

        place.store.before = broken
        place.say("entry", "plate HHAB1234 at=0 id=1")
        with pytest.raises(StoreError, match="no such function"):
            await place.inbox.run()
        assert place.acknowledged == []
        assert stored(place) == []

    async def test_an_error_amid_a_refused_batch_loses_nothing(self, until: Until) -> None:
        """What was committed before the crash is handed over after it, and once."""
        place = Place()
        append = place.store.append_events
        broken = True

        async def picky(
            facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
        ) -> Sequence[bool]:
            if any(row.key == "bad" and row.status is EventStatus.NEW for row in rows):
                raise RefusedValue("cannot be stored")
            if broken and any(row.key == "2" for row in rows):
                raise StoreError("no such function", retryable=False)
            return await append(facility, fence, rows)

        place.store.append_events = picky  # type: ignore[method-assign]
        for key in ("1", "bad", "2"):
            place.say("entry", f"presence on at=0 id={key}")
        with pytest.raises(StoreError, match="no such function"):
            await place.inbox.run()
        assert place.acknowledged == []
        broken = False
        async with running(place.inbox.run):
            await until(lambda: len(place.acknowledged) == 3)
        assert len(place.delivered) == 2


class TestAway:
    async def test_a_database_that_is_away_is_waited_for(
        self, until: Until, log_events: Events
    ) -> None:
        place = Place()
        failures = 4

        async def fail(name: str) -> None:
            nonlocal failures
            if failures:
                failures -= 1
                raise StoreError("away", retryable=True)

        place.store.before = fail
        async with running(place.inbox.run):
            place.say("entry", "plate HHAB1234 at=0 id=1")
            await until(lambda: bool(place.acknowledged))
        assert len(place.delivered) == 1
        assert [event["event"] for event in log_events] == ["inbox.commit_delayed"] * 4

    async def test_what_waited_for_it_is_as_old_as_it_is(self, until: Until) -> None:
        place = Place()

        async def slow(name: str) -> None:
            await asyncio.sleep(30)

        place.store.before = slow
        async with running(place.inbox.run):
            place.say("entry", "plate HHAB1234 at=0 id=1")
            place.say("entry", "plate HHAB1234 id=2")
            await until(lambda: len(place.delivered) == 2)
        assert ages(place) == [30, 30]

    async def test_an_undated_message_on_time_has_no_age(self, until: Until) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say("entry", "plate HHAB1234 id=2")
            await until(lambda: len(place.delivered) == 1)
        assert ages(place) == [None]

    async def test_a_lost_answer_hands_over_once(self, until: Until) -> None:
        place = Place()
        append = place.store.append_events
        lost = 1

        async def loses(
            facility: FacilityId, fence: Fence, rows: Sequence[InboxRow]
        ) -> Sequence[bool]:
            nonlocal lost
            answer = await append(facility, fence, rows)
            if lost:
                lost -= 1
                raise StoreError("connection lost", retryable=True)
            return answer

        place.store.append_events = loses  # type: ignore[method-assign]
        async with running(place.inbox.run):
            place.say("entry", "plate HHAB1234 at=0 id=1")
            place.say("entry", "presence on")
            await until(lambda: len(place.delivered) == 2)
        assert len(stored(place)) == 2

    async def test_fenced_out_it_ends_and_acknowledges_nothing(self) -> None:
        place = Place()
        place.rows.fence = 2
        place.say("entry", "plate HHAB1234 at=0 id=1")
        with pytest.raises(FencedOut):
            await place.inbox.run()
        assert place.acknowledged == []

    async def test_stopping_leaves_to_the_broker_what_was_not_stored(self) -> None:
        place = Place()
        run = asyncio.create_task(place.inbox.run())
        await asyncio.sleep(0.1)
        place.inbox.request_stop()
        place.say("entry", "presence on at=0 id=1")
        await asyncio.wait_for(run, 1)
        assert (place.acknowledged, stored(place)) == ([], [])

    async def test_stopping_finishes_the_batch_in_hand(self) -> None:
        place = Place()

        async def slow(name: str) -> None:
            await asyncio.sleep(1)

        place.store.before = slow
        place.say("entry", "presence on at=0 id=1")
        run = asyncio.create_task(place.inbox.run())
        await asyncio.sleep(0.5)
        place.inbox.request_stop()
        await asyncio.wait_for(run, 2)
        assert (len(place.acknowledged), len(place.delivered)) == (1, 1)


class TestReplay:
    async def test_what_was_never_settled_comes_again_with_its_age(self) -> None:
        place = Place()
        async with running(place.inbox.run):
            place.say("entry", "plate HHAB1234 at=0 id=1")
            place.say("entry", "presence on id=2")
            await asyncio.sleep(0.1)
        await asyncio.sleep(60)
        read, presence = await place.inbox.pending()
        assert isinstance(read, ForLane)
        assert isinstance(presence, ForLane)
        assert isinstance(read.event, Reported)
        assert isinstance(read.event.event, PlateRead)
        assert read.event.event.plate == CAR
        assert read.lane == ENTRY
        assert read.event.cause.received_at == EPOCH
        assert read.event.cause.age_seconds == pytest.approx(60.1)
        assert read.delivery == (stored(place)[0].row.id, 0)
        # The undated one has become too old to be of unknown age.
        assert isinstance(presence.event, Reported)
        assert presence.event.cause.age_seconds == pytest.approx(60.1)

    async def test_in_the_order_of_arrival(self) -> None:
        place = Place()
        async with running(place.inbox.run):
            for number in range(5):
                place.say("entry", f"presence on at={number} id={number}")
            await asyncio.sleep(0.1)
        again = await place.inbox.pending()
        assert [message.delivery for message in again if isinstance(message, ForLane)] == [
            message.delivery for message in place.delivered
        ]

    async def test_the_last_word_of_both_loops_comes_again_in_the_order_of_arrival(self) -> None:
        """Dated to when it was first said: a box repeats what its contacts are."""
        place = Place()
        words = ["closing off", "presence on", "closing on", "presence off", "closing on"]
        for number, word in enumerate(words, start=1):
            event = place.rows.events[place.store_event(number, f"{word} at={number}")]
            event.row = replace(event.row, kind="input")
            event.status = EventStatus.DONE
        messages = [m for m in await place.inbox.pending() if isinstance(m, ForLane)]
        again = [m.event for m in messages if isinstance(m.event, Reported)]
        assert [(one.cause.event.int, one.event) for one in again] == [
            (3, InputChanged(InputName.CLOSING, on=True, device_at=EPOCH + timedelta(seconds=3))),
            (4, InputChanged(InputName.PRESENCE, on=False, device_at=EPOCH + timedelta(seconds=4))),
        ]

    async def test_what_nobody_can_read_any_more_is_settled(self) -> None:
        place = Place()
        place.store_event(1, "boom")
        place.store_event(2, "nothing")
        assert await place.inbox.pending() == []
        assert place.settler._waiting == dict.fromkeys(place.rows.events, Outcome.UNEXPECTED)


async def test_a_clock_that_is_a_little_off_is_judged_without_its_error(until: Until) -> None:
    place = Place()
    async with running(place.inbox.run):
        for number in range(5):
            late = place.clock.monotonic() - 1.5
            place.say("entry", f"presence on at={late} id={number}")
            await asyncio.sleep(20)
        await until(lambda: len(place.delivered) == 5)
    assert ages(place)[0] == 1.5  # unproven
    assert ages(place)[-1] == pytest.approx(0, abs=0.01)
    assert place.clock.now() - EPOCH < timedelta(minutes=5)
