"""What devices should never send: each message is put aside once, and the lane serves the next."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.devices import Native, Wire, commands, pass_through, stamp
from tests.e2e.place import FACILITY, Place, in_1, native

MEGABYTES_10 = 10_000_000


def hostile_plates() -> dict[str, tuple[bytes, str]]:
    """By name: a payload for a plate topic, and the reason with which it is refused."""

    def plate(**fields: object) -> bytes:
        return json.dumps({"at": stamp(), "plate": "KI BA 1", **fields}).encode()

    tomorrow_and_more = stamp(datetime.now(UTC) + timedelta(hours=25))
    return {
        "nothing": (b"", "not_json"),
        "a telegram": (b"KI BA 1", "not_json"),
        "cut off": (b'{"plate":"KI BA 1', "not_json"),
        "not UTF-8": (b'{"plate":"KI \xff\xfe 1"}', "not_json"),
        "byte-order mark": (b'\xef\xbb\xbf{"plate":"KI BA 1"}', "not_json"),
        "deep": (b"[" * 8000, "not_json"),
        "deep field": (b'{"plate":' + b'{"a":' * 1000 + b"1" + b"}" * 1001, "not_json"),
        "a list": (b"[1, 2, 3]", "bad_type"),
        "unknown field": (plate(shoe_size=44), "unknown_field"),
        "no plate": (b'{"confidence": 0.9}', "missing_field"),
        "plate is a number": (plate(plate=4711), "bad_type"),
        "confidence is text": (plate(confidence="high"), "bad_type"),
        "confidence above 1": (plate(confidence=97), "bad_value"),
        "confidence is NaN": (b'{"plate":"KI BA 1","confidence":NaN}', "bad_value"),
        "future": (plate(at=tomorrow_and_more), "future"),
        "no offset": (plate(at="2026-03-01T12:00:00"), "bad_time"),
        "before 1970": (plate(at="1969-03-01T12:00:00Z"), "bad_time"),
        "300 characters": (plate(plate="K" * 300), "bad_plate"),
        "terminal escape": (plate(plate="KI\x1b[2J\x1b[31m 1"), "bad_plate"),
        "line feed": (plate(plate='KI 1\n{"event":"decision"}'), "bad_plate"),
        "right to left": (plate(plate="KI \u202e 1"), "bad_plate"),
        "20 kB": (plate(plate="K" * 20_000), "too_large"),
        "10 MB": (plate(plate="K" * MEGABYTES_10), "too_large"),
    }


async def test_bad_messages_are_put_aside_once(place: Place, devices: Wire) -> None:
    lane = native(devices, "in-2")
    hostile = hostile_plates()
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await lane.contact("presence", on=True)
        for payload, _ in hostile.values():
            await devices.send(lane.topic("plate"), payload)
        await lane.read("KI OK 1")
        await lane.opened()
        await daemon.event("decision")

        kept = await place.rows(
            """
            SELECT error, octet_length(payload) FROM gate.events
            WHERE status = 'quarantined' ORDER BY seq
            """
        )
        reasons = [error.partition(":")[0] for error, _ in kept]
        assert dict(zip(hostile, reasons, strict=True)) == {
            name: reason for name, (_, reason) in hostile.items()
        }
        assert all(size <= 512 for _, size in kept)
        for reason in set(reasons):
            await daemon.metric_is(
                reasons.count(reason), "gated_inbox_rejections_total", reason=reason
            )
        assert len(commands(devices)) == 1

        logged = daemon.events("inbox.quarantined")
        assert [event["reason"] for event in logged] == reasons
        ids = await place.rows("SELECT id FROM gate.events WHERE status = 'quarantined'")
        assert {event["event_id"] for event in logged} == {one for (one,) in ids}
        for event in logged:
            assert event["topic"] == lane.topic("plate")
            assert len(event["excerpt"]) <= 300
            assert "BA 1" not in event["excerpt"]
        text = daemon.text()
        assert "\x1b" not in text
        assert "KI BA 1" not in text
        await finish(lane)
        await daemon.event("lane.passed")
    await nothing_comes_again(place, devices, lane, quarantined=len(hostile))


async def finish(lane: Native) -> None:
    await lane.contact("closing", on=True)
    await lane.contact("presence", on=False)
    await lane.contact("closing", on=False)


async def nothing_comes_again(
    place: Place, devices: Wire, lane: Native, *, quarantined: int
) -> None:
    """The broker has seen every message acknowledged: it hands none to the next daemon."""
    stored = await place.value("SELECT count(*) FROM gate.events")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        (link,) = daemon.events("mqtt.connected")
        assert link["session_present"]
        # What the broker still had to hand over would come before this vehicle.
        await pass_through(lane, "KI OK 2")
        await daemon.event("lane.passed")
        await place.settled()
        assert daemon.events("inbox.quarantined") == []
        assert await daemon.metric("gated_inbox_messages_total", status="duplicate") == 0
        # presence, read, ack, barrier, closing, presence, closing
        assert await place.value("SELECT count(*) FROM gate.events") == stored + 7
        assert (
            await place.value("SELECT count(*) FROM gate.events WHERE status = 'quarantined'")
            == quarantined
        )


@pytest.mark.every_broker
async def test_a_retained_plate_opens_nothing(place: Place, devices: Wire) -> None:
    """A read that the broker kept is no vehicle: neither now nor at the next connection."""
    lane, camera = native(devices, "in-2"), in_1(devices)
    await lane.contact("presence", on=True)
    read = {"id": "kept", "at": stamp(), "plate": "KI RT 1", "confidence": 0.99}
    await devices.send(lane.topic("plate"), read, retain=True)
    await devices.send(f"{camera.relay}/online", True, retain=True)
    for start in range(2):
        async with place.daemon() as daemon:
            await daemon.ready(FACILITY)
            await place.becomes(
                [("dropped", "retained: state, not a trigger")],
                "SELECT status, error FROM gate.events WHERE kind = 'plate' AND status <> 'done'",
            )
            if start == 0:  # rumqttd sends a resumed session nothing that is retained
                # Liveness, on the other hand, is what retained messages are for.
                await daemon.metric_is(1, "gated_device_online", device="in-1-relay")
            await pass_through(lane, f"KI OK {start}")
            await daemon.event("lane.passed")
    await place.decided(
        ("in-2", "KIOK0", "grant", "transient"), ("in-2", "KIOK1", "grant", "transient")
    )
    assert len(commands(devices)) == 2


async def test_topics_that_no_device_has(place: Place, devices: Wire) -> None:
    """Under the subscription of a camera comes more than plates; nothing of it does harm."""
    lane, camera = native(devices, "in-2"), in_1(devices)
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await devices.send(f"{camera.camera}/event/tns:axis/VideoAnalytics/Fog", {"a": 1})
        await devices.send(f"{camera.camera}/event/\x1b[2J/ALPV", b"\x00\x01")
        await devices.send(f"{camera.camera}/event", b"the parent of the subscription")
        # Topics of lanes that are not there, and those on which gated itself speaks.
        await devices.send("gated/v1/north/lane/in-9/plate", {"plate": "KI NO 9"})
        await devices.send(native(devices, "out-2").topic("command"), {"do": "open"})
        await pass_through(lane, "KI OK 1")
        await daemon.event("lane.passed")
        await place.settled()
        assert await place.rows(
            "SELECT kind, status, error IS NULL FROM gate.events WHERE kind IN"
            " ('other', 'rejected') ORDER BY seq"
        ) == [("other", "done", True), ("other", "done", True), ("rejected", "quarantined", False)]
        (rejected,) = daemon.events("inbox.quarantined")
        assert rejected["reason"] == "bad_topic"
        assert len(await place.decisions()) == 1
