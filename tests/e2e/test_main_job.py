"""The main job from end to end: who is let in and out, why, at what price, and its traces."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gated.core.wording import text
from tests.e2e.daemon import Daemon
from tests.e2e.devices import Wire, commands, go_on, pass_through, stamp
from tests.e2e.place import FACILITY, Place, in_1, native, out_1

PLATE = "KI-NQ 4711"
NORMAL = "KINQ4711"


@pytest.mark.every_broker
async def test_a_stranger_comes_in_and_leaves(place: Place, devices: Wire) -> None:
    await visit(place, devices)


@pytest.mark.every_postgres
async def test_the_same_on_every_postgres(place: Place, devices: Wire) -> None:
    await visit(place, devices)


async def visit(place: Place, devices: Wire) -> None:
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        correlation = await enter(place, devices, daemon)
        await leave(place, devices, daemon, correlation)
        assert len(commands(devices)) == 2
        assert await place.available() == {"deck-1": 2, "deck-2": 1}
        log = daemon.text()
    assert "KI****11" in log
    assert PLATE not in log
    assert NORMAL not in log


async def enter(place: Place, devices: Wire, daemon: Daemon) -> str:
    """NEW, UPDATE, loop, pulse, reply, closing loop; the correlation id of it all."""
    lane = in_1(devices)
    began = datetime.now(UTC)
    await lane.plate_event(PLATE, 501, "new", "unknown", began)
    await lane.plate_event(PLATE, 501, "update", "in", began + timedelta(milliseconds=80))
    await lane.contact("presence", on=True)
    call = await lane.opened()
    assert call == {
        "id": call["id"],
        "src": "gated/v1/north/lane/in-1/device/in-1-relay",
        "method": "Switch.Set",
        "params": {"id": 0, "on": True, "toggle_after": 1.0},
    }
    assert not commands(devices)[0].retain
    await place.becomes([("open", "acknowledged")], "SELECT do_what, status FROM gate.commands")
    await go_on(lane)
    passed = await daemon.event("lane.passed", lane="in-1", known="measured")

    await place.settled()
    ((read, superseded), *others) = await place.rows(
        "SELECT id, outcome FROM gate.events WHERE kind = 'plate' ORDER BY seq DESC"
    )
    assert superseded == "decided"
    assert [outcome for _, outcome in others] == ["superseded"]
    ((stay, spot, status, plate, raw, known, entered_at),) = await place.rows(
        """
        SELECT b.id, s.spot_number, b.status::text, b.plate_number, b.plate_raw, b.entry_known,
            b.entry_time
        FROM bookings b JOIN parking_spots s ON s.id = b.spot_id AND s.current_booking = b.id
            AND s.status = 'OCCUPIED'
        """
    )
    assert (spot, status, plate, raw, known) == ("A-1", "ACTIVE", NORMAL, PLATE, "measured")
    assert began <= entered_at <= datetime.now(UTC)
    assert await place.rows("SELECT booking_id, plate, kind FROM gate.claims") == [
        (stay, NORMAL, "stay")
    ]
    assert await place.rows(
        "SELECT event_id, decision, reason, stay_id, price FROM gate.decisions"
    ) == [(read, "grant", "transient", stay, None)]
    assert await place.available() == {"deck-1": 1, "deck-2": 1}

    (decision,) = daemon.events("decision")
    assert isinstance(decision["latency_ms"], float)
    assert 0 < decision["latency_ms"] < 3000
    assert {key: decision[key] for key in EXPECTED_ENTRY} == EXPECTED_ENTRY
    assert decision["stay"] == passed["stay"] == stay
    assert decision["correlation"] == passed["correlation"] == read
    assert await audit(place, read) == [
        "stay.admitted",
        "command.dispatched",
        "command.acknowledged",
        "passage.entered",
    ]
    await daemon.metric_is(
        1,
        "gated_decisions_total",
        facility=FACILITY,
        lane="in-1",
        direction="entry",
        decision="grant",
        reason="transient",
    )
    await daemon.metric_is(1, "gated_passages_total", lane="in-1", known="measured")
    await daemon.metric_is(1, "gated_zone_occupied", zone="deck-1")
    await daemon.metric_is(1, "gated_zone_available", zone="deck-1")
    await daemon.metric_is(1, "gated_decision_seconds_count", direction="entry")
    return str(read)


EXPECTED_ENTRY = {
    "facility": FACILITY,
    "lane": "in-1",
    "plate": "KI****11",
    "decision": "grant",
    "reason": "transient",
    "zone": "deck-1",
    "spot": "A-1",
    "price": None,
    "currency": None,
}


async def leave(place: Place, devices: Wire, daemon: Daemon, entry: str) -> None:
    lane = out_1(devices)
    await pass_through(lane, PLATE)
    passed = await daemon.event("lane.passed", lane="out-1", known="measured")
    await place.settled()

    (decision,) = daemon.events("decision", lane="out-1")
    assert (decision["decision"], decision["reason"]) == ("grant", "stay_open")
    assert (decision["price"], decision["currency"]) == ("1.50", "EUR")
    assert (decision["plate"], decision["spot"]) == ("KI****11", "A-1")
    assert decision["correlation"] == passed["correlation"] != entry
    assert await place.rows(
        """
        SELECT status::text, final_price, currency, exit_known, actual_exit > entry_time,
            price_lines -> 0 ->> 'amount', estimated_price
        FROM bookings
        """
    ) == [("COMPLETED", Decimal("1.5000"), "EUR", "measured", True, "1.50", None)]
    assert await place.rows(
        "SELECT sum(price), count(*) FROM gate.decisions WHERE price IS NOT NULL"
    ) == [(Decimal("1.5000"), 1)]
    assert await place.rows("SELECT * FROM gate.claims") == []
    assert await audit(place, decision["correlation"]) == [
        "stay.released",
        "command.dispatched",
        "command.acknowledged",
        "passage.left",
    ]
    await daemon.metric_is(1, "gated_passages_total", lane="out-1", known="measured")
    await daemon.metric_is(0, "gated_zone_occupied", zone="deck-1")
    await daemon.metric_is(2, "gated_zone_available", zone="deck-1")


async def audit(place: Place, correlation: str) -> list[str]:
    found = await place.rows(
        'SELECT action FROM audit_logs WHERE correlation_id = $1 ORDER BY "timestamp"', correlation
    )
    return [action for (action,) in found]


# ── each outcome ────────────────────────────────────────────────────────────────────────────


async def test_each_outcome_has_its_reason(place: Place, devices: Wire) -> None:
    """One car park from empty to full to empty; on the native lanes, with commands to compare."""
    await place.rows(
        """
        WITH owner AS (
            INSERT INTO users (email) VALUES ('driver@quay.example') RETURNING id
        )
        INSERT INTO vehicles (user_id, plate_number, is_blocked)
        SELECT id, 'KI RG 1', false FROM owner UNION ALL SELECT NULL, 'KI-BL 9', true
        """
    )
    entry, way_out = native(devices, "in-2"), native(devices, "out-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        fence = (await daemon.event("facility.started"))["fence"]

        await pass_through(in_1(devices), "KI RG 1")
        await daemon.event("lane.passed", lane="in-1")
        vehicle = await place.value(
            "SELECT v.plate_number FROM bookings b JOIN vehicles v"
            " ON v.id = b.vehicle_id AND v.user_id = b.user_id"
        )
        assert vehicle == "KI RG 1"

        async def turned_away(plate: str, reason: str) -> None:
            await entry.contact("presence", on=True)
            await entry.read(plate)
            command = await entry.refused()
            assert_command(command, "deny", reason, plate.replace(" ", ""), fence)
            await entry.contact("presence", on=False)

        await turned_away("KI BL 9", "blocked")
        await turned_away("KI RG 1", "already_inside")
        for number in (1, 2):
            command = await pass_through(entry, f"KI FU {number}")
            await daemon.event("lane.passed", lane="in-2", after=number - 1)
            assert_command(command, "open", "transient", f"KIFU{number}", fence)
            stay = await place.value("SELECT id FROM bookings ORDER BY entry_time DESC LIMIT 1")
            assert command["stay"] == stay
        assert await place.available() == {"deck-1": 0, "deck-2": 0}
        await turned_away("KI FU 3", "full_facility")

        await way_out.contact("presence", on=True)
        await way_out.read("KI NO 1")
        command = await way_out.refused()
        assert_command(command, "deny", "no_entry_found", "KINO1", fence)
        await way_out.contact("presence", on=False)

        command = await pass_through(way_out, "KI FU 2")
        await daemon.event("lane.passed", lane="out-2")
        assert_command(command, "open", "stay_open", "KIFU2", fence)
        assert (command["amount"], command["currency"]) == ("1.50", "EUR")

        await place.decided(
            ("in-1", "KIRG1", "grant", "registered"),
            ("in-2", "KIBL9", "deny", "blocked"),
            ("in-2", "KIRG1", "deny", "already_inside"),
            ("in-2", "KIFU1", "grant", "transient"),
            ("in-2", "KIFU2", "grant", "transient"),
            ("in-2", "KIFU3", "deny", "full_facility"),
            ("out-2", "KINO1", "deny", "no_entry_found"),
            ("out-2", "KIFU2", "grant", "stay_open"),
        )
        await place.becomes(
            [("acknowledged", 1), ("confirmed", 3)],
            "SELECT status, count(*) FROM gate.commands WHERE do_what = 'open'"
            " GROUP BY 1 ORDER BY 1",
        )
        await place.becomes(
            [("acknowledged", 4)],
            "SELECT status, count(*) FROM gate.commands WHERE do_what = 'deny' GROUP BY 1",
        )
        await daemon.metric_is(3, "gated_commands_total", do="open", status="confirmed")
        # FU 2 was the third car: it had gone on to the second zone.
        assert await place.available() == {"deck-1": 0, "deck-2": 1}
        for reason in ("blocked", "already_inside", "full_facility", "no_entry_found"):
            await daemon.metric_is(1, "gated_decisions_total", decision="deny", reason=reason)
        assert [event["zone"] for event in daemon.events("decision", decision="grant")] == [
            "deck-1",
            "deck-1",
            "deck-2",
            "deck-2",
        ]


def assert_command(command: dict[str, Any], do: str, reason: str, plate: str, fence: int) -> None:
    """The fields by which a barrier tells a fresh command from an old one, and what it shows."""
    assert (command["do"], command["reason"], command["plate"]) == (do, reason, plate)
    assert command["text"] == text(reason)
    assert command["fence"] == fence
    issued = datetime.fromisoformat(command["issued_at"])
    assert datetime.fromisoformat(command["expires_at"]) - issued == timedelta(seconds=3)
    assert timedelta() <= datetime.now(UTC) - issued < timedelta(seconds=3)
    assert len(command["id"]) == 36


async def test_a_vehicle_is_decided_once_however_often_it_is_told(
    place: Place, devices: Wire
) -> None:
    """A message delivered twice, an update of the same vehicle, a second read of the plate."""
    entry, controller = in_1(devices), native(devices, "in-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await entry.contact("presence", on=True)
        at = datetime.now(UTC)
        for _ in range(3):
            await entry.plate_event("KI DU 1", 9, "new", "unknown", at)
        await entry.plate_event("KI DU 1", 9, "update", "in", at + timedelta(milliseconds=50))
        await entry.plate_event("KI DU 7", 9, "update", "in", at + timedelta(milliseconds=90))
        await entry.opened()
        await entry.plate_event("KI DU 1", 9, "update", "in", at + timedelta(milliseconds=120))
        await entry.plate_event("KI DU 1", 9, "lost", "in", at)
        await go_on(entry)
        await daemon.event("lane.passed", lane="in-1")

        same = {"id": "r-1", "at": stamp(), "plate": "KI DU 2", "confidence": 0.9}
        await controller.contact("presence", on=True)
        for _ in range(3):
            await devices.send(controller.topic("plate"), same)
        await controller.opened()
        await controller.read("KI DU 2")
        await devices.send(controller.topic("plate"), same)
        await go_on(controller)
        await daemon.event("lane.passed", lane="in-2")

        await place.settled()
        await place.decided(
            ("in-1", "KIDU1", "grant", "transient"), ("in-2", "KIDU2", "grant", "transient")
        )
        assert len(commands(devices)) == 2
        assert await place.available() == {"deck-1": 0, "deck-2": 1}
        # Three of each two messages were the same one; they are stored once, and counted.
        await daemon.metric_is(5, "gated_inbox_messages_total", kind="plate", status="duplicate")


async def test_a_vehicle_that_backs_out_leaves_no_trace_on_its_spot(
    place: Place, devices: Wire
) -> None:
    entry = native(devices, "in-2")
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await entry.contact("presence", on=True)
        await entry.read("KI BO 1")
        await entry.opened()
        assert (await place.available())["deck-1"] == 1
        await entry.contact("presence", on=False)
        await daemon.event("lane.admission_cancelled", lane="in-2", reason="no_passage")
        await place.becomes("CANCELLED", "SELECT status::text FROM bookings")
        assert await place.available() == {"deck-1": 2, "deck-2": 1}
        await daemon.metric_is(0, "gated_zone_occupied", zone="deck-1")
        # It may come again at once.
        await pass_through(entry, "KI BO 1")
        await daemon.event("lane.passed", lane="in-2")


async def test_a_relay_that_refuses_to_switch(place: Place, devices: Wire) -> None:
    """The reply of the hardware counts: no spot is kept for a vehicle that stays outside."""
    entry = in_1(devices)
    async with place.daemon() as daemon:
        await daemon.ready(FACILITY)
        await entry.contact("presence", on=True)
        await entry.read("KI RE 1")
        call = (await devices.message(f"{entry.relay}/rpc")).body
        await entry.answer(
            call, error={"code": -105, "message": "Argument 'id', value 0 not found"}
        )
        await daemon.event("lane.notice", notice="command_refused")
        await place.becomes(
            [("failed", "-105: Argument 'id', value 0 not found")],
            "SELECT status, error FROM gate.commands",
        )
        await place.becomes("CANCELLED", "SELECT status::text FROM bookings")
        assert await place.available() == {"deck-1": 2, "deck-2": 1}
